/** A new entity or join table: nobody sees it before the switch, so its indexes come with it in one transaction. */
import { id, join, literal, sql } from '../../sql/sql.ts';
import { derivedName } from '../names.ts';
import type { TableShape } from '../shape.ts';
import { columnSql, LOCKS, tableExists, type Check, type Step } from '../step.ts';
import { indexSql } from './index-sql.ts';

export function createTable(storage: string, shape: TableShape): Step {
  const columns = [...shape.columns.values()].map((column) => columnSql(column, column.isRequired || shape.key.includes(column.name)));
  const key = sql`constraint ${id(derivedName(shape.table, shape.key, 'pkey'))} primary key (${join(shape.key.map((column) => id(column)))})`;
  return {
    key: `create-table/${shape.table}`,
    phase: 'expand',
    mode: 'brief',
    table: shape.table,
    statements: [
      sql`create table ${id(storage, shape.table)} (${join([...columns, key])})`,
      ...[...shape.indexes.values()].map((index) => indexSql(storage, shape.table, index, false)),
    ],
    isDone: tableExists(storage, shape.table),
    undo: [sql`drop table if exists ${id(storage, shape.table)} cascade`],
    lock: LOCKS.newTable,
    rewrite: false,
  };
}

/** A table of that name which no entity of the served version owns would be taken over with whatever is in it. */
export function tableIsFree(storage: string, shape: TableShape): Check {
  return {
    count: sql`select count(*)::integer as count from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${literal(storage)} and c.relname = ${literal(shape.table)}`,
    kind: 'add_entity',
    entity: shape.owner,
    field: undefined,
    message: () => `"${shape.owner}" cannot use the table name "${shape.table}": it is taken in this app's storage.`,
    hint: 'Set another `table`.',
  };
}
