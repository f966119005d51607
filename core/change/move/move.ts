/**
 * A field that moves from a child to its parent while both are written: a column there, triggers that keep both in step, a backfill
 * by parent, and the end of the triggers when the older shape is served no more. See ADR 22 and docs/migrations.md.
 */
import { and, id, literal, sql, type Sql } from '../../sql/sql.ts';
import { batchStep, checkBatch, fillBatch, type Rows } from '../conversion/batches.ts';
import { typeOf } from '../conversion/stored.ts';
import { provenNotNull } from '../ops/not-null.ts';
import { defaultOf, LOCKS, triggerExists, type Batch, type Check, type Step } from '../step.ts';
import { resolveMove, type Moved, type MoveInput } from './moved.ts';
import { agreesFor, dropTriggers, foundFor, functionsOf, isChildOf, lastTrigger, triggersOf } from './triggers.ts';

export type { MoveInput } from './moved.ts';

export function moveSteps(input: MoveInput): { steps: Step[]; checks: Check[] } {
  const moved = resolveMove(input);
  return { steps: stepsOf(moved), checks: checksOf(moved) };
}

/** The columns that a move makes, fills or no longer insists on: their constraints are its business. */
export function movedColumns(input: MoveInput): string[] {
  const { child, parent } = resolveMove(input);
  return [`${child.table}.${child.column.name}`, `${parent.table}.${parent.column.name}`];
}

function stepsOf(moved: Moved): Step[] {
  const { storage, parent, names } = moved;
  const rows: Rows = { storage, table: parent.table, key: parent.key };
  const column = id('t', parent.column.name);
  return [
    {
      ...brief(moved, `move/${parent.table}/${names.marker}`, 'expand'),
      // The functions first: they need no lock.
      statements: [...functionsOf(moved), ...columnsOf(moved), ...triggersOf(moved)],
      isDone: triggerExists(storage, parent.table, lastTrigger(moved)),
      undo: takenBack(moved),
    },
    {
      ...batchStep(rows, `backfill/${parent.table}/${names.marker}`, 'backfill'),
      statements: [
        fillBatch(rows, sql`${column} is null and ${hasValue(moved)}`, sql`${id(parent.column.name)} = ${foundFor(moved, 't')}`),
      ],
    },
    {
      ...batchStep(rows, `verify/${parent.table}/${names.marker}`, 'verify', conflict(moved)),
      statements: [checkBatch(rows, agreesFor(moved, 't'))],
    },
    ...(parent.column.isRequired ? provenNotNull(storage, parent.table, [parent.column.name], 'contract') : []),
    {
      ...brief(moved, `end-move/${parent.table}/${names.marker}`, 'contract'),
      statements: dropTriggers(moved),
      isDone: sql`not ${triggerExists(storage, parent.table, lastTrigger(moved))}`,
      undo: [],
    },
  ];
}

/** Older clients leave the parent's value out, newer ones the child's. A default on the child would look like a value somebody gave. */
function columnsOf({ storage, child, parent }: Moved): Sql[] {
  const { column } = parent;
  const loosened = [
    ...(child.column.default === undefined ? [] : [sql`alter column ${id(child.column.name)} drop default`]),
    ...(child.column.isRequired ? [sql`alter column ${id(child.column.name)} drop not null`] : []),
  ];
  const at = id(storage, parent.table);
  return [
    sql`alter table ${at} add column if not exists ${id(column.name)} ${typeOf(parent.field)}`,
    // After the column, so that no row that is there gets it: its children say what it has.
    ...(column.default === undefined ? [] : [sql`alter table ${at} alter column ${id(column.name)} set${defaultOf(column)}`]),
    ...loosened.map((action) => sql`alter table ${id(storage, child.table)} ${action}`),
  ];
}

/** A child's column that was required stays nullable until a later publish proves it: nulls may have been written meanwhile. */
const takenBack = (moved: Moved): Sql[] => {
  const { storage, child, parent } = moved;
  return [
    ...dropTriggers(moved),
    sql`alter table ${id(storage, parent.table)} drop column if exists ${id(parent.column.name)}`,
    ...(child.column.default === undefined
      ? []
      : [sql`alter table ${id(storage, child.table)} alter column ${id(child.column.name)} set${defaultOf(child.column)}`]),
  ];
};

/** Whether a backfill finds anything for the parent `t`. */
function hasValue(moved: Moved): Sql {
  const { storage, child, parent } = moved;
  if (parent.column.isRequired && parent.column.default !== undefined) return sql`true`;
  return sql`exists (select from ${id(storage, child.table)} "c"
      where ${isChildOf(moved, id('t', parent.linked.column))} and ${id('c', child.column.name)} is not null)`;
}

// --- checks ----------------------------------------------------------------------------------------------------------

/** Enough for a message. */
const MOST_COUNTED = 1000;
const counted = (count: number): string => (count === MOST_COUNTED ? 'a thousand or more' : String(count));

function checksOf(moved: Moved): Check[] {
  const { parent } = moved;
  return [noConflicts(moved), ...(parent.column.isRequired && parent.column.default === undefined ? [noneWithout(moved)] : [])];
}

function noConflicts(moved: Moved): Check {
  const { storage, child, parent } = moved;
  const [value, link] = [id('c', child.column.name), id('c', child.link)];
  const counts = and([sql`${value} is not null`, isChildOf(moved, link)]);
  return {
    kind: 'move_field',
    entity: child.name,
    field: child.field.name,
    count: sql`select count(*)::integer as count from (select from ${id(storage, child.table)} "c" where ${counts}
      group by ${link} having count(distinct ${value}) > 1 limit ${literal(String(MOST_COUNTED))}) found`,
    message: (count) =>
      `"${child.name}.${child.field.name}" cannot move to "${parent.name}": for ${counted(count)} record${count === 1 ? '' : 's'} of "${parent.name}" the records of "${child.name}" hold different values.`,
    hint: `Make the values of "${child.name}.${child.field.name}" equal for each "${parent.name}" first; null agrees with anything.`,
  };
}

/** Found by the verification: written between the check and the triggers. Nobody but the owner of the data can say which value counts. */
const conflict = ({ child, parent }: Moved): Batch['refusal'] => ({
  message: (sample) =>
    `"${child.name}.${child.field.name}" cannot move to "${parent.name}": since the check, records of "${child.name}" were given different values under one "${parent.name}", for instance under that with the key ${sample}.`,
  hint: `Make the values of "${child.name}.${child.field.name}" equal for each "${parent.name}", then publish again; null agrees with anything.`,
});

function noneWithout(moved: Moved): Check {
  const { storage, child, parent } = moved;
  return {
    kind: 'move_field',
    entity: parent.name,
    field: parent.field.name,
    count: sql`select count(*)::integer as count from (select from ${id(storage, parent.table)} "t"
      where not ${hasValue(moved)} limit ${literal(String(MOST_COUNTED))}) found`,
    message: (count) =>
      `"${parent.name}.${parent.field.name}" is required, but ${counted(count)} record${count === 1 ? '' : 's'} of "${parent.name}" would get no value from "${child.name}.${child.field.name}".`,
    hint: 'Give the field a `default`, or leave `required` out.',
  };
}

// --- parts of steps --------------------------------------------------------------------------------------------------

const brief = ({ parent }: Moved, key: string, phase: Step['phase']) =>
  ({ key, phase, mode: 'brief', table: parent.table, lock: LOCKS.both, rewrite: false }) as const;
