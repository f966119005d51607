/** The changes of one entity's fields. Loosening is compatible; what stored records or running clients may fail is not. */
import type { EntityDefinition, FieldDefinition } from '../model/document.ts';
import type { Change, ChangeKind } from './change.ts';
import { fieldName } from '../model/model.ts';
import { isSame, pair } from './pair.ts';

export function diffFields(before: EntityDefinition, after: EntityDefinition): Change[] {
  const entity = after.name;
  const { added, removed, kept } = pair(before.fields, after.fields, (field) => field.name);
  return [
    ...removed.map((field): Change => ({
      kind: 'drop_field',
      class: 'breaking',
      refused: true,
      entity,
      field: field.name,
      message: `Field "${entity}.${field.name}" would be dropped with its values.`,
      hint: 'Keep the field; mark it `hidden: true` or leave it out of read permissions.',
    })),
    ...added.map((field): Change => ({ kind: 'add_field', class: 'compatible', entity, field: field.name, to: field.type })),
    ...kept.flatMap(([old, now]) => diffField(entity, old, now)),
  ];
}

function diffField(entity: string, old: FieldDefinition, now: FieldDefinition): Change[] {
  const at = { entity, field: now.name };
  const compatible = (kind: ChangeKind, facts: Partial<Change>): Change => ({ kind, class: 'compatible', ...at, ...facts });
  const breaking = (kind: ChangeKind, message: string, hint: string, facts: Partial<Change> = {}): Change => ({
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
  if (old.name !== now.name) {
    changes.push(
      breaking(
        'rename_field',
        `Field "${entity}.${old.name}" cannot be renamed to "${now.name}" yet.`,
        'Keep the name and set `label` for what people see.',
        { field: old.name, from: old.name, to: now.name },
      ),
    );
  }
  if (columnOf(old) !== columnOf(now) && old.name === now.name) {
    changes.push(
      breaking(
        'set_column',
        `The column of field ${title} cannot be changed: its values would be left behind.`,
        `Keep \`column: ${columnOf(old)}\`, or leave it out.`,
        { from: columnOf(old), to: columnOf(now) },
      ),
    );
  }
  if (old.type !== now.type || old.target !== now.target || old.precision !== now.precision) {
    changes.push(
      isTypeLoosened(old, now)
        ? compatible('change_type', { from: old.type, to: now.type })
        : breaking(
            'change_type',
            `The type of field ${title} cannot be changed from ${describe(old)} to ${describe(now)}.`,
            'Add a new field with the new type and fill it, then read that one.',
            { from: describe(old), to: describe(now) },
          ),
    );
  }
  // Whether stored records allow it is asked of the database: see `plan`.
  if (old.required !== now.required) changes.push(compatible('set_required', { from: old.required, to: now.required }));
  if (old.unique !== now.unique) changes.push(compatible('set_unique', { from: old.unique, to: now.unique }));
  if (!isSame(old.default, now.default)) changes.push(compatible('set_default', { from: old.default ?? null, to: now.default ?? null }));
  if (!isSame(old.enum, now.enum)) changes.push(diffEnum(old, now, at, title));
  for (const limit of LIMITS) {
    if (isSame(old[limit.name], now[limit.name])) continue;
    const facts = { property: limit.name, from: old[limit.name] ?? null, to: now[limit.name] ?? null };
    changes.push(
      limit.isLoosened(old[limit.name], now[limit.name])
        ? compatible('set_limit', facts)
        : breaking(
            'set_limit',
            `The ${limit.name} of field ${title} would become stricter than its stored values may be.`,
            'Add a rule: it is checked when a record is written next.',
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

function diffEnum(old: FieldDefinition, now: FieldDefinition, at: { entity: string; field: string }, title: string): Change {
  const facts = { kind: 'set_enum' as const, ...at, from: old.enum ?? null, to: now.enum ?? null };
  const gone = now.enum === undefined ? [] : old.enum === undefined ? undefined : old.enum.filter((item) => !now.enum?.includes(item));
  if (gone?.length === 0) return { ...facts, class: 'compatible' };
  return {
    ...facts,
    class: 'breaking',
    refused: true,
    message:
      gone === undefined
        ? `Field ${title} would be limited to a list that stored values may not be in.`
        : `Field ${title} would lose the values ${gone.map(String).join(', ')}, which records may hold.`,
    hint: 'Keep the values; refuse them for new records by a rule.',
  };
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
