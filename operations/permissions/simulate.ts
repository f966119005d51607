/**
 * Answers what somebody may do and why: the decision, every permission that was considered, the rows and fields it comes to,
 * and what a draft would change. All of it is asked of the same compiled policy that requests meet (`core/policy`).
 */
import type { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { parseQueryBody } from '../../core/filter/parse.ts';
import { ROWS_ALIAS, selectedRows } from '../../core/filter/statements.ts';
import type { PermissionDefinition } from '../../core/model/document.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import { DELETED_COLUMN, entityOf, type EntityModel } from '../../core/model/model.ts';
import { readItem } from '../../core/model/read-document.ts';
import { simulation } from '../../core/payloads/trials.ts';
import { holding, type Access } from '../../core/policy/access.ts';
import { accessFor, considered, type Considered } from '../../core/policy/policy.ts';
import { recordIdText } from '../../core/sql/columns.ts';
import { empty, id, join, literal, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { actorOfAs } from '../auth/as.ts';
import type { AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { bindingsOf, readScope } from '../records/read-scope.ts';
import { keyCondition, notFound } from '../records/record-key.ts';
import { draftRuntime, withDrafts } from '../schemas/draft-runtime.ts';

type Request = z.infer<typeof simulation>;

export interface ConsideredPermission {
  readonly id: string | null;
  readonly effect: 'grant' | 'deny';
  readonly entity: string;
  readonly action: string;
  readonly roles: readonly string[];
  readonly matched_roles: readonly string[];
  /** In the words of the document. */
  readonly condition: string;
  readonly fields: readonly string[] | null;
  readonly is_draft: boolean;
  /** For the record in question; null without one. */
  readonly holds: boolean | null;
  /** Whether it took part in the decision, and how. */
  readonly why: string;
}

export interface Decision {
  readonly decision: 'allowed' | 'denied' | 'filtered';
  readonly reason: string;
  readonly predicate: string;
  readonly considered: readonly ConsideredPermission[];
  /** `conditional` fields say under `in_record` whether they are open in the record in question. */
  readonly fields: readonly {
    readonly name: string;
    readonly access: 'always' | 'never' | 'conditional';
    readonly in_record: boolean | null;
  }[];
  readonly presets: Readonly<Record<string, unknown>>;
}

export interface Rows {
  readonly before: number;
  readonly after: number;
  /** Keys, at most 20 each. */
  readonly gained: readonly string[];
  readonly lost: readonly string[];
}

export interface Simulation extends Decision {
  /** What the action may reach now, and with the draft; null for `create`, which meets no rows. */
  readonly rows: Rows | null;
  /** The same decision with the draft in force. */
  readonly draft: Decision | null;
}

const SAMPLE_ROWS = 20;

export async function simulate(ctx: AppContext, given: unknown): Promise<Simulation> {
  const body = readPayload(simulation, given, 'permissions/simulate');
  const entity = entityOf(ctx.app.model, body.entity);
  if (body.record !== undefined && body.action !== 'create' && body.action !== 'update')
    throw new AppError('INVALID_PAYLOAD', '"record" is a candidate of a create or update; name a stored record with "record_id".');
  if (body.record_id !== undefined && body.action === 'create')
    throw new AppError('INVALID_PAYLOAD', 'A create meets no stored record: give its candidate as "record".');
  if (body.record !== undefined && body.action === 'update' && body.record_id === undefined)
    throw new AppError('INVALID_PAYLOAD', 'An update changes a stored record: name it with "record_id".');
  const actor = await actorOfAs(ctx, body.as);
  const before: AppContext = { ...ctx, actor };
  const { after, drafts } = withDraft(before, body.draft);
  return transaction(ctx.services.pool, async (db) => {
    await run(db, raw('set transaction read only'));
    const now = await decide(before, db, entity, body, new Set());
    return {
      ...now,
      rows: body.action === 'create' ? null : await countRows(before, after ?? before, db, entity, body),
      draft: after === undefined ? null : await decide(after, db, entity, body, drafts),
    };
  });
}

/** Draft permissions with the id of a stored one stand for it, `{"id", "deleted": true}` takes it away, the others are added. */
export function withDraft(ctx: AppContext, draft: Request['draft']): { after: AppContext | undefined; drafts: ReadonlySet<string> } {
  if (draft === undefined) return { after: undefined, drafts: new Set() };
  const gone = new Set(draft.flatMap((item) => (item['deleted'] === true ? [item['id']] : [])));
  const items = draft.flatMap((item, index): PermissionDefinition[] => {
    if (item['deleted'] === true) return [];
    const { id: key, ...rest } = item;
    return [{ ...readItem('permissions', rest, `draft[${index}]`), ...(typeof key === 'string' ? { id: key } : {}) }];
  });
  const stored = ctx.app.model.document.permissions;
  const app = draftRuntime(ctx, (current) => ({
    ...current,
    permissions: withDrafts(
      current.permissions.filter((permission) => !gone.has(permission.id)),
      items,
    ),
  }));
  const known = new Set(stored.map((permission) => permission.id));
  const named = new Set(items.map((item) => item.id));
  const drafts = app.model.document.permissions.flatMap(({ id: key }) =>
    key !== undefined && (!known.has(key) || named.has(key)) ? [key] : [],
  );
  return { after: { ...ctx, app }, drafts: new Set(drafts) };
}

// --- one decision ----------------------------------------------------------------------------------------------------

interface Judged {
  /** The row exists and the caller may read it. */
  readonly isReadable: boolean;
  readonly isAllowed: boolean;
  /** By the order of `considered`. */
  readonly holds: readonly boolean[];
  readonly open: ReadonlySet<string>;
}

async function decide(ctx: AppContext, db: Db, entity: EntityModel, body: Request, drafts: ReadonlySet<string>): Promise<Decision> {
  const access = accessFor(ctx.app, ctx.actor, entity, body.action, ctx.now);
  const list = ctx.actor.isAdmin ? [] : considered(ctx.app, ctx.actor, entity, body.action, ctx.now);
  const stored =
    body.record_id === undefined ? undefined : await judge(ctx, db, entity, body, access, list, storedRow(ctx, entity, body.record_id));
  const candidate =
    body.record === undefined ? undefined : await judge(ctx, db, entity, body, access, list, candidateRow(ctx, entity, body));
  const judged = candidate ?? stored;
  // An update asks the stored and the new row.
  const asked = [stored, candidate].filter((one) => one !== undefined);
  const isOpen = (name: string): boolean | null => (asked.length === 0 ? null : asked.every(({ open }) => open.has(name)));
  const fieldless = stored?.isReadable === false && !ctx.actor.isAdmin;
  return {
    ...outcome(ctx, access, body, stored, candidate, fieldless),
    predicate: ctx.actor.isAdmin ? 'every record' : predicateText(list),
    considered: list.map((item, index) => shown(item, body.action, judged?.holds[index] ?? null, drafts)),
    fields: [...entity.fields.keys()].map((name) => {
      const { mode } = access.field(name);
      return { name, access: access.isGranted ? mode : 'never', in_record: isOpen(name) };
    }),
    presets: access.presets,
  };
}

function outcome(
  ctx: AppContext,
  access: Access,
  { action }: Request,
  stored: Judged | undefined,
  candidate: Judged | undefined,
  isUnreadable: boolean,
): Pick<Decision, 'decision' | 'reason'> {
  if (ctx.actor.isAdmin) return { decision: 'allowed', reason: 'Admins are not asked for permissions.' };
  if (!access.isGranted)
    return { decision: 'denied', reason: `No grant of these roles allows to ${action}, or a deny takes every record.` };
  if (isUnreadable) return { decision: 'denied', reason: 'The record is outside of what may be read, so it is answered as not found.' };
  if (stored?.isAllowed === false) return { decision: 'denied', reason: 'No grant holds for the stored record, or a deny does.' };
  if (candidate?.isAllowed === false)
    return { decision: 'denied', reason: 'No grant holds for the record as it would be written, or a deny does.' };
  if (stored !== undefined || candidate !== undefined)
    return { decision: 'allowed', reason: 'A grant holds for the record, and no deny does.' };
  if (access.where(ROWS_ALIAS) === undefined) return { decision: 'allowed', reason: 'A grant without a condition takes every record.' };
  return { decision: 'filtered', reason: 'Allowed for the records the predicate holds for.' };
}

/** Asks Postgres about one row, a stored or a candidate one, in the very conditions of requests. */
async function judge(
  ctx: AppContext,
  db: Db,
  entity: EntityModel,
  body: Request,
  access: Access,
  list: readonly Considered[],
  from: Sql,
): Promise<Judged> {
  const read = accessFor(ctx.app, ctx.actor, entity, 'read', ctx.now);
  const names = [...entity.fields.keys()];
  const open = names.map((name) => {
    const { mode, when } = access.field(name);
    if (mode === 'never' || !access.isGranted) return sql`null`;
    return mode === 'always' || when === undefined ? literal(name) : sql`case when ${when(ROWS_ALIAS)} then ${literal(name)} end`;
  });
  const holds = list.map(({ where }) => holding(where?.(ROWS_ALIAS)));
  const [row] = await run<{ readable: boolean; allowed: boolean; holds: boolean[]; open: string[] }>(
    db,
    sql`select ${read.isGranted ? holding(read.where(ROWS_ALIAS)) : sql`false`} as readable,
      ${access.isGranted ? holding(access.where(ROWS_ALIAS)) : sql`false`} as allowed,
      array[${join(holds)}]::boolean[] as holds, array_remove(array[${join(open)}]::text[], null) as open ${from}`,
  );
  if (row === undefined) throw notFound(entity, String(body.record_id ?? ''));
  return { isReadable: row.readable, isAllowed: row.allowed, holds: row.holds, open: new Set(row.open) };
}

/** The admin who asks sees every live record; whether its caller does is part of the answer. */
function storedRow(ctx: AppContext, entity: EntityModel, recordId: string | number): Sql {
  const key = keyCondition(entity, ROWS_ALIAS, String(recordId));
  if (key === undefined) throw notFound(entity, String(recordId));
  const live = entity.hasSoftDelete ? sql` and ${id(ROWS_ALIAS, DELETED_COLUMN)} is null` : empty;
  return sql`from ${id(ctx.app.storage, entity.table)} ${id(ROWS_ALIAS)} where ${key}${live}`;
}

/** The row as the write would leave it: presets and the given values, over the stored row for an update. */
function candidateRow(ctx: AppContext, entity: EntityModel, body: Request): Sql {
  const table = id(ctx.app.storage, entity.table);
  const { presets } = accessFor(ctx.app, ctx.actor, entity, body.action, ctx.now);
  const columns: Record<string, unknown> = {};
  for (const [name, plain] of Object.entries({ ...body.record, ...(body.action === 'create' ? presets : {}) })) {
    const field = entity.fields.get(name);
    if (field === undefined) throw new AppError('UNKNOWN_FIELD', `The entity "${entity.name}" has no field "${name.slice(0, 100)}".`);
    const coerced = coerceValue(field, plain);
    if (!coerced.ok)
      throw new AppError('INVALID_VALUE', coerced.message, { details: [{ field: name, rule: coerced.rule, message: coerced.message }] });
    columns[field.column] = field.type === 'json' ? coerced.plain : coerced.value;
  }
  const json = value(JSON.stringify(columns), 'jsonb');
  if (body.action === 'create') return sql`from jsonb_populate_record(null::${table}, ${json}) ${id(ROWS_ALIAS)}`;
  const stored = storedRow(ctx, entity, body.record_id ?? '');
  return sql`from (select "c".* from (select ${id(ROWS_ALIAS)} as "row" ${stored}) "s", jsonb_populate_record("s"."row", ${json}) "c") ${id(ROWS_ALIAS)}`;
}

// --- rows ------------------------------------------------------------------------------------------------------------

async function countRows(before: AppContext, after: AppContext, db: Db, entity: EntityModel, body: Request): Promise<Rows> {
  const now = reachable(before, entity, body);
  const then = reachable(after, entity, body);
  const count = async (keys: Sql): Promise<number> =>
    (await run<{ n: number }>(db, sql`select count(*)::integer as n from (${keys}) "k"`))[0]?.n ?? 0;
  const sample = async (some: Sql, without: Sql): Promise<string[]> =>
    (
      await run<{ key: string }>(db, sql`select key from (${some} except ${without}) "k" order by 1 limit ${literal(String(SAMPLE_ROWS))}`)
    ).map(({ key }) => key);
  const isSame = before === after;
  const total = await count(now);
  return {
    before: total,
    after: isSame ? total : await count(then),
    gained: isSame ? [] : await sample(then, now),
    lost: isSame ? [] : await sample(now, then),
  };
}

/** The keys of the records the action may reach: those that can be read, and for a write also pass its own policy. */
export function reachable(ctx: AppContext, entity: EntityModel, { action, query }: Pick<Request, 'action' | 'query'>): Sql {
  const scope = readScope(ctx);
  const key = sql`select ${recordIdText(entity, ROWS_ALIAS)} as key `;
  const access = accessFor(ctx.app, ctx.actor, entity, action, ctx.now);
  if (!scope.access(entity).isGranted || !access.isGranted) {
    return sql`${key} from ${id(ctx.app.storage, entity.table)} ${id(ROWS_ALIAS)} where false`;
  }
  const rows = sql`${key} ${selectedRows(scope, entity, parseQueryBody(query ?? {}), bindingsOf(ctx))}`;
  const own = action === 'read' ? undefined : access.where(ROWS_ALIAS);
  if (own === undefined) return rows;
  return sql`${rows} intersect ${key} from ${id(ctx.app.storage, entity.table)} ${id(ROWS_ALIAS)} where ${own}`;
}

// --- words -----------------------------------------------------------------------------------------------------------

function shown(item: Considered, action: Request['action'], holds: boolean | null, drafts: ReadonlySet<string>): ConsideredPermission {
  const { permission, matched } = item;
  return {
    id: permission.id ?? null,
    effect: permission.deny ? 'deny' : 'grant',
    entity: permission.entity,
    action: permission.action,
    roles: permission.roles,
    matched_roles: matched,
    condition: conditionText(permission),
    fields: (action === 'read' ? permission.fields?.read : permission.fields?.write) ?? null,
    is_draft: permission.id !== undefined && drafts.has(permission.id),
    holds: matched.length === 0 ? null : holds,
    why: whyOf(item, holds),
  };
}

function whyOf({ permission, matched, compiles }: Considered, holds: boolean | null): string {
  if (matched.length === 0) return "none of its roles is the caller's";
  if (!compiles)
    return permission.deny ? 'its condition does not fit this entity, so it denies everything' : 'its condition does not fit this entity';
  if (holds === null) return permission.deny ? 'denies the records its condition holds for' : 'grants the records its condition holds for';
  if (!holds) return 'its condition does not hold for the record';
  return permission.deny ? 'it denies the record' : 'it grants the record';
}

export function conditionText({ conditions, expression }: PermissionDefinition): string {
  const parts = conditions.map(({ field, operator, value: wanted }) => `${field} ${operator} ${JSON.stringify(wanted ?? null)}`);
  if (expression !== undefined) parts.push(parts.length === 0 ? expression : `(${expression})`);
  return parts.length === 0 ? 'every record' : parts.join(' and ');
}

/** Which records, in the words of the document: `(a) or (b), but not (c)`. */
function predicateText(list: readonly Considered[]): string {
  const mine = list.filter(({ matched, permission, compiles }) => matched.length > 0 && (compiles || permission.deny));
  const grants = mine.filter(({ permission }) => !permission.deny).map(({ permission }) => conditionText(permission));
  const denies = mine
    .filter(({ permission }) => permission.deny && permission.fields === undefined)
    .map(({ permission }) => conditionText(permission));
  if (grants.length === 0) return 'no record';
  const some = grants.includes('every record') ? 'every record' : joined(grants);
  return denies.length === 0 ? some : `${grants.length > 1 && some !== 'every record' ? `(${some})` : some} but not ${joined(denies)}`;
}

const joined = (parts: readonly string[]): string =>
  parts.length === 1 ? (parts[0] ?? '') : parts.map((part) => `(${part})`).join(' or ');
