/** `_admin/runs/...` and `_admin/starts/...`: the operator's view. */
import { checkParameters } from '../../operations/paging.ts';
import type { AppContext } from '../../operations/context.ts';
import { listStarts, retryStarts } from '../../operations/processes/failed-starts.ts';
import { countRunsByProblem, findRuns } from '../../operations/processes/find-runs.ts';
import { getOperation, listOperations, operateMany } from '../../operations/processes/operate-many.ts';
import { bodyAnswer, dataAnswer, textAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function runsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part, operation, ...more] = rest;
  if (more.length > 0 || (operation !== undefined && part !== 'operations')) throw noSuchRoute(call);
  if (part === 'operate' && call.method === 'POST') {
    const { text, status } = await operateMany(ctx, await jsonOf(call));
    return textAnswer(text, status);
  }
  if (call.method !== 'GET') throw noSuchRoute(call);
  if (part === undefined) return bodyAnswer(await findRuns(ctx, call.query));
  if (part === 'counts') return textAnswer(await countRunsByProblem(ctx, call.query));
  if (part !== 'operations') throw noSuchRoute(call);
  checkParameters(call.query, []);
  return textAnswer(await (operation === undefined ? listOperations(ctx) : getOperation(ctx, operation)));
}

export async function startsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part, ...more] = rest;
  if (part === undefined && call.method === 'GET') return textAnswer(await listStarts(ctx, call.query));
  if (part === 'retry' && more.length === 0 && call.method === 'POST') return dataAnswer(await retryStarts(ctx, await jsonOf(call)));
  throw noSuchRoute(call);
}
