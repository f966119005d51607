import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { olderShape } from '../../../core/change/older-shape.ts';
import { assignStorage } from '../../../core/change/storage.ts';
import { documentSchema, type SchemaDocument } from '../../../core/model/document.ts';
import { assignIds } from '../../../core/model/merge.ts';
import { buildModel } from '../../../core/model/model.ts';
import { reviewDocument } from '../../../core/model/review.ts';
import { policyErrors } from '../../../core/policy/policy.ts';
import '../../support/fixed-seed.ts';

const read = (input: object): SchemaDocument => documentSchema.parse({ version: 1, ...input });
let count = 0;
const first = (input: object): SchemaDocument => assignIds(read(input), undefined, () => `i${String(++count)}`);
/** The next version as a publish would make it. */
const next = (current: SchemaDocument, input: object): SchemaDocument =>
  assignStorage(
    assignIds(read(input), current, () => `i${String(++count)}`),
    current,
    { version: 2, held: [] },
  );

const NAME = { name: 'name', type: 'string' };
const SECRET = { name: 'secret', type: 'string' };
const grant = (more: object) => ({ name: 'g', entity: 'person', action: 'read', roles: ['member'], ...more });
const before = first({
  entities: [
    { name: 'firm', fields: [{ name: 'region', type: 'string' }] },
    { name: 'person', fields: [NAME, SECRET, { name: 'age', type: 'int' }] },
  ],
  relations: [{ name: 'staff', type: 'one_to_many', source: 'firm', target: 'person' }],
  permissions: [grant({ fields: { read: ['name', 'age'] } })],
});
/** `person` is called `human`, `name` `title`, `firm` `company`, `region` `area`; `secret` is gone, `rank` is new. */
const after = (more: object): SchemaDocument =>
  next(before, {
    entities: [
      { name: 'company', was: 'firm', fields: [{ name: 'area', was: 'region', type: 'string' }] },
      {
        name: 'human',
        was: 'person',
        fields: [
          { ...NAME, name: 'title', was: 'name' },
          { name: 'age', type: 'int' },
          { name: 'rank', type: 'int' },
        ],
      },
    ],
    relations: [{ name: 'people', was: 'staff', type: 'one_to_many', source: 'company', target: 'human' }],
    ...more,
  });
const permissions = (more: object[]) => olderShape(after({ permissions: more }), before).permissions;
const human = (more: object) => ({ ...grant(more), entity: 'human' });

describe('permissions in an older shape', () => {
  it('follow names, ways and expressions', () => {
    const [permission] = permissions([
      human({
        fields: { read: ['title', 'age', 'rank'] },
        conditions: [{ field: 'firm.area', operator: 'eq', value: 'north' }],
        expression: 'record.title = user.email and age > 3 and "title" = record.firm.area',
      }),
    ]);
    expect(permission).toMatchObject({
      entity: 'person',
      fields: { read: ['name', 'age'] },
      conditions: [{ field: 'firm.region' }],
      expression: 'record.name = user.email and age > 3 and "title" = record.firm.region',
    });
  });

  it('that ask for what the older shape lacks give nothing; denies of that kind take everything', () => {
    const asks = { conditions: [{ field: 'rank', operator: 'gt', value: 1 }] };
    expect(permissions([human(asks), human({ name: 'e', expression: 'record.rank > 1' })])).toEqual([]);
    expect(permissions([human({ ...asks, deny: true })])).toMatchObject([{ entity: 'person', deny: true, conditions: [] }]);
    expect(permissions([human({ action: 'create', presets: { rank: 1 } })])).toEqual([]);
  });

  it('give a dropped field only where the same permission gave it', () => {
    const [same] = permissions([human({})]);
    expect(same?.fields?.read).not.toContain('secret');
    expect(same?.fields?.read).toContain('age');
    const [other] = permissions([human({ name: 'another' })]);
    expect(other?.fields?.read).not.toContain('secret');
  });

  it('an older deny of a dropped field stays', () => {
    const guarded = first({
      entities: [{ name: 'person', fields: [NAME, SECRET] }],
      permissions: [grant({}), grant({ name: 'd', deny: true, fields: { read: ['secret'] } })],
    });
    const served = next(guarded, { entities: [{ name: 'person', fields: [NAME] }], permissions: [grant({})] });
    expect(olderShape(served, guarded).permissions).toMatchObject([{}, { deny: true, fields: { read: ['secret'] } }]);
  });

  it('an entity that is dropped keeps its own', () => {
    const served = next(before, { entities: [{ name: 'firm', fields: [{ name: 'region', type: 'string' }] }] });
    expect(olderShape(served, before).permissions).toMatchObject([{ entity: 'person', fields: { read: ['name', 'age'] } }]);
  });

  it('inside of brackets a name may be anybody’s: closed where one of that name changed', () => {
    expect(permissions([human({ expression: '$count(record.firm[area = "x"]) > 0' })])).toEqual([]);
    expect(permissions([human({ expression: '$count(record.firm[other = "x"]) > 0' })])).toHaveLength(1);
  });
});

describe('rules and machines in an older shape', () => {
  const rule = (definition: object) => ({ name: 'r', entity: 'human', type: 'expression', definition });
  it('follow names, and those of new fields are left out', () => {
    const rules = [
      rule({ expression: 'record.title = old.title', field: 'title' }),
      { ...rule({ expression: 'record.rank > 1' }), name: 's' },
    ];
    expect(olderShape(after({ rules }), before).rules).toMatchObject([
      { entity: 'person', definition: { expression: 'record.name = old.name', field: 'name' } },
    ]);
  });

  it('are the older ones where they cannot be carried over', () => {
    const old = first({
      entities: [{ name: 'person', fields: [NAME] }],
      rules: [{ ...rule({ expression: 'name = "x"' }), entity: 'person' }],
    });
    const served = next(old, {
      entities: [{ name: 'person', fields: [NAME, { name: 'rank', type: 'int' }] }],
      rules: [{ ...rule({ expression: 'rank = 1' }), entity: 'person' }],
    });
    expect(olderShape(served, old).rules).toMatchObject([{ definition: { expression: 'name = "x"' } }]);
  });
});

it('of the same version says the same', () => {
  const shape = olderShape(before, before);
  expect(shape.permissions).toMatchObject([{ entity: 'person', fields: { read: ['name', 'age'] } }]);
  expect(shape.relations).toMatchObject([{ target_key: 'firm_id', column: 'firm_id' }]);
});

const fieldNames = ['a', 'b', 'c', 'd'];
const random = fc.record({
  renamed: fc.subarray(fieldNames),
  dropped: fc.subarray(fieldNames.slice(1)),
  isEntityRenamed: fc.boolean(),
  listed: fc.subarray(fieldNames),
  asked: fc.constantFrom(...fieldNames),
});

it('always builds, reviews clean and stands on the older columns; nothing is read that neither version gives', () => {
  fc.assert(
    fc.property(random, ({ renamed, dropped, isEntityRenamed, listed, asked }) => {
      const field = (name: string) => ({ name, type: 'string' });
      const older = first({
        entities: [{ name: 'thing', fields: fieldNames.map(field) }],
        permissions: [{ name: 'p', entity: 'thing', action: 'read', roles: ['r'], fields: { read: listed } }],
      });
      const kept = fieldNames.filter((name) => !dropped.includes(name));
      const nowCalled = (name: string): string => (renamed.includes(name) ? `${name}2` : name);
      const entity = isEntityRenamed ? 'item' : 'thing';
      const served = next(older, {
        entities: [{ name: entity, was: 'thing', fields: kept.map((name) => ({ ...field(nowCalled(name)), was: name })) }],
        permissions: [
          {
            name: 'p',
            entity,
            action: 'read',
            roles: ['r'],
            ...(kept.includes(asked) ? { conditions: [{ field: nowCalled(asked), value: 'x' }] } : {}),
            fields: { read: listed.filter((name) => kept.includes(name)).map(nowCalled) },
          },
        ],
      });
      const shape = olderShape(served, older);
      expect(reviewDocument(shape).errors).toEqual([]);
      const model = buildModel(shape);
      expect(policyErrors(model, 'app_x')).toEqual([]);
      const columns = [...(model.entities.get('thing')?.fields.values() ?? [])].map(({ column }) => column);
      expect(columns).toEqual([...(buildModel(older).entities.get('thing')?.fields.values() ?? [])].map(({ column }) => column));
      const [permission] = shape.permissions;
      expect([...(permission?.fields?.read ?? [])].sort()).toEqual([...listed].sort());
      expect(permission?.conditions.map((condition) => condition.field)).toEqual(kept.includes(asked) ? [asked] : []);
    }),
    { numRuns: 300 },
  );
});
