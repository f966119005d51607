/**
 * A foreign key: NO ACTION, because deletes are the operation's work and have events, and deferrable, because
 * nested writes may insert in any order. On a table with records it comes up NOT VALID and is validated without blocking.
 */
import { id, sql } from '../../sql/sql.ts';
import type { ForeignKeyShape } from '../shape.ts';
import { constraintExists, LOCKS, type Check, type Step } from '../step.ts';

export function addForeignKey(storage: string, key: ForeignKeyShape, isNewTable: boolean): Step[] {
  const table = id(storage, key.table);
  const name = id(key.name);
  const add: Step = {
    key: `add-foreign-key/${key.name}`,
    phase: 'expand',
    mode: 'brief',
    table: key.table,
    statements: [
      sql`alter table ${table} add constraint ${name} foreign key (${id(key.column)})
      references ${id(storage, key.targetTable)} (${id(key.targetColumn)}) deferrable initially immediate${isNewTable ? sql`` : sql` not valid`}`,
    ],
    isDone: constraintExists(storage, key.name, false),
    undo: [sql`alter table if exists ${table} drop constraint if exists ${name}`],
    lock: LOCKS.foreignKey,
    rewrite: false,
  };
  if (isNewTable) return [add];
  const validate: Step = {
    key: `validate-foreign-key/${key.name}`,
    phase: 'expand',
    mode: 'long',
    table: key.table,
    statements: [sql`alter table ${table} validate constraint ${name}`],
    isDone: constraintExists(storage, key.name, true),
    undo: [],
    lock: LOCKS.concurrent,
    rewrite: false,
  };
  return [add, validate];
}

/** A reference that comes back after its target was deleted refers to nothing: it is emptied, as the delete would have done. */
export function emptyOrphans(storage: string, key: ForeignKeyShape): Step {
  return {
    key: `empty-orphans/${key.name}`,
    phase: 'expand',
    mode: 'long',
    table: key.table,
    statements: [
      sql`update ${id(storage, key.table)} c set ${id(key.column)} = null
      where c.${id(key.column)} is not null
        and not exists (select 1 from ${id(storage, key.targetTable)} p where p.${id(key.targetColumn)} = c.${id(key.column)})`,
    ],
    isDone: constraintExists(storage, key.name, false),
    undo: [],
    lock: LOCKS.rows,
    rewrite: false,
  };
}

/** Stored references to nothing, counted up to a thousand. */
export function hasNoOrphans(storage: string, key: ForeignKeyShape, entity: string, target: string): Check {
  return {
    count: sql`select count(*)::integer as count from (
      select 1 from ${id(storage, key.table)} c
      where c.${id(key.column)} is not null
        and not exists (select 1 from ${id(storage, key.targetTable)} p where p.${id(key.targetColumn)} = c.${id(key.column)})
      limit 1000) found`,
    kind: 'add_relation',
    entity,
    field: key.column,
    message: (count) =>
      `"${entity}.${key.column}" cannot refer to "${target}": ${count === 1 ? 'one record names' : `${count} records name`} a "${target}" that does not exist.`,
    hint: 'Empty or correct those values first, then publish again.',
  };
}
