/**
 * An entity that is split into two, or two that are merged into one, while both shapes are written: what is missing in the tables,
 * triggers that keep both in step, a backfill by whole, and the end of the triggers when the older shape is served no more. See
 * ADR 31 and docs/migrations.md.
 */
import { id, literal, or, sql, type Sql } from '../../sql/sql.ts';
import { batchStep, callBatch, checkBatch, type Rows } from '../conversion/batches.ts';
import { typeOf } from '../conversion/stored.ts';
import { dropForeignKey } from '../ops/drop-foreign-key.ts';
import { setDefault } from '../ops/set-default.ts';
import type { ForeignKeyShape } from '../shape.ts';
import { columnExists, defaultOf, LOCKS, tableExists, triggerExists, type Batch, type Check, type Step } from '../step.ts';
import { resolveSplit, type Parts, type SplitInput } from './resolve.ts';
import {
  agreesFor,
  dropTriggers,
  filledFor,
  functionsOf,
  isIncomplete,
  isLoose,
  isUnfilled,
  lastTrigger,
  partsOf,
  triggersOf,
  wholesOf,
} from './triggers.ts';

export type { SplitInput } from './resolve.ts';

export interface SplitPlan {
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
  /** The whole's columns: their constraints are the split's business. */
  readonly columns: readonly string[];
  /** The foreign key from the part to its whole, where the next version has none: it holds until the end. */
  isLeft(key: ForeignKeyShape): boolean;
}

/** `left` are foreign keys that the next version does not have. */
export function splitSteps(input: SplitInput, left: readonly ForeignKeyShape[]): SplitPlan {
  const the = resolveSplit(input);
  const isLeft = (key: ForeignKeyShape): boolean => key.table === the.part.table && key.column === the.part.link;
  return {
    steps: stepsOf(the, left.filter(isLeft)),
    checks: [the.direction === 'split' ? noneIncomplete(the) : noneLoose(the), noneLeft(the)],
    columns: the.whole.columns.map((column) => `${the.whole.table}.${column.name}`),
    isLeft,
  };
}

function stepsOf(the: Parts, left: readonly ForeignKeyShape[]): Step[] {
  const { storage, direction, whole, part } = the;
  const rows: Rows = { storage, table: whole.table, key: [whole.key] };
  const key = (verb: string): string => `${verb}/${part.table}/${the.names.marker}`;
  const last = lastTrigger(the);
  return [
    {
      ...brief(the, key(direction), 'expand'),
      // The functions first: they need no lock.
      statements: [...functionsOf(the), ...columnsOf(the), ...triggersOf(the)],
      isDone: triggerExists(storage, last.table, last.name),
      undo: takenBack(the),
    },
    { ...batchStep(rows, key('backfill'), 'backfill'), statements: [callBatch(rows, isUnfilled(the), filledFor(the, 'b'))] },
    { ...batchStep(rows, key('verify'), 'verify', conflict(the)), statements: [checkBatch(rows, agreesFor(the))] },
    ...(direction === 'merge' ? defaultsOf(the) : []),
    {
      ...brief(the, key(`end-${direction}`), 'contract'),
      statements: [...dropTriggers(the), ...left.flatMap((one) => dropForeignKey(storage, one).statements)],
      isDone: sql`not ${triggerExists(storage, last.table, last.name)}`,
      undo: [],
    },
  ];
}

/**
 * Of a split the whole's columns ask for nothing more: newer clients leave them out, and a default would look like a value that somebody
 * gave. Of a merge they are new, and get their defaults in the end for the same reason.
 */
function columnsOf({ storage, direction, whole }: Parts): Sql[] {
  const at = id(storage, whole.table);
  if (direction === 'merge') {
    return whole.fields.map((field) => sql`alter table ${at} add column if not exists ${id(field.column)} ${typeOf(field)}`);
  }
  const loosened = whole.columns.flatMap((column) => [
    ...(column.default === undefined ? [] : [sql`alter column ${id(column.name)} drop default`]),
    ...(column.isRequired ? [sql`alter column ${id(column.name)} drop not null`] : []),
  ]);
  return loosened.map((action) => sql`alter table ${at} ${action}`);
}

const defaultsOf = ({ storage, whole }: Parts): Step[] =>
  whole.columns
    .filter((column) => column.default !== undefined)
    .map((column) => ({ ...setDefault(storage, whole.table, { ...column, default: undefined }, column), phase: 'contract' as const }));

/** A column that was required stays nullable until a later publish proves it: nulls may have been written meanwhile. */
function takenBack(the: Parts): Sql[] {
  const { storage, direction, whole } = the;
  const at = id(storage, whole.table);
  const columns =
    direction === 'merge'
      ? whole.columns.map((column) => sql`alter table ${at} drop column if exists ${id(column.name)}`)
      : whole.columns
          .filter((column) => column.default !== undefined)
          .map((column) => sql`alter table ${at} alter column ${id(column.name)} set${defaultOf(column)}`);
  return [...dropTriggers(the), ...columns];
}

const brief = ({ part }: Parts, key: string, phase: Step['phase']) =>
  ({ key, phase, mode: 'brief', table: part.table, lock: LOCKS.both, rewrite: false }) as const;

// --- checks ----------------------------------------------------------------------------------------------------------

/** Enough for a message. */
const MOST_COUNTED = 1000;
const counted = (count: number): string =>
  count === MOST_COUNTED ? 'a thousand or more records' : count === 1 ? '1 record' : `${String(count)} records`;
const COUNTED = literal(String(MOST_COUNTED));

function noneIncomplete(the: Parts): Check {
  const { whole, part } = the;
  const required = part.fields.filter((_, at) => part.columns[at]?.isRequired === true).map(({ name }) => name);
  return {
    kind: 'split_entity',
    entity: whole.name,
    field: undefined,
    count: sql`select count(*)::integer as count from (select from ${wholesOf(the)} where ${isIncomplete(the)} limit ${COUNTED}) found`,
    message: (count) =>
      `"${whole.name}" cannot be split: ${counted(count)} of it ${count === 1 ? 'has' : 'have'} some of the values of "${part.name}", but not all that it requires (${required.join(', ')}).`,
    hint: `Fill in or empty those records, or leave \`required\` out in "${part.name}".`,
  };
}

function noneLoose(the: Parts): Check {
  const { whole, part } = the;
  return {
    kind: 'merge_entity',
    entity: part.name,
    field: undefined,
    count: sql`select count(*)::integer as count from (select from ${partsOf(the)} where ${isLoose(the)} limit ${COUNTED}) found`,
    message: (count) =>
      `"${part.name}" cannot be merged into "${whole.name}": ${counted(count)} of it with values ${count === 1 ? 'belongs' : 'belong'} to no "${whole.name}".`,
    hint: `Give each of them a "${whole.name}", or delete them.`,
  };
}

/** What comes back by its id has the values that it had when it was dropped: two truths. */
function noneLeft(the: Parts): Check {
  const { storage, direction, whole, part } = the;
  const isSplit = direction === 'split';
  const isThere = isSplit
    ? tableExists(storage, part.table)
    : or(whole.columns.map((column) => columnExists(storage, whole.table, column.name)));
  return {
    kind: isSplit ? 'split_entity' : 'merge_entity',
    entity: isSplit ? part.name : whole.name,
    field: undefined,
    count: sql`select case when ${isThere} then 1 else 0 end as count`,
    message: () =>
      isSplit
        ? `"${part.name}" would come back with the records that it had when it was dropped.`
        : `Fields of "${part.name}" would come back in "${whole.name}" with the values that they had when they were dropped.`,
    hint: 'Leave the `id` of what is new out of the document, or end the retention of the migration that dropped it.',
  };
}

const conflict = ({ whole, part }: Parts): Batch['refusal'] => ({
  message: (sample) =>
    `"${whole.name}" and "${part.name}" do not agree, for instance in the record of "${whole.name}" with the key ${sample}: something beside the api wrote them.`,
  hint: 'Publish again.',
});
