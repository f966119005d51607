/** Clocks of SLAs: `/api/:app/_slas`, `/api/:app/:entity/:id/_slas`, and what admins ask under `_admin/slas`. */
import type { AppContext } from '../../operations/context.ts';
import { forecastClocks, listClocks, listRecordClocks } from '../../operations/slas/read.ts';
import { recomputeClocks } from '../../operations/slas/recompute.ts';
import { trySla } from '../../operations/slas/try.ts';
import { checkParameters } from '../../operations/paging.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { noBodyOf, objectOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { definitionsRoute } from './definitions.ts';
import { noSuchRoute } from './not-found.ts';

export async function clocksRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  call.route = '/api/:app/_slas';
  if (rest.length > 0 || call.method !== 'GET') throw noSuchRoute(call);
  return bodyAnswer(await listClocks(ctx, call.query));
}

export async function recordClocksRoute(ctx: AppContext, call: Call, entity: string, record: string): Promise<Answer> {
  if (call.method !== 'GET') throw noSuchRoute(call);
  call.route = '/api/:app/:entity/:id/_slas';
  checkParameters(call.query, []);
  return dataAnswer(await withFreshSchema(ctx, (fresh) => listRecordClocks(fresh, entity, record)));
}

export async function slaAdminRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [, first, verb, ...more] = rest;
  if (first === 'forecast' && verb === undefined && call.method === 'GET') {
    call.route = '/api/:app/_admin/slas/forecast';
    const { data, ...meta } = await forecastClocks(ctx, call.query);
    return bodyAnswer({ data, meta });
  }
  if (first === 'try' && verb === undefined && call.method === 'POST') {
    call.route = '/api/:app/_admin/slas/try';
    const body = await objectOf(call);
    return dataAnswer(await withFreshSchema(ctx, (fresh) => trySla(fresh, body)));
  }
  if (first !== undefined && verb === 'recompute' && more.length === 0 && call.method === 'POST') {
    call.route = '/api/:app/_admin/slas/:name/recompute';
    await noBodyOf(call, 'slas/recompute');
    return dataAnswer(await withFreshSchema(ctx, (fresh) => recomputeClocks(fresh, first)), 202);
  }
  return definitionsRoute(ctx, call, rest);
}
