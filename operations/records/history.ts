/** What happened to one record: its changes, as far as the caller may read the record and its fields now. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { columnOf } from '../../core/filter/scope.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import type { EventRow } from '../events.ts';
import { checkParameters } from '../paging.ts';
import { idsOverTime, isEventOf, type PastId } from './former-keys.ts';
import { getRecord } from './get.ts';
import { isNamedAs, namesOverTime, pastNames, type NamesOverTime, type PastNames } from './past-names.ts';
import { readableEntity, readScope } from './read-scope.ts';
import { keyCondition, notFound } from './record-key.ts';
import { updateRecord } from './update.ts';
import type { WriteOptions, WrittenRecord } from './write.ts';

export interface Change {
  readonly old: unknown;
  readonly new: unknown;
}

export interface HistoryEntry {
  /** Of the event: what a revert names. */
  readonly id: string;
  readonly version: string;
  readonly action: EventRow['action'];
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string | null; readonly key?: string; readonly by?: unknown };
  readonly cause: string | null;
  readonly changes: Readonly<Record<string, Change>>;
  /** Changed fields that the entity does not have any more; shown to admins. */
  readonly gone_fields?: readonly string[];
}

const USUAL = 25;
const MOST = 100;

/** The JSON of a page of changes, the newest first: `{data, page: {limit, next_cursor}}`. */
export async function recordHistory(ctx: AppContext, name: string, idOrSlug: string, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['limit', 'cursor']);
  const limit = readLimit(query.get('limit'));
  const before = readCursor(query.get('cursor'));
  const eyes = await historyEyes(ctx, name, idOrSlug);
  const rows = await readEvents(ctx, eyes, { before, limit: limit + 1 });
  const names = await namesOf(ctx, rows);
  const entries = rows.slice(0, limit).map((row) => entryOf(ctx, eyes, names, row));
  const next = rows.length > limit ? (entries.at(-1)?.version ?? null) : null;
  return JSON.stringify({ data: entries, page: { limit, next_cursor: next } });
}

/**
 * Puts back what one change replaced, as an update like any other: rules, machines, permissions, `If-Match`. It reverts what
 * the history shows of the change; fields the entity has no more are named and refuse it.
 */
export async function revertChange(
  ctx: AppContext,
  name: string,
  idOrSlug: string,
  eventSeq: string,
  options: WriteOptions = {},
): Promise<WrittenRecord> {
  const eyes = await historyEyes(ctx, name, idOrSlug);
  const [row] = /^[1-9]\d{0,17}$/.test(eventSeq) ? await readEvents(ctx, eyes, { seq: eventSeq, limit: 1 }) : [];
  if (row === undefined) throw new AppError('NOT_FOUND', `The history of this ${name} has no change "${eventSeq.slice(0, 100)}".`);
  const names = await namesOf(ctx, [row]);
  refuseUnlessUpdate(row);
  const gone = goneFields(names, row);
  if (gone.length > 0) throw goneFromEntity(name, gone);
  const { changes } = entryOf(ctx, eyes, names, row);
  const body = Object.fromEntries(
    Object.entries(changes).flatMap(([field, change]) => {
      const known = eyes.entity.fields.get(field);
      return known === undefined || known.isAuto || known.isFixed ? [] : [[field, givenForm(known.type, change.old)]];
    }),
  );
  if (Object.keys(body).length === 0)
    throw new AppError('INVALID_STATE', 'This change replaced nothing that you may read and that can be written.');
  return updateRecord(ctx, name, eyes.recordId, body, options);
}

/** A file is written by its id. */
const givenForm = (type: string, old: unknown): unknown =>
  type === 'file' && typeof old === 'object' && old !== null ? (old as { id?: unknown }).id : old;

function refuseUnlessUpdate({ action }: HistoryRow): void {
  switch (action) {
    case 'update':
      return;
    case 'create':
      throw new AppError('INVALID_STATE', 'The beginning of a record cannot be reverted.', { hint: 'Delete the record.' });
    case 'delete':
      throw new AppError('INVALID_STATE', 'A deletion is not reverted here.', {
        hint: 'POST /:entity/:id/_restore brings back what was deleted softly.',
      });
    case 'restore':
      throw new AppError('INVALID_STATE', 'A restore is not reverted here.', { hint: 'Delete the record again.' });
    case 'custom':
      throw new AppError('INVALID_STATE', 'This event changed nothing.');
  }
}

function goneFromEntity(name: string, gone: readonly string[]): AppError {
  const details = gone.map((field): ErrorDetail => ({
    field,
    rule: 'gone',
    message: `"${field}" was removed from ${name} after this change, and its value with it.`,
  }));
  return new AppError('INVALID_STATE', 'The change cannot be reverted as a whole: the entity has changed since.', {
    details,
    hint: 'Write the fields that are left with a PATCH.',
  });
}

// --- who may see what ------------------------------------------------------------------------------------------------

export interface HistoryEyes {
  readonly entity: EntityModel;
  readonly recordId: string;
  /** What the record was called over time. */
  readonly ids: readonly PastId[];
  /** And its entity. */
  readonly names: NamesOverTime;
  /** The record is gone; an admin looks at it. */
  readonly isGone: boolean;
  readonly maySee: (field: string) => boolean;
}

/** Whoever may read the record now may read its history; of a deleted one only admins. */
export async function historyEyes(ctx: AppContext, name: string, idOrSlug: string): Promise<HistoryEyes> {
  if (ctx.app.beside !== undefined) {
    throw new AppError('UNSUPPORTED', 'History is told in the shape that is served now.', {
      hint: `Ask without Schema-Version, or with ${String(ctx.app.beside.served.version)}.`,
    });
  }
  const scope = readScope(ctx);
  const entity = readableEntity(ctx, scope, name);
  const [found, names] = await Promise.all([
    getRecord(ctx, name, idOrSlug, new URLSearchParams()).catch((error: unknown) => ({ error })),
    namesOverTime(ctx.services.pool, ctx.app, entity),
  ]);
  if ('text' in found) {
    const { data } = JSON.parse(found.text) as { data: Record<string, unknown> };
    const recordId = entity.key.map((field) => String(data[field.name])).join(',');
    const ids = await pastIds(ctx, entity, recordId, names);
    // A field that is hidden in this row is not among the keys of its JSON.
    const maySee = (field: string): boolean => columnOf(scope, entity, field) !== undefined && Object.hasOwn(data, field);
    return { entity, recordId, ids, names, isGone: false, maySee };
  }
  const { error } = found;
  const isKey = !idOrSlug.includes('\0') && (entity.formerKeys.length > 0 || keyCondition(entity, 't', idOrSlug) !== undefined);
  if (!isAppError(error, 'NOT_FOUND') || !ctx.actor.isAdmin || !scope.access(entity).isGranted || !isKey) throw error;
  const ids = await pastIds(ctx, entity, idOrSlug, names);
  const eyes: HistoryEyes = { entity, recordId: idOrSlug, ids, names, isGone: true, maySee: () => true };
  if ((await readEvents(ctx, eyes, { limit: 1 })).length === 0) throw notFound(entity, idOrSlug);
  return eyes;
}

// --- the log ---------------------------------------------------------------------------------------------------------

export type HistoryRow = Pick<EventRow, 'seq' | 'entity' | 'action' | 'record_version' | 'schema_version' | 'record' | 'old' | 'cause'> & {
  readonly at: Date;
  readonly actor: EventRow['actor'] & { readonly key?: string; readonly by?: unknown };
};

interface Wanted {
  readonly before?: string | undefined;
  readonly seq?: string;
  readonly limit: number;
}

const pastIds = (
  { app, services }: AppContext,
  entity: EntityModel,
  recordId: string,
  { names }: NamesOverTime,
): Promise<readonly PastId[]> => idsOverTime(services.pool, app, entity, recordId, names);

function readEvents(ctx: AppContext, { ids, names: past }: HistoryEyes, { before, seq, limit }: Wanted): Promise<HistoryRow[]> {
  const { app, services } = ctx;
  return run<HistoryRow & pg.QueryResultRow>(
    services.pool,
    sql`
    select e.seq, e.at, e.entity, e.action, e.record_version, e.schema_version, e.actor, e.record, e.old, e.cause
    from durabase.events e
    where e.app = ${value(app.id)} and ${isNamedAs(past)} and ${isEventOf(ids)}
      and e.action <> 'custom'
      and (${value(before ?? null, 'bigint')} is null or e.record_version < ${value(before ?? null, 'bigint')})
      and (${value(seq ?? null, 'bigint')} is null or e.seq = ${value(seq ?? null, 'bigint')})
      -- Another entity may have had the name in another version.
      and exists (select from unnest(${value([...past.versions], 'integer[]')}, ${value([...past.names], 'text[]')}) n(version, name)
        where n.version = e.schema_version and n.name = e.entity)
    order by e.record_version desc, e.seq desc limit ${value(limit, 'integer')}`,
  );
}

const namesOf = (ctx: AppContext, rows: readonly HistoryRow[]): Promise<PastNames> =>
  pastNames(
    ctx.services.pool,
    ctx.app,
    rows.map((row) => row.schema_version),
  );

export function entryOf(ctx: AppContext, { maySee }: Pick<HistoryEyes, 'maySee'>, names: PastNames, row: HistoryRow): HistoryEntry {
  const changes: Record<string, Change> = {};
  for (const [name, change] of Object.entries(rawChanges(row))) {
    const field = names.fieldOf(row.schema_version, row.entity, name);
    if (field !== undefined && maySee(field.name)) changes[field.name] = change;
  }
  const gone = ctx.actor.isAdmin ? goneFields(names, row) : [];
  const { kind, id, key, by } = row.actor;
  return {
    id: row.seq,
    version: row.record_version,
    action: row.action,
    at: row.at.toISOString(),
    actor: { kind, id, ...(key === undefined ? {} : { key }), ...(by === undefined ? {} : { by }) },
    cause: row.cause,
    changes,
    ...(gone.length === 0 ? {} : { gone_fields: gone }),
  };
}

const goneFields = (names: PastNames, row: HistoryRow): string[] =>
  Object.keys(rawChanges(row)).filter((name) => names.fieldOf(row.schema_version, row.entity, name) === undefined);

/** Each changed field with its two values, under the names of then. A record begins with nothing, and ends so. */
function rawChanges({ action, record, old }: HistoryRow): Record<string, Change> {
  const pairs = (names: object, change: (name: string) => Change): Record<string, Change> =>
    Object.fromEntries(Object.keys(names).map((name) => [name, change(name)]));
  switch (action) {
    case 'create':
      return pairs(withoutNulls(record), (name) => ({ old: null, new: record?.[name] ?? null }));
    case 'delete':
      return pairs(withoutNulls(old), (name) => ({ old: old?.[name] ?? null, new: null }));
    case 'update':
      return pairs(old ?? {}, (name) => ({ old: old?.[name] ?? null, new: record?.[name] ?? null }));
    case 'restore':
    case 'custom':
      return {};
  }
}

const withoutNulls = (record: Readonly<Record<string, unknown>> | null): object =>
  Object.fromEntries(Object.entries(record ?? {}).filter(([, member]) => member !== null));

// --- the query string ------------------------------------------------------------------------------------------------

function readLimit(text: string | null): number {
  if (text === null) return USUAL;
  if (/^[1-9]\d{0,8}$/.test(text)) return Math.min(Number(text), MOST);
  throw badParameter('limit', '"limit" must be a whole number from 1.');
}

function readCursor(text: string | null): string | undefined {
  if (text === null || text === '') return undefined;
  if (/^\d{1,18}$/.test(text)) return text;
  throw badParameter('cursor', 'The cursor is none of this history.');
}

const badParameter = (field: string, message: string): AppError =>
  new AppError('INVALID_VALUE', message, { details: [{ field, rule: 'value', message }] });
