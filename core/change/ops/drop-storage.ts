/** What dropped fields, entities and relations left in the tables, taken away when nobody may want it back. */
import { id, sql } from '../../sql/sql.ts';
import type { TableShape } from '../shape.ts';
import { columnExists, LOCKS, tableExists, type Step } from '../step.ts';

export function dropColumn(storage: string, table: string, column: string): Step {
  return {
    key: `drop-column/${table}.${column}`,
    phase: 'purge',
    mode: 'brief',
    table,
    statements: [sql`alter table ${id(storage, table)} drop column if exists ${id(column)}`],
    isDone: sql`not ${columnExists(storage, table, column)}`,
    removes: { table, column },
    undo: [],
    lock: LOCKS.brief,
    rewrite: false,
  };
}

export function dropTable(storage: string, { table }: TableShape): Step {
  return {
    key: `drop-table/${table}`,
    phase: 'purge',
    mode: 'brief',
    table,
    statements: [sql`drop table if exists ${id(storage, table)}`],
    isDone: sql`not ${tableExists(storage, table)}`,
    removes: { table },
    undo: [],
    lock: LOCKS.brief,
    rewrite: false,
  };
}
