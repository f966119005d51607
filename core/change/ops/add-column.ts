/**
 * A column on a table with records. A constant default needs no rewrite and fills old rows; without one a required column is
 * nullable until every api process writes it, and NOT NULL follows the switch.
 */
import { id, sql } from '../../sql/sql.ts';
import type { ColumnShape, TableShape } from '../shape.ts';
import { columnExists, columnSql, LOCKS, type Check, type Phase, type Step } from '../step.ts';
import { setDefault } from './set-default.ts';
import { hasNoNulls, isEmpty, required } from './set-required.ts';

/** A column that was dropped from the schema and not yet from the table: its values are there again. Purged meanwhile, it comes back empty. */
export function restoreColumn(
  storage: string,
  table: TableShape,
  column: ColumnShape,
  narrowing: Phase,
): { steps: Step[]; checks: Check[] } {
  const added = addColumn(storage, table, { ...column, isRequired: false }, narrowing);
  const unset = { ...column, default: undefined };
  const steps = [
    // Taken back it stays: it was there before this migration, with its values.
    ...added.steps.map((step) => ({ ...step, undo: [] })),
    // It may have lost its default while another shape was converted to it.
    ...(column.default === undefined ? [] : [{ ...setDefault(storage, table.table, unset, column), phase: narrowing }]),
    ...(column.isRequired ? required(storage, table.table, column, narrowing) : []),
  ];
  return { steps, checks: column.isRequired ? [hasNoNulls(storage, table, column)] : [] };
}

export function addColumn(storage: string, table: TableShape, column: ColumnShape, narrowing: Phase): { steps: Step[]; checks: Check[] } {
  const isFilled = column.default !== undefined;
  const step: Step = {
    key: `add-column/${table.table}.${column.name}`,
    phase: 'expand',
    mode: 'brief',
    table: table.table,
    statements: [sql`alter table ${id(storage, table.table)} add column ${columnSql(column, column.isRequired && isFilled)}`],
    isDone: columnExists(storage, table.table, column.name),
    undo: [sql`alter table if exists ${id(storage, table.table)} drop column if exists ${id(column.name)}`],
    lock: LOCKS.brief,
    rewrite: false,
  };
  if (!column.isRequired || isFilled) return { steps: [step], checks: [] };
  return {
    steps: [step, ...required(storage, table.table, column, narrowing)],
    checks: [
      isEmpty(storage, table, {
        kind: 'add_field',
        field: column.name,
        message: (count) =>
          `Field "${table.owner}.${column.name}" is required and has no default, but ${count} record${count === 1 ? '' : 's'} of "${table.owner}" would lack it.`,
        hint: 'Add a `default`, or leave `required` out.',
      }),
    ],
  };
}
