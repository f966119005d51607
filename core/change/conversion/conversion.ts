/**
 * Values that move between shapes while both are written. A *conversion* writes new columns from old ones (`up`) and back (`down`);
 * its triggers come up together with its columns in one transaction, a backfill makes them run for the rows that were there, and
 * they go in one transaction when the older shape is served no more. See ADR 19 and docs/migrations.md.
 */
import { AppError } from '../../errors.ts';
import type { AppModel, EntityModel, FieldModel } from '../../model/model.ts';
import { id, join, sql, type Sql } from '../../sql/sql.ts';
import type { Conversion } from '../change.ts';
import { provenNotNull } from '../ops/not-null.ts';
import { setDefault } from '../ops/set-default.ts';
import { shapeOf, type ColumnShape, type TableShape } from '../shape.ts';
import { columnExists, defaultOf, LOCKS, triggerExists, type Check, type Step } from '../step.ts';
import { automaticConversion } from './automatic.ts';
import { batchStep, checkBatch, fillBatch, type Rows } from './batches.ts';
import type { Filling } from './early-rows.ts';
import { dropFill, fillFunctions, fillTriggers, type Fill } from './fill.ts';
import { conversionNames } from './names.ts';
import { forget, isQuarantined, type QuarantineOf } from './quarantine.ts';
import type { Place, Side, Target } from './side.ts';
import { typeOf } from './stored.ts';
import { trialOf, type Trial } from './trial.ts';
import { dropTriggers, functionsOf, triggersOf, type TwoWay } from './two-way.ts';

export interface ConversionInput {
  readonly storage: string;
  /** The version it leads to: what it makes in the database is named by it. */
  readonly version: number;
  readonly conversion: Conversion;
  readonly previous: AppModel;
  readonly next: AppModel;
}

/** Throws VALIDATION_FAILED naming the instruction when it says something that cannot be done. */
export function conversionSteps(input: ConversionInput): { steps: Step[]; checks: Check[]; filling: Filling; trial: Trial } {
  const found = resolve(input);
  const { rows, place, quarantine } = found;
  const { kind } = input.conversion;
  if (kind === 'fill') {
    const fill = fillOf(found);
    const filling: Filling = { table: rows.table, place, names: fill.names, side: fill.side };
    const isNew = !found.shapeBefore.columns.has(fill.column);
    return { steps: fillSteps(found, fill), checks: [], filling, trial: trialOf(filling, quarantine, { kind, isNew }) };
  }
  const way = twoWayOf(found);
  const filling: Filling = { table: rows.table, place, names: way.names, side: way.up, marker: way.names.marker };
  return { steps: twoWaySteps(found, way), checks: [], filling, trial: trialOf(filling, quarantine, { kind }) };
}

interface Found extends ConversionInput {
  readonly before: EntityModel;
  readonly after: EntityModel;
  readonly shapeBefore: TableShape;
  readonly shapeAfter: TableShape;
  readonly from: readonly FieldModel[];
  readonly to: readonly FieldModel[];
  readonly place: Place;
  readonly rows: Rows;
  readonly quarantine: QuarantineOf;
}

function resolve(input: ConversionInput): Found {
  const { conversion, storage, version, previous, next } = input;
  const after = next.entities.get(conversion.entity);
  // Tables are never renamed, so the same table is the same entity.
  const before = [...previous.entities.values()].find((entity) => entity.table === after?.table);
  const shapeBefore = shapeOf(previous).tables.get(before?.table ?? '');
  const shapeAfter = shapeOf(next).tables.get(before?.table ?? '');
  if (before === undefined || after === undefined || shapeBefore === undefined || shapeAfter === undefined) {
    throw wrong(conversion, `There are no records of "${conversion.entity}" to convert.`);
  }
  const named = (entity: EntityModel, name: string): FieldModel => {
    const field = entity.fields.get(name) ?? entity.fields.get(`${name}_id`);
    if (field === undefined) throw wrong(conversion, `"${entity.name}" has no field "${name}".`);
    if (field.isKey) throw wrong(conversion, `"${entity.name}.${name}" is the key of its records, which other records refer to.`);
    return field;
  };
  const from = conversion.from.map((name) => named(before, name));
  const to = conversion.to.map((name) => named(after, name));
  const rows = { storage, table: after.table, key: after.key };
  return {
    ...input,
    before,
    after,
    shapeBefore,
    shapeAfter,
    from,
    to,
    place: { entity: conversion.entity, instruction: conversion.kind },
    rows,
    quarantine: { storage, version, entity: after.name, key: after.key, fields: [...from, ...to] },
  };
}

function wrong(conversion: Conversion, problem: string, hint?: string): AppError {
  return new AppError('VALIDATION_FAILED', `The ${conversion.kind} of "${conversion.entity}": ${problem}`, {
    details: [{ field: 'migrate', rule: conversion.kind, message: problem }],
    ...(hint === undefined ? {} : { hint }),
  });
}

// --- convert and transform -------------------------------------------------------------------------------------------

function twoWaySteps(found: Found, way: TwoWay): Step[] {
  const { storage, rows, shapeBefore, shapeAfter } = found;
  const { marker } = way.names;
  const at = id(storage, rows.table);
  const added = found.to.map((field) => columnOf(shapeAfter, field));
  const held = way.down.targets.map(({ field }) => columnOf(shapeBefore, field));
  const begin = alter(at, [
    ...added.map((column) => sql`add column if not exists ${id(column.name)} ${typeOf(fieldOf(found.to, column))}`),
    sql`add column if not exists ${id(marker)} boolean not null default false`,
    ...held.flatMap((column) => loosened(column)),
  ]);
  const steps: Step[] = [
    {
      ...brief(found, `convert/${rows.table}/${marker}`, 'expand'),
      // The functions first: they need no lock.
      statements: [...functionsOf(way), begin, ...triggersOf(way)],
      isDone: triggerExists(storage, rows.table, way.names.object('gone')),
      undo: [
        ...dropTriggers(way),
        forget(found.quarantine),
        // Columns that were required stay nullable until a later publish proves them: nulls may have been written meanwhile.
        alter(
          at,
          [marker, ...added.map((column) => column.name)].map((name) => sql`drop column if exists ${id(name)}`),
        ),
        ...held.flatMap((column) =>
          column.default === undefined ? [] : [sql`alter table ${at} alter column ${id(column.name)} set${defaultOf(column)}`],
        ),
      ],
    },
    {
      ...batchStep(rows, `backfill/${rows.table}/${marker}`, 'backfill'),
      statements: [fillBatch(rows, sql`not ${id('t', marker)}`, sql`${id(marker)} = true`)],
    },
    {
      ...batchStep(rows, `verify/${rows.table}/${marker}`, 'verify'),
      statements: [checkBatch(rows, sql`${id('t', marker)} and ${id(storage, way.names.object('agrees'))}("t")`)],
    },
    ...added.flatMap((column) =>
      column.default === undefined
        ? []
        : [{ ...setDefault(storage, rows.table, { ...column, default: undefined }, column), phase: 'contract' as const }],
    ),
  ];
  const required = added.filter((column) => column.isRequired).map((column) => column.name);
  return [
    ...steps,
    ...(required.length === 0 ? [] : provenNotNull(storage, rows.table, required, 'contract')),
    {
      ...brief(found, `end-conversion/${rows.table}/${marker}`, 'contract'),
      statements: [...dropTriggers(way), sql`alter table ${at} drop column if exists ${id(marker)}`],
      isDone: sql`not ${columnExists(storage, rows.table, marker)}`,
      undo: [],
    },
  ];
}

function twoWayOf(found: Found): TwoWay {
  const { conversion, from, to, storage, rows, place, quarantine } = found;
  const nextColumns = new Set([...found.after.fields.values()].map((field) => field.column));
  const previousColumns = new Set([...found.before.fields.values()].map((field) => field.column));
  const existing = to.find((field) => previousColumns.has(field.column));
  if (existing !== undefined) {
    throw wrong(conversion, `"${existing.name}" has values of its own, which would be overwritten.`, 'Give the result another name.');
  }
  const { up, down } = withAutomatic(found);
  // What both shapes have may be read, and is no business of this conversion otherwise.
  const held = from.filter((field) => !nextColumns.has(field.column));
  const missing = to.find((field) => up[field.name] === undefined);
  if (missing !== undefined) throw wrong(conversion, `"up" does not say what "${missing.name}" becomes.`);
  const lost = held.find((field) => field.required && down[field.name] === undefined);
  if (lost !== undefined) {
    throw wrong(
      conversion,
      `"${lost.name}" is required by older clients, and no "down" says what they read of records the new version writes.`,
      `Give a "down" for "${lost.name}"; a constant will do.`,
    );
  }
  const targets = (fields: readonly FieldModel[], expressions: Conversion['up']): Target[] =>
    fields.map((field) => ({ field, expression: expressions[field.name] }));
  return {
    storage,
    table: rows.table,
    names: conversionNames(rows.table, found.version, conversion),
    place,
    quarantine,
    up: { direction: 'up', targets: targets(to, up), reads: from },
    down: { direction: 'down', targets: targets(held, down), reads: to },
  };
}

/** A convert without expressions is the value itself in the other type. */
function withAutomatic({ conversion, from, to }: Found): Pick<Conversion, 'up' | 'down'> {
  const [old] = from;
  const [now] = to;
  if (conversion.kind !== 'convert' || old === undefined || now === undefined || Object.keys(conversion.up).length > 0) return conversion;
  const found = automaticConversion(old, now);
  if (found === undefined) {
    throw wrong(
      conversion,
      `Nothing says how ${old.type} "${old.name}" becomes ${now.type}.`,
      `Say it: migrate: [{"convert": {"entity": "${conversion.entity}", "field": "${old.name}", "up": "...", "down": "..."}}].`,
    );
  }
  return { up: { [now.name]: found.up }, down: { [old.name]: found.down, ...conversion.down } };
}

/** A default would look like a value somebody gave; the engine puts defaults into records itself. */
const loosened = (column: ColumnShape): Sql[] => [
  ...(column.default === undefined ? [] : [sql`alter column ${id(column.name)} drop default`]),
  ...(column.isRequired ? [sql`alter column ${id(column.name)} drop not null`] : []),
];

// --- fill ------------------------------------------------------------------------------------------------------------

function fillOf({
  storage,
  rows,
  shapeBefore,
  conversion,
  after,
  to,
  version,
  place,
  quarantine,
}: Found): Fill & { readonly field: FieldModel } {
  const [field] = to;
  const expression = field === undefined ? undefined : conversion.up[field.name];
  if (field === undefined || expression === undefined) throw wrong(conversion, 'It names no field, or no expression for it.');
  const reads = [...after.fields.values()].filter((other) => shapeBefore.columns.has(other.column) && other !== field);
  const names = conversionNames(rows.table, version, conversion);
  const side: Side = { direction: 'up', targets: [{ field, expression }], reads };
  return { storage, table: rows.table, names, place, quarantine, side, field, column: field.column };
}

function fillSteps(found: Found, fill: ReturnType<typeof fillOf>): Step[] {
  const { storage, rows, shapeAfter, shapeBefore } = found;
  const { names, field } = fill;
  const column = columnOf(shapeAfter, field);
  const at = id(storage, rows.table);
  const isNew = !shapeBefore.columns.has(column.name);
  const isEmpty = sql`${id('t', column.name)} is null`;
  return [
    {
      ...brief(found, `fill/${rows.table}/${column.name}`, 'expand'),
      statements: [
        ...(isNew ? [sql`alter table ${at} add column if not exists ${id(column.name)} ${typeOf(field)}`] : []),
        ...fillFunctions(fill),
        ...fillTriggers(fill),
      ],
      isDone: triggerExists(storage, rows.table, names.object('gone')),
      undo: [
        ...dropFill(fill),
        forget(found.quarantine),
        ...(isNew ? [sql`alter table ${at} drop column if exists ${id(column.name)}`] : []),
      ],
    },
    {
      ...batchStep(rows, `backfill/${rows.table}/${column.name}`, 'backfill'),
      statements: [fillBatch(rows, isEmpty, sql`${id(column.name)} = null`)],
    },
    {
      ...batchStep(rows, `verify/${rows.table}/${column.name}`, 'verify'),
      statements: [checkBatch(rows, sql`not ${isEmpty} or ${isQuarantined(found.quarantine, 't')}`)],
    },
    ...(column.isRequired ? provenNotNull(storage, rows.table, [column.name], 'verify') : []),
    ...(isNew && column.default !== undefined
      ? [{ ...setDefault(storage, rows.table, { ...column, default: undefined }, column), phase: 'contract' as const }]
      : []),
    {
      ...brief(found, `end-fill/${rows.table}/${column.name}`, 'contract'),
      statements: dropFill(fill),
      isDone: sql`not ${triggerExists(storage, rows.table, names.object('gone'))}`,
      undo: [],
    },
  ];
}

// --- parts of steps --------------------------------------------------------------------------------------------------

const alter = (at: Sql, actions: readonly Sql[]): Sql => sql`alter table ${at} ${join(actions)}`;

const brief = ({ rows }: Found, key: string, phase: Step['phase']) =>
  ({ key, phase, mode: 'brief', table: rows.table, lock: LOCKS.brief, rewrite: false }) as const;

function columnOf(shape: TableShape, field: FieldModel): ColumnShape {
  const column = shape.columns.get(field.column);
  if (column === undefined) throw new AppError('INTERNAL_ERROR', `The field "${field.name}" has no column.`);
  return column;
}

function fieldOf(fields: readonly FieldModel[], column: ColumnShape): FieldModel {
  const field = fields.find((candidate) => candidate.column === column.name);
  if (field === undefined) throw new AppError('INTERNAL_ERROR', `The column "${column.name}" has no field.`);
  return field;
}
