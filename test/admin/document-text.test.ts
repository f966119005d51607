import { describe, expect, it } from 'vitest';
import { convertText, formatText, placeOf, readText, textOf, writeText } from '../../admin/src/document/text.ts';
import type { DocumentInput } from '../../admin/src/document/types.ts';

const TEXT = `# The library of a small town.
version: 1
name: library
entities:
  # Who writes.
  - name: author
    fields:
      - { name: name, type: string, required: true } # as on the cover

  - name: book # what is lent
    soft_delete: true
    fields:
      - { name: title, type: string }
      - { name: price, type: decimal, precision: 2 }
permissions:
  # Everybody reads.
  - entity: '*'
    action: read
    roles: [reader]
`;

const read = (text: string): DocumentInput => {
  const { document, mistakes } = readText(text, 'yaml');
  expect(mistakes).toEqual([]);
  return document as DocumentInput;
};

/** The text after an edit of what it says. */
function edited(change: (document: DocumentInput) => void, text = TEXT): string {
  const document = structuredClone(read(text));
  change(document);
  const written = writeText(text, 'yaml', document);
  expect(read(written)).toEqual(document);
  return written;
}

describe('a change of the document is written into its text', () => {
  it('leaves every other line as it is', () => {
    const text = edited((document) => {
      document.entities![1]!.fields[1]!.precision = 4;
    });
    expect(text).toBe(TEXT.replace('precision: 2', 'precision: 4'));
  });

  it('keeps the comments of what is renamed, and of what comes after what is removed', () => {
    const renamed = edited((document) => {
      document.entities![0]!.fields[0]! = { ...document.entities![0]!.fields[0]!, was: 'name', name: 'pen_name' };
    });
    expect(renamed).toContain('# as on the cover');
    expect(renamed).toContain('was: name');
    const removed = edited((document) => {
      document.entities!.splice(0, 1);
    });
    expect(removed).toContain('- name: book # what is lent');
    expect(removed).toContain('# Everybody reads.');
    expect(removed).toContain('# The library of a small town.');
  });

  it('writes what is new the way its neighbours are written', () => {
    const text = edited((document) => {
      document.entities![1]!.fields.push({ name: 'pages', type: 'int', min: 1 });
      document.entities!.push({ name: 'loan', fields: [{ name: 'due', type: 'date' }] });
      document.entities![0]!.label = 'Writer';
    });
    expect(text).toContain('      - { name: pages, type: int, min: 1 }\n');
    expect(text).toContain('  - name: loan\n    fields:\n      - name: due\n        type: date\n');
    expect(text).toMatch(/- name: author\n {4}label: Writer|label: Writer/);
    expect(text).toContain('# Who writes.');
  });

  it('moves items with their comments', () => {
    const text = edited((document) => {
      document.entities!.reverse();
    });
    expect(text.indexOf('name: book # what is lent')).toBeLessThan(text.indexOf('name: author'));
  });

  it('quotes what would be read as something else', () => {
    const text = edited((document) => {
      document.entities![0]!.label = 'no';
      document.entities![1]!.label = '12';
      document.entities![0]!.description = 'a: b # c';
    });
    expect(read(text).entities?.map(({ label }) => label)).toEqual(['no', '12']);
  });

  it('resolves an alias whose copy changes', () => {
    const aliased = `version: 1
entities:
  - name: a
    fields: &common
      - { name: x, type: string }
  - name: b
    fields: *common
`;
    const text = edited((document) => {
      document.entities![1]!.fields = [...document.entities![1]!.fields, { name: 'y', type: 'int' }];
    }, aliased);
    expect(read(text).entities![0]!.fields).toHaveLength(1);
  });

  it('writes JSON as JSON', () => {
    const json = textOf(read(TEXT), 'json');
    const document = readText(json, 'json').document!;
    expect(JSON.parse(writeText(json, 'json', { ...document, name: 'archive' }))).toMatchObject({ name: 'archive' });
    expect(readText(convertText(json, 'yaml'), 'yaml').document).toEqual(document);
    expect(JSON.parse(convertText(TEXT, 'json'))).toEqual(document);
  });

  it('lays a text out anew without losing a comment', () => {
    const loose = 'version:   1\n# one\nentities:\n- name: a\n  fields: [ {name: x,   type: string} ] # two\n';
    const formatted = formatText(loose, 'yaml');
    expect(formatted).toContain('# one');
    expect(formatted).toContain('# two');
    expect(formatted).toContain('version: 1\n');
    expect(read(formatted)).toEqual(read(loose));
  });
});

describe('mistakes are shown at their places', () => {
  const lineOf = (text: string, from: number): number => text.slice(0, from).split('\n').length;

  it('of YAML that cannot be read', () => {
    const broken = TEXT.replace('soft_delete: true', 'soft_delete: [true');
    const { document, mistakes } = readText(broken, 'yaml');
    expect(document).toBeUndefined();
    expect(lineOf(broken, mistakes[0]!.from)).toBeGreaterThanOrEqual(11);
  });

  it('of JSON, also where YAML would be content', () => {
    const { document, mistakes } = readText('{"version": 1,\n "entities": [],}', 'json');
    expect(document).toBeUndefined();
    expect(mistakes[0]!.message).not.toBe('');
  });

  it('of what is no document', () => {
    expect(readText('- a\n- b\n', 'yaml').mistakes[0]?.message).toMatch(/object/);
    const unnamed = readText('version: 1\nentities:\n  - fields: []\n', 'yaml');
    expect(unnamed.mistakes[0]?.message).toBe('entities.0 needs a name.');
  });

  it('of a path: the value, its key, or the nearest thing there is', () => {
    const at = (path: string, asKey = false): string => {
      const { from, to } = placeOf(TEXT, path, asKey);
      return TEXT.slice(from, to);
    };
    expect(at('entities.1.fields.1.precision')).toBe('2');
    expect(at('entities.1.fields.1.precision', true)).toBe('precision');
    expect(at('entities.1.fields.1.nothing')).toBe('{ name: price, type: decimal, precision: 2 }');
    expect(at('entities.1')).toBe('name: book # what is lent');
    expect(at('nowhere.3')).toBe('# The library of a small town.');
  });
});
