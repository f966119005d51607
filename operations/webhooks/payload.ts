/** What a webhook's receiver gets: the event, cut to what the webhook may show. */
import { uuidv7 } from '../../adapters/ids.ts';
import { compileExpression, isTrue } from '../../core/expression/expression.ts';
import type { WebhookDefinition } from '../../core/model/document.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { accessFor } from '../../core/policy/policy.ts';
import type { Actor, AppRuntime } from '../context.ts';
import { changesOf, recordBefore, type EventRow } from '../events.ts';

type Fields = Readonly<Record<string, unknown>>;

/** The wire form of a change; `id` stays the same over all attempts and is also the `webhook-id` header. */
export interface WebhookPayload {
  readonly id: string;
  readonly event: 'record.created' | 'record.updated' | 'record.deleted' | 'record.restored';
  readonly entity: string;
  readonly action: 'create' | 'update' | 'delete' | 'restore';
  readonly record: Fields | null;
  readonly old: Fields | null;
  readonly changes: Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
  readonly user: { readonly id: string | null; readonly roles: readonly string[] };
  readonly timestamp: string;
  readonly idempotency_key: string;
  readonly schema_version: number;
  readonly payload_version: 1;
  /** Of the record after the change; receivers that need an order go by it. Not known before a write. */
  readonly record_version?: number;
  /** Only the record's key is told, and what changed: the receiver reads the rest. */
  readonly thin?: true;
  readonly changed_fields?: readonly string[];
}

/** As it is sent; longer ones become thin. */
const MAX_BYTES = 20_000;

const EVENT_NAMES = {
  create: 'record.created',
  update: 'record.updated',
  delete: 'record.deleted',
  restore: 'record.restored',
} as const;

export type RecordChange = keyof typeof EVENT_NAMES;

export interface Change {
  readonly action: RecordChange;
  readonly entity: string;
  readonly record: Fields | null;
  readonly old: Fields | null;
  readonly changes: WebhookPayload['changes'];
  readonly actor: { readonly id: string | null; readonly roles: readonly string[] };
  readonly at: string;
  readonly schemaVersion: number;
  readonly recordVersion?: number;
}

export function changeOf(event: EventRow): Change | undefined {
  if (event.action === 'custom') return undefined;
  return {
    action: event.action,
    entity: event.entity,
    record: event.record,
    old: recordBefore(event),
    changes: changesOf(event),
    actor: event.actor,
    at: event.at,
    schemaVersion: event.schema_version,
    recordVersion: Number(event.record_version),
  };
}

export function buildPayload(
  app: AppRuntime,
  entity: EntityModel,
  hook: WebhookDefinition,
  change: Change,
  id: string = uuidv7(),
): WebhookPayload {
  const shown = shownFields(app, entity, hook);
  const cut = <T>(fields: Readonly<Record<string, T>> | null): Record<string, T> | null =>
    fields === null ? null : Object.fromEntries(Object.entries(fields).filter(([name]) => shown.has(name)));
  return {
    id,
    event: EVENT_NAMES[change.action],
    entity: change.entity,
    action: change.action,
    record: cut(change.record),
    old: cut(change.old),
    changes: cut(change.changes) ?? {},
    user: { id: change.actor.id, roles: change.actor.roles },
    timestamp: change.at,
    idempotency_key: `wh_${id}`,
    schema_version: change.schemaVersion,
    payload_version: hook.payload_version ?? 1,
    ...(change.recordVersion === undefined ? {} : { record_version: change.recordVersion }),
  };
}

/** The payload of an asynchronous webhook: thin when the webhook wants that, or when all of it would be too long. */
export function deliveredPayload(
  app: AppRuntime,
  entity: EntityModel,
  hook: WebhookDefinition,
  change: Change,
  id: string,
): WebhookPayload {
  const payload = buildPayload(app, entity, hook, change, id);
  if (hook.payload !== 'thin' && sentBytes(payload) <= MAX_BYTES) return payload;
  const key = [...entity.fields.values()].find((field) => field.isKey)?.name;
  const record = payload.record ?? payload.old;
  return {
    ...payload,
    record: record === null || key === undefined ? null : { [key]: record[key] },
    old: null,
    changes: {},
    thin: true,
    changed_fields: Object.keys(payload.changes),
  };
}

/** Postgres writes a space behind each colon and comma between values. */
const sentBytes = (payload: WebhookPayload): number => Buffer.byteLength(JSON.stringify(payload)) + spaces(payload);

function spaces(part: unknown): number {
  if (typeof part !== 'object' || part === null) return 0;
  const inner = Object.values(part);
  const own = Array.isArray(part) ? inner.length - 1 : 2 * inner.length - 1;
  return Math.max(0, own) + inner.reduce<number>((sum, each) => sum + spaces(each), 0);
}

/** Whether an asynchronous webhook is about this kind of change: its events say it, else the moment it names. */
export function isAbout(hook: WebhookDefinition, action: RecordChange): boolean {
  if (hook.events !== undefined) return hook.events.includes(EVENT_NAMES[action]);
  return action === 'delete' ? hook.hook === 'after_delete' : hook.hook === 'after_write';
}

/** A webhook with events hears of these only; one without hears of all. */
export const hears = (hook: WebhookDefinition, action: RecordChange): boolean => hook.events?.includes(EVENT_NAMES[action]) !== false;

/** The webhook's own list, within what `as_role` may read; without a role, everything that is not marked hidden. */
function shownFields(app: AppRuntime, entity: EntityModel, hook: WebhookDefinition): ReadonlySet<string> {
  const access = hook.as_role === undefined ? undefined : accessFor(app, roleActor(hook.as_role), entity, 'read', new Date(0));
  const shown = new Set<string>();
  for (const field of entity.fields.values()) {
    if (hook.fields !== undefined && !hook.fields.includes(field.name)) continue;
    // A field readable only in some rows is left out: the row's policy cannot be asked about a past state.
    const isShown = access === undefined ? !field.definition.hidden : access.isGranted && access.field(field.name).mode === 'always';
    if (isShown || field.isKey) shown.add(field.name);
  }
  return shown;
}

const roleActor = (role: string): Actor => ({
  kind: 'user',
  id: null,
  email: null,
  roles: [role.toLowerCase()],
  isAdmin: role.toLowerCase() === 'admin',
  sessionId: null,
});

/** Whether the webhook wants this change. Throws what the expression throws. */
export function meetsCondition(hook: WebhookDefinition, change: Change): boolean {
  if (hook.condition === undefined) return true;
  return isTrue(
    compileExpression(hook.condition).evaluate({
      record: change.record ?? change.old ?? {},
      old: change.old ?? {},
      action: change.action,
      now: change.at,
      user: change.actor,
      params: { entity: change.entity, event: EVENT_NAMES[change.action], changes: change.changes },
    }),
  );
}
