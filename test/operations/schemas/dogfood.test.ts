/** The control plane's own tables as a schema document, evolved by the planner and the workflow that evolve everybody's. */
import { beforeAll, expect, it } from 'vitest';
import { appId } from '../../../adapters/ids.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import type { EntityDefinition, SchemaDocument } from '../../../core/model/document.ts';
import { assignIds } from '../../../core/model/merge.ts';
import { systemActor, type AppContext } from '../../../operations/context.ts';
import { publishChange, publishDocument } from '../../../operations/schemas/publish.ts';
import { schemaWorld, type SchemaWorld } from './schema-world.ts';

const FIELD_TYPES: Readonly<Record<string, string>> = {
  text: 'text',
  'character varying': 'string',
  integer: 'int',
  bigint: 'bigint',
  boolean: 'boolean',
  uuid: 'uuid',
  jsonb: 'json',
  'timestamp with time zone': 'timestamp',
};
const KEY_TYPES: Readonly<Record<string, string>> = {
  text: 'string',
  'character varying': 'string',
  integer: 'int',
  bigint: 'bigint',
  uuid: 'uuid',
};

/** Every control table with one key column, read from the catalogue, so that it cannot fall behind our own migrations. */
async function controlDocument(world: SchemaWorld): Promise<SchemaDocument> {
  const columns = await world.query<{ table: string; name: string; type: string; required: boolean; is_key: boolean }>(`
    select c.table_name as table, c.column_name as name, c.data_type as type, c.is_nullable = 'NO' as required,
           c.column_name = k.key as is_key
    from information_schema.columns c
    join (select i.indrelid::regclass as relation, min(a.attname) as key from pg_index i
          join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
          where i.indisprimary group by i.indrelid having count(*) = 1) k
      on k.relation = ('durabase.' || quote_ident(c.table_name))::regclass
    where c.table_schema = 'durabase' order by c.table_name, c.ordinal_position`);
  const entities = new Map<string, { name: string; primary_key: object; fields: object[] }>();
  for (const { table, name, type, required, is_key } of columns) {
    const entity = entities.get(table) ?? { name: table, primary_key: {}, fields: [] };
    entities.set(table, entity);
    if (is_key) entity.primary_key = { field: name, type: KEY_TYPES[type], generated: false };
    if (FIELD_TYPES[type] !== undefined) entity.fields.push({ name, type: FIELD_TYPES[type], required: required && !is_key });
  }
  let id = 0;
  const document = readDocument({ version: 1, entities: [...entities.values()].filter((entity) => 'field' in entity.primary_key) });
  return assignIds(document, undefined, () => `c${String(++id)}`);
}

let world: SchemaWorld;
let platform: string;
beforeAll(async () => {
  world = await schemaWorld();
  platform = appId();
  const document = await controlDocument(world);
  await world.query("insert into durabase.schemas (name, owner_app, latest_version) values ('platform', $1, 1)", [platform]);
  await world.query(
    "insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by) values ('platform', 1, $1, 'initial', '[]', '', '{}')",
    [JSON.stringify(document)],
  );
  await world.query(
    `insert into durabase.apps (id, name, display_name, storage, status, schema_name, served_version)
     values ($1, 'platform', 'Platform', 'durabase', 'active', 'platform', 1)`,
    [platform],
  );
});

async function context(): Promise<AppContext> {
  const desk = await world.context();
  const app = await world.services.registry.byId(platform);
  if (app === undefined) throw new Error('the platform is no app');
  return { ...desk, app, actor: systemActor() };
}

const withEntity = (document: SchemaDocument, name: string, edit: (entity: EntityDefinition) => EntityDefinition): SchemaDocument => ({
  ...document,
  entities: document.entities.map((entity) => (entity.name === name ? edit(entity) : entity)),
});
const NOTES = { name: 'notes', type: 'text', required: false, unique: false, hidden: false } as const;

it('grows a column, an index and a table while the control plane works', async () => {
  const published = await publishChange(await context(), (current) => {
    const grown = withEntity(current, 'apps', (apps) => ({
      ...apps,
      fields: [...apps.fields, { ...NOTES, default: 'none' }],
      indexes: [{ fields: ['status'], unique: false }],
    }));
    const labels = { name: 'labels', soft_delete: false, unique: [], indexes: [], fields: [{ ...NOTES, name: 'text' }] };
    return { ...grown, entities: [...grown.entities, labels] };
  });
  expect(published.migration).toMatchObject({ status: 'completed', error: null });
  expect(await world.query('select distinct notes from durabase.apps')).toEqual([{ notes: 'none' }]);
  expect(await world.query("select to_regclass('durabase.labels') is not null as there")).toEqual([{ there: true }]);
  // What it evolved is what it runs on: the next publish of an ordinary app goes through it.
  const desk = await publishDocument(
    await world.context(),
    readDocument({ version: 1, entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }] }),
  );
  expect(desk.migration?.status).toBe('completed');
});

it('renames without touching a table, and is refused what would lose its records', async () => {
  const renamed = await publishChange(await context(), (current) =>
    withEntity(current, 'apps', (apps) => ({
      ...apps,
      fields: apps.fields.map((field) => (field.name === 'display_name' ? { ...field, name: 'title' } : field)),
    })),
  );
  expect(renamed.migration?.steps).toEqual([]);
  expect((await context()).app.model.entities.get('apps')?.fields.get('title')?.column).toBe('display_name');
  const dropped = publishChange(await context(), (current) => ({
    ...current,
    entities: current.entities.filter((one) => one.name !== 'audit'),
  }));
  await expect(dropped).rejects.toMatchObject({ code: 'UNSAFE_CHANGE' });
});
