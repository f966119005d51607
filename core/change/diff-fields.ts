/** The changes of one entity's fields. Loosening is compatible; what stored records or running clients may fail is not. */
import type { EntityDefinition, FieldDefinition, SchemaDocument } from '../model/document.ts';
import { fieldName, foreignKeyOf } from '../model/model.ts';
import { postgresPattern } from '../sql/pattern.ts';
import type { Change, ChangeKind, Conversion, FieldPath, Held } from './change.ts';
import { keyColumnOf, keyOf } from './key/key-of.ts';
import { isSame, pair } from './pair.ts';
import { columnTypeOf } from './storage.ts';

/** What a field's change is seen in: its entity on both sides, and the whole documents. */
export interface FieldContext {
  readonly before: EntityDefinition;
  readonly after: EntityDefinition;
  readonly previous: SchemaDocument;
  readonly next: SchemaDocument;
  readonly conversions: readonly Conversion[];
  /** Fields of any entity that go to another one. */
  readonly carried: readonly FieldPath[];
  /** Fields, or whole entities, go to other tables in this version. */
  readonly isMoving: boolean;
  /** What an entity of the older document is called in the newer one. */
  nowCalled(entity: string): string;
}

export function diffFields(context: FieldContext): Change[] {
  const { before, after, next } = context;
  const entity = after.name;
  const { added, removed, kept } = pair(before.fields, after.fields, (field) => field.name);
  // A key that is declared no more is still there when records or a relation need it.
  const implied = new Set([
    ...keyOf(after).fields,
    ...next.relations.filter((one) => one.type !== 'many_to_many' && one.target === entity).map((relation) => foreignKeyOf(relation)),
  ]);
  const transforms = context.conversions.filter((one) => one.kind === 'transform');
  return [
    ...removed.filter((field) => !implied.has(fieldName(field))).map((field) => dropped(context, field, transforms)),
    ...added.map((field) => addedField(entity, field, context.conversions)),
    ...transforms.map((conversion) => transformed(conversion, context)),
    ...kept.flatMap(([old, now]) => diffField(context, old, now)),
  ];
}

function dropped({ before, previous, carried }: FieldContext, field: FieldDefinition, transforms: readonly Conversion[]): Change {
  const isMoved =
    transforms.some((one) => one.from.includes(field.name)) ||
    carried.some((one) => one.entity === before.name && one.field === field.name);
  return {
    kind: 'drop_field',
    class: 'breaking',
    entity: before.name,
    field: field.name,
    message: isMoved
      ? `Field "${before.name}.${field.name}" goes into others; its column stays until the retention ends.`
      : `Field "${before.name}.${field.name}" is dropped: clients of the older version keep it for the grace period, its values stay until the retention ends.`,
    held: [heldColumn(before, field, previous)],
    touches: idsOf(field),
  };
}

export const heldColumn = (entity: EntityDefinition, field: FieldDefinition, document: SchemaDocument): Held => ({
  id: field.id ?? field.name,
  table: entity.table ?? entity.name,
  column: columnOf(field),
  type: columnTypeOf(field, document),
});

const idsOf = (...fields: readonly FieldDefinition[]): string[] => fields.flatMap((field) => field.id ?? []);

function addedField(entity: string, field: FieldDefinition, conversions: readonly Conversion[]): Change {
  const fill = conversions.find((one) => one.kind === 'fill' && one.to.includes(field.name));
  const facts = { kind: 'add_field' as const, entity, field: field.name, to: field.type };
  if (fill === undefined) return { ...facts, class: 'compatible' };
  // Clients of the older version leave it out: they are served as before until they know it.
  return {
    ...facts,
    class: 'breaking',
    message: `Records get a value for "${entity}.${field.name}".`,
    conversion: fill,
    touches: idsOf(field),
  };
}

const transformed = (conversion: Conversion, { before, after }: FieldContext): Change => ({
  kind: 'transform_fields',
  class: 'breaking',
  entity: conversion.entity,
  fields: conversion.to,
  from: conversion.from,
  to: conversion.to,
  message: `${conversion.from.join(', ')} of "${conversion.entity}" become ${conversion.to.join(', ')}.`,
  conversion,
  touches: [
    ...idsOf(...before.fields.filter((field) => conversion.from.includes(field.name))),
    ...idsOf(...after.fields.filter((field) => conversion.to.includes(field.name))),
  ],
});

function diffField(context: FieldContext, old: FieldDefinition, now: FieldDefinition): Change[] {
  const entity = context.after.name;
  const at = { entity, field: now.name };
  const compatible = (kind: ChangeKind, facts: Partial<Change>): Change => ({ kind, class: 'compatible', ...at, ...facts });
  const refused = (kind: ChangeKind, message: string, hint: string, facts: Partial<Change> = {}): Change => ({
    kind,
    class: 'breaking',
    refused: true,
    ...at,
    ...facts,
    message,
    hint,
  });
  const title = `"${entity}.${now.name}"`;
  const changes: Change[] = [];
  if (old.name !== now.name) changes.push(renamed(entity, old, now));
  const convert = context.conversions.find((one) => one.kind === 'convert' && one.to.includes(now.name));
  if (convert !== undefined) {
    const held = [heldColumn(context.before, old, context.previous)];
    const message = `The values of ${title} are converted from ${describe(old)} to ${describe(now)}; clients of the older version keep theirs for the grace period.`;
    changes.push({
      kind: 'change_type',
      class: 'breaking',
      ...at,
      from: describe(old),
      to: describe(now),
      message,
      held,
      conversion: convert,
      touches: idsOf(now),
    });
  } else if (columnOf(old) !== columnOf(now) && columnTypeOf(old, context.previous) === columnTypeOf(now, context.next)) {
    changes.push(
      refused(
        'set_column',
        `The column of field ${title} cannot be changed: its values would be left behind.`,
        `Keep \`column: ${columnOf(old)}\`, or leave it out.`,
        { from: columnOf(old), to: columnOf(now) },
      ),
    );
  }
  const isRetyped = old.type !== now.type || !isTargetKept(context, old, now) || old.precision !== now.precision;
  if (isRetyped && convert === undefined) {
    changes.push(
      isTypeLoosened(old, now)
        ? compatible('change_type', { from: old.type, to: now.type })
        : refused(
            'change_type',
            `The type of field ${title} cannot be changed from ${describe(old)} to ${describe(now)} without saying how.`,
            `Say it with the document: migrate: [{convert: {entity: ${entity}, field: ${now.name}, up: <new value of the old record>, down: <old value of the new one>}}].`,
            { from: describe(old), to: describe(now) },
          ),
    );
  }
  const fill = context.conversions.find((one) => one.kind === 'fill' && one.to.includes(now.name));
  const filled = fill === undefined ? {} : { class: 'breaking' as const, conversion: fill, touches: idsOf(now) };
  // Whether stored records allow it is asked of the database: see `plan`.
  if (old.required !== now.required) changes.push(compatible('set_required', { from: old.required, to: now.required, ...filled }));
  if (old.unique !== now.unique) changes.push(compatible('set_unique', { from: old.unique, to: now.unique }));
  if (!isSame(old.default, now.default)) changes.push(compatible('set_default', { from: old.default ?? null, to: now.default ?? null }));
  if (!isSame(old.enum, now.enum)) changes.push(diffEnum(old, now, { ...at, isConverted: convert !== undefined }));
  for (const limit of LIMITS) {
    if (isSame(old[limit.name], now[limit.name])) continue;
    const facts = { property: limit.name, from: old[limit.name] ?? null, to: now[limit.name] ?? null };
    const isLoosened = convert !== undefined || limit.isLoosened(old[limit.name], now[limit.name]);
    changes.push(
      isLoosened || limit.name !== 'pattern' || postgresPattern(String(now.pattern)) !== undefined
        ? compatible('set_limit', isLoosened ? facts : { ...facts, isTightened: true })
        : refused(
            'set_limit',
            `The pattern of field ${title} may not fit its stored values, and the database knows no pattern that means the same.`,
            'Write it without flags, word boundaries, Unicode classes and bounds above 255, or add a rule: it is checked when a record is written next.',
            facts,
          ),
    );
  }
  for (const property of FREE_PROPERTIES) {
    if (!isSame(old[property], now[property]))
      changes.push(compatible('set_field', { property, from: old[property] ?? null, to: now[property] ?? null }));
  }
  return changes;
}

/** The column stays, so that both names can be served; one that would move is refused as `set_column`. */
const renamed = (entity: string, old: FieldDefinition, now: FieldDefinition): Change => ({
  kind: 'rename_field',
  class: 'breaking',
  entity,
  field: old.name,
  from: old.name,
  to: now.name,
  touches: idsOf(now),
  message: `Field "${entity}.${old.name}" is called "${now.name}"; clients of the older version keep its name for the grace period.`,
});

const isTargetKept = (context: FieldContext, old: FieldDefinition, now: FieldDefinition): boolean =>
  (old.target === undefined ? undefined : context.nowCalled(old.target)) === now.target &&
  referredColumn(old, context.previous) === referredColumn(now, context.next);

/** Where a field of type `relation` finds what it refers to. */
function referredColumn(field: FieldDefinition, document: SchemaDocument): string | undefined {
  const target = document.entities.find(({ name }) => name === field.target);
  if (target === undefined) return undefined;
  if (field.target_field === undefined) return keyColumnOf(target);
  return target.fields.find(({ name }) => name === field.target_field)?.column ?? field.target_field;
}

const columnOf = (field: FieldDefinition): string => field.column ?? fieldName(field);

const FREE_PROPERTIES = ['label', 'description', 'hidden', 'auto', 'computed', 'nullable', 'on_delete', 'display_field'] as const;

const describe = (field: FieldDefinition): string =>
  field.type === 'relation'
    ? `a relation to ${field.target ?? '?'}`
    : field.type === 'decimal' && field.precision !== undefined
      ? `decimal(${field.precision})`
      : field.type;

/** Types that share the text column, from the strict ones to those that take any text. */
const isTypeLoosened = (old: FieldDefinition, now: FieldDefinition): boolean =>
  ['string', 'text', 'email', 'url', 'enum'].includes(old.type) && ['string', 'text'].includes(now.type);

function diffEnum(
  old: FieldDefinition,
  now: FieldDefinition,
  { isConverted, ...at }: { entity: string; field: string; isConverted: boolean },
): Change {
  const facts = { kind: 'set_enum' as const, ...at, from: old.enum ?? null, to: now.enum ?? null };
  const gone = now.enum === undefined ? [] : old.enum === undefined ? undefined : old.enum.filter((item) => !now.enum?.includes(item));
  // With a conversion the older list is the older shape's, and every stored value gets its place in the new one.
  if (isConverted && gone?.length !== 0) return { ...facts, class: 'breaking' };
  // Whether records hold one that goes is asked of the database: see `plan`.
  return { ...facts, class: 'compatible', ...(gone?.length === 0 ? {} : { isTightened: true }) };
}

type Limit = number | string | undefined;
const numeric = (limit: Limit): number => (typeof limit === 'number' ? limit : Number(limit));
const upper = (old: Limit, now: Limit): boolean => now === undefined || (old !== undefined && numeric(now) >= numeric(old));
const lower = (old: Limit, now: Limit): boolean => now === undefined || (old !== undefined && numeric(now) <= numeric(old));

const LIMITS: readonly {
  readonly name: 'min' | 'max' | 'min_length' | 'max_length' | 'pattern';
  isLoosened(old: Limit, now: Limit): boolean;
}[] = [
  { name: 'min', isLoosened: lower },
  { name: 'max', isLoosened: upper },
  { name: 'min_length', isLoosened: lower },
  { name: 'max_length', isLoosened: upper },
  { name: 'pattern', isLoosened: (_old, now) => now === undefined },
];
