/** The code view: where the cursor stands, what may be written there, and where mistakes are shown. */
import { describe, expect, it } from 'vitest';
import { readText } from '../../admin/src/document/text.ts';
import type { DocumentInput } from '../../admin/src/document/types.ts';
import { entityAround, proposals } from '../../admin/src/pages/schema/code/complete.ts';
import { contextAt } from '../../admin/src/pages/schema/code/context.ts';
import { ofJudgement, ofMistakes } from '../../admin/src/pages/schema/code/diagnose.ts';
import type { JsonSchema } from '../../admin/src/pages/schema/meta-schema.ts';
import { documentJsonSchema } from '../../core/model/json-schema.ts';

const META = documentJsonSchema() as JsonSchema;

/** `|` is the cursor. */
function at(marked: string, format: 'yaml' | 'json' = 'yaml') {
  const cursor = marked.indexOf('|');
  const text = marked.replace('|', '');
  return { text, cursor, context: contextAt(text, cursor, format) };
}

describe('where the cursor stands', () => {
  it.each([
    ['ent|', [], 'key', undefined],
    ['entities:\n  - na|', ['entities', '*'], 'key', undefined],
    ['entities:\n  - name: book\n    la|', ['entities', '*'], 'key', undefined],
    ['entities:\n- name: book\n  fields:\n  - type: st|', ['entities', '*', 'fields', '*'], 'value', 'type'],
    ['entities:\n  - name: book\n    fields:\n      - { name: title, ty|', ['entities', '*', 'fields', '*'], 'key', undefined],
    ['entities:\n  - name: book\n    fields:\n      - { name: title, type: |', ['entities', '*', 'fields', '*'], 'value', 'type'],
    ['permissions:\n  - entity: book\n    roles: [reader, |', ['permissions', '*', 'roles', '*'], 'value', undefined],
    ['settings:\n  # a remark\n\n  |', ['settings'], 'key', undefined],
  ])('%j', (marked, path, mode, key) => {
    const { context } = at(marked);
    expect({ path: context.path, mode: context.mode, key: context.key }).toEqual({ path, mode, key });
  });

  it('in JSON goes by the brackets', () => {
    expect(at('{"entities": [{"name": "book", "fields": [{"ty|', 'json').context).toMatchObject({
      path: ['entities', '*', 'fields', '*'],
      mode: 'key',
    });
    expect(at('{"entities": [{"name": "b]ok", "soft_delete": |', 'json').context).toMatchObject({
      path: ['entities', '*'],
      mode: 'value',
      key: 'soft_delete',
    });
  });
});

describe('what may be written', () => {
  const document: DocumentInput = {
    version: 1,
    entities: [
      { name: 'book', fields: [{ name: 'title', type: 'string' }] },
      { name: 'author', fields: [{ name: 'pen_name', type: 'string' }] },
    ],
    roles: [{ name: 'reader' }],
  };
  const labels = (marked: string): readonly string[] => {
    const { text, cursor, context } = at(marked);
    return proposals(META, context, document, entityAround(text, cursor)).map(({ label }) => label);
  };

  it('is the meta-schema: options, and the values they take', () => {
    expect(labels('entities:\n  - |')).toEqual(expect.arrayContaining(['name', 'fields', 'soft_delete']));
    expect(labels('entities:\n  - name: a\n    soft_delete: |')).toEqual(['true', 'false']);
    expect(labels('entities:\n  - name: a\n    fields:\n      - type: |')).toEqual(
      expect.arrayContaining(['string', 'decimal', 'relation']),
    );
  });

  it('is the document: its entities, roles, and the fields of the entity that is spoken of', () => {
    expect(labels('permissions:\n  - entity: |')).toEqual(expect.arrayContaining(['book', 'author']));
    expect(labels('permissions:\n  - entity: book\n    roles: [|')).toContain('reader');
    const fields = labels('permissions:\n  - entity: book\n    fields:\n      read: [|');
    expect(fields).toContain('title');
    expect(fields).not.toContain('pen_name');
  });
});

describe('mistakes', () => {
  const text = 'version: 1\nentities:\n  - name: book\n    fields:\n      - name: title\n        type: strin\n';
  const { document } = readText(text, 'yaml');
  const lineOf = (from: number): number => text.slice(0, from).split('\n').length;

  it('of the text stand where it cannot be read', () => {
    const broken = 'version: 1\nfoo: bar: baz\n';
    const [first] = ofMistakes(readText(broken, 'yaml').mistakes);
    expect(first?.severity).toBe('error');
    expect(broken.slice(0, first?.from).split('\n')).toHaveLength(2);
  });

  it('of the judgement stand at their paths, or at the thing that the planner names', () => {
    const found = ofJudgement(text, document!, {
      details: [
        { path: 'entities.0.fields.0.type', message: 'strin is no type.', hint: 'Use string.' },
        { entity: 'book', field: 'title', message: 'Records have values.' },
      ],
      findings: [{ level: 'warning', path: 'entities.0', message: 'Nobody may read it.', consequence: '', fix: '' }],
    });
    expect(found.map(({ from, severity, message }) => [lineOf(from), severity, message])).toEqual([
      [6, 'error', 'strin is no type. Use string.'],
      [5, 'error', 'Records have values.'],
      [3, 'warning', 'Nobody may read it.'],
    ]);
    expect(ofJudgement(text, document!, {})).toEqual([]);
  });
});
