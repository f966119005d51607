/**
 * How the options of entities, fields, relations and indexes are shown. Which there are, and what they take, the meta-schema says; an
 * option that the document's types have and this table does not is a mistake of the compiler, not a gap in the form.
 */
import type { EntityInput, FieldInput, IndexInput, RelationInput } from '../../document/types.ts';

/** `names`: of fields or entities of the document; `expression`: JSONata; `value`: a value of the field's own type. */
export type Widget = 'plain' | 'long' | 'entity' | 'field' | 'fields' | 'target_field' | 'expression' | 'value' | 'values' | 'object';
/** `own` options have a place of their own in the form; `engine` ones are set by the engine and only shown. */
export type Group = 'own' | 'main' | 'more' | 'engine';

export interface OptionLook {
  readonly group: Group;
  readonly widget?: Widget;
  /** Types of fields that it means something for; all when left out. One that is set is shown anyway. */
  readonly types?: readonly FieldInput['type'][];
}

const TEXTS = ['string', 'text', 'email', 'url', 'enum'] as const;
const NUMBERS = ['int', 'bigint', 'float', 'decimal'] as const;
const TIMES = ['timestamp', 'date', 'time'] as const;

export const FIELD_OPTIONS = {
  name: { group: 'own' },
  was: { group: 'own' },
  type: { group: 'own' },
  label: { group: 'main' },
  description: { group: 'main', widget: 'long' },
  target: { group: 'main', widget: 'entity', types: ['relation'] },
  target_field: { group: 'more', widget: 'target_field', types: ['relation'] },
  on_delete: { group: 'main', types: ['relation'] },
  required: { group: 'main' },
  unique: { group: 'main' },
  enum: { group: 'main', widget: 'values', types: [...TEXTS, ...NUMBERS] },
  default: {
    group: 'main',
    widget: 'value',
    types: [...TEXTS, ...NUMBERS, ...TIMES, 'boolean', 'uuid', 'json'],
  },
  precision: { group: 'main', types: ['decimal'] },
  min: { group: 'main', widget: 'value', types: [...NUMBERS, ...TIMES] },
  max: { group: 'main', widget: 'value', types: [...NUMBERS, ...TIMES] },
  min_length: { group: 'main', types: TEXTS },
  max_length: { group: 'main', types: TEXTS },
  pattern: { group: 'main', types: TEXTS },
  auto: { group: 'main', types: TIMES },
  computed: { group: 'more', widget: 'expression' },
  hidden: { group: 'more' },
  nullable: { group: 'more' },
  display_field: { group: 'more', widget: 'target_field', types: ['relation'] },
  column: { group: 'more' },
  id: { group: 'engine' },
} as const satisfies Record<keyof FieldInput, OptionLook>;

export const ENTITY_OPTIONS = {
  name: { group: 'own' },
  was: { group: 'own' },
  fields: { group: 'own' },
  indexes: { group: 'own' },
  unique: { group: 'own' },
  label: { group: 'main' },
  description: { group: 'main', widget: 'long' },
  display_field: { group: 'main', widget: 'field' },
  soft_delete: { group: 'main' },
  comments: { group: 'more', widget: 'object' },
  slug: { group: 'more', widget: 'object' },
  primary_key: { group: 'more', widget: 'object' },
  table: { group: 'more' },
  id: { group: 'engine' },
} as const satisfies Record<keyof EntityInput, OptionLook>;

export const KEY_OPTIONS = {
  field: { group: 'main', widget: 'field' },
  fields: { group: 'main', widget: 'fields' },
  type: { group: 'main' },
  generated: { group: 'main' },
  former: { group: 'engine' },
} as const satisfies Record<keyof NonNullable<EntityInput['primary_key']>, OptionLook>;

export const SLUG_OPTIONS = {
  field: { group: 'main', widget: 'field' },
  source: { group: 'main', widget: 'field' },
  regenerate_on_update: { group: 'main' },
} as const satisfies Record<keyof NonNullable<EntityInput['slug']>, OptionLook>;

export const INDEX_OPTIONS = {
  fields: { group: 'main', widget: 'fields' },
  unique: { group: 'main' },
  type: { group: 'main' },
  name: { group: 'more' },
} as const satisfies Record<keyof IndexInput, OptionLook>;

export const RELATION_OPTIONS = {
  name: { group: 'own' },
  was: { group: 'own' },
  type: { group: 'own' },
  source: { group: 'own' },
  target: { group: 'own' },
  on_delete: { group: 'main' },
  required: { group: 'main' },
  source_name: { group: 'main' },
  target_name: { group: 'main' },
  target_key: { group: 'more' },
  source_key: { group: 'more' },
  ownership: { group: 'more' },
  fetch: { group: 'more' },
  write_mode: { group: 'more' },
  join_table: { group: 'more' },
  source_join_key: { group: 'more' },
  target_join_key: { group: 'more' },
  column: { group: 'more' },
  id: { group: 'engine' },
} as const satisfies Record<keyof RelationInput, OptionLook>;

export const isShown = (look: OptionLook, value: unknown, type: FieldInput['type'] | undefined): boolean =>
  value !== undefined || look.types === undefined || (type !== undefined && look.types.includes(type));

export const isNumeric = (type: FieldInput['type'] | undefined): boolean => type === 'int' || type === 'float';
