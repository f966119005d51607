import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { exportDocument } from '../../../core/model/export-document.ts';
import { documentJsonSchema } from '../../../core/model/json-schema.ts';
import { readDocument } from '../../../core/model/read-document.ts';

type Schema = Readonly<Record<string, unknown>>;

/** As much of JSON Schema as the generated one uses. */
function mistakes(schema: Schema, value: unknown, root: Schema, path = ''): string[] {
  const ref = schema['$ref'];
  if (typeof ref === 'string')
    return mistakes(
      ref
        .split('/')
        .slice(1)
        .reduce<Schema>((at, key) => at[key] as Schema, root),
      value,
      root,
      path,
    );
  const options = (schema['anyOf'] ?? schema['oneOf']) as Schema[] | undefined;
  if (options !== undefined && options.every((option) => mistakes(option, value, root, path).length > 0))
    return [`${path}: none of the forms`];
  const found: string[] = [];
  if (schema['const'] !== undefined && schema['const'] !== value) found.push(`${path}: not ${JSON.stringify(schema['const'])}`);
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) found.push(`${path}: not listed`);
  if (typeof schema['pattern'] === 'string' && typeof value === 'string' && !new RegExp(schema['pattern']).test(value))
    found.push(`${path}: pattern`);
  if (typeof schema['type'] === 'string' && !isOfType(schema['type'], value)) return [...found, `${path}: not ${schema['type']}`];
  if (Array.isArray(value) && schema['items'] !== undefined) {
    found.push(...value.flatMap((item, index) => mistakes(schema['items'] as Schema, item, root, `${path}/${String(index)}`)));
  }
  if (schema['type'] === 'object' && typeof value === 'object' && value !== null) found.push(...membersOf(schema, value, root, path));
  return found;
}

function membersOf(schema: Schema, value: object, root: Schema, path: string): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, Schema>;
  const missing = ((schema['required'] ?? []) as string[]).filter((key) => !(key in value)).map((key) => `${path}/${key}: missing`);
  return [
    ...missing,
    ...Object.entries(value).flatMap(([key, member]) => {
      const known = properties[key] ?? schema['additionalProperties'];
      if (known === false) return [`${path}/${key}: unknown`];
      return typeof known === 'object' && known !== null ? mistakes(known as Schema, member, root, `${path}/${key}`) : [];
    }),
  ];
}

function isOfType(type: string, value: unknown): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'null') return value === null;
  if (type === 'integer') return Number.isInteger(value);
  return type === 'object' ? typeof value === 'object' && value !== null && !Array.isArray(value) : typeof value === type;
}

const EXAMPLES = new URL('../../../examples/', import.meta.url);
const FIXTURES = new URL('../../fixtures/documents/', import.meta.url);

describe('the JSON Schema of the document', () => {
  const schema = documentJsonSchema() as Schema;

  it.each(readdirSync(FIXTURES))('accepts the export of %s', (name) => {
    const document = readDocument(readFileSync(new URL(name, FIXTURES), 'utf8'));
    expect(mistakes(schema, JSON.parse(JSON.stringify(exportDocument(document))), schema)).toEqual([]);
  });

  it.each(readdirSync(EXAMPLES).filter((name) => name.endsWith('.json')))('accepts the export of examples/%s', (name) => {
    const document = readDocument(readFileSync(new URL(name, EXAMPLES), 'utf8'));
    expect(mistakes(schema, JSON.parse(JSON.stringify(exportDocument(document))), schema)).toEqual([]);
  });

  it('refuses unknown options and wrong types', () => {
    const bad = { version: 1, entities: [{ name: 'a', fields: [{ name: 'x', type: 'strin', lenght: 3 }] }] };
    expect(mistakes(schema, bad, schema)).toEqual(
      expect.arrayContaining(['/entities/0/fields/0/type: not listed', '/entities/0/fields/0/lenght: unknown']),
    );
  });

  it('is made once', () => {
    expect(documentJsonSchema()).toBe(documentJsonSchema());
  });
});
