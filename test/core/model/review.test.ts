import { describe, expect, it } from 'vitest';
import type { SchemaDocument } from '../../../core/model/document.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import { reviewAdditions, reviewDocument } from '../../../core/model/review.ts';

const field = (name: string, type = 'string', extra: object = {}): object => ({ name, type, ...extra });
const entity = (name: string, fields: object[] = [field('title')], extra: object = {}): object => ({ name, fields, ...extra });
const read = (extra: object): SchemaDocument => readDocument({ version: 1, entities: [entity('ticket'), entity('person')], ...extra });
const errorsOf = (extra: object): string[] => reviewDocument(read(extra)).errors.map(({ path, rule }) => `${path ?? ''}: ${rule ?? ''}`);
const step = (id: string, extra: object = {}): object => ({ id, type: 'wait', duration: '1h', ...extra });
const workflow = (steps: object[], trigger: object = { type: 'manual' }): object => ({ workflows: [{ name: 'w', trigger, steps }] });

describe('errors', () => {
  it.each<[string, object, string]>([
    ['two entities of one name', { entities: [entity('a'), entity('a')] }, 'entities.1.name: duplicate'],
    [
      'two tables of one name',
      { entities: [entity('a', undefined, { table: 't' }), entity('b', undefined, { table: 't' })] },
      'entities.1.table: duplicate',
    ],
    ['a reserved entity name', { entities: [entity('auth')] }, 'entities.0.name: reserved'],
    ['a system column', { entities: [entity('a', [field('deleted_at', 'timestamp')])] }, 'entities.0.fields.0.name: reserved'],
    ['two fields of one name', { entities: [entity('a', [field('x'), field('x', 'int')])] }, 'entities.0.fields.1.name: duplicate'],
    [
      'a relation field beside its own column',
      { entities: [entity('a', [field('b', 'relation', { target: 'a' }), field('b_id', 'uuid')])] },
      'entities.0.fields.1.name: duplicate',
    ],
    [
      'a relation field to nowhere',
      { entities: [entity('a', [field('b', 'relation', { target: 'c' })])] },
      'entities.0.fields.0.target: unknown_entity',
    ],
    ['a relation field without target', { entities: [entity('a', [field('b', 'relation')])] }, 'entities.0.fields.0.target: required'],
    [
      'a key that is no field',
      { entities: [entity('a', [field('x')], { primary_key: { field: 'code', type: 'string' } })] },
      'entities.0.primary_key: unknown_field',
    ],
    [
      'a key of another type than its field',
      { entities: [entity('a', [field('id', 'int')], { primary_key: { field: 'id', type: 'uuid' } })] },
      'entities.0.primary_key.type: type',
    ],
    [
      'a generated text key',
      { entities: [entity('a', [field('id')], { primary_key: { field: 'id', type: 'string', generated: true } })] },
      'entities.0.primary_key.generated: conflict',
    ],
    [
      'a missing slug field',
      { entities: [entity('a', [field('x')], { slug: { field: 'slug' } })] },
      'entities.0.slug.field: unknown_field',
    ],
    [
      'a slug that is no text',
      { entities: [entity('a', [field('s', 'int', { unique: true })], { slug: { field: 's' } })] },
      'entities.0.slug.field: type',
    ],
    ['a slug that is not unique', { entities: [entity('a', [field('s')], { slug: { field: 's' } })] }, 'entities.0.slug.field: unique'],
    [
      'a missing slug source',
      { entities: [entity('a', [field('s', 'string', { unique: true })], { slug: { field: 's', source: 'x' } })] },
      'entities.0.slug.source: unknown_field',
    ],
    [
      'an index on nothing',
      { entities: [entity('a', [field('x')], { indexes: [{ fields: ['y'] }] })] },
      'entities.0.indexes.0.fields: unknown_field',
    ],
    [
      'a full-text index on what is no text',
      { entities: [entity('a', [field('x', 'int')], { indexes: [{ fields: ['x'], type: 'fulltext' }] })] },
      'entities.0.indexes.0.fields: type',
    ],
    [
      'a full-text index on the key',
      { entities: [entity('a', [field('x')], { indexes: [{ fields: ['x', 'id'], type: 'fulltext' }] })] },
      'entities.0.indexes.0.fields: type',
    ],
    [
      'a unique full-text index',
      { entities: [entity('a', [field('x')], { indexes: [{ fields: ['x'], type: 'fulltext', unique: true }] })] },
      'entities.0.indexes.0.unique: unique',
    ],
    [
      'a default outside the enum',
      { entities: [entity('a', [field('x', 'string', { enum: ['a'], default: 'b' })])] },
      'entities.0.fields.0.default: enum',
    ],
    ['an enum without values', { entities: [entity('a', [field('x', 'enum')])] }, 'entities.0.fields.0.enum: required'],
    [
      'a pattern with a lookahead',
      { entities: [entity('a', [field('x', 'string', { pattern: '(?=a)' })])] },
      'entities.0.fields.0.pattern: pattern',
    ],
    ['a stamped text', { entities: [entity('a', [field('x', 'string', { auto: 'create' })])] }, 'entities.0.fields.0.auto: conflict'],
    [
      'a relation to nowhere',
      { relations: [{ name: 'r', type: 'one_to_many', source: 'ticket', target: 'nobody' }] },
      'relations.0.target: unknown_entity',
    ],
    [
      'a foreign key of another type',
      {
        entities: [entity('a'), entity('b', [field('a_id', 'int')])],
        relations: [{ name: 'r', type: 'one_to_many', source: 'a', target: 'b' }],
      },
      'relations.0.target_key: type',
    ],
    [
      'two relations over one foreign key',
      { relations: ['r', 's'].map((name) => ({ name, type: 'one_to_many', source: 'person', target: 'ticket' })) },
      'relations.1.target_key: duplicate',
    ],
    [
      'a join table that is an entity',
      { relations: [{ name: 'r', type: 'many_to_many', source: 'ticket', target: 'person', join_table: 'person' }] },
      'relations.0.join_table: duplicate',
    ],
    [
      'a source key that is not unique',
      { relations: [{ name: 'r', type: 'one_to_many', source: 'ticket', target: 'person', source_key: 'title', target_key: 't' }] },
      'relations.0.source_key: unique',
    ],
    [
      'an include name that is a field',
      { relations: [{ name: 'r', type: 'one_to_many', source: 'ticket', target: 'person', source_name: 'title' }] },
      'relations.0: duplicate',
    ],
    [
      'a rule of an unknown entity',
      { rules: [{ entity: 'x', type: 'field', definition: { field: 'a', operator: 'required' } }] },
      'rules.0.entity: unknown_entity',
    ],
    [
      'a rule of an unknown field',
      { rules: [{ entity: 'ticket', type: 'field', definition: { field: 'a', operator: 'required' } }] },
      'rules.0.definition.field: unknown_field',
    ],
    [
      'a limit without a value',
      { rules: [{ entity: 'ticket', type: 'field', definition: { field: 'title', operator: 'min' } }] },
      'rules.0.definition.value: required',
    ],
    [
      'a rule that loads an unknown relation',
      { rules: [{ entity: 'ticket', type: 'expression', definition: { expression: 'true', related_load: [{ relation: 'x' }] } }] },
      'rules.0.definition.related_load.0.relation: unknown_relation',
    ],
    [
      'a machine of an unknown field',
      { state_machines: [{ entity: 'ticket', field: 'x', initial: 'a', transitions: [{ from: 'a', to: 'b' }] }] },
      'state_machines.0.field: unknown_field',
    ],
    [
      'a state outside the enum',
      {
        entities: [entity('a', [field('s', 'string', { enum: ['x'] })])],
        state_machines: [{ entity: 'a', field: 's', initial: 'x', transitions: [{ from: 'x', to: 'y' }] }],
      },
      'state_machines.0.definition: enum',
    ],
    [
      'two machines of one field',
      { state_machines: [1, 2].map(() => ({ entity: 'ticket', field: 'title', initial: 'a', transitions: [{ from: 'a', to: 'b' }] })) },
      'state_machines.1.field: duplicate',
    ],
    ['a trigger without entity', workflow([step('a')], { type: 'record_created' }), 'workflows.0.trigger.entity: required'],
    ['two steps of one id', workflow([step('a', { then: 'a' }), step('a')]), 'workflows.0.steps.1.id: duplicate'],
    ['a goto to nowhere', workflow([step('a', { then: 'b' })]), 'workflows.0.steps.0.then: unknown_step'],
    [
      'an action on an unknown field',
      workflow([{ id: 'a', type: 'action', actions: [{ type: 'set_field', entity: 'ticket', field: 'x', value: 1 }] }]),
      'workflows.0.steps.0.actions.0.field: unknown_field',
    ],
    [
      'a field list of an unknown field',
      { permissions: [{ entity: 'ticket', action: 'read', roles: ['a'], fields: { read: ['x'] } }] },
      'permissions.0.fields.read: unknown_field',
    ],
    [
      'a custom backoff without a schedule',
      { webhooks: [{ entity: 'ticket', url: 'https://x.example', retry: { backoff: 'custom' } }] },
      'webhooks.0.retry.schedule: required',
    ],
    ['sample rows of nothing', { sample_data: { tickets2: [] } }, 'sample_data.tickets2: unknown_entity'],
    [
      'a sample value that does not fit',
      { entities: [entity('a', [field('n', 'int')])], sample_data: { a: [{ n: 'x' }] } },
      'sample_data.a.0.n: type',
    ],
  ])('%s', (_what, extra, error) => {
    expect(errorsOf(extra)).toContain(error);
  });

  it('a document that fits has none', () => {
    expect(reviewDocument(read({}))).toEqual({ errors: [], findings: [] });
  });

  it('a new required field of an existing entity needs a default', () => {
    const before = read({});
    const grown = (extra: object): SchemaDocument =>
      readDocument({ version: 1, entities: [entity('ticket', [field('title'), field('n', 'int', { required: true, ...extra })])] });
    expect(reviewAdditions(before, grown({}))).toMatchObject([{ path: 'entities.0.fields.1', rule: 'default' }]);
    expect(reviewAdditions(before, grown({ default: 0 }))).toEqual([]);
    expect(reviewAdditions(readDocument({ version: 1 }), grown({}))).toEqual([]);
  });
});

describe('findings', () => {
  const idsOf = (extra: object): string[] => reviewDocument(read(extra)).findings.map(({ id }) => id);

  it('permissions, workflows and webhooks may name an entity that comes later', () => {
    const extra = {
      permissions: [{ entity: 'later', action: 'read', roles: ['a'] }],
      webhooks: [{ entity: 'later', url: 'https://x.example' }],
      ...workflow([step('a')], { type: 'record_created', entity: 'later' }),
    };
    expect(errorsOf(extra)).toEqual([]);
    expect(idsOf(extra)).toHaveLength(3);
    expect(idsOf(extra)).toEqual(idsOf(extra));
  });

  it('a webhook that is asked at a moment where none of its events happens', () => {
    const asked = (more: object) => idsOf({ webhooks: [{ entity: 'ticket', url: 'https://x.example', ...more }] });
    expect(asked({ hook: 'before_write', events: ['record.deleted'] })).toEqual([expect.stringContaining('never-asked')]);
    expect(asked({ hook: 'before_write', events: ['record.created'] })).toEqual([]);
    expect(asked({ hook: 'after_write', events: ['record.deleted'] })).toEqual([]);
  });

  it('a role that is not in the list', () => {
    const extra = { roles: ['agent'], permissions: [{ entity: 'ticket', action: 'read', roles: ['Agent', 'admin', 'agnet'] }] };
    expect(reviewDocument(read(extra)).findings).toMatchObject([{ level: 'warning', fix: expect.stringContaining('agent') as string }]);
  });

  it('a rule every sample row violates is probably the wrong way round', () => {
    const extra = {
      entities: [entity('leave', [field('a', 'date'), field('b', 'date')])],
      rules: [{ entity: 'leave', type: 'expression', definition: { expression: 'new Date(record.b) >= new Date(record.a)' } }],
      sample_data: {
        leave: [
          { a: '2026-01-01', b: '2026-01-02' },
          { a: '2026-02-01', b: '2026-02-01' },
        ],
      },
    };
    expect(reviewDocument(read(extra)).findings).toMatchObject([
      { level: 'warning', path: 'rules.0', message: expect.stringContaining('Every sample row') as string },
    ]);
  });

  it('a name the record does not have, an unreachable step, a timeout that fails', () => {
    expect(idsOf({ rules: [{ entity: 'ticket', type: 'expression', definition: { expression: 'record.titel = "x"' } }] })[0]).toContain(
      'unknown-field:ticket.titel',
    );
    expect(idsOf(workflow([step('a'), step('b')]))).toEqual(['unreachable-step:w.b']);
    expect(idsOf(workflow([{ id: 'a', type: 'approval', timeout: '1h' }]))).toEqual(['timeout-fails:w.a']);
  });
});
