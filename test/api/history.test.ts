/** What happened to a record, for whoever may read it now; and undoing one change. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf, eventually, type Caller, type Reply } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { DESK, realtimeWorld, USERS, type RealtimeWorld } from '../support/realtime-world.ts';

let world: RealtimeWorld;
let admin: Caller;
let ann: Caller;
let bob: Caller;
const [ADMIN, ANN] = USERS.map(({ id }) => id);

const machine = {
  entity: 'ticket',
  field: 'status',
  definition: { initial: 'open', transitions: [{ from: 'open', to: 'closed' }] },
};
beforeAll(async () => {
  world = await realtimeWorld(await freshDatabase());
  await world.app('desk', { ...DESK, state_machines: [machine] }, USERS);
  const caller = async (name: string): Promise<Caller> => callerOf(world.url, await world.token(`${name}@x.test`));
  [admin, ann, bob] = [await caller('admin'), await caller('ann'), await caller('bob')];
});
afterAll(() => world.close());

const at = (id: string): string => `/api/desk/ticket/${id}/_history`;
async function changed(...bodies: object[]): Promise<string> {
  const [first, ...more] = bodies;
  const id = String((await admin('POST', '/api/desk/ticket', first)).at('data', 'id'));
  for (const body of more) expect((await admin('PATCH', `/api/desk/ticket/${id}`, body)).status).toBe(200);
  return id;
}
const changesOf = (reply: Reply): unknown[] => (reply.at('data') as { changes: unknown }[]).map((entry) => entry.changes);
const eventOf = async (id: string, version: string): Promise<string> =>
  ((await admin('GET', at(id))).at('data') as { id: string; version: string }[]).find((entry) => entry.version === version)?.id ?? '';

describe('the history of a record', () => {
  it('has each change with who made it, the newest first, by the field rules of who asks', async () => {
    const id = await changed({ title: 'a', owner: ANN, note: '1' }, { title: 'b', note: '2' });
    const all = await admin('GET', at(id));
    expect(all.at('data', 0)).toMatchObject({
      version: '2',
      action: 'update',
      actor: { kind: 'user', id: ADMIN },
      changes: { title: { old: 'a', new: 'b' }, note: { old: '1', new: '2' } },
    });
    expect(all.at('data', 1)).toMatchObject({ action: 'create', changes: { title: { old: null, new: 'a' } } });
    const hers = await ann('GET', at(id));
    expect(hers.status).toBe(200);
    expect(JSON.stringify(changesOf(hers))).not.toContain('note');
    expect((await bob('GET', at(id))).status).toBe(404);
  });

  it('is read page by page', async () => {
    const id = await changed({ size: 1 }, { size: 2 }, { size: 3 }, { size: 4 });
    const sizes: unknown[] = [];
    for (let cursor: unknown = ''; cursor !== null;) {
      const page = await admin('GET', `${at(id)}?limit=3&cursor=${String(cursor)}`);
      sizes.push(...(changesOf(page) as { size: { new: number } }[]).map(({ size }) => size.new));
      cursor = page.at('page', 'next_cursor');
    }
    expect(sizes).toEqual([4, 3, 2, 1]);
    for (const query of ['limit=0', 'cursor=x', 'sort=at']) expect((await admin('GET', `${at(id)}?${query}`)).status).toBe(400);
  });

  it('of a deleted record is for admins', async () => {
    const id = await changed({ title: 'gone', owner: ANN });
    expect((await admin('DELETE', `/api/desk/ticket/${id}`)).status).toBe(200);
    expect((await admin('GET', at(id))).at('data', 0)).toMatchObject({ action: 'delete', changes: { title: { old: 'gone', new: null } } });
    expect((await ann('GET', at(id))).status).toBe(404);
    expect((await admin('GET', at(ADMIN ?? ''))).status).toBe(404);
  });

  it('follows fields and entities through versions by their stable ids', async () => {
    const id = await changed({ title: 'old name', note: 'x' }, { title: 'newer name' });
    // Version 1 knew the fields by ids; version 2 has renamed one and dropped another.
    const { rows } = await world.pool.query<{ document: { entities: { name: string; fields: { id?: string; name: string }[] }[] } }>(
      `select document from durabase.schema_versions where schema_name = 'desk' and version = 1`,
    );
    const past = structuredClone(rows[0]!.document);
    const fields = past.entities.find(({ name }) => name === 'ticket')!.fields;
    for (const field of fields) field.id = `f_${field.name}`;
    const now = structuredClone(rows[0]!.document);
    const present = now.entities.find(({ name }) => name === 'ticket')!.fields;
    for (const field of present) field.id = `f_${field.name}`;
    fields.push({ ...fields[0]!, id: 'f_lost', name: 'lost' });
    fields.find(({ name }) => name === 'title')!.name = 'heading';
    await world.pool.query(
      `insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by)
       values ('desk', 90, $1, 'compatible', '[]', '', '{}')`,
      [JSON.stringify(past)],
    );
    await world.pool.query(`update durabase.schema_versions set document = $1 where schema_name = 'desk' and version = 1`, [
      JSON.stringify(now),
    ]);
    await world.pool.query(
      `update durabase.events set schema_version = 90, old = '{"heading":"old name"}', record = '{"heading":"newer name"}'
       where record_id = $1 and record_version = 2`,
      [id],
    );
    await world.pool.query(
      `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old)
       select app, entity, record_id, 'update', 9, 90, actor, '{"lost":2,"heading":"b"}', '{"lost":1,"heading":"a"}'
       from durabase.events where record_id = $1 and record_version = 2`,
      [id],
    );
    await world.pool.query(`insert into durabase.schema_events (type, app) values ('app.updated', 'desk')`);
    await world.pool.query(`update durabase.apps set updated_at = now() where id = 'desk'`);
    const reply = await eventually(
      () => admin('GET', at(id)),
      (found) => found.at('data', 1, 'changes', 'title') !== undefined,
    );
    expect(changesOf(reply)[1]).toEqual({ title: { old: 'old name', new: 'newer name' } });
    expect(reply.at('data', 0, 'gone_fields')).toEqual(['lost']);
    const reverted = await admin('POST', `${at(id)}/${await eventOf(id, '2')}/revert`);
    expect(reverted.at('data', 'title'), reverted.text).toBe('old name');
    const refused = await admin('POST', `${at(id)}/${await eventOf(id, '9')}/revert`);
    expect(refused.status).toBe(422);
    expect(refused.at('error', 'details', 0)).toMatchObject({ field: 'lost', rule: 'gone' });
  });
});

describe('a revert', () => {
  it('is an update like any other: event, If-Match, permissions, states', async () => {
    const id = await changed({ title: 'a', size: 1, owner: ANN }, { title: 'b', size: 2 });
    const event = await eventOf(id, '2');
    expect((await admin('POST', `${at(id)}/${event}/revert`, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    const reply = await admin('POST', `${at(id)}/${event}/revert`, undefined, { 'If-Match': '"2"', 'Idempotency-Key': 'r1' });
    expect(reply.body).toMatchObject({ data: { title: 'a', size: 1 } });
    expect(reply.headers.get('etag')).toBe('"3"');
    const repeated = await admin('POST', `${at(id)}/${event}/revert`, undefined, { 'If-Match': '"2"', 'Idempotency-Key': 'r1' });
    expect(repeated.headers.get('idempotent-replayed')).toBe('true');
    expect((await admin('GET', at(id))).at('data', 0)).toMatchObject({ version: '3', changes: { title: { old: 'b', new: 'a' } } });
    await admin('PATCH', `/api/desk/ticket/${id}`, { status: 'closed' });
    expect((await admin('POST', `${at(id)}/${await eventOf(id, '4')}/revert`)).status).toBe(422);
    expect((await bob('POST', `${at(id)}/${event}/revert`)).status).toBe(404);
  });

  it('puts back what the history shows its caller, and no more', async () => {
    const id = await changed({ title: 'a', note: 'secret 1', owner: ANN }, { title: 'b', note: 'secret 2' });
    expect((await ann('POST', `${at(id)}/${await eventOf(id, '2')}/revert`)).status).toBe(200);
    expect((await admin('GET', `/api/desk/ticket/${id}`)).body).toMatchObject({ data: { title: 'a', note: 'secret 2' } });
  });

  it.each([
    ['1', 422, 'INVALID_STATE'],
    ['none', 404, 'NOT_FOUND'],
  ])('of version %s is refused with %i', async (version, status, code) => {
    const id = await changed({ title: 'a' });
    const event = version === 'none' ? '999999' : await eventOf(id, version);
    const reply = await admin('POST', `${at(id)}/${event}/revert`);
    expect(reply.status).toBe(status);
    expect(reply.at('error', 'code')).toBe(code);
  });
});
