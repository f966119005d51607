/** JSON Schemas out of the zod types that the code itself checks with, so that no second copy can differ. */
import { z } from 'zod';
import type { Json, JsonObject, Schema } from './json.ts';

const made = new WeakMap<z.ZodType, Schema>();

/** What may be written: options with a default are not required. Made once per type. */
export function schemaOf(type: z.ZodType): Schema {
  let schema = made.get(type);
  if (schema === undefined) {
    const plain = z.toJSONSchema(type, { io: 'input', unrepresentable: 'any', target: 'draft-2020-12' });
    schema = inPlace(JSON.parse(JSON.stringify(plain)) as JsonObject) as Schema;
    made.set(type, schema);
  }
  return schema;
}

/** A schema that can stand anywhere in a description: without definitions of its own, and in the words the rest uses. */
function inPlace(node: Json): Json {
  if (Array.isArray(node)) return node.map((part: Json) => inPlace(part));
  if (typeof node !== 'object' || node === null) return node;
  // Types that refer to themselves: `z.json()`, which is anything at all, and steps inside steps.
  if ('$ref' in node) return {};
  return Object.fromEntries(
    Object.entries(node).flatMap(([word, part]: [string, Json]): [string, Json][] => {
      if (word === '$schema' || word === '$defs' || word === 'propertyNames') return [];
      // What zod says of every whole number.
      if (part === Number.MAX_SAFE_INTEGER || part === Number.MIN_SAFE_INTEGER) return [];
      return [[word === 'oneOf' ? 'anyOf' : word, inPlace(part)]];
    }),
  );
}

/** The same without anything required: what a change may name. Of several forms each property may have any form it has in one. */
export function partialOf(schema: Schema): Schema {
  const forms = Array.isArray(schema['anyOf']) ? (schema['anyOf'] as readonly Schema[]) : [schema];
  const found = new Map<string, Map<string, Json>>();
  for (const form of forms)
    for (const [name, property] of Object.entries(form['properties'] as JsonObject))
      found.set(name, (found.get(name) ?? new Map<string, Json>()).set(JSON.stringify(property), property));
  const properties = Object.fromEntries(
    [...found].map(
      ([name, shapes]) => [name, shapes.size === 1 ? [...shapes.values()][0] : { anyOf: [...shapes.values()] }] as [string, Json],
    ),
  );
  return { type: 'object', properties, additionalProperties: false };
}
