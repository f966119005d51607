/** `POST /api/:app/_hooks/:name`: other systems start a workflow, with the hook's own token in place of an account. */
import type { AppRuntime } from '../../operations/context.ts';
import { callHook } from '../../operations/processes/hooks.ts';
import type { Api } from '../api.ts';
import { dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function hooksRoute(api: Api, call: Call, app: AppRuntime, rest: readonly string[]): Promise<Answer> {
  const [name, ...more] = rest;
  call.route = '/api/:app/_hooks/:name';
  if (name === undefined || more.length > 0 || call.method !== 'POST') throw noSuchRoute(call);
  const bearer = /^Bearer (\S+)$/i.exec(headerOf(call, 'authorization') ?? '')?.[1];
  const answer = await callHook(api.services, app, name, {
    token: headerOf(call, 'x-hook-token') ?? bearer,
    body: await jsonOf(call),
    headers: shownHeaders(call),
    idempotencyKey: headerOf(call, 'idempotency-key') ?? headerOf(call, 'webhook-id'),
  });
  return dataAnswer(answer, 202);
}

const MAX_HEADER = 1_000;
const SECRET = /auth|cookie|token|secret|key|signature/;

/** What a workflow may read of the headers: the sender's own words, and nothing that lets anybody in. */
function shownHeaders(call: Call): Record<string, string> {
  const shown = Object.entries(call.request.headers).flatMap(([name, value]) => {
    const isOwn = name === 'content-type' || name === 'user-agent' || name.startsWith('x-') || name.startsWith('webhook-');
    return isOwn && !SECRET.test(name) && typeof value === 'string' ? [[name, value.slice(0, MAX_HEADER)] as const] : [];
  });
  return Object.fromEntries(shown.slice(0, 50));
}
