/**
 * The plan of a set of changes: checks the data must pass, then ordered steps. Pure; the same two models always give the same
 * steps, so a worker makes the plan again instead of reading SQL from a table.
 */
import type { AppModel } from '../model/model.ts';
import { render } from '../sql/sql.ts';
import { refuseUnsafe, type Change } from './change.ts';
import { addColumn } from './ops/add-column.ts';
import { addForeignKey, hasNoOrphans } from './ops/add-foreign-key.ts';
import { addIndex, hasNoDuplicates } from './ops/add-index.ts';
import { createTable, tableIsFree } from './ops/create-table.ts';
import { dropIndex } from './ops/drop-index.ts';
import { setDefault } from './ops/set-default.ts';
import { dropNotNull, requiredNeedsNoRecords, setNotNull } from './ops/set-required.ts';
import { shapeOf, type ColumnShape, type ForeignKeyShape, type Shape, type TableShape } from './shape.ts';
import { PHASES, type Check, type Step } from './step.ts';

export interface Plan {
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
}

export interface PlanInput {
  readonly previous: AppModel;
  readonly next: AppModel;
  /** The Postgres schema of the app. */
  readonly storage: string;
}

/** Throws UNSAFE_CHANGE when anything is not additive. */
export function plan(changes: readonly Change[], input: PlanInput): Plan {
  refuseUnsafe(changes);
  const before = shapeOf(input.previous);
  const after = shapeOf(input.next);
  refuseUnsafe(storageLosses(before, after));
  const parts = [...after.tables.values()].map((table) => planTable(input.storage, before.tables.get(table.table), table));
  const keys = [...after.foreignKeys.values()].filter((key) => !before.foreignKeys.has(key.name));
  const steps = [
    ...parts.flatMap((part) => part.steps),
    ...keys.flatMap((key) => addForeignKey(input.storage, key, !before.tables.has(key.table))),
  ];
  return {
    steps: order(steps),
    checks: [...parts.flatMap((part) => part.checks), ...keys.flatMap((key) => orphanChecks(input.storage, key, before, after))],
  };
}

function planTable(storage: string, before: TableShape | undefined, after: TableShape): { steps: Step[]; checks: Check[] } {
  if (before === undefined) return { steps: [createTable(storage, after)], checks: [tableIsFree(storage, after)] };
  const columns = [...after.columns.values()].map((column) => planColumn(storage, before.columns.get(column.name), column, after));
  const added = [...after.indexes.values()].filter((index) => !before.indexes.has(index.name));
  const dropped = [...before.indexes.values()].filter((index) => !after.indexes.has(index.name));
  return {
    steps: [
      ...columns.flatMap((part) => part.steps),
      ...added.map((index) => addIndex(storage, after.table, index)),
      ...dropped.map((index) => dropIndex(storage, after.table, index)),
    ],
    checks: [
      ...columns.flatMap((part) => part.checks),
      ...added.filter((index) => index.isUnique).flatMap((index) => hasNoDuplicates(storage, after, before, index) ?? []),
    ],
  };
}

function planColumn(
  storage: string,
  before: ColumnShape | undefined,
  after: ColumnShape,
  table: TableShape,
): { steps: Step[]; checks: Check[] } {
  if (before === undefined) return addColumn(storage, table, after);
  const steps: Step[] = [];
  const checks: Check[] = [];
  if (before.default !== after.default) steps.push(setDefault(storage, table.table, before, after));
  if (before.isRequired && !after.isRequired) steps.push(dropNotNull(storage, table.table, after));
  if (!before.isRequired && after.isRequired) {
    steps.push(setNotNull(storage, table.table, after));
    checks.push(requiredNeedsNoRecords(storage, table, after));
  }
  return { steps, checks };
}

function orphanChecks(storage: string, key: ForeignKeyShape, before: Shape, after: Shape): Check[] {
  const isStored = before.tables.get(key.table)?.columns.has(key.column) === true && before.tables.has(key.targetTable);
  if (!isStored) return [];
  return [
    hasNoOrphans(
      storage,
      key,
      after.tables.get(key.table)?.owner ?? key.table,
      after.tables.get(key.targetTable)?.owner ?? key.targetTable,
    ),
  ];
}

/** What no single change names but the tables would lose: a relation that re-types a column, a link table that vanishes. */
function storageLosses(before: Shape, after: Shape): Change[] {
  return [...before.tables.values()].flatMap((table): Change[] => {
    const next = after.tables.get(table.table);
    if (next === undefined) return [loss(table.owner, undefined, `The table "${table.table}" of "${table.owner}" would be dropped.`)];
    const columns = [...table.columns.values()].flatMap((column): Change[] => {
      const now = next.columns.get(column.name);
      if (now === undefined) return [loss(table.owner, column.name, `The values of "${table.owner}.${column.name}" would be dropped.`)];
      if (now.type === column.type && now.isIdentity === column.isIdentity) return [];
      return [
        loss(table.owner, column.name, `"${table.owner}.${column.name}" is stored as ${column.type} and would have to become ${now.type}.`),
      ];
    });
    const isKeyKept = next.key.join() === table.key.join();
    return isKeyKept ? columns : [...columns, loss(table.owner, undefined, `The key of "${table.owner}" would change.`)];
  });
}

const loss = (entity: string, field: string | undefined, message: string): Change => ({
  kind: 'change_storage',
  class: 'breaking',
  refused: true,
  entity,
  ...(field === undefined ? {} : { field }),
  message,
  hint: 'Keep what is stored; add a new field or relation beside it.',
});

/** Quick things first; indexes before the foreign keys that may need them; what narrows, after the switch. */
function order(steps: readonly Step[]): Step[] {
  const rank = (step: Step): number => {
    if (step.phase !== 'expand') return 4 + PHASES.indexOf(step.phase);
    if (step.key.startsWith('validate-')) return 3;
    if (step.key.startsWith('add-foreign-key/')) return 2;
    return step.mode === 'long' ? 1 : 0;
  };
  return [...steps].sort((a, b) => rank(a) - rank(b));
}

/** The statements as they are sent, byte for byte; DDL has no parameters. */
export const stepTexts = (step: Step): string[] => step.statements.map((statement) => render(statement).text);

export const stepText = (step: Step): string => stepTexts(step).join(';\n');
