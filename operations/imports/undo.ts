/**
 * Taking an import back, the last row first: what it created is deleted, what it changed gets the values it had. As any other write:
 * rules, permissions and events. A record that is not as the import left it, or that others refer to by now, is kept and listed.
 */
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { VERSION_COLUMN, type EntityModel } from '../../core/model/model.ts';
import { recordIdText, recordJson } from '../../core/sql/columns.ts';
import { empty, id, or, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext, AppRuntime } from '../context.ts';
import { andLive, dependentsOf, refersTo, rowsOf } from '../records/dependents.ts';
import { attempt } from '../records/many.ts';
import type { Operation } from '../records/operation.ts';
import { isLive, keyCondition } from '../records/record-key.ts';
import { runWrite } from '../records/write.ts';
import { accessOf, type PlainRecord, type Write } from '../records/write-state.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { claim } from './claim.ts';
import { isOfRow } from './draft-row.ts';
import { importsOf, type ImportRow } from './import-row.ts';
import { settle } from './task.ts';
import { isOfConstraint, NeedsSavepoints } from './write-rows.ts';

const ROWS_AT_ONCE = 200;

interface Journalled {
  readonly row: number;
  readonly record_id: string;
  readonly action: 'create' | 'update';
  readonly version: string;
  readonly old: PlainRecord | null;
}

interface Undone {
  readonly row: number;
  readonly outcome: 'removed' | 'restored' | 'kept';
  readonly reason: string | null;
}

/** The next rows; behind the last one the undo is settled. */
export async function undoBatch(ctx: AppContext, entity: EntityModel, row: ImportRow): Promise<void> {
  const isAsked = (['delete', 'update'] as const).some((action) => hasSyncWebhooks(entity, action));
  try {
    await undoRows(ctx, entity, row, { most: isAsked ? 1 : ROWS_AT_ONCE, hasSavepoints: false });
  } catch (error) {
    if (isAsked && isOfRow(error)) return keepOne(ctx, row, error);
    if (!(error instanceof NeedsSavepoints) && !isOfConstraint(error)) throw error;
    await undoRows(ctx, entity, row, { most: isAsked ? 1 : ROWS_AT_ONCE, hasSavepoints: true });
  }
}

interface Way {
  readonly most: number;
  readonly hasSavepoints: boolean;
}

const undoRows = (ctx: AppContext, entity: EntityModel, row: ImportRow, { most, hasSavepoints }: Way): Promise<void> =>
  runWrite<void>({
    ctx,
    entity,
    options: { events: row.options.events === 'none' ? 'none' : 'all' },
    isWide: true,
    needsTransaction: true,
    touched: () => [],
    work: async (write) => {
      const now = await claim(write.db, ctx.app, row);
      const rows = await openRows(write.db, ctx.app, row.id, most);
      if (rows.length === 0) return finish(write.db, ctx.app, now);
      const current = await currentRecords(write, entity, rows);
      const undone: Undone[] = [];
      for (const one of rows) undone.push(await undoOne(write, entity, one, current.get(one.record_id), hasSavepoints));
      await note(write.db, ctx.app, row.id, undone);
    },
  });

const openRows = (db: Db, app: AppRuntime, importId: string, most: number): Promise<Journalled[]> =>
  run<Journalled & Record<string, unknown>>(
    db,
    sql`select row, record_id, action, version::text as version, old from ${id(app.storage, '_import_records')}
        where import_id = ${value(importId, 'uuid')} and outcome is null order by row desc limit ${value(most, 'integer')}`,
    { prepared: true },
  );

interface Current {
  readonly version: string;
  readonly record: PlainRecord;
}

/** The records as they are, locked; what is deleted is missing. */
async function currentRecords(write: Write, entity: EntityModel, rows: readonly Journalled[]): Promise<ReadonlyMap<string, Current>> {
  const { app } = write.ctx;
  const keys = rows.flatMap((row) => keyCondition(entity, 't', row.record_id) ?? []);
  if (keys.length === 0) return new Map();
  const live = isLive(entity, 't');
  const found = await run<Current & { id: string }>(
    write.db,
    sql`select ${recordIdText(entity, 't')} as id, ${id('t', VERSION_COLUMN)}::text as version,
          ${recordJson(entity, app.storage, 't', app.model.settings)} as record
        from ${id(app.storage, entity.rows)} "t" where ${or(keys)} ${live === undefined ? empty : sql`and ${live}`} for update of "t"`,
  );
  return new Map(found.map(({ id: key, ...current }) => [key, current]));
}

/** The kinds of records that refer to it. */
async function usersOf(write: Write, entity: EntityModel, record: PlainRecord): Promise<EntityModel[]> {
  const dependents = dependentsOf(write, entity, record);
  if (dependents.length === 0) return [];
  const asked = dependents.map(
    (dependent, nth): Sql => sql`select ${value(nth, 'integer')} as nth where exists (
      select from ${rowsOf(write, dependent.child)} "c" where ${refersTo(dependent, 'c')}${andLive(dependent.child, 'c')})`,
  );
  const [first, ...rest] = asked;
  const all = rest.reduce((union, one) => sql`${union} union all ${one}`, first ?? empty);
  const rows = await run<{ nth: number }>(write.db, all);
  return rows.flatMap(({ nth }) => dependents[nth]?.child ?? []);
}

async function undoOne(
  write: Write,
  entity: EntityModel,
  one: Journalled,
  current: Current | undefined,
  hasSavepoints: boolean,
): Promise<Undone> {
  const kept = (reason: string): Undone => ({ row: one.row, outcome: 'kept', reason });
  if (current === undefined) return kept('It was deleted since.');
  if (current.version !== one.version)
    return kept(`It was changed since: it has version ${current.version}, and the import left ${one.version}.`);
  const isCreate = one.action === 'create';
  // Later rows of the import, which may refer to it, are gone by now.
  const users = isCreate ? await usersOf(write, entity, current.record) : [];
  if (users.length > 0) return kept(usedBy(write, users));
  const body = isCreate ? {} : formerBody(entity, one.old ?? {});
  if (!isCreate && Object.keys(body).length === 0) return kept('None of its fields can be written any more.');
  const operation: Operation = {
    kind: isCreate ? 'delete' : 'update',
    entity,
    path: '',
    bodyPath: '',
    index: one.row,
    body,
    id: one.record_id,
    ifMatch: one.version,
    needs: [],
  };
  const done = await attempt(write, operation, new Map(), hasSavepoints);
  if (!('error' in done)) return { row: one.row, outcome: isCreate ? 'removed' : 'restored', reason: null };
  if (!hasSavepoints) throw new NeedsSavepoints('a record of the batch cannot be taken back');
  return kept(done.error.message);
}

/** Entities that the caller may not see have no names. */
function usedBy(write: Write, users: readonly EntityModel[]): string {
  const seen = [...new Set(users.filter((user) => accessOf(write, user, 'read').isGranted).map((user) => user.name))];
  return seen.length === 0 ? 'Other records refer to it.' : `Other records refer to it: ${seen.join(', ')}.`;
}

/** What a client would send. A file is written by its id. */
const formerBody = (entity: EntityModel, old: PlainRecord): Record<string, unknown> =>
  Object.fromEntries(
    Object.entries(old).flatMap(([name, former]) => {
      const field = entity.fields.get(name);
      if (field === undefined || field.isAuto || field.isFixed) return [];
      const isFile = field.type === 'file' && typeof former === 'object' && former !== null;
      return [[name, isFile ? (former as { id?: unknown }).id : former]];
    }),
  );

async function note(client: Db, app: AppRuntime, importId: string, undone: readonly Undone[]): Promise<void> {
  const counted = (outcome: Undone['outcome']): Sql => value(undone.filter((one) => one.outcome === outcome).length, 'integer');
  await execute(
    client,
    sql`update ${id(app.storage, '_import_records')} r set outcome = u.outcome, reason = left(u.reason, 500)
        from unnest(${value(
          undone.map(({ row }) => row),
          'integer[]',
        )}, ${value(
          undone.map(({ outcome }) => outcome),
          'text[]',
        )}, ${value(
          undone.map(({ reason }) => reason),
          'text[]',
        )}) as u(row, outcome, reason) where r.import_id = ${value(importId, 'uuid')} and r.row = u.row`,
    { prepared: true },
  );
  await execute(
    client,
    sql`update ${importsOf(app)} set done = done + ${value(undone.length, 'integer')}, removed = removed + ${counted('removed')},
          restored = restored + ${counted('restored')}, kept = kept + ${counted('kept')},
          segment_from = case when segment_at is null then done else segment_from end, segment_at = coalesce(segment_at, now()),
          updated_at = clock_timestamp()
        where id = ${value(importId, 'uuid')}`,
    { prepared: true },
  );
}

/** Where it was no person's wish, what could not be taken back is a failure. */
async function finish(client: Db, app: AppRuntime, { id: importId, kept, failed, after_undo: after }: ImportRow): Promise<void> {
  if (after === null) return settle(client, app, importId, 'undone');
  if (kept > 0) {
    const message = `All or nothing was asked for, and ${String(kept)} of the rows that had been written could not be taken back.`;
    return settle(client, app, importId, 'failed', new AppError('CONFLICT', message));
  }
  if (after !== 'refused') return settle(client, app, importId, after);
  const rows = failed === 1 ? 'one row was' : `${String(failed)} rows were`;
  const message = `Nothing was written: ${rows} bad, and all or nothing was asked for. What had been written is taken back.`;
  return settle(client, app, importId, after, new AppError('VALIDATION_FAILED', message));
}

/** A receiver that was asked before the transaction has refused it. */
async function keepOne(ctx: AppContext, row: ImportRow, error: AppError): Promise<void> {
  const { pool } = ctx.services;
  const [one] = await openRows(pool, ctx.app, row.id, 1);
  if (one === undefined) throw error;
  await transaction(pool, async (client) => {
    await claim(client, ctx.app, row);
    await note(client, ctx.app, row.id, [{ row: one.row, outcome: 'kept', reason: error.message }]);
  });
}
