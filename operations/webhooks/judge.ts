/** What an attempt came to: for the delivery, for its record, and for the endpoint. */
import type { WebhookDefinition } from '../../core/model/document.ts';
import { delayAfter, judgeStatus, retryAfterMs } from '../../core/webhook/backoff.ts';
import { throttleMs } from '../../core/webhook/circuit.ts';
import type { AttemptResult } from '../../workflows/contracts/types.ts';
import type { Sign } from './endpoint.ts';
import type { CallResult } from './send.ts';

/** A delivery under way. */
export interface DeliveryRow {
  readonly id: string;
  readonly event_seq: string;
  readonly webhook: string;
  readonly round: number;
  readonly body: string;
  /** Attempts since the first or the last replay. */
  readonly tries_in_round: number;
}

export interface Judgement {
  readonly status: number | null;
  readonly latencyMs: number | null;
  readonly error: string | null;
  readonly response: string | null;
  readonly result: AttemptResult;
  /** Null where the endpoint was not called. */
  readonly sign: Sign | null;
}

const notSent = (reason: string): Judgement => ({
  status: null,
  latencyMs: null,
  error: reason,
  response: null,
  result: { outcome: 'dead', delayMs: null, reason },
  sign: null,
});

export const SWITCHED_OFF = notSent('The webhook was deleted or switched off.');

export function judge(now: Date, hook: WebhookDefinition, delivery: DeliveryRow, call: CallResult): Judgement {
  if (call.kind === 'denied') return notSent(call.message);
  if (call.kind === 'failed') {
    const result = again(hook, delivery, null, call.message);
    return { status: null, latencyMs: null, error: call.message, response: null, result, sign: { kind: 'failed', throttleMs: null } };
  }
  const { status, headers, body, latencyMs } = call.response;
  const outcome = judgeStatus(status);
  const common = { status, latencyMs, response: body, error: outcome === 'delivered' ? null : `The receiver answered ${status}.` };
  if (outcome === 'delivered') {
    return { ...common, result: { outcome: 'delivered', delayMs: null, reason: null }, sign: { kind: 'delivered', throttleMs: null } };
  }
  if (outcome === 'gone') {
    const reason = 'The receiver answered 410: never again.';
    return { ...common, result: { outcome: 'dead', delayMs: null, reason }, sign: { kind: 'gone', throttleMs: null } };
  }
  const wait = retryAfterMs(headers['retry-after'], now);
  const result = again(hook, delivery, wait, `The receiver answered ${status}.`);
  return { ...common, result, sign: { kind: 'failed', throttleMs: throttleMs(status, wait) } };
}

function again(hook: WebhookDefinition, { tries_in_round: tries }: DeliveryRow, wait: number | null, reason: string): AttemptResult {
  const delayMs = delayAfter(hook.retry, tries, wait);
  if (delayMs === null) return { outcome: 'dead', delayMs, reason: `${reason} That was attempt ${tries} of ${hook.retry.max_attempts}.` };
  return { outcome: 'retry', delayMs: Math.round(jittered(delayMs)), reason };
}

/** Up to a tenth later, so that deliveries that failed together do not come back together. */
const jittered = (delayMs: number): number => delayMs * (1 + Math.random() / 10);
