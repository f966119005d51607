/** `/api/:app/_admin/functions`: the registry, the log of runs, and trying functions. */
import { describeFunctions } from '../../core/functions/registry.ts';
import type { AppContext } from '../../operations/context.ts';
import { getFunctionRun, listFunctionRuns, retryFunctionRun } from '../../operations/functions/runs.ts';
import { runFunctionTests, tryFunction } from '../../operations/functions/try.ts';
import { checkParameters } from '../../operations/paging.ts';
import { dataAnswer, textAnswer, type Answer } from '../http/answer.ts';
import { noBodyOf, objectOf, type Call } from '../http/call.ts';
import { withFreshSchema } from '../rerun.ts';
import { noSuchRoute } from './not-found.ts';

export async function functionsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [part, ...more] = rest;
  call.route = `/api/:app/_admin/functions${part === undefined ? '' : `/${part}`}`;
  if (part === 'runs') return runsRoute(ctx, call, more);
  if (more.length > 0) throw noSuchRoute(call);
  if (part === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    checkParameters(call.query, []);
    return dataAnswer(describeFunctions());
  }
  if (call.method !== 'POST') throw noSuchRoute(call);
  if (part === 'try') {
    const body = await objectOf(call);
    return dataAnswer(await withFreshSchema(ctx, (fresh) => tryFunction(fresh, body)));
  }
  if (part !== 'test') throw noSuchRoute(call);
  await noBodyOf(call, 'functions/test');
  const results = await runFunctionTests(ctx, ctx.app.model.document);
  return dataAnswer({ passed: results.every(({ outcome }) => outcome !== 'failed'), results });
}

async function runsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [run, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (run === undefined && call.method === 'GET') return textAnswer(await listFunctionRuns(ctx, call.query));
  if (run !== undefined && verb === undefined && call.method === 'GET') {
    checkParameters(call.query, []);
    return textAnswer(await getFunctionRun(ctx, run));
  }
  if (run === undefined || verb !== 'retry' || call.method !== 'POST') throw noSuchRoute(call);
  await noBodyOf(call, 'functions/runs/retry');
  return textAnswer(await retryFunctionRun(ctx, run));
}
