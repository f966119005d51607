import { describe, expect, it } from 'vitest';
import type { SchemaDocument } from '../../../core/model/document.ts';
import { assignIds, EMPTY_DOCUMENT, mergeDocument } from '../../../core/model/merge.ts';
import { readDocument } from '../../../core/model/read-document.ts';

const read = (extra: object): SchemaDocument => readDocument({ version: 1, ...extra });
const counter = (): (() => string) => {
  let n = 0;
  return () => `id-${String((n += 1))}`;
};
const entity = (name: string, ...fields: (string | object)[]): object => ({
  name,
  fields: fields.map((field) => (typeof field === 'string' ? { name: field, type: 'string' } : field)),
});
const fieldIds = (document: SchemaDocument, at = 0): Record<string, string | undefined> =>
  Object.fromEntries((document.entities[at]?.fields ?? []).map((field) => [field.name, field.id]));

describe('merging', () => {
  const current = read({
    entities: [entity('a', 'x', 'y'), entity('b', 'x')],
    permissions: [{ entity: 'a', action: 'read', roles: ['r'] }],
    settings: { max_per_page: 50 },
  });
  const incoming = read({
    entities: [entity('a', { name: 'x', type: 'string', required: true }), entity('c', 'x')],
    permissions: [
      { entity: 'a', action: 'read', roles: ['R'] },
      { entity: 'a', action: 'read', roles: ['r'], conditions: [{ field: 'x', value: 1 }] },
      { entity: 'a', action: 'read', roles: ['s'] },
    ],
  });
  const outcomes = (mode: 'skip' | 'merge' | 'replace'): string[] =>
    mergeDocument(current, incoming, mode).report.map(({ section, name, outcome }) => `${section} ${name} ${outcome}`);

  it('skip keeps what exists and adds what is new; a second grant for one entity and action is not lost', () => {
    const { document } = mergeDocument(current, incoming, 'skip');
    expect(document.entities.map(({ name }) => name)).toEqual(['a', 'b', 'c']);
    expect(document.entities[0]?.fields[0]?.required).toBe(false);
    expect(document.permissions).toHaveLength(3);
    expect(document.settings.max_per_page).toBe(50);
    expect(outcomes('skip')).toEqual([
      'entities a skipped',
      'entities c created',
      'permissions a read for R skipped',
      'permissions a read for r created',
      'permissions a read for s created',
    ]);
  });

  it('merge brings existing items to the incoming form and keeps fields it does not mention', () => {
    const { document } = mergeDocument(current, incoming, 'merge');
    expect(document.entities[0]?.fields.map(({ name, required }) => [name, required])).toEqual([
      ['x', true],
      ['y', false],
    ]);
    expect(document.entities.map(({ name }) => name)).toContain('b');
    expect(outcomes('merge')[0]).toBe('entities a updated');
  });

  it('replace makes the document the incoming one and says what went', () => {
    const { document } = mergeDocument(current, incoming, 'replace');
    expect(document.entities.map(({ name }) => name)).toEqual(['a', 'c']);
    expect(document.settings.max_per_page).toBe(100);
    expect(outcomes('replace')).toContain('entities b removed');
  });

  it.each(['skip', 'merge', 'replace'] as const)('%s a second time changes nothing', (mode) => {
    const once = mergeDocument(current, incoming, mode).document;
    const again = mergeDocument(once, incoming, mode);
    expect(again.document).toEqual(once);
    expect(new Set(again.report.map(({ outcome }) => outcome))).toEqual(new Set(['skipped']));
  });

  it('an empty app takes everything, with settings, without sample rows', () => {
    const full = read({
      name: 'shop',
      entities: [entity('a', 'x')],
      settings: { max_per_page: 10 },
      sample_data: { a: [{ x: '1' }] },
      ui_configs: [{ entity: 'a' }],
    });
    const { sample_data: _rows, ...rest } = full;
    expect(mergeDocument(EMPTY_DOCUMENT, full, 'skip').document).toEqual(rest);
  });

  it('keeps the ids of what it updates', () => {
    const known = assignIds(current, undefined, counter());
    const { document } = mergeDocument(known, incoming, 'merge');
    expect(document.entities[0]?.id).toBe(known.entities[0]?.id);
    expect(fieldIds(document)['x']).toBe(fieldIds(known)['x']);
  });

  it('webhooks with names of their own are not taken for each other, however alike they are', () => {
    const hook = { entity: 'a', hook: 'after_write', url: 'https://example.com/in' };
    const entities = [entity('a', 'x')];
    const known = assignIds(read({ entities, webhooks: [{ ...hook, name: 'one' }] }), undefined, counter());
    const both = read({
      entities,
      webhooks: [
        { ...hook, name: 'two' },
        { ...hook, name: 'one', active: false },
      ],
    });
    const { document, report } = mergeDocument(known, both, 'merge');
    expect(document.webhooks.map(({ name, active }) => [name, active])).toEqual([
      ['one', false],
      ['two', true],
    ]);
    expect(report.filter(({ section }) => section === 'webhooks').map(({ name, outcome }) => `${name} ${outcome}`)).toEqual([
      'two created',
      'one updated',
    ]);
    expect(document.webhooks[0]?.id).toBe(known.webhooks[0]?.id);
    const merged = assignIds(document, known, counter());
    expect(merged.webhooks[0]?.id).toBe(known.webhooks[0]?.id);
    expect(mergeDocument(EMPTY_DOCUMENT, both, 'skip').document.webhooks).toHaveLength(2);
    // One that has no name yet is given one.
    const nameless = assignIds(read({ entities, webhooks: [hook] }), undefined, counter());
    const named = mergeDocument(nameless, read({ entities, webhooks: [{ ...hook, name: 'one' }] }), 'merge').document;
    expect(named.webhooks).toMatchObject([{ id: nameless.webhooks[0]?.id, name: 'one' }]);
  });

  it('two nameless webhooks that differ in how they deliver stay two, with their ids', () => {
    const hook = { entity: 'a', hook: 'after_write', url: 'https://example.com/in' };
    const twins = read({ entities: [entity('a', 'x')], webhooks: [hook, { ...hook, ordered: true }] });
    const known = assignIds(mergeDocument(EMPTY_DOCUMENT, twins, 'skip').document, undefined, counter());
    expect(known.webhooks).toHaveLength(2);
    const { document } = mergeDocument(known, twins, 'merge');
    expect(document.webhooks).toEqual(known.webhooks);
    expect(assignIds(document, known, counter()).webhooks.map(({ id }) => id)).toEqual(known.webhooks.map(({ id }) => id));
    expect(assignIds(twins, known, counter()).webhooks.map(({ id }) => id)).toEqual(known.webhooks.map(({ id }) => id));
  });

  it('view configurations of one entity and scope replace each other, others are added', () => {
    const one = read({ ui_configs: [{ entity: 'a', scope: 'default', config: 1 }] });
    const two = read({
      ui_configs: [
        { entity: 'a', scope: 'default', config: 2 },
        { entity: 'b', scope: 'default' },
      ],
    });
    expect(mergeDocument(one, two, 'merge').document.ui_configs).toEqual([
      { entity: 'a', scope: 'default', config: 2 },
      { entity: 'b', scope: 'default' },
    ]);
    expect(mergeDocument(one, two, 'skip').document.ui_configs).toContainEqual({ entity: 'a', scope: 'default', config: 1 });
  });
});

describe('stable ids', () => {
  it('are given once and stay with the name', () => {
    const first = assignIds(read({ entities: [entity('a', 'x')], roles: ['r'] }), undefined, counter());
    const second = assignIds(read({ entities: [entity('a', 'x', 'y')], roles: ['R', 's'] }), first, () => 'new');
    expect(second.entities[0]?.id).toBe(first.entities[0]?.id);
    expect(fieldIds(second)).toEqual({ x: fieldIds(first)['x'], y: 'new' });
    expect(second.roles[0]?.id).toBe(first.roles[0]?.id);
  });

  it('follow a rename said with `was`, which is then used up', () => {
    const first = assignIds(read({ entities: [entity('a', 'x')] }), undefined, counter());
    const renamed = assignIds(
      read({ entities: [{ ...entity('b', { name: 'z', type: 'string', was: 'x' }), was: 'a' }] }),
      first,
      () => 'new',
    );
    expect(renamed.entities[0]).toMatchObject({ id: first.entities[0]?.id, name: 'b' });
    expect(renamed.entities[0]).not.toHaveProperty('was');
    expect(fieldIds(renamed)).toEqual({ z: fieldIds(first)['x'] });
  });

  it('an old name given to another field in the same edit is a new field', () => {
    const first = assignIds(read({ entities: [entity('a', 'x')] }), undefined, counter());
    const swapped = assignIds(read({ entities: [entity('a', 'x', { name: 'z', type: 'string', was: 'x' })] }), first, () => 'new');
    expect(fieldIds(swapped)).toEqual({ x: 'new', z: fieldIds(first)['x'] });
  });

  it('an id written in the document is a rename without words', () => {
    const first = assignIds(read({ entities: [entity('a', 'x')] }), undefined, counter());
    const id = fieldIds(first)['x'] ?? '';
    const renamed = assignIds(read({ entities: [entity('a', { id, name: 'z', type: 'string' })] }), first, () => 'new');
    expect(fieldIds(renamed)).toEqual({ z: id });
  });

  it('are never given twice', () => {
    const twice = assignIds(
      read({
        entities: [
          { ...entity('a', 'x'), id: 'same' },
          { ...entity('b', 'x'), id: 'same' },
        ],
      }),
      undefined,
      counter(),
    );
    expect(new Set(twice.entities.map(({ id }) => id)).size).toBe(2);
  });
});

describe('a definition of an entity that is renamed', () => {
  it('is the same one', () => {
    const hook = { name: 'w', entity: 'a', url: 'https://example.com/' };
    const machine = {
      entity: 'a',
      field: 'x',
      definition: { initial: 'p', transitions: [{ from: 'p', to: 'q' }] },
    };
    const current = assignIds(read({ entities: [entity('a', 'x')], webhooks: [hook], state_machines: [machine] }), undefined, counter());
    const next = assignIds(
      read({
        entities: [{ ...entity('b', { name: 'y', was: 'x', type: 'string' }), was: 'a' }],
        webhooks: [{ ...hook, entity: 'b' }],
        state_machines: [{ ...machine, entity: 'b', field: 'y' }],
      }),
      current,
      counter(),
    );
    expect(next.webhooks[0]?.id).toBe(current.webhooks[0]?.id);
    expect(next.state_machines[0]?.id).toBe(current.state_machines[0]?.id);
  });
});
