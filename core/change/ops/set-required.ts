/** Required on and off. On: after the switch, when no process leaves the field out any more. */
import { id, literal, sql } from '../../sql/sql.ts';
import type { ColumnShape, TableShape } from '../shape.ts';
import { provenNotNull } from './not-null.ts';
import { columnIsRequired, LOCKS, type Check, type Phase, type Step } from '../step.ts';

export function setNotNull(storage: string, table: string, column: ColumnShape, phase: Phase): Step {
  return {
    key: `set-not-null/${table}.${column.name}`,
    phase,
    mode: 'brief',
    table,
    statements: [sql`alter table ${id(storage, table)} alter column ${id(column.name)} set not null`],
    isDone: columnIsRequired(storage, table, column.name),
    undo: [sql`alter table if exists ${id(storage, table)} alter column ${id(column.name)} drop not null`],
    lock: LOCKS.brief,
    rewrite: false,
    isOptional: true,
  };
}

export function dropNotNull(storage: string, table: string, column: ColumnShape): Step {
  return {
    key: `drop-not-null/${table}.${column.name}`,
    phase: 'expand',
    mode: 'brief',
    table,
    statements: [sql`alter table ${id(storage, table)} alter column ${id(column.name)} drop not null`],
    isDone: sql`not ${columnIsRequired(storage, table, column.name)}`,
    // Put back only where no older row was written without a value meanwhile, so never by force.
    undo: [],
    lock: LOCKS.brief,
    rewrite: false,
  };
}

/** After a grace there may be many records, so it is proven first; before, the table was empty a moment ago. */
export const required = (storage: string, table: string, column: ColumnShape, phase: Phase): Step[] =>
  phase === 'contract' ? provenNotNull(storage, table, [column.name], phase) : [setNotNull(storage, table, column, phase)];

/** Counts up to a thousand records, enough for a message. */
export function isEmpty(storage: string, table: TableShape, facts: Pick<Check, 'kind' | 'field' | 'message' | 'hint'>): Check {
  return {
    ...facts,
    entity: table.owner,
    count: sql`select count(*)::integer as count from (select from ${id(storage, table.table)} limit 1000) found`,
  };
}

/** Records without a value in a column that may have been purged already. */
export const hasNoNulls = (storage: string, table: TableShape, column: ColumnShape): Check => ({
  kind: 'set_required',
  entity: table.owner,
  field: column.name,
  count: sql`select count(*)::integer as count from (
    select from ${id(storage, table.table)} t where coalesce(to_jsonb(t) -> ${literal(column.name)}, 'null') = 'null' limit 1000) found`,
  message: (count) =>
    `Field "${table.owner}.${column.name}" is required, but ${count === 1000 ? 'a thousand or more' : count} record${count === 1 ? '' : 's'} written since it was dropped lack${count === 1 ? 's' : ''} it.`,
  hint: 'Publish it without `required` first and fill those records.',
});
