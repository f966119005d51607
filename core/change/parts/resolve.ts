/** A split as it stands in the tables: the whole that has the fields in one version, the part that has them in the other. */
import { AppError } from '../../errors.ts';
import { columnType } from '../../model/field-types.ts';
import { DELETED_COLUMN, type AppModel, type EntityModel, type FieldModel, type RelationEnd } from '../../model/model.ts';
import type { Split } from '../change.ts';
import { madeNames, type MadeNames } from '../names.ts';
import { shapeOf, type ColumnShape, type Shape } from '../shape.ts';

export interface SplitInput {
  readonly storage: string;
  /** The version it leads to: what it makes in the database is named by it. */
  readonly version: number;
  readonly split: Split;
  readonly previous: AppModel;
  readonly next: AppModel;
}

/** One side of a split: its table, and the columns of the fields in the order of the instruction. */
export interface Place {
  readonly name: string;
  readonly table: string;
  readonly key: FieldModel;
  readonly fields: readonly FieldModel[];
  readonly columns: readonly ColumnShape[];
}

export interface Parts {
  readonly storage: string;
  readonly direction: Split['direction'];
  readonly whole: Place;
  readonly part: Place & {
    /** The column that leads to the whole. */
    readonly link: string;
    /** Times that a new record gets. */
    readonly stamps: readonly FieldModel[];
  };
  /** Both delete softly: a record that is deleted keeps what it has for those who bring it back. */
  readonly deletedAt: string | undefined;
  readonly names: MadeNames;
}

/** For the digit that puts a trigger before those of foreign keys. */
const ROOM = 2;

/** Throws VALIDATION_FAILED, or UNSUPPORTED, naming the instruction when it says something that cannot be done. */
export function resolveSplit(input: SplitInput): Parts {
  const { storage, version, split, previous, next } = input;
  const isSplit = split.direction === 'split';
  const [withPart, withFields] = isSplit ? [next, previous] : [previous, next];
  const part = withPart.entities.get(split.part);
  const whole = withFields.entities.get(split.whole);
  if (part === undefined || whole === undefined) throw wrong(split, 'There are no such entities.');
  const end = part.relations.find(({ relation, direction }) => relation.name === split.via && direction === 'forward');
  const owner = [...withPart.entities.values()].find(({ table }) => table === whole.table);
  if (owner === undefined) throw wrong(split, `"${whole.name}" must be there in both versions.`);
  if (end === undefined || withPart.entities.get(end.target) !== owner) {
    throw wrong(split, `"${split.via}" must lead from "${part.name}" to "${owner.name}".`);
  }
  const shapes: Shapes = { withPart: shapeOf(withPart), withFields: shapeOf(withFields) };
  const sides: Sides = { split, part, whole, owner, end, shapes };
  refuseRelations(sides);
  refuseEntities(sides, withFields);
  refuseFields(sides);
  refuseRest(sides);
  const [key, wholeKey] = [part.key[0], whole.key[0]];
  if (key === undefined || wholeKey === undefined) throw wrong(split, 'It has no key.');
  const names = split.fields;
  return {
    storage,
    direction: split.direction,
    whole: place(whole, wholeKey, fieldsOf(split, whole, 'whole'), shapes.withFields),
    part: {
      ...place(part, key, fieldsOf(split, part, 'part'), shapes.withPart),
      link: end.localColumn,
      stamps: [...part.fields.values()].filter(isStamp),
    },
    deletedAt: part.hasSoftDelete ? DELETED_COLUMN : undefined,
    names: madeNames(whole.table, version, [whole.table, part.table, ...names.map((one) => one.whole)], ROOM),
  };
}

interface Shapes {
  readonly withPart: Shape;
  readonly withFields: Shape;
}

interface Sides {
  readonly split: Split;
  readonly part: EntityModel;
  readonly whole: EntityModel;
  /** The whole in the version that has the part. */
  readonly owner: EntityModel;
  readonly end: RelationEnd;
  readonly shapes: Shapes;
}

function place(entity: EntityModel, key: FieldModel, fields: readonly FieldModel[], shape: Shape): Place {
  const columns = fields.flatMap((field) => shape.tables.get(entity.table)?.columns.get(field.column) ?? []);
  return { name: entity.name, table: entity.table, key, fields, columns };
}

const fieldsOf = (split: Split, entity: EntityModel, side: 'whole' | 'part'): FieldModel[] =>
  split.fields.map((names) => fieldOf(split, entity, names[side]));

function fieldOf(split: Split, entity: EntityModel, name: string): FieldModel {
  const field = entity.fields.get(name);
  if (field === undefined) throw wrong(split, `"${entity.name}" has no field "${name}".`);
  if (field.isKey || field.references !== undefined) {
    throw wrong(split, `"${entity.name}.${name}" refers to records; only values are carried over.`, 'Leave it out.');
  }
  return field;
}

// --- refusals --------------------------------------------------------------------------------------------------------

/** One part for a whole, found by the whole's key; a delete of the whole that older clients make takes the part along. */
function refuseRelations({ split, part, owner, end, shapes }: Sides): void {
  if (owner.key.length !== 1 || owner.key[0]?.name !== end.targetField) {
    throw unsupported(split, `"${split.via}" refers to "${owner.name}" by something else than its one primary key.`);
  }
  const other = part.relations.find((one) => one.relation !== end.relation);
  if (other !== undefined) {
    throw unsupported(
      split,
      `"${part.name}" has another relation, "${other.relation.name}".`,
      split.direction === 'split'
        ? 'Add that relation in a later version.'
        : 'Drop that relation, or let it lead elsewhere, in a version before.',
    );
  }
  const indexes = [...(shapes.withPart.tables.get(part.table)?.indexes.values() ?? [])];
  if (!indexes.some(({ isUnique, columns }) => isUnique && columns.length === 1 && columns[0] === end.localColumn)) {
    throw wrong(
      split,
      `one "${owner.name}" may have several records of "${part.name}".`,
      split.direction === 'split'
        ? `Make "${split.via}" one_to_one.`
        : `Make "${part.name}.${end.localField}" unique in a version of its own; that counts those who have several.`,
    );
  }
  if (split.direction === 'split' && end.onDelete !== 'cascade') {
    throw wrong(
      split,
      `a "${owner.name}" that an older client deletes takes its "${part.name}" along.`,
      `Give "${split.via}" on_delete: cascade.`,
    );
  }
}

/** Records of the part are made and deleted by the database: there must be nothing that only the engine can do. */
function refuseEntities({ split, part, whole, owner }: Sides, withFields: AppModel): void {
  if ([...withFields.entities.values()].some(({ table }) => table === part.table)) {
    throw wrong(split, `"${part.name}" is in ${split.direction === 'split' ? 'the served version' : 'the new document'} too.`);
  }
  if (part.table === whole.table) throw wrong(split, 'It leads back to itself.');
  if (part.key.length !== 1 || !part.isKeyGenerated) throw unsupported(split, `the key of "${part.name}" is not a generated one.`);
  if (part.slugField !== undefined)
    throw unsupported(split, `"${part.name}" has a slug, which the engine derives.`, 'Add it in a later version.');
  if (part.hasSoftDelete !== whole.hasSoftDelete || part.hasSoftDelete !== owner.hasSoftDelete) {
    throw wrong(
      split,
      `one of "${whole.name}" and "${part.name}" deletes softly and the other for good.`,
      `Set the same \`soft_delete\` on both, ${split.direction === 'split' ? 'here' : 'in a version before'}.`,
    );
  }
}

function refuseFields({ split, part, whole, owner, shapes }: Sides): void {
  const isUnique = (shape: Shape, table: string, column: string): boolean =>
    [...(shape.tables.get(table)?.indexes.values() ?? [])].some((index) => index.isUnique && index.columns.includes(column));
  const fields = fieldsOf(split, part, 'part');
  for (const [at, field] of fieldsOf(split, whole, 'whole').entries()) {
    const target = fields[at];
    const [here, there] = [`"${whole.name}.${field.name}"`, `"${part.name}.${target?.name ?? ''}"`];
    if (target === undefined || columnType(field) !== columnType(target)) {
      throw wrong(split, `${here} is ${field.type} and ${there} ${target?.type ?? 'nothing'}.`, 'Convert it in a version of its own.');
    }
    if (isUnique(shapes.withFields, whole.table, field.column) || isUnique(shapes.withPart, part.table, target.column)) {
      throw wrong(
        split,
        `${here} or ${there} is unique, and a value that is carried over must never be refused.`,
        'Make it unique afterwards.',
      );
    }
    if ([...owner.fields.values()].some(({ column }) => column === field.column)) {
      const where = split.direction === 'split' ? 'in the new document' : 'in the served version';
      throw wrong(split, `${here} is ${where} too, with values of its own.`, 'Leave it out, or give it another name.');
    }
    if (split.direction === 'merge' && field.required) {
      throw unsupported(
        split,
        `${here} is required, and older clients make records of "${owner.name}" without "${part.name}".`,
        'Make it required in a later version.',
      );
    }
  }
}

/** What the part has beside the fields: a record that the database makes has none of it, one that is merged loses it. */
function refuseRest({ split, part, end }: Sides): void {
  const carried = new Set(split.fields.map((names) => names.part));
  for (const field of part.fields.values()) {
    if (carried.has(field.name) || field.isKey || field.name === end.localField || isStamp(field)) continue;
    const title = `"${part.name}.${field.name}"`;
    if (split.direction === 'merge') {
      throw wrong(split, `${title} is not among its fields.`, 'Name it there too, or drop it in a version before.');
    }
    const isMade = field.isAuto || part.machines.some((machine) => machine.field === field.name);
    if (isMade) throw unsupported(split, `${title} is made by the engine.`, 'Add it in a later version.');
    if (field.required && field.definition.default === undefined) {
      throw wrong(
        split,
        `${title} is required, and what is split off has no value for it.`,
        'Give it a `default`, or leave `required` out.',
      );
    }
  }
}

const STAMPED: ReadonlySet<string> = new Set(['timestamp', 'date', 'time']);
const isStamp = (field: FieldModel): boolean => field.definition.auto !== undefined && STAMPED.has(field.type);

const titleOf = ({ direction, whole, part }: Split): string =>
  direction === 'split' ? `The split of "${whole}" into "${part}"` : `The merge of "${part}" into "${whole}"`;

function wrong(split: Split, problem: string, hint?: string): AppError {
  return new AppError('VALIDATION_FAILED', `${titleOf(split)}: ${problem}`, {
    details: [{ field: 'migrate', rule: split.direction, message: problem }],
    ...(hint === undefined ? {} : { hint }),
  });
}

function unsupported(split: Split, problem: string, hint = 'Add what is new beside it, and copy by a client.'): AppError {
  return new AppError('UNSUPPORTED', `${titleOf(split)}: ${problem}`, {
    details: [{ field: 'migrate', rule: 'unsupported', message: problem }],
    hint,
  });
}
