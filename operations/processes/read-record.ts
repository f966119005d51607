/** Records as the system sees them, for conditions and paths of a process: one row, and what its relations are asked for. */
import { type Db, run } from '../../adapters/postgres/run.ts';
import { DELETED_COLUMN, type EntityModel, type RelationEnd } from '../../core/model/model.ts';
import { COLUMN_TYPES, recordIdText, recordJson } from '../../core/sql/columns.ts';
import { and, id, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

export type JsonRow = Readonly<Record<string, unknown>>;
/** Paths below a record, without the word `record`: `[['customer', 'email'], ['priority']]`. */
export type RecordPaths = readonly (readonly string[])[];

/** The live record, with the related records that `paths` reach; null when it does not exist (any more). */
export async function readRecord(
  db: Db,
  app: AppRuntime,
  entityName: string,
  recordId: string,
  paths: RecordPaths = [],
): Promise<JsonRow | null> {
  const entity = app.model.entities.get(entityName);
  if (entity === undefined) return null;
  const row = (await selectRecords(db, app, entity, sql`${recordIdText(entity, 't')} = ${value(recordId)}`, 1))[0];
  return row === undefined ? null : withRelated(db, app, entity, row, paths);
}

/** Adds to a row what its relations are asked for. The row may be an event's: its foreign keys are then those of that moment. */
export async function withRelated(db: Db, app: AppRuntime, entity: EntityModel, row: JsonRow, paths: RecordPaths): Promise<JsonRow> {
  const byEnd = new Map<string, string[][]>();
  for (const [head, ...rest] of paths) {
    if (head === undefined || rest.length === 0 || entity.fields.has(head) || !entity.ends.has(head)) continue;
    byEnd.set(head, [...(byEnd.get(head) ?? []), rest]);
  }
  const related: Record<string, unknown> = {};
  for (const [head, rests] of byEnd) {
    const end = entity.ends.get(head);
    if (end !== undefined) related[head] = await readRelated(db, app, end, row, rests);
  }
  return { ...row, ...related };
}

/** Relations with many records answer at most this many; an expression over more belongs in a rule or a view. */
const MAX_RELATED = 1_000;

async function readRelated(db: Db, app: AppRuntime, end: RelationEnd, row: JsonRow, paths: RecordPaths): Promise<unknown> {
  const target = app.model.entities.get(end.target);
  const key = row[end.localField];
  if (target === undefined || key === null || key === undefined) return end.cardinality === 'one' ? null : [];
  const type =
    COLUMN_TYPES[
      (end.join === undefined ? target.fields.get(end.targetField) : app.model.entities.get(end.entity)?.fields.get(end.localField))
        ?.type ?? 'text'
    ];
  const bound = value(String(key), type);
  const where =
    end.join === undefined
      ? sql`${id('t', end.targetColumn)} = ${bound}`
      : sql`exists (select from ${id(app.storage, end.join.table)} j where ${id('j', end.join.targetColumn)} = ${id('t', end.targetColumn)} and ${id('j', end.join.localColumn)} = ${bound})`;
  const rows = await selectRecords(db, app, target, where, end.cardinality === 'one' ? 1 : MAX_RELATED);
  const full = await Promise.all(rows.map((found) => withRelated(db, app, target, found, paths)));
  return end.cardinality === 'one' ? (full[0] ?? null) : full;
}

/** Live records as the system sees them; `where` speaks of the table `t`. */
export async function selectRecords(db: Db, app: AppRuntime, entity: EntityModel, where: Sql, limit: number): Promise<JsonRow[]> {
  const isLive = entity.hasSoftDelete ? [sql`${id('t', DELETED_COLUMN)} is null`] : [];
  const rows = await run<{ record: JsonRow }>(
    db,
    sql`select ${recordJson(entity, app.storage, 't', app.model.settings)} as record
        from ${id(app.storage, entity.table)} t where ${and([where, ...isLive])} limit ${value(limit, 'integer')}`,
  );
  return rows.map((row) => row.record);
}
