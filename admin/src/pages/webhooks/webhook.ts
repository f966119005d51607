/** A webhook as its form holds it, and what the API tells of its endpoint. */
import type { WebhookDefinition } from '../../../../core/model/document.ts';
import type { Tone } from '../../ui/Status.tsx';

export type Webhook = WebhookDefinition;
export type Hook = Webhook['hook'];
export type WebhookEvent = NonNullable<Webhook['events']>[number];
export type Backoff = Webhook['retry']['backoff'];

/** What `_admin/webhooks/:id/health` tells of an endpoint. */
export interface Health {
  readonly webhook: string;
  readonly state: 'closed' | 'open' | 'half_open' | 'throttled' | 'disabled';
  /** Failed attempts in a row. */
  readonly failures: number;
  readonly failing_since: string | null;
  readonly paused_until: string | null;
  readonly disabled_at: string | null;
  readonly reason: string | null;
  /** Deliveries that have not ended. */
  readonly backlog: number;
  readonly oldest_waiting_at: string | null;
  readonly last_24h: {
    readonly delivered: number;
    readonly failed: number;
    readonly p50_ms: number | null;
    readonly p95_ms: number | null;
  };
}
export type EndpointState = Health['state'];

export const ENDPOINT_TONES: Readonly<Record<EndpointState, Tone>> = {
  closed: 'done',
  open: 'failed',
  half_open: 'warning',
  throttled: 'warning',
  disabled: 'paused',
};

export const HOOKS: readonly Hook[] = ['after_write', 'after_delete', 'before_write', 'before_delete'];
export const EVENTS: readonly WebhookEvent[] = ['record.created', 'record.updated', 'record.deleted', 'record.restored'];
export const METHODS: readonly Webhook['method'][] = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'];
export const BACKOFFS: readonly Backoff[] = ['exponential', 'linear', 'fixed', 'custom'];
export const EVERY_ENTITY = '*';

/** The write waits for its answer, which may refuse it. */
export const isAskedFirst = ({ hook, async }: Pick<Webhook, 'hook' | 'async'>): boolean =>
  !async || hook === 'before_write' || hook === 'before_delete';

export interface Header {
  readonly name: string;
  readonly value: string;
}

export interface WebhookDraft {
  readonly name: string;
  readonly entity: string;
  readonly hook: Hook;
  readonly events: readonly WebhookEvent[];
  readonly url: string;
  readonly method: Webhook['method'];
  readonly headers: readonly Header[];
  readonly condition: string;
  readonly fields: readonly string[];
  readonly asRole: string;
  readonly isThin: boolean;
  readonly async: boolean;
  readonly ordered: boolean;
  readonly maxAttempts: string;
  readonly backoff: Backoff;
  readonly initial: string;
  readonly schedule: readonly string[];
  readonly concurrency: string;
  readonly breakAfter: string;
  readonly active: boolean;
}

export const emptyWebhook = (entity: string): WebhookDraft => ({
  name: '',
  entity,
  hook: 'after_write',
  events: ['record.created', 'record.updated'],
  url: '',
  method: 'POST',
  headers: [],
  condition: '',
  fields: [],
  asRole: '',
  isThin: false,
  async: true,
  ordered: false,
  maxAttempts: '8',
  backoff: 'exponential',
  initial: '5s',
  schedule: [],
  concurrency: '',
  breakAfter: '',
  active: true,
});

export const webhookDraftOf = (webhook: Webhook): WebhookDraft => ({
  name: webhook.name ?? '',
  entity: webhook.entity,
  hook: webhook.hook,
  events: webhook.events ?? [],
  url: webhook.url,
  method: webhook.method,
  headers: Object.entries(webhook.headers).map(([name, value]) => ({ name, value })),
  condition: webhook.condition ?? '',
  fields: webhook.fields ?? [],
  asRole: webhook.as_role ?? '',
  isThin: webhook.payload === 'thin',
  async: webhook.async,
  ordered: webhook.ordered,
  maxAttempts: String(webhook.retry.max_attempts),
  backoff: webhook.retry.backoff,
  initial: webhook.retry.initial,
  schedule: webhook.retry.schedule ?? [],
  concurrency: webhook.concurrency === undefined ? '' : String(webhook.concurrency),
  breakAfter: webhook.break_after === undefined ? '' : String(webhook.break_after),
  active: webhook.active,
});

const orNull = (text: string): string | null => (text.trim() === '' ? null : text.trim());
/** What is no number goes as it is typed: the refusal names it. */
const numberOf = (text: string): number | string | null =>
  text.trim() === '' ? null : /^\d+$/.test(text.trim()) ? Number(text) : text.trim();

/** Null takes away what the stored form had. */
export const webhookBodyOf = (draft: WebhookDraft): Record<string, unknown> => ({
  name: orNull(draft.name),
  entity: draft.entity,
  hook: draft.hook,
  events: draft.events.length === 0 ? null : draft.events,
  url: draft.url.trim(),
  method: draft.method,
  headers: Object.fromEntries(draft.headers.flatMap(({ name, value }) => (name.trim() === '' ? [] : [[name.trim(), value]]))),
  condition: orNull(draft.condition),
  fields: draft.fields.length === 0 ? null : draft.fields,
  as_role: orNull(draft.asRole),
  payload: draft.isThin ? 'thin' : null,
  async: draft.async,
  ordered: draft.ordered,
  retry: {
    max_attempts: numberOf(draft.maxAttempts) ?? 8,
    backoff: draft.backoff,
    initial: draft.initial.trim() === '' ? '5s' : draft.initial.trim(),
    ...(draft.backoff === 'custom' && draft.schedule.length > 0 ? { schedule: draft.schedule } : {}),
  },
  concurrency: numberOf(draft.concurrency),
  break_after: numberOf(draft.breakAfter),
  active: draft.active,
});

/** What a webhook is called where it has no name. */
export const titleOf = ({ name, url }: Pick<Webhook, 'name' | 'url'>): string => name ?? url;

const SECRET_HEADER = /authorization|cookie|token|secret|key|password|credential/i;
const REFERENCE = /\{\{\s*secret\.\w+\s*\}\}/;

/** Written-out values of headers that are secret by their name are not shown; a `{{secret.NAME}}` tells nothing. */
export const shownHeader = ({ name, value }: Header): string => (SECRET_HEADER.test(name) && !REFERENCE.test(value) ? '••••••••' : value);
