/** A move as it stands in the tables: the child that had the field, the parent that gets it, and the key that leads from one to the other. */
import { AppError } from '../../errors.ts';
import { columnType } from '../../model/field-types.ts';
import { DELETED_COLUMN, type AppModel, type EntityModel, type FieldModel, type RelationEnd } from '../../model/model.ts';
import type { Move } from '../change.ts';
import { madeNames, type MadeNames } from '../names.ts';
import { shapeOf, type ColumnShape, type TableShape } from '../shape.ts';

export interface MoveInput {
  readonly storage: string;
  /** The version it leads to: what it makes in the database is named by it. */
  readonly version: number;
  readonly move: Move;
  readonly previous: AppModel;
  readonly next: AppModel;
}

export interface Moved {
  readonly storage: string;
  readonly child: {
    readonly name: string;
    readonly table: string;
    readonly key: readonly FieldModel[];
    readonly field: FieldModel;
    readonly column: ColumnShape;
    /** The column that leads to the parent. */
    readonly link: string;
    /** Deleted children keep the value they had until they are restored. */
    readonly deletedAt: string | undefined;
  };
  readonly parent: {
    readonly name: string;
    readonly table: string;
    readonly key: readonly FieldModel[];
    readonly field: FieldModel;
    readonly column: ColumnShape;
    /** What the children's link is equal to. */
    readonly linked: FieldModel;
  };
  readonly names: MadeNames;
}

/** Throws VALIDATION_FAILED, or UNSUPPORTED, naming the instruction when it says something that cannot be done. */
export function resolveMove({ storage, version, move, previous, next }: MoveInput): Moved {
  const before = previous.entities.get(move.from.entity);
  const after = next.entities.get(move.to.entity);
  if (before === undefined || after === undefined) throw wrong(move, 'There are no such entities.');
  const field = fieldOf(move, before, move.from.field);
  const target = fieldOf(move, after, move.to.field);
  const end = linkOf(move, before, after, { previous, next });
  const parentBefore = previous.entities.get(end.target);
  const linked = parentBefore?.fields.get(end.targetField);
  if (parentBefore === undefined || linked === undefined) throw wrong(move, `"${move.via}" leads nowhere.`);
  const shapes = { before: shapeOf(previous).tables.get(before.table), after: shapeOf(next).tables.get(after.table) };
  const columns = { from: shapes.before?.columns.get(field.column), to: shapes.after?.columns.get(target.column) };
  if (columns.from === undefined || columns.to === undefined) throw wrong(move, 'It has no column.');
  refuseMisfits({ move, before, parentBefore, field, target, shapes });
  return {
    storage,
    child: {
      name: before.name,
      table: before.table,
      key: before.key,
      field,
      column: columns.from,
      link: end.localColumn,
      deletedAt: before.hasSoftDelete ? DELETED_COLUMN : undefined,
    },
    parent: { name: after.name, table: after.table, key: parentBefore.key, field: target, column: columns.to, linked },
    names: madeNames(before.table, version, [move.from.entity, move.from.field, move.to.entity, move.to.field]),
  };
}

function fieldOf(move: Move, entity: EntityModel, name: string): FieldModel {
  const field = entity.fields.get(name);
  if (field === undefined) throw wrong(move, `"${entity.name}" has no field "${name}".`);
  if (field.isKey || field.references !== undefined) {
    throw wrong(move, `"${entity.name}.${name}" refers to records; only values move.`, 'Add a relation there and set it by clients.');
  }
  return field;
}

/** The end that leads from a child to its one parent; it must be there in both versions, or old values could not be found by new ones. */
function linkOf(
  move: Move,
  before: EntityModel,
  after: EntityModel,
  { previous, next }: Pick<MoveInput, 'previous' | 'next'>,
): RelationEnd {
  const end = before.ends.get(move.via) ?? before.relations.find(({ relation }) => relation.name === move.via);
  const known = before.relations.map(({ name }) => name).join(', ');
  if (end === undefined) {
    throw wrong(move, `"${before.name}" has no relation "${move.via}" in the served version${known === '' ? '' : `; it has: ${known}`}.`);
  }
  if (previous.entities.get(end.target)?.table !== after.table) {
    throw wrong(move, `"${move.via}" leads to "${end.target}", not to "${after.name}".`);
  }
  if (end.direction !== 'forward') {
    throw unsupported(
      move,
      `"${move.via}" leads from one "${before.name}" to many records of "${end.target}"; a field moves only to the one record its own refers to.`,
    );
  }
  if (before.table === after.table) throw unsupported(move, `"${move.via}" leads back to "${before.name}".`);
  const childAfter = [...next.entities.values()].find((entity) => entity.table === before.table);
  const isKept = childAfter?.relations.some(
    (one) => one.direction === 'forward' && one.localColumn === end.localColumn && next.entities.get(one.target)?.table === after.table,
  );
  if (isKept !== true) throw wrong(move, `The relation "${move.via}" must still be there in the new version.`, 'Drop it in a later one.');
  return end;
}

interface Fit {
  readonly move: Move;
  readonly before: EntityModel;
  readonly parentBefore: EntityModel;
  readonly field: FieldModel;
  readonly target: FieldModel;
  readonly shapes: { readonly before: TableShape | undefined; readonly after: TableShape | undefined };
}

/** What could make a trigger fail a client's write, overwrite values, or break what older clients were promised. */
function refuseMisfits({ move, before, parentBefore, field, target, shapes }: Fit): void {
  const from = `"${before.name}.${field.name}"`;
  const to = `"${parentBefore.name}.${target.name}"`;
  if ([...parentBefore.fields.values()].some((one) => one.column === target.column)) {
    throw wrong(move, `${to} has values of its own, which would be overwritten.`, 'Give the moved field another name.');
  }
  if (columnType(field) !== columnType(target)) {
    throw wrong(move, `${from} is ${field.type} and ${to} ${target.type}.`, 'Convert it first, in a version of its own.');
  }
  const isUnique = (shape: TableShape | undefined, column: string): boolean =>
    [...(shape?.indexes.values() ?? [])].some((index) => index.isUnique && index.columns.includes(column));
  if (isUnique(shapes.before, field.column) || isUnique(shapes.after, target.column)) {
    throw wrong(move, 'A unique field cannot be moved: a value that is carried over must never be refused.', 'Make it unique afterwards.');
  }
  if (field.required && !target.required) {
    throw wrong(
      move,
      `${from} is required by older clients, and ${to} may be empty.`,
      `Make ${to} required too, or ${from} optional first.`,
    );
  }
}

const titleOf = ({ from, to }: Move): string => `The move of "${from.entity}.${from.field}" to "${to.entity}.${to.field}"`;

function wrong(move: Move, problem: string, hint?: string): AppError {
  return new AppError('VALIDATION_FAILED', `${titleOf(move)}: ${problem}`, {
    details: [{ field: 'migrate', rule: 'move', message: problem }],
    ...(hint === undefined ? {} : { hint }),
  });
}

function unsupported(move: Move, problem: string): AppError {
  return new AppError('UNSUPPORTED', `${titleOf(move)}: ${problem}`, {
    details: [{ field: 'migrate', rule: 'unsupported', message: problem }],
    hint: 'Add the field there, copy its values by a client, and drop it here in a later version.',
  });
}
