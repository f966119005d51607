/** A plan is a promise about text: what a dry run shows is, byte for byte, what Postgres is sent. Its own log says what that was. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostgres, TEST_FLAGS, type RunningPostgres } from '../../../infra/local/postgres.ts';
import { askMigration } from '../../../operations/schemas/ask-migration.ts';
import { getMigration } from '../../../operations/schemas/migrations.ts';
import { planDocument, publishVersion } from '../../../operations/schemas/versions.ts';
import { schemaWorld, type SchemaWorld } from './schema-world.ts';

const ODD_TEXT = 'two  spaces, a\ttab,\nlines; it\'s \\ a -- comment /* no */ $1 "x"';

const first = {
  version: 1,
  entities: [
    { name: 'customer', fields: [{ name: 'email', type: 'email', unique: true }] },
    { name: 'tag', fields: [{ name: 'label', type: 'string' }] },
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'code', type: 'string', unique: true },
        { name: 'level', type: 'int', default: 1 },
        { name: 'place', type: 'string', default: 'here' },
      ],
      indexes: [{ fields: ['level'] }, { fields: ['title'], type: 'fulltext' }],
    },
  ],
  relations: [{ name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag' }],
};

/** One of each kind of step that a plan can have. */
const second = {
  version: 1,
  entities: [
    { name: 'customer', soft_delete: true, fields: [{ name: 'email', type: 'email', unique: true }] },
    { name: 'tag', fields: [{ name: 'label', type: 'string', required: true }] },
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'code', type: 'string' },
        { name: 'level', type: 'int', default: 2 },
        { name: 'place', type: 'string' },
        { name: 'note', type: 'text', default: ODD_TEXT },
        { name: 'state', type: 'enum', enum: ['new', 'old'], default: 'new', required: true },
        { name: 'price', type: 'decimal' },
      ],
      unique: [['title', 'code']],
      indexes: [{ fields: ['code'] }, { fields: ['note'], type: 'fulltext' }],
    },
    { name: 'visit', fields: [{ name: 'at', type: 'timestamp' }] },
  ],
  relations: [
    { name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag' },
    { name: 'customer_tickets', type: 'one_to_many', source: 'customer', target: 'ticket' },
    { name: 'ticket_visits', type: 'one_to_many', source: 'ticket', target: 'visit' },
  ],
};

/** What clients notice: values that move, and what goes for good in the end. */
const third = {
  version: 1,
  entities: [
    { name: 'customer', soft_delete: true, fields: [{ name: 'email', type: 'email', unique: true }] },
    {
      name: 'ticket',
      fields: [
        { name: 'subject', type: 'string' },
        { name: 'details', type: 'text', required: true },
        { name: 'level', type: 'string' },
        { name: 'place', type: 'string', required: true },
        { name: 'state', type: 'enum', enum: ['new', 'old'], default: 'new', required: true },
        { name: 'price', type: 'decimal' },
      ],
    },
    { name: 'visit', fields: [{ name: 'at', type: 'timestamp' }] },
  ],
  relations: [{ name: 'ticket_visits', type: 'one_to_many', source: 'ticket', target: 'visit' }],
  migrate: [
    { convert: { entity: 'ticket', field: 'level' } },
    { fill: { entity: 'ticket', field: 'place', expression: '"here"' } },
    {
      transform: {
        entity: 'ticket',
        from: ['title', 'note'],
        to: ['subject', 'details'],
        up: { subject: 'record.title', details: 'record.title & ": " & record.note' },
        down: { title: 'record.subject', note: 'record.details' },
      },
    },
  ],
};

const moved = {
  ...third,
  entities: third.entities.map((entity) => {
    if (entity.name === 'ticket') return { ...entity, fields: [...entity.fields, { name: 'at', type: 'timestamp' }] };
    return entity.name === 'visit' ? { ...entity, fields: [{ name: 'note', type: 'string' }] } : entity;
  }),
  migrate: [{ move: { from: 'visit.at', to: 'ticket.at', via: 'ticket' } }],
};

/** What stored records are asked about: they may be in the way, and are not. */
const fourth = {
  ...moved,
  entities: moved.entities.map((entity) =>
    entity.name === 'customer'
      ? { ...entity, soft_delete: false }
      : {
          ...entity,
          fields: entity.fields.map((field) =>
            field.name === 'state' ? { ...field, enum: ['new'] } : field.name === 'price' ? { ...field, required: true, min: 1 } : field,
          ),
        },
  ),
  migrate: [],
};

/** Links that move, from a key and back. */
const linked = {
  version: 1,
  entities: fourth.entities,
  relations: [{ name: 'ticket_visits', type: 'many_to_many', source: 'ticket', target: 'visit' }],
};

const keyed = { ...linked, relations: third.relations };

/** Two entities made of one, and one of two. */
const PLAN = [
  { name: 'level', type: 'string' },
  { name: 'at', type: 'timestamp' },
];
const split = {
  ...keyed,
  entities: [
    ...keyed.entities.map((entity) =>
      entity.name === 'ticket' ? { ...entity, fields: entity.fields.filter(({ name }) => !['level', 'at'].includes(name)) } : entity,
    ),
    { name: 'plan', fields: PLAN },
  ],
  relations: [...keyed.relations, { name: 'ticket_plan', type: 'one_to_one', source: 'ticket', target: 'plan', on_delete: 'cascade' }],
  migrate: [{ split: { entity: 'ticket', fields: ['level', 'at'], into: 'plan', via: 'ticket' } }],
};
const merged = {
  ...keyed,
  entities: keyed.entities.map((entity) =>
    entity.name === 'ticket'
      ? { ...entity, fields: entity.fields.map((field) => (field.name === 'level' ? { ...field, default: '1' } : field)) }
      : entity,
  ),
  migrate: [{ merge: { entity: 'plan', fields: ['level', 'at'], into: 'ticket', via: 'ticket_plan' } }],
};

/** Another key of an entity that others refer to, and nothing else. */
const numbered = {
  version: 1,
  entities: keyed.entities.map((entity) =>
    entity.name === 'ticket'
      ? { ...entity, fields: [...entity.fields, { name: 'number', type: 'int', required: true, unique: true }] }
      : entity,
  ),
  relations: keyed.relations,
};
const byNumber = {
  ...numbered,
  entities: numbered.entities.map((entity) =>
    entity.name === 'ticket'
      ? {
          ...entity,
          primary_key: { field: 'number', type: 'int', generated: false },
          fields: [{ name: 'id', type: 'uuid', unique: true }, ...entity.fields],
        }
      : entity,
  ),
};

describe('the text of a plan', () => {
  let dir: string;
  let postgres: RunningPostgres;
  let world: SchemaWorld;
  beforeAll(async () => {
    dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-sent-'));
    fs.chmodSync(dir, 0o755);
    const log = ['logging_collector=on', 'log_destination=jsonlog', 'log_filename=sent.log', 'log_statement=all'];
    postgres = await startPostgres({ dir: path.join(dir, 'pg'), flags: [...TEST_FLAGS, ...log.flatMap((setting) => ['-c', setting])] });
    world = await schemaWorld({ url: postgres.url('postgres') });
  });
  // After the world's own end, which is registered later.
  afterAll(async () => {
    await postgres.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  });

  /** What the sessions of migrations sent so far, without their own housekeeping. */
  function sent(): string[] {
    const lines = fs.readFileSync(path.join(dir, 'pg', 'log', 'sent.json'), 'utf8').split('\n');
    const entries = lines.filter((line) => line !== '').map((line) => JSON.parse(line) as { application_name?: string; message: string });
    return (
      entries
        .filter((entry) => /^durabase-(ddl|backfill)\//.test(entry.application_name ?? ''))
        .map((entry) => entry.message.replace(/^(statement|execute [^:]*): /, ''))
        .filter((text) => !/^\s*(begin|commit|select |set local |update durabase\.)/.test(text))
        // A batch is sent until no row is left.
        .filter((text, at, all) => text !== all[at - 1])
    );
  }

  it.each([
    ['new entities', first],
    ['one change of each kind', second],
    [
      'back to where nothing is dropped',
      { ...second, entities: second.entities.map((entity) => ({ ...entity, unique: [], indexes: [] })) },
    ],
    ['values that change, and drops', third],
    ['a field that moves', moved],
    ['what records are asked about', fourth],
    ['a key that becomes links', linked],
    ['links that become a key', keyed],
    ['an entity that is split', split],
    ['entities that are merged', merged],
    ['a number that every record has', numbered],
    ['another key', byNumber],
  ])(
    'is what runs: %s',
    async (_title, document) => {
      const before = sent().length;
      const plan = await planDocument(await world.context(), document);
      expect(sent()).toHaveLength(before);
      const { version } = await publishVersion(await world.context(), document, { confirm: ['drop'] });
      if (plan.class === 'breaking') await askMigration(await world.context(), String(version), 'contract', { drop: true });
      // A publish waits only so long; what follows the switch is part of the plan too.
      await expect
        .poll(async () => (await getMigration(await world.context(), String(version))).status, { timeout: 60_000 })
        .toBe('completed');
      const migration = await getMigration(await world.context(), String(version));
      expect(sent().slice(before).join(';\n')).toBe(plan.steps.map((step) => step.sql).join(';\n'));
      expect(migration.steps.map((step) => step.sql)).toEqual(plan.steps.map((step) => step.sql));
      expect(plan.steps.length).toBeGreaterThan(0);
      expect(plan.review.filter((finding) => finding.severity === 'error')).toEqual([]);
    },
    90_000,
  );

  it('covered every kind of step', async () => {
    const rows = await world.query<{ kind: string }>(
      "select distinct split_part(key, '/', 1) as kind from durabase.migration_steps order by 1",
    );
    expect(rows.map((row) => row.kind)).toEqual([
      'add-column',
      'add-foreign-key',
      'add-index',
      'backfill',
      'check-deleted',
      'check-limits',
      'check-not-null',
      'convert',
      'create-table',
      'drop-column',
      'drop-early-rows',
      'drop-foreign-key',
      'drop-index',
      'drop-not-null',
      'drop-table',
      'early-rows',
      'empty-orphans',
      'end-conversion',
      'end-fill',
      'end-links',
      'end-merge',
      'end-move',
      'end-split',
      'fill',
      'links',
      'merge',
      'move',
      'remove-deleted',
      'set-default',
      'set-not-null',
      'split',
      'swap-key',
      'uncheck-not-null',
      'validate-foreign-key',
      'validate-not-null',
      'verify',
    ]);
  });
});
