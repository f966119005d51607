/** `/api/:app/_notifications`: the caller's own. */
import type { AppContext } from '../../operations/context.ts';
import { listNotifications, readAllNotifications, readNotification } from '../../operations/processes/notifications.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { noBodyOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function notificationsRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [first, verb, ...more] = rest;
  call.route = '/api/:app/_notifications';
  if (more.length > 0) throw noSuchRoute(call);
  if (first === undefined && call.method === 'GET') return bodyAnswer(await listNotifications(ctx, call.query));
  if (first === undefined || call.method !== 'POST') throw noSuchRoute(call);
  if (first === 'read-all' && verb === undefined) {
    await noBodyOf(call, '_notifications/read-all');
    return dataAnswer(await readAllNotifications(ctx));
  }
  if (verb !== 'read') throw noSuchRoute(call);
  await noBodyOf(call, '_notifications/read');
  return dataAnswer(await readNotification(ctx, first));
}
