import { beforeAll, describe, expect, it } from 'vitest';
import { publishVersion, planDocument } from '../../../operations/schemas/versions.ts';
import { schemaWorld, type SchemaWorld } from './schema-world.ts';

interface Fields {
  readonly fields?: readonly object[];
  readonly indexes?: readonly object[];
}

/** A document of three entities; what is given is added to "ticket". */
const document = ({ fields = [], indexes = [] }: Fields = {}, extra: object = {}) => ({
  version: 1,
  entities: [
    { name: 'customer', fields: [{ name: 'email', type: 'email' }] },
    {
      name: 'ticket',
      fields: [{ name: 'title', type: 'string', required: true }, { name: 'code', type: 'string' }, ...fields],
      indexes,
    },
    { name: 'empty', fields: [{ name: 'label', type: 'string' }] },
  ],
  ...extra,
});

/** Everything a dry run could have changed. */
const EVERYTHING = `select
  (select json_agg(c order by c.oid) from (select oid, relname, relnatts, relkind, relchecks, relhastriggers from pg_class) c)::text as classes,
  (select json_agg(a order by a.attrelid, a.attnum) from (select attrelid, attnum, attname, attnotnull, atthasdef from pg_attribute) a)::text as columns,
  (select json_agg(k order by k.oid) from (select oid, conname, convalidated from pg_constraint) k)::text as constraints,
  (select json_agg(v) from durabase.schema_versions v)::text as versions,
  (select json_agg(e) from durabase.schema_events e)::text as events,
  (select json_agg(m) from durabase.migrations m)::text as migrations,
  (select json_agg(s) from durabase.migration_steps s)::text as steps,
  (select json_agg(s) from durabase.schemas s)::text as schemas,
  (select json_agg(a) from durabase.apps a)::text as apps`;

describe('a dry run', () => {
  let world: SchemaWorld;
  beforeAll(async () => {
    world = await schemaWorld();
    await publishVersion(await world.context(), document());
    await world.query(
      `insert into ${world.storage}.ticket (id, title) select gen_random_uuid(), repeat('x', 300) || i from generate_series(1, 20000) i`,
    );
    await world.query(`insert into ${world.storage}.customer (id) select gen_random_uuid() from generate_series(1, 7)`);
    await world.query(`analyze ${world.storage}.ticket`);
  });

  const changed = document(
    {
      fields: [{ name: 'level', type: 'int', default: 3, required: true }],
      indexes: [{ fields: ['code'] }, { fields: ['title'], type: 'fulltext' }],
    },
    { relations: [{ name: 'customer_tickets', type: 'one_to_many', source: 'customer', target: 'ticket' }] },
  );

  it('shows each step with its text, mode, lock, rows and time, and says that these are estimates', async () => {
    const plan = await planDocument(await world.context(), changed);
    expect(plan).toMatchObject({ from_version: 1, class: 'compatible', review: [], plan_hash: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(plan.estimate).toEqual({
      ms: plan.steps.reduce((sum, step) => sum + (step.estimate.ms ?? NaN), 0),
      basis: expect.stringContaining('estimate'),
    });
    const level = plan.steps.find((step) => step.key === 'add-column/ticket.level');
    expect(level).toMatchObject({
      phase: 'expand',
      mode: 'brief',
      table: 'ticket',
      sql: `alter table "${world.storage}"."ticket" add column "level" integer default '3' not null`,
      lock: 'ACCESS EXCLUSIVE, brief',
      lock_timeout_ms: 100,
      rewrite: false,
      concurrent: false,
      estimate: { rows_exact: false, ms: 50 },
    });
    expect(Math.abs((level?.estimate.rows ?? 0) - 20_000)).toBeLessThan(500);
    const index = plan.steps.find((step) => step.key.startsWith('add-index/ticket_code'));
    expect(index).toMatchObject({ mode: 'long', concurrent: true, lock_timeout_ms: null, lock: 'SHARE UPDATE EXCLUSIVE' });
    const words = plan.steps.find((step) => step.key.endsWith('_fts'));
    expect(index?.estimate.ms).toBeGreaterThan(level?.estimate.ms ?? 0);
    expect(words?.estimate.ms).toBeGreaterThan(index?.estimate.ms ?? 0);
    expect(index?.estimate.bytes).toBeGreaterThan(4_000_000);
  });

  it('counts small tables, and knows a new one to be empty', async () => {
    const plan = await planDocument(await world.context(), {
      ...document(),
      entities: [
        ...document().entities.map((entity) => ({ ...entity, fields: [...entity.fields, { name: 'note', type: 'text' }] })),
        { name: 'visit', fields: [{ name: 'at', type: 'timestamp' }] },
      ],
    });
    const rows = Object.fromEntries(plan.steps.map((step) => [step.key, [step.estimate.rows, step.estimate.rows_exact]]));
    expect(rows).toMatchObject({
      'add-column/customer.note': [7, true],
      'add-column/empty.note': [0, true],
      'create-table/visit': [0, true],
    });
  });

  it('shows what the reviewers say of the document and of the plan', async () => {
    const plan = await planDocument(await world.context(), {
      ...document(),
      entities: [
        ...document().entities,
        { name: 'visit', primary_key: { field: 'id', type: 'int' }, fields: [{ name: 'at', type: 'timestamp' }] },
      ],
      permissions: [{ entity: 'nothing', action: 'read', roles: ['agent'] }],
    });
    expect(plan.findings).toMatchObject([{ level: 'warning', id: expect.stringContaining('nothing') }]);
    expect(plan.review).toMatchObject([{ rule: 'key-type', severity: 'warning', step: 'create-table/visit', hint: expect.any(String) }]);
  });

  it('changes nothing: catalogue and registry are the same before and after', async () => {
    const before = await world.query(EVERYTHING);
    await planDocument(await world.context(), changed);
    await expect(
      planDocument(await world.context(), document({ fields: [{ name: 'must', type: 'int', required: true }] })),
    ).rejects.toThrow();
    expect(await world.query(EVERYTHING)).toEqual(before);
  });

  it('has the hash and the texts of the migration that then runs', async () => {
    const next = document({ fields: [{ name: 'note', type: 'text', default: 'two  spaces' }] });
    const plan = await planDocument(await world.context(), next);
    const { migration } = await publishVersion(await world.context(), next);
    expect(migration?.plan_hash).toBe(plan.plan_hash);
    expect(migration?.steps.map((step) => step.sql)).toEqual(plan.steps.map((step) => step.sql));
  });
});
