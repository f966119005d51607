/** `_admin/deliveries/...` and the verbs of `_admin/webhooks/:id/...`. */
import { checkParameters } from '../../operations/paging.ts';
import type { AppContext } from '../../operations/context.ts';
import { getDelivery, listDeliveries, replayDelivery, testWebhook } from '../../operations/webhooks/deliveries.ts';
import { allHealth, enableWebhook, pauseWebhook, webhookHealth } from '../../operations/webhooks/health.ts';
import { getReplay, listReplays, startReplay, stopReplay } from '../../operations/webhooks/replays.ts';
import { rotateSecret } from '../../operations/webhooks/secrets.ts';
import { dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { noBodyOf, optionalMembersOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function deliveriesRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [delivery, verb, ...more] = rest;
  if (delivery === 'replays') return replaysRoute(ctx, call, rest.slice(1));
  if (more.length > 0) throw noSuchRoute(call);
  if (delivery === undefined && call.method === 'GET') return textAnswer(await listDeliveries(ctx, call.query));
  if (delivery === 'replay' && verb === undefined) return replayRoute(ctx, call);
  if (delivery === 'health' && verb === undefined) {
    if (call.method !== 'GET') throw noSuchRoute(call);
    checkParameters(call.query, []);
    return dataAnswer(await allHealth(ctx));
  }
  if (delivery !== undefined && verb === undefined && call.method === 'GET') return textAnswer(await getDelivery(ctx, delivery));
  if (delivery === undefined || verb !== 'replay' || call.method !== 'POST') throw noSuchRoute(call);
  await noBodyOf(call, 'deliveries/replay');
  return textAnswer(await replayDelivery(ctx, delivery));
}

async function replaysRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  const [replay, verb, ...more] = rest;
  if (more.length > 0 || (verb !== undefined && verb !== 'stop')) throw noSuchRoute(call);
  if (call.method !== (verb === undefined ? 'GET' : 'POST')) throw noSuchRoute(call);
  if (replay === undefined) {
    checkParameters(call.query, []);
    return dataText(await listReplays(ctx));
  }
  if (verb === undefined) return dataText(await getReplay(ctx, replay));
  await noBodyOf(call, 'deliveries/replays/stop');
  return dataText(await stopReplay(ctx, replay));
}

/** 202: a worker goes through them. */
async function replayRoute(ctx: AppContext, call: Call): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  return dataText(await startReplay(ctx, await optionalMembersOf(call, 'deliveries/replay', ['webhook', 'from', 'to', 'status'])), 202);
}

export async function webhookVerb(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer | undefined> {
  const [webhook, verb, ...more] = rest;
  if (webhook === undefined || verb === undefined || more.length > 0) return undefined;
  if (verb === 'health' && call.method === 'GET') return dataAnswer(await webhookHealth(ctx, webhook));
  if (call.method !== 'POST') return undefined;
  if (verb === 'test') return afterNoBody(call, verb, async () => textAnswer(await testWebhook(ctx, webhook)));
  if (verb === 'secret') return afterNoBody(call, verb, async () => dataAnswer(await rotateSecret(ctx, webhook)));
  if (verb === 'pause') return afterNoBody(call, verb, async () => dataAnswer(await pauseWebhook(ctx, webhook)));
  if (verb === 'enable') return afterNoBody(call, verb, async () => dataAnswer(await enableWebhook(ctx, webhook)));
  return undefined;
}

async function afterNoBody(call: Call, verb: string, answer: () => Promise<Answer>): Promise<Answer> {
  await noBodyOf(call, `webhooks/${verb}`);
  return answer();
}
