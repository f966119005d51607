/** `/api/:app/_absences`: who decides for whom. Entered and ended with a session only, as whatever gives rights to others. */
import { createAbsence, deleteAbsence, listAbsences } from '../../operations/approvals/absences.ts';
import type { AppContext } from '../../operations/context.ts';
import { refuseKeyActor } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { jsonOf, noBodyOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function absencesRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [absenceId, ...more] = rest;
  call.route = absenceId === undefined ? '/api/:app/_absences' : '/api/:app/_absences/:id';
  if (more.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') refuseKeyActor(ctx.actor);
  if (absenceId === undefined) {
    if (call.method === 'GET') return bodyAnswer(await listAbsences(ctx, call.query));
    if (call.method === 'POST') return dataAnswer(await createAbsence(ctx, await jsonOf(call)), 201);
    throw noSuchRoute(call);
  }
  if (call.method !== 'DELETE') throw noSuchRoute(call);
  await noBodyOf(call, '_absences');
  return dataAnswer(await deleteAbsence(ctx, absenceId));
}
