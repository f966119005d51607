import { id, literal, sql } from '../../sql/sql.ts';
import { hashOf } from '../names.ts';
import type { ColumnShape } from '../shape.ts';
import { LOCKS, type Step } from '../step.ts';

/** A catalogue change only: stored rows keep what they have. Repeating it changes nothing, so it needs no question first. */
export function setDefault(storage: string, table: string, before: ColumnShape, after: ColumnShape): Step {
  const alter = (column: ColumnShape) =>
    column.default === undefined
      ? sql`alter table ${id(storage, table)} alter column ${id(column.name)} drop default`
      : sql`alter table ${id(storage, table)} alter column ${id(column.name)} set default ${literal(column.default)}`;
  return {
    key: `set-default/${table}.${after.name}/${hashOf(after.default ?? '')}`,
    phase: 'expand',
    mode: 'brief',
    table,
    statements: [alter(after)],
    isDone: sql`false`,
    undo: [alter(before)],
    lock: LOCKS.brief,
    rewrite: false,
  };
}
