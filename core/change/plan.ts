/**
 * The plan of a set of changes: checks the data must pass, then ordered steps. Pure; the same two models always give the same
 * steps, so a worker makes the plan again instead of reading SQL from a table.
 */
import { DELETED_COLUMN, type AppModel, type EntityModel, type FieldModel, type FilledRows } from '../model/model.ts';
import { render } from '../sql/sql.ts';
import { classOf, refuseUnsafe, type Change, type Conversion, type Held, type Undone } from './change.ts';
import { conversionSteps } from './conversion/conversion.ts';
import { earlyRows } from './conversion/early-rows.ts';
import type { Trial } from './conversion/trial.ts';
import { changesKey } from './key/key-change.ts';
import { keyChangeOf, keyChecks, keySteps, keyTakenBack, type KeyChange } from './key/steps.ts';
import { linkMoves, linkRefusals, type LinkMove } from './links/move.ts';
import { endLinks, hasNoDoubles, isLeft, linkSteps } from './links/steps.ts';
import { movedColumns, moveSteps, type MoveInput } from './move/move.ts';
import { splitSteps, type SplitInput, type SplitPlan } from './parts/split.ts';
import { addColumn, restoreColumn } from './ops/add-column.ts';
import { addForeignKey, emptyOrphans, hasNoOrphans } from './ops/add-foreign-key.ts';
import { addIndex, hasNoDuplicates } from './ops/add-index.ts';
import { createTable, tableIsFree } from './ops/create-table.ts';
import { dropForeignKey } from './ops/drop-foreign-key.ts';
import { dropIndex } from './ops/drop-index.ts';
import { dropColumn, dropTable } from './ops/drop-storage.ts';
import { keepNoDeleted } from './ops/keep-no-deleted.ts';
import { limits } from './ops/limits.ts';
import { hasNoNulls, provenNotNull } from './ops/not-null.ts';
import { setDefault } from './ops/set-default.ts';
import { dropNotNull } from './ops/set-required.ts';
import { canonical } from './pair.ts';
import { shapeOf, type ColumnShape, type ForeignKeyShape, type Shape, type TableShape } from './shape.ts';
import { PHASES, type Check, type Step } from './step.ts';

export interface Plan {
  readonly steps: readonly Step[];
  readonly checks: readonly Check[];
  /** How each conversion is tried on the records that are there. */
  readonly trials: readonly Trial[];
  /**
   * By which views the tables whose values are converted are read in the new shape before its switch. Undefined where that shape
   * cannot be served before it.
   */
  readonly filled?: ReadonlyMap<string, FilledRows>;
}

export interface PlanInput {
  readonly previous: AppModel;
  readonly next: AppModel;
  /** The Postgres schema of the app. */
  readonly storage: string;
  /** What earlier versions left in the tables: whoever gets it back finds its values there. */
  readonly held?: readonly Held[];
  /** The version it leads to; named by what a conversion makes in the database. */
  readonly version?: number;
  /** The migration from `next` to `previous` that this one takes back. */
  readonly undone?: Undone;
}

/** Throws UNSAFE_CHANGE when anything cannot be done. */
export function plan(changes: readonly Change[], input: PlanInput): Plan {
  refuseUnsafe(changes);
  const shapes = { before: shapeOf(input.previous), after: shapeOf(input.next) };
  const keyChanges = keyChangesOf(changes, input, shapes);
  refuseUnsafe(
    storageLosses(
      shapes,
      changes.flatMap((change) => change.held ?? []),
      keyChanges,
    ),
  );
  // Taken back, what the undone migration made keeps both places in step, by the names it has.
  const moving = { ...input, version: input.undone?.version ?? input.version ?? 0 };
  const moves = linkMoves(moving);
  refuseUnsafe(linkRefusals(moves, moving));
  const conversions = input.undone === undefined ? conversionsOf(changes) : [];
  const fields = input.undone === undefined ? fieldMoves(changes, input) : [];
  const inPlace = conversions.map((conversion) => conversionSteps({ ...input, version: input.version ?? 0, conversion }));
  const converted = [...inPlace, ...fields.map(moveSteps)];
  const left = missing(shapes.before.foreignKeys, shapes.after.foreignKeys);
  const splits = input.undone === undefined ? entitySplits(changes, input).map((one) => splitSteps(one, left)) : splitEnds(input, left);
  const isConverted = convertedColumns(conversions, fields, splits, input);
  const context: Context = {
    ...shapes,
    storage: input.storage,
    isConverted,
    isRestored: (table, column) => (input.held ?? []).some((one) => one.table === table && one.column === column),
    // Until nobody is served in the older shape its rows need not have what the new one asks for.
    narrowing: classOf(changes) === 'breaking' ? 'contract' : 'settle',
  };
  const parts = [...shapes.after.tables.values()].map((table) => planTable(context, shapes.before.tables.get(table.table), table));
  const tightened = [
    ...tightenedFields(changes, input.next).map(([entity, field]) => limits(input.storage, entity, field)),
    ...changes.flatMap((change) => withoutSoftDelete(change, input.next)).map((entity) => keepNoDeleted(input.storage, entity)),
  ];
  const keys = missing(shapes.after.foreignKeys, shapes.before.foreignKeys);
  // Links, fields and parts that are not moved yet, and what one shape deletes softly and the other for good, no view can give.
  const isServedEarly = moves.length + fields.length + splits.length === 0 && changes.every((change) => change.kind !== 'set_soft_delete');
  const early = earlyRows({
    storage: input.storage,
    version: input.version ?? 0,
    fillings: isServedEarly ? inPlace.map((part) => part.filling) : [],
    before: shapes.before.tables,
    after: shapes.after.tables,
  });
  const steps = [
    ...converted.flatMap((part) => part.steps),
    ...endOf(input),
    // Before the indexes that go: foreign keys rest on them until the key has gone over.
    ...keyChanges.flatMap((change) => (input.undone === undefined ? keySteps(change) : keyTakenBack(change))),
    ...parts.flatMap((part) => part.steps),
    // On tables that are there.
    ...splits.flatMap((part) => part.steps),
    // Over columns that are there.
    ...early.steps,
    ...tightened.flatMap((part) => part.steps),
    ...moves.flatMap((move) => (input.undone === undefined ? linkSteps(move, left) : [endLinks(move, left)])),
    ...keys.flatMap((key) => planForeignKey(context, key)),
    ...left
      .filter((key) => !moves.some((move) => isLeft(move, key)) && !splits.some((one) => one.isLeft(key)))
      .map((key) => dropForeignKey(input.storage, key)),
    ...missing(shapes.before.tables, shapes.after.tables).map((table) => dropTable(input.storage, table)),
  ];
  return {
    ...(isServedEarly ? { filled: early.filled } : {}),
    steps: order(steps),
    trials: inPlace.map((part) => part.trial),
    checks: [
      ...converted.flatMap((part) => part.checks),
      ...splits.flatMap((part) => part.checks),
      ...parts.flatMap((part) => part.checks),
      ...tightened.flatMap((part) => part.checks),
      ...keys.flatMap((key) => orphanChecks(context, key)),
      ...(input.undone === undefined ? keyChanges.flatMap(keyChecks) : []),
      ...(input.undone === undefined ? doubles(moves) : []),
    ],
  };
}

/** A rollback keeps what clients of the older shape have seen all the time: of several links the one that is the key. */
const doubles = (moves: readonly LinkMove[]): Check[] => moves.filter((move) => move.direction === 'to_key').map(hasNoDoubles);

/** Its triggers keep both shapes in step for as long as the taken-back shape is the older one. */
function endOf({ undone, previous, next, storage }: PlanInput): Step[] {
  if (undone === undefined) return [];
  const backwards = { storage, version: undone.version, previous: next, next: previous };
  return [
    ...undone.conversions.flatMap((conversion) => conversionSteps({ ...backwards, conversion }).steps),
    ...(undone.moves ?? []).flatMap((move) => moveSteps({ ...backwards, move }).steps),
  ].filter((step) => step.key.startsWith('end-'));
}

const entitySplits = (changes: readonly Change[], { storage, version = 0, previous, next }: PlanInput): SplitInput[] =>
  changes.flatMap(({ split }) => (split === undefined ? [] : [{ storage, version, split, previous, next }]));

/** As `endOf`. The columns that come back are those of any field that does. */
function splitEnds({ undone, previous, next, storage }: PlanInput, left: readonly ForeignKeyShape[]): SplitPlan[] {
  return (undone?.splits ?? []).map((split) => {
    const planned = splitSteps({ storage, version: undone?.version ?? 0, split, previous: next, next: previous }, left);
    return { ...planned, steps: planned.steps.filter((step) => step.key.startsWith('end-')), checks: [], columns: [] };
  });
}

const keyChangesOf = (
  changes: readonly Change[],
  { next, storage }: PlanInput,
  { before, after }: { before: Shape; after: Shape },
): KeyChange[] =>
  changes.filter(changesKey).flatMap(({ entity }) => {
    const { table = '' } = next.entities.get(entity ?? '') ?? {};
    const [was, is] = [before.tables.get(table), after.tables.get(table)];
    return was === undefined || is === undefined ? [] : [keyChangeOf(storage, was, is, after)];
  });

const withoutSoftDelete = ({ kind, entity, to }: Change, next: AppModel): EntityModel[] =>
  kind === 'set_soft_delete' && to === false ? [next.entities.get(entity ?? '') ?? []].flat() : [];

function tightenedFields(changes: readonly Change[], next: AppModel): [EntityModel, FieldModel][] {
  const fields = new Map(
    changes.flatMap(({ isTightened, entity: name, field: fieldName }): [FieldModel, EntityModel][] => {
      const entity = isTightened === true ? next.entities.get(name ?? '') : undefined;
      const field = entity?.fields.get(fieldName ?? '');
      return entity === undefined || field === undefined ? [] : [[field, entity]];
    }),
  );
  return [...fields].map(([field, entity]) => [entity, field]);
}

const fieldMoves = (changes: readonly Change[], { storage, version = 0, previous, next }: PlanInput): MoveInput[] =>
  changes.flatMap(({ move }) => (move === undefined ? [] : [{ storage, version, move, previous, next }]));

/** One change may be the reason for several: a fill makes a field required and is said once. */
function conversionsOf(changes: readonly Change[]): Conversion[] {
  const found = new Map(
    changes.flatMap(({ conversion }) => (conversion === undefined ? [] : [[canonical(conversion), conversion] as const])),
  );
  return [...found.values()];
}

/** The columns that conversions make, fill, or keep filled: their constraints are the conversion's business. */
function convertedColumns(
  conversions: readonly Conversion[],
  moves: readonly MoveInput[],
  splits: readonly SplitPlan[],
  { previous, next }: PlanInput,
): Context['isConverted'] {
  const columns = new Set([
    ...moves.flatMap(movedColumns),
    ...splits.flatMap((one) => one.columns),
    ...conversions.flatMap((conversion) => {
      const after = next.entities.get(conversion.entity);
      const before = [...previous.entities.values()].find((entity) => entity.table === after?.table);
      const place = (entity: EntityModel | undefined, field: string): string =>
        `${entity?.table ?? ''}.${(entity?.fields.get(field) ?? entity?.fields.get(`${field}_id`))?.column ?? field}`;
      return [...conversion.to.map((field) => place(after, field)), ...conversion.from.map((field) => place(before, field))];
    }),
  ]);
  return (table, column) => columns.has(`${table}.${column}`);
}

interface Context {
  readonly storage: string;
  isConverted(table: string, column: string): boolean;
  readonly before: Shape;
  readonly after: Shape;
  /** Whether a table, or a column, is what an earlier version left there: `assignStorage` gives such a name to nobody else. */
  isRestored(table: string, column?: string): boolean;
  /** When what the older version may still count on, or still does otherwise, is over. */
  readonly narrowing: 'settle' | 'contract';
}

const missing = <T>(wanted: ReadonlyMap<string, T>, known: ReadonlyMap<string, T>): T[] =>
  [...wanted].filter(([name]) => !known.has(name)).map(([, item]) => item);

function planTable(context: Context, before: TableShape | undefined, after: TableShape): { steps: Step[]; checks: Check[] } {
  const { storage, narrowing } = context;
  if (before === undefined) {
    if (context.isRestored(after.table)) return { steps: [{ ...createTable(storage, after), undo: [] }], checks: [] };
    return { steps: [createTable(storage, after)], checks: [tableIsFree(storage, after)] };
  }
  const columns = [...after.columns.values()]
    .filter((column) => !context.isConverted(after.table, column.name))
    .map((column) => planColumn(context, before.columns.get(column.name), column, after));
  const added = missing(after.indexes, before.indexes);
  return {
    steps: [
      ...columns.flatMap((part) => part.steps),
      // Without soft delete its column is empty and stays: it is there when soft delete comes back.
      ...missing(before.columns, after.columns)
        .filter((column) => column.name !== DELETED_COLUMN)
        .flatMap((column) => leaveColumn(context, before, column)),
      // What is still to be filled is indexed when it is.
      ...added.map((index) =>
        addIndex(
          storage,
          after.table,
          index,
          index.columns.some((column) => context.isConverted(after.table, column)) ? 'verify' : 'expand',
        ),
      ),
      ...missing(before.indexes, after.indexes).map((index) => dropIndex(storage, after.table, index, narrowing)),
    ],
    checks: [
      ...columns.flatMap((part) => part.checks),
      ...added.filter((index) => index.isUnique).flatMap((index) => hasNoDuplicates(storage, after, before, index) ?? []),
    ],
  };
}

/** Nobody fills it any more, so it must not insist, unless it counts by itself; its values stay until they are purged. */
const leaveColumn = ({ storage, isConverted }: Context, table: TableShape, column: ColumnShape): Step[] => [
  ...(column.isRequired && !column.isIdentity && !isConverted(table.table, column.name) ? [dropNotNull(storage, table.table, column)] : []),
  dropColumn(storage, table.table, column.name),
];

function planColumn(
  { storage, narrowing, isRestored }: Context,
  before: ColumnShape | undefined,
  after: ColumnShape,
  table: TableShape,
): { steps: Step[]; checks: Check[] } {
  if (before === undefined) {
    return isRestored(table.table, after.name)
      ? restoreColumn(storage, table, after, narrowing)
      : addColumn(storage, table, after, narrowing);
  }
  const steps: Step[] = [];
  const checks: Check[] = [];
  if (before.default !== after.default) steps.push(setDefault(storage, table.table, before, after));
  if (before.isRequired && !after.isRequired) steps.push(dropNotNull(storage, table.table, after));
  if (!before.isRequired && after.isRequired) {
    steps.push(...provenNotNull(storage, table.table, [after.name], narrowing));
    checks.push(hasNoNulls(storage, table, after));
  }
  return { steps, checks };
}

function planForeignKey({ storage, before, isRestored }: Context, key: ForeignKeyShape): Step[] {
  const isNewTable = !before.tables.has(key.table) && !isRestored(key.table);
  // What was referred to may have been deleted while nobody saw the reference.
  const emptied = isRestored(key.table, key.column) || isRestored(key.table) ? [emptyOrphans(storage, key)] : [];
  return [...emptied, ...addForeignKey(storage, key, isNewTable)];
}

function orphanChecks({ storage, before, after }: Context, key: ForeignKeyShape): Check[] {
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

/** What no change names but the tables would lose: a relation that re-types a column, a key that moves. */
function storageLosses(
  { before, after }: { before: Shape; after: Shape },
  held: readonly Held[],
  keyChanges: readonly KeyChange[],
): Change[] {
  const isHeld = (table: string, column?: string): boolean => held.some((one) => one.table === table && one.column === column);
  return [...before.tables.values()].flatMap((table): Change[] => {
    const next = after.tables.get(table.table);
    if (next === undefined) {
      return isHeld(table.table) ? [] : [loss(table.owner, undefined, `The table "${table.table}" of "${table.owner}" would be dropped.`)];
    }
    const columns = [...table.columns.values()].flatMap((column): Change[] => {
      const now = next.columns.get(column.name);
      if (now === undefined) {
        if (isHeld(table.table, column.name) || column.name === DELETED_COLUMN) return [];
        return [loss(table.owner, column.name, `The values of "${table.owner}.${column.name}" would be dropped.`)];
      }
      if (now.type === column.type && now.isIdentity === column.isIdentity) return [];
      return [
        loss(table.owner, column.name, `"${table.owner}.${column.name}" is stored as ${column.type} and would have to become ${now.type}.`),
      ];
    });
    const isKeyKept = next.key.join() === table.key.join() || keyChanges.some((change) => change.before === table);
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

/** Quick things first; indexes before the foreign keys that may need them; constraints go last, to be missing for the shortest time. */
function order(steps: readonly Step[]): Step[] {
  const rank = (step: Step): number => {
    if (step.phase !== 'expand') return 5 + PHASES.indexOf(step.phase);
    if (step.key.startsWith('drop-foreign-key/')) return 4;
    if (step.key.startsWith('validate-')) return 3;
    if (step.key.startsWith('add-foreign-key/')) return 2;
    return step.mode === 'long' ? 1 : 0;
  };
  return [...steps].sort((a, b) => rank(a) - rank(b));
}

/** The statements as they are sent, byte for byte; DDL has no parameters. */
export const stepTexts = (step: Step): string[] => step.statements.map((statement) => render(statement).text);

export const stepText = (step: Step): string => stepTexts(step).join(';\n');
