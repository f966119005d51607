import { uuidv7 } from '../../adapters/ids.ts';
import { AppError } from '../../core/errors.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { servedEntity, servedRecord } from '../served-shape.ts';
import { buildPayload, hears, meetsCondition, type Change } from './payload.ts';
import { callWebhook } from './send.ts';

/** At most this many calls of one app wait for receivers at once, so that a hanging one cannot take every request with it. */
const MAX_WAITING_PER_APP = 20;
const waiting = new Map<string, number>();

/** Webhooks that may refuse a write: `async: false`, and every `before_` hook. */
export function isSynchronous(hook: WebhookDefinition): boolean {
  return !hook.async || hook.hook === 'before_write' || hook.hook === 'before_delete';
}

const concerns = (hook: WebhookDefinition, action: 'create' | 'update' | 'delete'): boolean =>
  hears(hook, action) && (action === 'delete' ? hook.hook.endsWith('_delete') : hook.hook.endsWith('_write'));

/** True when a write of this entity has to be shown to somebody first. */
export const hasSyncWebhooks = (entity: EntityModel, action: 'create' | 'update' | 'delete'): boolean =>
  entity.webhooks.some((hook) => isSynchronous(hook) && concerns(hook, action));

/**
 * Shows the merged candidate to every synchronous webhook, before any transaction is open. `callKey` stays the
 * same when the write is tried again, so that a receiver can tell. Throws WEBHOOK_REJECTED for a refusal (4xx) and
 * WEBHOOK_UNAVAILABLE for no answer or 5xx; nothing has been written then.
 */
export async function callSyncWebhooks(
  ctx: AppContext,
  writtenAs: EntityModel,
  action: 'create' | 'update' | 'delete',
  written: Readonly<Record<string, unknown>> | null,
  before: Readonly<Record<string, unknown>> | null,
  callKey: string = uuidv7(),
): Promise<void> {
  // Receivers know one shape, the served one.
  const entity = servedEntity(ctx.app, writtenAs);
  if (entity === undefined) return;
  const told = (record: typeof written): typeof written =>
    record === null || entity === writtenAs ? record : servedRecord(writtenAs, entity, record);
  const [candidate, old] = [told(written), told(before)];
  const change: Change = {
    action,
    entity: entity.name,
    record: candidate,
    old,
    changes: changesBetween(candidate, old),
    actor: { id: ctx.actor.id, roles: ctx.actor.roles },
    at: ctx.now.toISOString(),
    schemaVersion: ctx.app.version,
  };
  const unseen = unseenFields(writtenAs, entity);
  for (const hook of entity.webhooks) {
    if (!isSynchronous(hook) || !concerns(hook, action)) continue;
    // A condition on what nobody knows before the write is taken to hold: who may refuse is rather asked in vain.
    if (!names(hook.condition, unseen) && !meetsCondition(hook, change)) continue;
    await bulkhead(ctx.app.id, () => callOne(ctx, entity, hook, change, callKey));
  }
}

/** Fields of the served shape whose values the database works out when it writes. */
function unseenFields(writtenAs: EntityModel, served: EntityModel): string[] {
  const given = new Set([...writtenAs.fields.values()].map((field) => field.column));
  return [...served.fields.values()].filter((field) => !given.has(field.column)).map((field) => field.name);
}

const names = (condition: string | undefined, fields: readonly string[]): boolean =>
  condition !== undefined && fields.some((field) => new RegExp(`\\b${field}\\b`).test(condition));

async function callOne(ctx: AppContext, entity: EntityModel, hook: WebhookDefinition, change: Change, callKey: string): Promise<void> {
  const payload = buildPayload(ctx.app.beside?.served ?? ctx.app, entity, hook, change, callKey);
  const label = hook.name ?? new URL(hook.url).host;
  const result = await callWebhook(ctx.services, ctx.app, hook, callKey, JSON.stringify(payload));
  if (result.kind !== 'answered') {
    throw new AppError('WEBHOOK_UNAVAILABLE', `The webhook "${label}" could not be asked, so nothing was written: ${result.message}`);
  }
  const { status, body } = result.response;
  if (status >= 200 && status < 300) return;
  if (status >= 400 && status < 500) {
    throw new AppError('WEBHOOK_REJECTED', `The webhook "${label}" refused the write (${status}).`, {
      details: [{ rule: 'webhook', message: reasonIn(body) ?? `answered ${status}` }],
    });
  }
  throw new AppError('WEBHOOK_UNAVAILABLE', `The webhook "${label}" answered ${status}, so nothing was written.`, {
    hint: 'Repeat the request when the receiver is well again.',
  });
}

/** The receiver's own words, when it answered with a JSON message. */
function reasonIn(body: string): string | undefined {
  try {
    const parsed = JSON.parse(body) as { message?: unknown; error?: unknown } | null;
    const found = parsed?.message ?? parsed?.error;
    return typeof found === 'string' ? found.slice(0, 300) : undefined;
  } catch {
    return undefined;
  }
}

function changesBetween(
  candidate: Readonly<Record<string, unknown>> | null,
  old: Readonly<Record<string, unknown>> | null,
): Change['changes'] {
  if (candidate === null || old === null) return {};
  const changed = Object.entries(candidate).filter(([field, now]) => JSON.stringify(now) !== JSON.stringify(old[field]));
  return Object.fromEntries(changed.map(([field, now]) => [field, { old: old[field] ?? null, new: now }]));
}

async function bulkhead(app: string, call: () => Promise<void>): Promise<void> {
  const count = waiting.get(app) ?? 0;
  if (count >= MAX_WAITING_PER_APP) {
    throw new AppError('WEBHOOK_UNAVAILABLE', `${count} writes of this app already wait for webhooks.`, { retryAfter: 2 });
  }
  waiting.set(app, count + 1);
  try {
    await call();
  } finally {
    const left = (waiting.get(app) ?? 1) - 1;
    if (left === 0) waiting.delete(app);
    else waiting.set(app, left);
  }
}
