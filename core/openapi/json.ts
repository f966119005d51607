import { FORBIDDEN_KEYS } from '../forbidden-keys.ts';

/** Plain JSON as the parts of the document are built from. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

/** A JSON Schema of the 2020-12 dialect, which OpenAPI 3.1 uses as it is. */
export type Schema = JsonObject;

/** A reference to a part of the document: `ref('schemas', 'ticket')`. */
export const ref = (kind: 'schemas' | 'parameters' | 'responses' | 'headers', name: string): JsonObject => ({
  $ref: `#/components/${kind}/${name}`,
});

/** An object without the members that are undefined. */
export function compact(members: Readonly<Record<string, Json | undefined>>): JsonObject {
  return Object.fromEntries(Object.entries(members).filter((pair): pair is [string, Json] => pair[1] !== undefined));
}

/** An object schema that takes exactly these properties. */
export const objectOf = (properties: Readonly<Record<string, Schema>>, required: readonly string[] = []): Schema =>
  compact({
    type: 'object',
    properties,
    required: required.length === 0 ? undefined : required,
    additionalProperties: false,
  });

export const arrayOf = (items: Schema, limits: JsonObject = {}): Schema => ({ type: 'array', items, ...limits });

/** The same schema, which null fits too. */
export function nullable(schema: Schema): Schema {
  const { type, enum: listed } = schema;
  // Without a type and without parts everything fits already.
  if (type === undefined && schema['anyOf'] === undefined) return schema;
  if (typeof type !== 'string') return { anyOf: [schema, { type: 'null' }] };
  return { ...schema, type: [type, 'null'], ...(Array.isArray(listed) ? { enum: [...(listed as readonly Json[]), null] } : {}) };
}

/** What bodies may hold where anything goes: some keys are refused at any depth. */
export const FREE_SCHEMAS: Record<string, Schema> = {
  Json: { anyOf: [{ type: ['string', 'number', 'boolean', 'null'] }, arrayOf(ref('schemas', 'Json')), ref('schemas', 'JsonObject')] },
  JsonObject: { type: 'object', propertyNames: { not: { enum: FORBIDDEN_KEYS } }, additionalProperties: ref('schemas', 'Json') },
};

/** One of these; a single one is itself. */
export const anyOf = (schemas: readonly Schema[]): Schema =>
  schemas.length === 1 && schemas[0] !== undefined ? schemas[0] : { anyOf: schemas };
