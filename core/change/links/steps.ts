/** The steps by which links move. Columns, tables, indexes and foreign keys of the new place come as those of any new relation do. */
import { batchStep, callBatch, checkBatch, type Rows } from '../conversion/batches.ts';
import { dropForeignKey } from '../ops/drop-foreign-key.ts';
import type { ForeignKeyShape } from '../shape.ts';
import { id, sql } from '../../sql/sql.ts';
import { LOCKS, triggerExists, type Check, type Step } from '../step.ts';
import type { LinkMove } from './move.ts';
import { agrees, dropTriggers, functionsOf, marker, settle, triggersOf } from './sync.ts';

/** Foreign keys of the place that is left. They hold while it is kept in step, and go together with what does so. */
export const isLeft = (move: LinkMove, key: ForeignKeyShape): boolean =>
  move.direction === 'to_key'
    ? key.table === move.join.table
    : key.table === move.many.entity.table && key.column === move.many.held.column;

export function linkSteps(move: LinkMove, left: readonly ForeignKeyShape[]): Step[] {
  const rows: Rows = { storage: move.storage, table: move.many.entity.table, key: move.many.entity.key };
  const inStep = agrees(move, 't');
  return [
    {
      ...brief(move, 'links', 'expand'),
      statements: [...functionsOf(move), ...triggersOf(move)],
      isDone: triggerExists(move.storage, marker(move).table, marker(move).name),
      undo: dropTriggers(move),
    },
    {
      ...batchStep(rows, keyOf(move, 'backfill'), 'backfill'),
      statements: [callBatch(rows, sql`not ${inStep}`, settle(move, id('b', move.many.key.column)))],
    },
    { ...batchStep(rows, keyOf(move, 'verify'), 'verify'), statements: [checkBatch(rows, inStep)] },
    endLinks(move, left),
  ];
}

export function endLinks(move: LinkMove, left: readonly ForeignKeyShape[]): Step {
  return {
    ...brief(move, 'end-links', 'contract'),
    statements: [
      ...dropTriggers(move),
      ...left.filter((key) => isLeft(move, key)).flatMap((key) => dropForeignKey(move.storage, key).statements),
    ],
    isDone: sql`not ${triggerExists(move.storage, marker(move).table, marker(move).name)}`,
    undo: [],
  };
}

const keyOf = ({ many, join }: LinkMove, verb: string): string => `${verb}/${many.entity.table}.${many.held.column}/${join.table}`;

const brief = (move: LinkMove, verb: string, phase: Step['phase']) =>
  ({
    key: keyOf(move, verb),
    phase,
    mode: 'brief',
    table: move.many.entity.table,
    lock: LOCKS.brief,
    rewrite: false,
  }) as const;

/** Of several links a key can hold one: which of them, nobody can say but the owner of the data. Counted up to a thousand. */
export function hasNoDoubles({ storage, relation, many, one, join }: LinkMove): Check {
  return {
    kind: 'set_relation',
    entity: many.entity.name,
    field: undefined,
    count: sql`select count(*)::integer as count from (
      select from ${id(storage, join.table)} "l" group by ${id('l', join.many)} having count(*) > 1 limit 1000) found`,
    message: (count) =>
      `Relation "${relation}" cannot become one_to_many: ${count === 1 ? '1 record' : count === 1000 ? '1000 or more records' : `${String(count)} records`} of "${many.entity.name}" ${count === 1 ? 'has' : 'have'} more than one "${one.entity.name}", and a key holds only one.`,
    hint: `Leave each "${many.entity.name}" one link of "${relation}" at most, then publish again.`,
  };
}
