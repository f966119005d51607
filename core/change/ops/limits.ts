/**
 * Limits that become stricter, and enum values that go. Nothing of them is in the table, so records are only read: before anything
 * begins, and once more just before the switch, from which on the engine refuses what does not fit.
 */
import { postgresPattern } from '../../sql/pattern.ts';
import { id, inlined, literal, or, sql, type Sql } from '../../sql/sql.ts';
import type { EntityModel, FieldModel } from '../../model/model.ts';
import { batchStep, checkBatch } from '../conversion/batches.ts';
import { limitsOf } from '../conversion/stored.ts';
import type { Check, Step } from '../step.ts';

export function limits(storage: string, entity: EntityModel, field: FieldModel): { steps: Step[]; checks: Check[] } {
  const title = `"${entity.name}.${field.name}"`;
  const hint = `Change those records first, or say what becomes of them: migrate: [{"convert": {"entity": "${entity.name}", "field": "${field.name}", "up": "...", "down": "..."}}].`;
  const rows = { storage, table: entity.table, key: entity.key };
  return {
    steps: [
      {
        ...batchStep(rows, `check-limits/${entity.table}.${field.column}`, 'verify', {
          message: (sample) =>
            `The new limits of ${title} refuse what was written meanwhile, for instance in the record with the key ${sample}.`,
          hint,
        }),
        statements: [checkBatch(rows, sql`not ${isRefused(field)}`)],
      },
    ],
    checks: [
      {
        kind: 'set_limit',
        entity: entity.name,
        field: field.name,
        count: sql`select count(*)::integer as count from (select from ${id(storage, entity.table)} "t" where ${isRefused(field)} limit 1000) found`,
        message: (count) =>
          `The new limits of ${title} refuse what ${count === 1 ? '1 record holds' : `${count === 1000 ? 'a thousand or more' : count} records hold`}.`,
        hint,
      },
    ],
  };
}

/** Whether it is there at all is not what this is about. */
function isRefused(field: FieldModel): Sql {
  const held = id('t', field.column);
  const refusals = limitsOf({ ...field, required: false }, held).map(({ when }) => sql`(${when})`);
  const pattern = field.definition.pattern === undefined ? undefined : postgresPattern(field.definition.pattern);
  if (pattern !== undefined) refusals.push(sql`(${held} !~ ${literal(pattern)})`);
  return sql`coalesce(${inlined(or(refusals))}, false)`;
}
