/** Reading entities and fields. */
import { clean, isRaw, ITEM_NOISE, listOf, mapRaw, synonym, withValue, type Raw, type Reading } from './reading.ts';

const TYPE_SYNONYMS: Readonly<Record<string, string>> = {
  integer: 'int',
  int2: 'int',
  int4: 'int',
  smallint: 'int',
  serial: 'int',
  int8: 'bigint',
  bigserial: 'bigint',
  long: 'bigint',
  number: 'float',
  double: 'float',
  double_precision: 'float',
  real: 'float',
  numeric: 'decimal',
  money: 'decimal',
  currency: 'decimal',
  bool: 'boolean',
  datetime: 'timestamp',
  timestamptz: 'timestamp',
  date_time: 'timestamp',
  timestamp_with_time_zone: 'timestamp',
  varchar: 'string',
  char: 'string',
  character_varying: 'string',
  str: 'string',
  guid: 'uuid',
  jsonb: 'json',
  object: 'json',
  array: 'json',
  select: 'enum',
  image: 'file',
  attachment: 'file',
  reference: 'relation',
  many_to_one: 'relation',
  belongs_to: 'relation',
  uri: 'url',
};

const KEY_TYPES: Readonly<Record<string, string>> = { ...TYPE_SYNONYMS, text: 'string', number: 'bigint' };

export const ON_DELETE_SYNONYMS: Readonly<Record<string, string>> = {
  no_action: 'restrict',
  setnull: 'set_null',
  nullify: 'set_null',
  delete: 'cascade',
};

export function readEntity(reading: Reading, raw: Raw, path: string): Raw {
  const whole = isRaw(raw['definition']) ? { ...raw, ...raw['definition'], definition: undefined } : raw;
  const entity = clean(whole, {
    rename: { table_name: 'table', sql_table_name: 'table', display_name: 'label', softDelete: 'soft_delete', unique_together: 'unique' },
    drop: ITEM_NOISE,
  });
  const isSoft = entity['soft_delete'] === true;
  const fields = mapRaw(entity['fields'], `${path}.fields`, (field, at) => readField(reading, field, at));
  const kept = Array.isArray(fields) && isSoft ? fields.filter((field) => !isDeletionMark(field)) : fields;
  return {
    ...entity,
    ...withValue('fields', stripKeyMark(kept)),
    ...withValue('primary_key', readKey(entity['primary_key'], Array.isArray(kept) ? kept : [])),
    ...withValue('slug', readSlug(entity['slug'])),
    ...withValue('indexes', readIndexes(entity['indexes'])),
    ...withValue('unique', readUnique(entity['unique'])),
  };
}

/** Soft-deleted entities of other systems declare the column that is ours. */
const isDeletionMark = (field: unknown): boolean => isRaw(field) && field['name'] === 'deleted_at' && field['type'] === 'timestamp';

const stripKeyMark = (fields: unknown): unknown =>
  Array.isArray(fields)
    ? fields.map((field: unknown) =>
        isRaw(field) ? Object.fromEntries(Object.entries(field).filter(([key]) => key !== 'primary_key')) : field,
      )
    : fields;

export function readField(reading: Reading, raw: Raw, path: string): Raw {
  const field = clean(raw, {
    rename: {
      field_type: 'type',
      is_required: 'required',
      is_unique: 'unique',
      is_hidden: 'hidden',
      display_name: 'label',
      values: 'enum',
      options: 'enum',
      enum_values: 'enum',
      minLength: 'min_length',
      maxLength: 'max_length',
      regex: 'pattern',
      default_value: 'default',
      scale: 'precision',
      minimum: 'min',
      maximum: 'max',
      target_entity: 'target',
      onDelete: 'on_delete',
    },
    drop: [...ITEM_NOISE, ...(raw['scale'] === undefined ? [] : ['precision'])],
    keepNull: ['default'],
  });
  if (field['default'] === null) delete field['default'];
  const typed = readType(field['type']);
  if (Array.isArray(field['enum']) && field['enum'].length === 0) delete field['enum'];
  if (field['auto'] === false) delete field['auto'];
  return {
    ...typed.limits,
    ...field,
    ...withValue('type', typed.type),
    ...withValue('on_delete', synonym(field['on_delete'], ON_DELETE_SYNONYMS)),
    ...withValue('computed', field['computed'] === undefined ? undefined : reading.expression(`${path}.computed`, field['computed'])),
  };
}

/** `decimal(12, 2)` and `varchar(80)` carry a limit in their name. */
function readType(type: unknown): { type: unknown; limits: Raw } {
  const match = typeof type === 'string' ? /^\s*([a-zA-Z_ ]+?)\s*\(\s*(\d+)\s*(?:,\s*(\d+)\s*)?\)\s*$/.exec(type) : null;
  const known = synonym(match === null ? type : match[1], TYPE_SYNONYMS);
  if (match === null) return { type: known, limits: {} };
  if (known === 'decimal') return { type: known, limits: { precision: Number(match[3] ?? 0) } };
  return { type: known, limits: known === 'string' ? { max_length: Number(match[2]) } : {} };
}

/** The key as an object; without one, a declared `id` or a field marked as key decides its type. */
function readKey(key: unknown, fields: readonly unknown[]): unknown {
  const marked = fields.find((field) => isRaw(field) && field['primary_key'] === true);
  const given = typeof key === 'string' ? { field: key } : Array.isArray(key) ? { fields: key } : key;
  if (given !== undefined && !isRaw(given)) return given;
  const base = given === undefined ? {} : clean(given);
  const name = base['field'] ?? (isRaw(marked) ? marked['name'] : base['fields'] === undefined ? 'id' : undefined);
  const declared = fields.find((field) => isRaw(field) && field['name'] === name);
  if (given === undefined && !isRaw(declared)) return undefined;
  const type = synonym(base['type'] ?? (isRaw(declared) ? declared['type'] : undefined), KEY_TYPES);
  const isGenerated = base['generated'] ?? (base['fields'] === undefined && type !== 'string');
  return { ...base, ...withValue('field', name), ...withValue('type', type), generated: isGenerated };
}

function readSlug(slug: unknown): unknown {
  if (typeof slug === 'string') return { field: slug };
  return isRaw(slug) ? clean(slug, { rename: { from: 'source', on_update: 'regenerate_on_update' } }) : slug;
}

function readIndexes(indexes: unknown): unknown {
  if (!Array.isArray(indexes)) return indexes;
  return indexes.map((index: unknown) => {
    if (typeof index === 'string' || Array.isArray(index)) return { fields: listOf(index) };
    return isRaw(index) ? clean(index, { rename: { columns: 'fields' } }) : index;
  });
}

function readUnique(unique: unknown): unknown {
  if (!Array.isArray(unique)) return unique;
  return unique.length > 0 && unique.every((member) => typeof member === 'string') ? [unique] : unique;
}
