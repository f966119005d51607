/** `/api/_platform/rollouts`: moving the apps of a schema to one of its versions. */
import type { PlatformContext } from '../../operations/context.ts';
import { changeRollout, type RolloutVerb } from '../../operations/rollouts/control.ts';
import { idempotencyOf } from '../../operations/records/idempotency.ts';
import { readMembers } from '../../operations/payload.ts';
import { getRollout, listRollouts } from '../../operations/rollouts/read.ts';
import { startRollout } from '../../operations/rollouts/start.ts';
import { requireAdmin } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, objectOf, type Call } from '../http/call.ts';
import { noSuchRoute, wrongMethod } from './not-found.ts';

const VERBS: readonly string[] = ['pause', 'resume', 'abort', 'rollback'] satisfies RolloutVerb[];
const isVerb = (text: string | undefined): text is RolloutVerb => text !== undefined && VERBS.includes(text);

export async function rolloutsRoute(ctx: PlatformContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [id, part, app, verb, ...more] = rest;
  const isList = id === undefined;
  const allowed = isList ? ['GET', 'POST'] : part === undefined ? ['GET'] : ['POST'];
  const isOfApp = part === 'apps' && app !== undefined && verb === 'rollback' && more.length === 0;
  if (part !== undefined && !isOfApp && !(isVerb(part) && app === undefined)) throw noSuchRoute(call);
  if (!allowed.includes(call.method)) throw wrongMethod(call, allowed);
  if (call.method === 'POST') requireAdmin(ctx.actor);
  if (part !== undefined) await refuseBody(call, isOfApp ? 'a rollback' : part);
  if (isList) return call.method === 'GET' ? bodyAnswer(await listRollouts(ctx.services, call.query)) : startRoute(ctx, call);
  if (isOfApp) return dataAnswer(await changeRollout(ctx, id, 'rollback', app));
  if (isVerb(part)) return dataAnswer(await changeRollout(ctx, id, part));
  return dataAnswer(await getRollout(ctx.services, id, call.query));
}

/** These say everything by their path. */
async function refuseBody(call: Call, what: string): Promise<void> {
  const body = await jsonOf(call);
  if (body !== undefined) readMembers(body, what, []);
}

async function startRoute(ctx: PlatformContext, call: Call): Promise<Answer> {
  const body = await objectOf(call);
  const idempotency = idempotencyOf(headerOf(call, 'idempotency-key'), () => [body]);
  const { rollout, isNew } = await startRollout(ctx, body, idempotency?.key);
  return dataAnswer(rollout, isNew ? 202 : 200);
}
