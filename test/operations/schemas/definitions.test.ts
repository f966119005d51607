import { beforeAll, describe, expect, it } from 'vitest';
import {
  createDefinition,
  deleteDefinition,
  getDefinition,
  listDefinitions,
  updateDefinition,
} from '../../../operations/schemas/definitions.ts';
import { discover } from '../../../operations/schemas/discovery.ts';
import { exportDocument, exportYaml } from '../../../operations/schemas/export.ts';
import { listFindings } from '../../../operations/schemas/findings.ts';
import { importDocument } from '../../../operations/schemas/import.ts';
import { getMigration, listMigrations } from '../../../operations/schemas/migrations.ts';
import { diffVersions, getVersion, listVersions, planDocument } from '../../../operations/schemas/versions.ts';
import { schemaWorld, type SchemaWorld } from './schema-world.ts';

let world: SchemaWorld;
beforeAll(async () => {
  world = await schemaWorld();
});

describe('definitions one by one', () => {
  it('are created, listed, updated and refused by name', async () => {
    const created = await createDefinition(await world.context(), 'entities', {
      name: 'ticket',
      fields: [{ name: 'title', type: 'string', required: true }],
    });
    expect(created).toMatchObject({
      data: { name: 'ticket', table_name: 'ticket' },
      schema_version: 1,
      changes: [{ kind: 'add_entity' }],
      isPending: false,
    });
    const ctx = await world.context();
    const [row] = await listDefinitions(ctx, 'entities');
    expect(row).toMatchObject({
      name: 'ticket',
      definition: { name: 'ticket' },
      created_at: expect.any(String),
      updated_at: expect.any(String),
    });
    await expect(createDefinition(ctx, 'entities', { name: 'ticket', fields: [{ name: 'x', type: 'int' }] })).rejects.toMatchObject({
      code: 'CONFLICT',
    });
    const fields = [...(ctx.app.model.document.entities[0]?.fields ?? []), { name: 'priority', type: 'string' }];
    const updated = await updateDefinition(ctx, 'entities', 'ticket', { fields });
    expect(updated.changes).toMatchObject([{ kind: 'add_field', field: 'priority' }]);
    await expect(updateDefinition(await world.context(), 'entities', 'nothing', {})).rejects.toMatchObject({ code: 'NOT_FOUND' });
    await expect(deleteDefinition(await world.context(), 'entities', 'ticket')).rejects.toMatchObject({ code: 'UNSAFE_CHANGE' });
  });

  it('without a table come and go by id', async () => {
    const made = await createDefinition(await world.context(), 'permissions', { entity: 'ticket', action: 'read', roles: ['agent'] });
    const { id } = made.data as { id: string };
    expect(getDefinition(await world.context(), 'permissions', id)).toMatchObject({ entity: 'ticket' });
    expect((await deleteDefinition(await world.context(), 'permissions', id)).data).toEqual({ id, deleted: true });
    expect((await world.context()).app.model.document.permissions).toEqual([]);
  });

  it('show their history: versions, differences, migrations, a plan that changes nothing', async () => {
    const ctx = await world.context();
    const { data: versions } = await listVersions(ctx);
    expect(versions[0]).toMatchObject({ version: ctx.app.version, is_served: true });
    expect((await getVersion(ctx, 1)).document).toMatchObject({ version: 1, entities: [{ name: 'ticket' }] });
    expect(await diffVersions(ctx, 1, 2)).toMatchObject({ from: 1, to: 2, class: 'compatible', changes: [{ kind: 'add_field' }] });
    expect((await diffVersions(ctx, 2, 1)).class).toBe('breaking');
    expect(await getMigration(ctx, '1')).toMatchObject({ status: 'completed', phase: 'done', app: 'desk' });
    const plan = await planDocument(ctx, {
      ...exportDocument(ctx),
      entities: [...(exportDocument(ctx)['entities'] as object[]), { name: 'note', fields: [{ name: 'text', type: 'text' }] }],
    });
    expect(plan.steps).toMatchObject([
      { phase: 'expand', rewrite: false, concurrent: false, sql: expect.stringContaining('create table') },
    ]);
    expect(await listMigrations(ctx)).toMatchObject({ meta: { total: versions.length, page: 1 } });
    expect(await listFindings(ctx)).toEqual(expect.any(Array));
  });
});

describe('import', () => {
  const document = {
    version: 1,
    entities: [
      {
        name: 'author',
        primary_key: { field: 'id', type: 'int' },
        fields: [
          { name: 'id', type: 'int' },
          { name: 'name', type: 'string', required: true },
        ],
      },
      {
        name: 'book',
        fields: [
          { name: 'title', type: 'string' },
          { name: 'author_id', type: 'int' },
          { name: 'sequel_of', type: 'relation', target: 'book' },
        ],
      },
      {
        name: 'tag',
        fields: [
          { name: 'id', type: 'uuid' },
          { name: 'label', type: 'string', unique: true },
        ],
      },
    ],
    relations: [
      { name: 'author_books', type: 'one_to_many', source: 'author', target: 'book' },
      { name: 'book_tags', type: 'many_to_many', source: 'book', target: 'tag', join_table: 'book_tag' },
    ],
    sample_data: {
      book: [
        { id: '0190a000-0000-7000-8000-000000000002', title: 'Two', author_id: 7, sequel_of_id: '0190a000-0000-7000-8000-000000000001' },
        { id: '0190a000-0000-7000-8000-000000000001', title: 'One', author_id: 7 },
      ],
      author: [{ id: 7, name: 'Ada' }],
      tag: [{ label: 'old' }],
      book_tag: [],
    },
  };

  it('brings definitions as one version and rows in any order; a second import changes nothing', async () => {
    const before = (await world.context()).app.version;
    const report = await importDocument(await world.context(), document);
    expect(report.errors).toEqual([]);
    expect(report).toMatchObject({ schema_version: before + 1, summary: { entities: 3, relations: 2, records: 4 }, imported: 9 });
    const again = await importDocument(await world.context(), document);
    expect(again).toMatchObject({
      schema_version: before + 1,
      imported: 0,
      changes: [],
      errors: [],
      message: 'Everything in this document was there already.',
    });
    const [row] = await world.query<{ next: string }>(`select nextval(pg_get_serial_sequence('"${world.storage}".author', 'id')) as next`);
    expect(row?.next).toBe('8');
  });

  it('keeps every row out when one cannot be stored, and names it', async () => {
    const report = await importDocument(await world.context(), {
      version: 1,
      sample_data: { author: [{ id: 8, name: 'Bob' }, { id: 9 }] },
    });
    expect(report.errors).toMatchObject([{ path: 'sample_data.author[1]' }]);
    expect(await world.query(`select from ${world.storage}.author`)).toHaveLength(1);
  });

  it('takes back its own export, as an object and as YAML', async () => {
    const ctx = await world.context();
    expect(await importDocument(ctx, { data: exportDocument(ctx) }, { mode: 'replace' })).toMatchObject({ changes: [] });
    expect(await importDocument(ctx, exportYaml(ctx), { mode: 'replace' })).toMatchObject({ changes: [] });
  });
});

interface Whole {
  readonly data: { readonly user: { readonly may_share_lists: boolean } };
}

describe('discovery', () => {
  it('shows an admin everything and a stranger nothing', async () => {
    const ctx = await world.context();
    const all = JSON.parse(discover(ctx).text) as { data: { entities: { name: string; fields: { name: string }[] }[] } };
    expect(all.data.entities.map((entity) => entity.name)).toEqual(['ticket', 'author', 'book', 'tag']);
    const stranger = discover({ ...ctx, actor: { kind: 'user', id: 'u', email: null, roles: ['none'], isAdmin: false, sessionId: null } });
    expect((JSON.parse(stranger.text) as typeof all).data.entities).toEqual([]);
    expect([discover(ctx).text, stranger.text].map((text) => (JSON.parse(text) as Whole).data.user.may_share_lists)).toEqual([true, false]);
    expect(discover(ctx).etag).not.toBe(stranger.etag);
  });
});
