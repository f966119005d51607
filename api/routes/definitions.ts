import type { AppContext } from '../../operations/context.ts';
import type { Answer } from '../http/answer.ts';
import type { Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';
export async function definitionsRoute(_ctx: AppContext, call: Call, _rest: readonly string[]): Promise<Answer> {
  throw noSuchRoute(call);
}
