/** `/api/:app/_overview`: what waits for the caller. */
import type { AppContext } from '../../operations/context.ts';
import { readOverview } from '../../operations/overview/read.ts';
import { dataAnswer, NO_STORE, type Answer } from '../http/answer.ts';
import type { Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function overviewRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  call.route = '/api/:app/_overview';
  if (rest.length > 0 || call.method !== 'GET') throw noSuchRoute(call);
  return dataAnswer(await readOverview(ctx, call.query), 200, NO_STORE);
}
