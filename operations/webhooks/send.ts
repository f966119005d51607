/** One signed HTTP call to a webhook's address: the same for first attempts, retries, tests and synchronous calls. */
import { createHmac } from 'node:crypto';
import { OutboundError, type OutboundResponse } from '../../adapters/outbound.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import { signatureHeaders } from '../../core/webhook/signature.ts';
import type { AppRuntime, Services } from '../context.ts';
import { redactor, secretsIn } from './redact.ts';
import { MissingSecretError, openKeys, resolveSecrets, signingKeys, type SealedKeys } from './secrets.ts';

const hmac = (key: Uint8Array, text: string): string => createHmac('sha256', key).update(text, 'utf8').digest('base64');

export type CallResult =
  | { readonly kind: 'answered'; readonly response: OutboundResponse }
  /** Refused by our own rules: nothing was sent. */
  | { readonly kind: 'denied'; readonly message: string }
  | { readonly kind: 'failed'; readonly message: string };

/** What belongs to the connection or to the signature is ours to say. */
const OURS = /^(host|connection|content-length|content-type|transfer-encoding|upgrade|expect|te|trailer|keep-alive|proxy-.*|webhook-.*)$/i;

/**
 * Never throws for what the receiver, the network or the definition did; `body` are the exact bytes that are signed and sent.
 * `sealed` are the signing keys of somebody who has read them already.
 */
export async function callWebhook(
  services: Services,
  app: AppRuntime,
  hook: WebhookDefinition,
  messageId: string,
  body: string,
  sealed?: SealedKeys,
): Promise<CallResult> {
  try {
    const { headers, plain } = await resolveSecrets(services, app, hook.headers);
    const name = hook.id ?? '';
    const keys = sealed === undefined ? await signingKeys(services, app, name) : openKeys(services, app, name, sealed);
    const signed = signatureHeaders(messageId, Math.floor(services.clock().getTime() / 1000), body, keys, hmac);
    const redact = redactor([...plain, ...secretsIn(headers), ...keys.map((key) => Buffer.from(key).toString('base64'))]);
    const result = await exchange(services, hook, { ...own(headers), ...signed }, body);
    if (result.kind !== 'answered') return { ...result, message: redact(result.message) };
    return { kind: 'answered', response: { ...result.response, body: redact(result.response.body) } };
  } catch (error) {
    if (error instanceof MissingSecretError) return { kind: 'denied', message: error.message };
    throw error;
  }
}

const own = (headers: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => !OURS.test(name)));

async function exchange(
  services: Services,
  hook: WebhookDefinition,
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<CallResult> {
  const hasBody = hook.method !== 'GET';
  try {
    const response = await services.outbound.send({
      url: hook.url,
      method: hook.method,
      headers: {
        'user-agent': 'Durabase-Webhook/1',
        ...headers,
        ...(hasBody ? { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) } : {}),
      },
      ...(hasBody ? { body } : {}),
    });
    return { kind: 'answered', response };
  } catch (error) {
    if (error instanceof OutboundError) return { kind: error.kind === 'denied' ? 'denied' : 'failed', message: error.message };
    throw error;
  }
}
