/** Indexes and uniqueness on a table with records: built concurrently; an invalid leftover of an earlier try is dropped first. */
import { and, id, join, sql } from '../../sql/sql.ts';
import { DELETED_COLUMN } from '../../model/model.ts';
import type { IndexShape, TableShape } from '../shape.ts';
import { indexIsValid, LOCKS, type Check, type Phase, type Step } from '../step.ts';
import { indexSql } from './index-sql.ts';

export function addIndex(storage: string, table: string, index: IndexShape, phase: Phase): Step {
  const drop = sql`drop index concurrently if exists ${id(storage, index.name)}`;
  return {
    key: `add-index/${index.name}`,
    phase,
    mode: 'long',
    table,
    statements: [drop, indexSql(storage, table, index, true)],
    isDone: indexIsValid(storage, index.name),
    undo: [drop],
    lock: LOCKS.concurrent,
    rewrite: false,
  };
}

/** Groups of live records that share the values which are to become unique; nulls are distinct. */
export function hasNoDuplicates(storage: string, table: TableShape, known: TableShape, index: IndexShape): Check | undefined {
  // Columns that come with this plan hold nothing yet, or one default for all, which the index itself will refuse.
  const isNew = index.columns.some((column) => !known.columns.has(column));
  const hasDefault = index.columns.every((column) => known.columns.has(column) || table.columns.get(column)?.default !== undefined);
  if (isNew && !hasDefault) return undefined;
  const columns = index.columns.filter((column) => known.columns.has(column)).map((column) => id(column));
  const conditions = [
    ...columns.map((column) => sql`${column} is not null`),
    ...(index.liveOnly && known.columns.has(DELETED_COLUMN) ? [sql`${id(DELETED_COLUMN)} is null`] : []),
  ];
  const groups = columns.length === 0 ? sql`having count(*) > 1` : sql`group by ${join(columns)} having count(*) > 1`;
  const title = index.columns.map((column) => `"${column}"`).join(', ');
  return {
    count: sql`select count(*)::integer as count from (select 1 from ${id(storage, table.table)} where ${and(conditions)} ${groups} limit 1000) found`,
    kind: index.columns.length === 1 ? 'set_unique' : 'add_unique',
    entity: table.owner,
    field: index.columns.length === 1 ? index.columns[0] : undefined,
    message: (count) =>
      `${title} of "${table.owner}" cannot become unique: ${count === 1 ? 'one value is' : `${count} values are`} held by more than one record.`,
    hint: 'Change the duplicates first, then publish again.',
  };
}
