/** Entities, fields and relations that are renamed, dropped and brought back, with records in them. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
let version = 0;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
});

const send = (method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/${path}`, { token, ...(body === undefined ? {} : { body }) });

const makeApp = async (name: string, document: object): Promise<void> => {
  expect((await send('POST', '_platform/apps', { name })).status).toBe(201);
  await publish(name, document);
};
async function publish(app: string, document: object, query = ''): Promise<Reply> {
  const reply = await send('POST', `${app}/_admin/versions${query}`, { version: 1, ...document });
  expect(reply.status, reply.text).toBe(201);
  version = reply.body.data.schema_version as number;
  return reply;
}

const NAME = { name: 'name', type: 'string', required: true };
const company = (...fields: object[]) => ({ name: 'company', fields });
const person = { name: 'person', fields: [{ name: 'email', type: 'email', unique: true }] };
const employs = { name: 'staff', type: 'one_to_many', source: 'company', target: 'person', on_delete: 'restrict' };

describe('renaming', () => {
  let firm: string;
  beforeAll(async () => {
    await makeApp('renames', { entities: [company(NAME), person], relations: [employs] });
    firm = (await send('POST', 'renames/company', { name: 'Acme', staff: [{ email: 'a@example.com' }] })).body.data.id as string;
  });

  it('a field by `was`, in place, and its values are under the new name', async () => {
    const reply = await publish('renames', { entities: [company({ ...NAME, name: 'title', was: 'name' }), person], relations: [employs] });
    expect(reply.body.data.changes).toMatchObject([{ kind: 'rename_field', class: 'breaking', from: 'name', to: 'title' }]);
    expect(reply.body.data.migration.steps).toEqual([]);
    expect((await send('GET', `renames/company/${firm}`)).body.data).toMatchObject({ title: 'Acme' });
    expect((await send('GET', 'renames/company?filter[title.eq]=Acme')).body.data).toHaveLength(1);
    const stored = (await send('GET', `renames/_admin/versions/${version}`)).body.data.document.entities[0].fields[0];
    expect(stored).toMatchObject({ name: 'title', column: 'name' });
    expect(stored).not.toHaveProperty('was');
  });

  it('an entity by an instruction, with its relation, its keys and links kept', async () => {
    const reply = await publish('renames', {
      entities: [{ ...company({ ...NAME, name: 'title' }), name: 'firm' }, person],
      relations: [{ ...employs, name: 'people', source: 'firm' }],
      migrate: [{ rename: { entity: 'company', to: 'firm' } }, { rename: { relation: 'staff', to: 'people' } }],
    });
    expect(reply.body.data.changes.map((change: { kind: string }) => change.kind)).toEqual(['rename_entity', 'rename_relation']);
    const seen = (await send('GET', `renames/firm/${firm}?include=people`)).body.data;
    expect(seen).toMatchObject({ title: 'Acme', people: [{ email: 'a@example.com', company_id: firm }] });
    expect((await send('POST', 'renames/person', { email: 'b@example.com', company_id: firm })).status).toBe(201);
    expect((await send('DELETE', `renames/firm/${firm}`)).status).toBe(409);
  });

  it('says where an instruction names what is not there', async () => {
    const document = { version: 1, entities: [person], migrate: [{ rename: { entity: 'persn', field: 'email', to: 'mail' } }] };
    const reply = await send('POST', 'renames/_admin/versions', document);
    expect(reply.status).toBe(422);
    expect(reply.body.error.details[0]).toMatchObject({ path: 'migrate.0.rename.entity' });
    expect(reply.body.error.message).toContain('nearest: person');
  });
});

describe('dropping', () => {
  const AGE = { name: 'age', type: 'int', required: true };
  // Nobody is served in the older shape here: that is a matter of its own.
  const settings = { migrations: { grace: '1ms' } };
  const full = { entities: [company(NAME, AGE), person], relations: [employs], settings };
  const less = { entities: [company(NAME)], settings };
  let firm: string;
  let worker: string;
  beforeAll(async () => {
    await makeApp('drops', full);
    const made = (await send('POST', 'drops/company', { name: 'Acme', age: 7, staff: [{ email: 'a@example.com' }] })).body.data;
    firm = made.id as string;
    worker = (await send('GET', 'drops/person')).body.data[0].id as string;
  });

  it('wants to be meant, and asks where it looks like a rename', async () => {
    const plain = await send('POST', 'drops/_admin/versions', { version: 1, ...less });
    expect([plain.status, plain.body.error.code]).toEqual([409, 'UNSAFE_CHANGE']);
    const asked = plain.body.error.details.map((detail: { kind: string; rule: string }) => [detail.kind, detail.rule]);
    expect(asked).toEqual([
      ['drop_entity', 'confirm_drop'],
      ['drop_field', 'confirm_drop'],
      ['drop_relation', 'confirm_drop'],
    ]);
    const renamed = { version: 1, ...full, entities: [company(NAME, { ...AGE, name: 'ages', required: false }), person] };
    const question = await send('POST', 'drops/_admin/versions', renamed);
    expect(question.body.error.details[0]).toMatchObject({ rule: 'rename_or_drop', field: 'age' });
    expect(question.body.error.details[0].hint).toContain('{"rename":{"entity":"company","field":"age","to":"ages"}}');
    const plan = (await send('POST', 'drops/_admin/versions?dry_run=true', { version: 1, ...less })).body.data;
    expect(plan.questions).toHaveLength(3);
    expect(plan.held).toMatchObject([
      { table: 'person', values: 1 },
      { table: 'company', column: 'age', values: 1 },
      { table: 'person', column: 'company_id', values: 1 },
    ]);
    expect((await send('GET', `drops/company/${firm}`)).body.data).toMatchObject({ age: 7 });
  });

  it('hides a required field and an entity; records are written without them, and what they refer to may go', async () => {
    const { id } = (await publish('drops', less, '?confirm=drop')).body.data.migration as { id: string };
    await vi.waitUntil(async () => (await send('GET', `drops/_admin/migrations/${id}`)).body.data.phase === 'contract', {
      timeout: 10_000,
    });
    expect((await send('GET', `drops/company/${firm}`)).body.data).not.toHaveProperty('age');
    expect((await send('GET', 'drops/person')).status).toBe(404);
    expect((await send('POST', 'drops/company', { name: 'Beta' })).status).toBe(201);
    expect((await send('POST', 'drops/company', { name: 'x', age: 1 })).status).toBe(422);
  });

  it('gives nobody else the name', async () => {
    await publish('drops', {
      entities: [company(NAME, { name: 'age', type: 'string' }), { name: 'person', fields: [{ name: 'x', type: 'int' }] }],
    });
    expect((await send('GET', `drops/company/${firm}`)).body.data).toMatchObject({ age: null });
    expect((await send('PATCH', `drops/company/${firm}`, { age: 'old' })).body.data).toMatchObject({ age: 'old' });
    expect((await send('GET', 'drops/person')).body.data).toEqual([]);
  });

  it('is undone by a rollback, with its values; a reference to what is gone is emptied', async () => {
    expect((await send('DELETE', `drops/company/${firm}`)).status).toBeLessThan(300);
    const refused = await send('POST', 'drops/_admin/versions/1/rollback?confirm=drop');
    expect(refused.status, refused.text).toBe(409);
    expect(refused.body.error.details).toMatchObject([{ field: 'age', rule: 'unsafe_change' }]);
    const ids = (await send('GET', 'drops/_admin/versions/1')).body.data.document;
    ids.entities[0].fields[1].required = false;
    const back = await send('POST', 'drops/_admin/versions?confirm=drop', ids);
    expect(back.status, back.text).toBe(201);
    expect((await send('GET', `drops/person/${worker}`)).body.data).toMatchObject({ email: 'a@example.com', company_id: null });
    const beta = (await send('GET', 'drops/company?filter[name.eq]=Beta')).body.data;
    expect(beta).toMatchObject([{ age: null }]);
    expect((await send('POST', 'drops/person', { email: 'a@example.com' })).status).toBe(409);
  });
});
