/** The changes of all records of an app, for its admins. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, tokenOf, type Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';
import { DESK, PASSWORD, USERS } from '../support/realtime-world.ts';

interface Change {
  readonly entity: string;
  readonly record_id: string;
  readonly action: string;
  readonly at: string;
  readonly actor: { readonly kind: string; readonly id: string; readonly name: string | null };
  readonly changes: Readonly<Record<string, { readonly old: unknown; readonly new: unknown }>>;
  readonly gone_fields?: readonly string[];
}

let world: HttpWorld;
let admin: Caller;
let ann: Caller;
let ticket: string;
const CHANGES = '/api/desk/_admin/changes';
const as = async (email: string): Promise<Caller> => callerOf(world.url, await tokenOf(world.url, email, PASSWORD, 'desk'));
const changes = async (query = ''): Promise<readonly Change[]> => {
  const reply = await admin('GET', `${CHANGES}${query}`);
  expect(reply.status, reply.text).toBe(200);
  return reply.at('data') as readonly Change[];
};
const actions = async (query: string): Promise<readonly string[]> => (await changes(query)).map(({ action }) => action);

beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', DESK, USERS);
  await world.app('other', DESK, USERS);
  [admin, ann] = await Promise.all([as('admin@x.test'), as('ann@x.test')]);
  const made = await admin('POST', '/api/desk/ticket', { title: 'Paper jam', status: 'open', owner: USERS[1]!.id });
  ticket = String(made.at('data', 'id'));
  expect((await ann('PATCH', `/api/desk/ticket/${ticket}`, { status: 'closed' })).status).toBe(200);
  expect((await ann('POST', '/api/desk/plain', { n: 1 })).status).toBe(201);
  expect((await admin('DELETE', `/api/desk/ticket/${ticket}`)).status).toBe(200);
  const elsewhere = callerOf(world.url, await tokenOf(world.url, 'admin@x.test', PASSWORD, 'other'));
  expect((await elsewhere('POST', '/api/other/plain', { n: 2 })).status).toBe(201);
});
afterAll(() => world.close());

describe('the changes of an app', () => {
  it('are told across entities with both values of each field, the newest first, of this app only', async () => {
    const all = await changes();
    expect(all.map(({ entity, action }) => `${entity} ${action}`)).toEqual([
      'ticket delete',
      'plain create',
      'ticket update',
      'ticket create',
    ]);
    expect(all[2]).toMatchObject({
      record_id: ticket,
      actor: { id: USERS[1]!.id, name: 'ann' },
      changes: { status: { old: 'open', new: 'closed' } },
    });
  });

  it('are narrowed by entity, record, action, person and time', async () => {
    expect(await actions(`?entity=ticket&record=${ticket}`)).toEqual(['delete', 'update', 'create']);
    expect(await actions('?entity=plain')).toEqual(['create']);
    expect(await actions('?action=create')).toEqual(['create', 'create']);
    expect(await actions(`?actor=${USERS[1]!.id}&action=update`)).toEqual(['update']);
    const [, , updated] = await changes();
    expect(await actions(`?from=${updated!.at}&action=create`)).toEqual(['create']);
    expect(await actions(`?to=${updated!.at}`)).toEqual(['create']);
    expect(await actions('?from=2100-01-01')).toEqual([]);
  });

  it('are walked from cursor to cursor, each once', async () => {
    const seen: Change[] = [];
    for (let cursor: unknown = ''; cursor !== null;) {
      const page = await admin('GET', `${CHANGES}?limit=1&cursor=${encodeURIComponent(String(cursor))}`);
      seen.push(...(page.at('data') as Change[]));
      cursor = page.at('page', 'next_cursor');
    }
    expect(seen).toEqual(await changes());
  });

  it.each([
    'limit=0',
    'cursor=x',
    'cursor=2026-13-40T00:00:00.000000Z_1',
    'action=look',
    'record=1',
    'actor=a%00b',
    'from=never',
    'page=1',
  ])('refuses %s', async (query) => {
    expect((await admin('GET', `${CHANGES}?${query}`)).status).toBe(400);
  });

  it('are for admins, and for keys as far as their scopes go; nobody writes them', async () => {
    expect((await ann('GET', CHANGES)).status).toBe(403);
    const keyOf = async (scopes: readonly string[]): Promise<Caller> =>
      callerOf(world.url, String((await admin('POST', '/api/desk/_admin/api-keys', { name: 'audit', scopes })).at('data', 'key')));
    const some = await keyOf(['_admin:read', 'plain:read']);
    expect(((await some('GET', CHANGES)).at('data') as Change[]).map(({ entity }) => entity)).toEqual(['plain']);
    expect((await some('GET', `${CHANGES}?entity=ticket`)).status).toBe(403);
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE']) expect((await admin(method, CHANGES)).status).toBe(405);
  });

  it('have the names of today, and name what is gone', async () => {
    const { rows } = await world.pool.query<{ document: { entities: { name: string; fields: { name: string; column?: string }[] }[] } }>(
      `select document from durabase.schema_versions where schema_name = 'desk' and version = 1`,
    );
    const past = rows[0]!.document;
    const fields = past.entities.find(({ name }) => name === 'ticket')!.fields;
    Object.assign(
      fields.find(({ name }) => name === 'title')!,
      { name: 'heading', column: 'title' },
    );
    fields.push({ ...fields[0]!, name: 'lost', column: 'lost' });
    await world.pool.query(
      `insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by)
       values ('desk', 90, $1, 'compatible', '[]', '', '{}')`,
      [JSON.stringify(past)],
    );
    await world.pool.query(
      `update durabase.events set schema_version = 90, old = '{"heading":"a","lost":1}', record = '{"heading":"b","lost":2}'
       where record_id = $1 and action = 'update'`,
      [ticket],
    );
    const [updated] = await changes(`?entity=ticket&record=${ticket}&action=update`);
    expect(updated).toMatchObject({ changes: { title: { old: 'a', new: 'b' } }, gone_fields: ['lost'] });
  });
});
