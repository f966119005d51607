/**
 * A foreign key of something that the next version does not serve. It goes before the switch: what the new shape deletes may
 * still be referred to by rows that it does not see. The engine goes on checking references for clients of the older shape.
 */
import { id, sql } from '../../sql/sql.ts';
import type { ForeignKeyShape } from '../shape.ts';
import { constraintExists, LOCKS, type Step } from '../step.ts';

export function dropForeignKey(storage: string, key: ForeignKeyShape): Step {
  const table = id(storage, key.table);
  const name = id(key.name);
  return {
    key: `drop-foreign-key/${key.name}`,
    phase: 'expand',
    mode: 'brief',
    table: key.table,
    statements: [sql`alter table ${table} drop constraint if exists ${name}`],
    isDone: sql`not ${constraintExists(storage, key.name, false)}`,
    // Not validated again: it held until a moment ago, and checking every row would keep writers out.
    undo: [
      sql`alter table if exists ${table} drop constraint if exists ${name}`,
      sql`alter table if exists ${table} add constraint ${name} foreign key (${id(key.column)})
      references ${id(storage, key.targetTable)} (${id(key.targetColumn)}) deferrable initially immediate not valid`,
    ],
    lock: LOCKS.foreignKey,
    rewrite: false,
  };
}
