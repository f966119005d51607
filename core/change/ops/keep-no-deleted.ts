/** Soft delete off. Who may see deleted records again is asked first: none may be there. */
import { id, sql } from '../../sql/sql.ts';
import { DELETED_COLUMN, type EntityModel } from '../../model/model.ts';
import { batchStep, checkBatch } from '../conversion/batches.ts';
import { LOCKS, type Check, type Step } from '../step.ts';

export function keepNoDeleted(storage: string, entity: EntityModel): { steps: Step[]; checks: Check[] } {
  const at = id(storage, entity.table);
  const rows = { storage, table: entity.table, key: entity.key };
  const isDeleted = sql`${id('t', DELETED_COLUMN)} is not null`;
  const hint = 'Restore them, publish again, and delete them for good then.';
  return {
    steps: [
      {
        ...batchStep(rows, `check-deleted/${entity.table}`, 'verify', {
          message: (sample) => `Records of "${entity.name}" were deleted meanwhile, for instance the one with the key ${sample}.`,
          hint,
        }),
        statements: [checkBatch(rows, sql`not (${isDeleted})`)],
      },
      {
        key: `remove-deleted/${entity.table}`,
        phase: 'settle',
        mode: 'long',
        table: entity.table,
        rewrite: false,
        undo: [],
        // Deleted by a process that had not heard of the switch; from then on deleting means this.
        statements: [sql`delete from ${at} "t" where ${isDeleted}`],
        isDone: sql`false`,
        lock: LOCKS.rows,
        isOptional: true,
      },
    ],
    checks: [
      {
        kind: 'set_soft_delete',
        entity: entity.name,
        field: undefined,
        count: sql`select count(*)::integer as count from (select from ${at} "t" where ${isDeleted} limit 1000) found`,
        message: (count) =>
          `Soft delete of "${entity.name}" cannot be turned off: ${count === 1 ? 'a deleted record' : `${count === 1000 ? 'a thousand or more' : count} deleted records`} would come back.`,
        hint,
      },
    ],
  };
}
