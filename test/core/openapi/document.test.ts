import { createConfig, lintFromString } from '@redocly/openapi-core';
import { compileErrors, validate } from '@readme/openapi-parser';
import { describe, expect, it } from 'vitest';
import { documentSchema } from '../../../core/model/document.ts';
import { describeFor, knownDocuments, rolesOf } from '../../support/openapi.ts';

const cases = [...knownDocuments].flatMap(([name, document]) => rolesOf(document).map((role) => [name, role, document] as const));
const config = await createConfig({
  extends: ['recommended'],
  rules: {
    // The terms of an app's API are its owner's, and no document holds them.
    'info-license': 'off',
    // `/ticket/_query` beside `/ticket/{id}`: a literal segment is asked first, as OpenAPI itself says.
    'no-ambiguous-paths': 'off',
    // A redirect is an answer, too; what each operation answers is asked below.
    'operation-2xx-response': 'off',
    'operation-4xx-response': 'error',
    'no-unused-components': 'error',
  },
});

const patternsOf = (node: unknown): string[] =>
  typeof node !== 'object' || node === null
    ? []
    : Object.entries(node).flatMap(([key, part]) => (key === 'pattern' && typeof part === 'string' ? [part] : patternsOf(part)));

function isRegularExpression(pattern: string): boolean {
  try {
    return new RegExp(pattern, 'u').source !== '';
  } catch {
    return false;
  }
}

describe.each(cases)('the description of %s for %s', (_name, role, document) => {
  const description = describeFor(document, role);

  it('is valid OpenAPI 3.1 for two independent validators', async () => {
    const parsed = await validate(structuredClone(description) as never);
    expect(parsed.valid ? [] : compileErrors(parsed)).toEqual([]);
    expect(parsed.warnings).toEqual([]);
    const problems = await lintFromString({ source: JSON.stringify(description), config });
    expect(problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} at ${location[0]?.pointer ?? ''}`)).toEqual([]);
  });

  it('says of each operation what it answers when all goes well', () => {
    const operations = Object.values(description['paths'] as Record<string, Record<string, { responses?: object }>>).flatMap(Object.values);
    const answers = operations.flatMap(({ responses }: { responses?: object }) =>
      responses === undefined ? [] : [Object.keys(responses)],
    );
    expect(answers.filter((statuses) => !statuses.some((status) => /^20|^302$/.test(status)))).toEqual([]);
  });

  it('has only patterns that are regular expressions', () => {
    expect(patternsOf(description).filter((pattern) => !isRegularExpression(pattern))).toEqual([]);
  });
});

const HIDING = documentSchema.parse({
  version: 1,
  entities: [
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'salary_note', type: 'enum', enum: ['raise_due', 'none'], description: 'for hr only' },
        { name: 'status', type: 'string' },
      ],
    },
    {
      name: 'dossier',
      fields: [
        { name: 'body', type: 'text' },
        { name: 'ticket', type: 'relation', target: 'ticket' },
      ],
    },
  ],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['clerk'], fields: { read: ['title', 'status'] } },
    { entity: 'ticket', action: 'create', roles: ['clerk'], fields: { write: ['title'] } },
  ],
  workflows: [],
});

describe('a description for one role', () => {
  const clerk = describeFor(HIDING, 'clerk');
  const text = JSON.stringify(clerk);

  it('names nothing the role may not read or do, not even as an enum value', () => {
    for (const hidden of ['salary_note', 'raise_due', 'for hr only', 'dossier']) expect(text).not.toContain(hidden);
    expect(JSON.stringify(describeFor(HIDING, 'admin'))).toContain('raise_due');
  });

  it('has the operations of its grants and no other', () => {
    const operations = Object.entries(clerk['paths'] as Record<string, Record<string, unknown>>)
      .flatMap(([path, item]) => Object.keys(item).map((method) => `${method} ${path}`))
      .filter((operation) => operation.includes('/ticket') && !operation.startsWith('parameters'));
    expect(operations.sort()).toEqual([
      'delete /api/sample/ticket/{id}/_comments/{comment}',
      'get /api/sample/ticket',
      'get /api/sample/ticket/_aggregate',
      'get /api/sample/ticket/_export.csv',
      'get /api/sample/ticket/_export.ndjson',
      'get /api/sample/ticket/{id}',
      'get /api/sample/ticket/{id}/_comments',
      'get /api/sample/ticket/{id}/_comments/{comment}',
      'get /api/sample/ticket/{id}/_history',
      'get /api/sample/ticket/{id}/_timeline',
      'patch /api/sample/ticket/{id}/_comments/{comment}',
      'post /api/sample/_events/ticket',
      'post /api/sample/ticket',
      'post /api/sample/ticket/_aggregate',
      'post /api/sample/ticket/_bulk',
      'post /api/sample/ticket/_import',
      'post /api/sample/ticket/_query',
      'post /api/sample/ticket/{id}/_comments',
    ]);
    expect(clerk).toMatchObject({
      components: { schemas: { 'ticket.create': { required: ['title'], additionalProperties: false } } },
    });
    expect(Object.keys(at(clerk, 'components', 'schemas', 'ticket.create', 'properties') as object)).toEqual(['title']);
  });

  it('is the same text for the same rights', () => {
    expect(JSON.stringify(describeFor(HIDING, 'clerk'))).toBe(text);
  });
});

const at = (value: unknown, ...path: string[]): unknown => path.reduce((part, key) => (part as Record<string, unknown>)[key], value);
