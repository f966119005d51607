import type { AppContext } from '../../operations/context.ts';
import { discover } from '../../operations/schemas/discovery.ts';
import { textAnswer, type Answer } from '../http/answer.ts';
import { headerOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

/** `GET /api/:app/_discovery`: what the app holds, as far as the caller may know. */
export async function discoveryRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  if (rest.length > 0 || call.method !== 'GET') throw noSuchRoute(call);
  call.route = '/api/:app/_discovery';
  const { text, etag } = discover(ctx);
  const isKnown =
    headerOf(call, 'if-none-match')
      ?.split(',')
      .some((tag) => tag.trim() === etag) === true;
  return isKnown ? { status: 304, text: '', headers: { ETag: etag } } : textAnswer(text, 200, { ETag: etag });
}
