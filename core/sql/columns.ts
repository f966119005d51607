/**
 * How a stored row looks in JSON. There is one expression per type, used by reads, RETURNING and events alike, so that a
 * record never looks different depending on who answers it.
 */
import type { AppSettings } from '../model/document.ts';
import { DELETED_COLUMN, type EntityModel, type FieldModel, type StoredType } from '../model/model.ts';
import { id, join, sql, type Sql, type SqlType } from './sql.ts';

export type JsonSettings = Pick<AppSettings, 'exact_numbers'>;

/** The Postgres type a field's values are stored and bound as. */
export const COLUMN_TYPES: Readonly<Record<StoredType, SqlType>> = {
  string: 'text',
  text: 'text',
  email: 'text',
  url: 'text',
  enum: 'text',
  int: 'integer',
  bigint: 'bigint',
  float: 'double precision',
  decimal: 'numeric',
  boolean: 'boolean',
  uuid: 'uuid',
  file: 'uuid',
  timestamp: 'timestamptz',
  date: 'date',
  time: 'time',
  json: 'jsonb',
};

/** The list form of a column type, for `= any($n)`. */
export const LIST_TYPES: Readonly<Record<StoredType, SqlType>> = {
  string: 'text[]',
  text: 'text[]',
  email: 'text[]',
  url: 'text[]',
  enum: 'text[]',
  int: 'integer[]',
  bigint: 'bigint[]',
  float: 'double precision[]',
  decimal: 'numeric[]',
  boolean: 'boolean[]',
  uuid: 'uuid[]',
  file: 'uuid[]',
  timestamp: 'timestamptz[]',
  date: 'date[]',
  time: 'time[]',
  json: 'jsonb[]',
};

/** The value of one column as JSON shows it; null stays null. `storage` is the app's schema (files are looked up there). */
export function columnToJson(field: FieldModel, storage: string, alias: string, settings: JsonSettings): Sql {
  return jsonOf(field.type, id(alias, field.column), storage, settings);
}

/** The same for any expression of a field's type, for instance a column under a row-dependent field rule. */
export function jsonOf(type: StoredType, column: Sql, storage: string, settings: JsonSettings): Sql {
  switch (type) {
    case 'bigint':
    case 'decimal':
      // JavaScript clients lose digits of a JSON number beyond 2^53.
      return settings.exact_numbers === 'string' ? sql`${column}::text` : column;
    case 'file':
      return sql`(
        select json_build_object('id', "_f".id, 'filename', "_f".name, 'size', "_f".size, 'mime_type', "_f".mime_type)
        from ${id(storage, '_files')} "_f" where "_f".id = ${column})`;
    case 'string':
    case 'text':
    case 'email':
    case 'url':
    case 'enum':
    case 'int':
    case 'float':
    case 'boolean':
    case 'uuid':
    case 'timestamp':
    case 'date':
    case 'time':
    case 'json':
      return column;
  }
}

export interface RecordJsonOptions {
  /** Only these fields, in this order; every field when left out. */
  readonly fields?: readonly string[];
  /** Adds `deleted_at` of a soft-deleted entity. */
  readonly withDeleted?: boolean;
}

/** One name and the expression that makes its value. */
export interface JsonColumn {
  readonly name: string;
  readonly sql: Sql;
}

/** The columns of a record as JSON shows them, for a select list. */
export function recordColumns(
  entity: EntityModel,
  storage: string,
  alias: string,
  settings: JsonSettings,
  options: RecordJsonOptions = {},
): JsonColumn[] {
  const fields =
    options.fields === undefined ? [...entity.fields.values()] : options.fields.flatMap((name) => entity.fields.get(name) ?? []);
  const columns = fields.map((field) => ({ name: field.name, sql: columnToJson(field, storage, alias, settings) }));
  if (options.withDeleted === true && entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN)) {
    columns.push({ name: DELETED_COLUMN, sql: id(alias, DELETED_COLUMN) });
  }
  return columns;
}

/** `a as "a", b as "b"`. */
export const selectList = (columns: readonly JsonColumn[]): Sql => join(columns.map((column) => sql`${column.sql} as ${id(column.name)}`));

/** A JSON object of one row, for RETURNING, events and CTEs. `alias` is any relation with all columns of the entity. */
export function recordJson(
  entity: EntityModel,
  storage: string,
  alias: string,
  settings: JsonSettings,
  options: RecordJsonOptions = {},
): Sql {
  const columns = recordColumns(entity, storage, alias, settings, options);
  // row_to_json rather than json_build_object: that one takes at most 50 keys.
  return sql`(select row_to_json("_r") from (select ${selectList(columns)}) "_r")`;
}

/** A record's id as text, as paths, events and references name it: the key, or the parts of a compound key joined by commas. */
export function recordIdText(entity: EntityModel, alias: string): Sql {
  return join(
    entity.key.map((field) => sql`${id(alias, field.column)}::text`),
    ` || ',' || `,
  );
}
