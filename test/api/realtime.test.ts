/** Streams and pages of changes: who is told what, and how a client that was cut goes on. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createClient } from '../../client/client.ts';
import { documentSchema } from '../../core/model/document.ts';
import type { Caller } from '../support/api.ts';
import { callerOf } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld } from '../support/http-world.ts';
import { DESK, realtimeWorld, USERS, type RealtimeWorld } from '../support/realtime-world.ts';
import { listen, type SseClient, type SseEvent } from '../support/sse.ts';

let world: RealtimeWorld;
let admin: Caller;
let adminToken: string;
let ann: string;
let bob: string;
const [, ANN, BOB] = USERS.map(({ id }) => id);

beforeAll(async () => {
  world = await realtimeWorld(await freshDatabase(), { STREAMS_PER_USER: '12' });
  await world.app('desk', DESK, USERS);
  adminToken = await world.token('admin@x.test');
  admin = callerOf(world.url, adminToken);
  [ann, bob] = [await world.token('ann@x.test'), await world.token('bob@x.test')];
});
afterAll(() => world.close());

const ticket = async (body: object): Promise<string> => {
  const made = await admin('POST', '/api/desk/ticket', body);
  expect(made.status, made.text).toBe(201);
  return String(made.at('data', 'id'));
};
const change = async (id: string, body: object): Promise<void> => {
  const reply = await admin('PATCH', `/api/desk/ticket/${id}`, body);
  expect(reply.status, reply.text).toBe(200);
};
const about = (events: readonly SseEvent[], id: string): SseEvent[] => events.filter(({ data }) => data['record_id'] === id);
const typesOf = (client: SseClient, id: string): string[] => about(client.events, id).map(({ event }) => event);

describe('a stream', () => {
  it('tells each caller the records and fields that it may read', async () => {
    const [forAdmin, forAnn, forBob] = await Promise.all([
      world.stream(adminToken, 'include_record=true'),
      world.stream(ann, 'include_record=true'),
      world.stream(bob, 'include_record=true'),
    ]);
    expect(forAnn.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const id = await ticket({ title: 'a', owner: ANN, note: 'inner' });
    await change(id, { title: 'b', note: 'more' });
    await forAnn.waitFor((events) => about(events, id).length === 2);
    await forAdmin.waitFor((events) => about(events, id).length === 2);
    expect(about(forAnn.events, id)[1]).toMatchObject({
      event: 'record.updated',
      data: { entity: 'ticket', type: 'record.updated', version: '2', changed_fields: ['title'], record: { title: 'b', owner: ANN } },
    });
    expect(about(forAnn.events, id)[1]?.data['record']).not.toHaveProperty('note');
    expect(about(forAnn.events, id)[1]?.data['id']).toBe(about(forAnn.events, id)[1]?.id);
    expect(about(forAdmin.events, id)[1]?.data['changed_fields']).toEqual(expect.arrayContaining(['title', 'note']));
    const other = await ticket({ title: 'of bob', owner: BOB });
    await forBob.waitFor((events) => about(events, other).length === 1);
    expect(about(forBob.events, id)).toEqual([]);
    for (const client of [forAdmin, forAnn, forBob]) client.kill();
  });

  it('says that a record left the view without its content, and when it comes into view', async () => {
    const [forAnn, forBob] = await Promise.all([world.stream(ann, 'include_record=true'), world.stream(bob)]);
    const id = await ticket({ title: 'wanders', owner: ANN });
    await forAnn.waitFor((events) => about(events, id).length === 1);
    await change(id, { owner: BOB });
    await forAnn.waitFor((events) => about(events, id).length === 2);
    await forBob.waitFor((events) => about(events, id).length === 1);
    expect(about(forAnn.events, id)[1]).toMatchObject({ event: 'record.deleted', data: { changed_fields: [] } });
    expect(about(forAnn.events, id)[1]?.data).not.toHaveProperty('record');
    expect(typesOf(forBob, id)).toEqual(['record.updated']);
    for (const client of [forAnn, forBob]) client.kill();
  });

  it('keeps changes of hidden fields to itself, and tells deletions by what the record was', async () => {
    const [forAnn, forBob] = await Promise.all([world.stream(ann, 'entities=ticket'), world.stream(bob, 'entities=ticket')]);
    const id = await ticket({ title: 'quiet', owner: ANN, note: '1' });
    await world.pool.query(`update app_desk.ticket set note = '2' where id = $1`, [id]);
    await world.pool.query(
      `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old)
       select app, entity, record_id, 'update', 2, 1, actor, record || '{"note":"2"}', '{"note":"1"}' from durabase.events where record_id = $1`,
      [id],
    );
    // What comes behind it has been told, so it has been judged.
    const behind = await ticket({ title: 'behind', owner: ANN });
    await forAnn.waitFor((events) => about(events, behind).length === 1);
    expect(typesOf(forAnn, id)).toEqual(['record.created']);
    expect((await admin('DELETE', `/api/desk/ticket/${id}`)).status).toBe(200);
    const last = await ticket({ title: 'last', owner: BOB });
    await forBob.waitFor((events) => about(events, last).length === 1);
    await forAnn.waitFor(() => typesOf(forAnn, id).includes('record.deleted'));
    expect(typesOf(forAnn, id)).toEqual(['record.created', 'record.deleted']);
    expect(about(forBob.events, id)).toEqual([]);
    for (const client of [forAnn, forBob]) client.kill();
  });

  it('tells events of processes to whoever may read the record with every field', async () => {
    const [forAdmin, forAnn] = await Promise.all([world.stream(adminToken), world.stream(ann)]);
    const id = await ticket({ title: 'rings', owner: ANN });
    await world.pool.query(
      `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record)
       values ('desk', 'ticket', $1, 'custom', 0, 1, '{"kind":"system","id":null,"roles":[]}', '{"event":"rung","note":"inner"}')`,
      [id],
    );
    const last = await ticket({ title: 'after', owner: ANN });
    await forAdmin.waitFor((events) => about(events, last).length === 1);
    await forAnn.waitFor((events) => about(events, last).length === 1);
    expect(about(forAdmin.events, id)[1]).toMatchObject({ event: 'custom', data: { name: 'rung', data: { note: 'inner' } } });
    expect(typesOf(forAnn, id)).toEqual(['record.created']);
    for (const client of [forAdmin, forAnn]) client.kill();
  });

  it('judges by related records as they are now, and tells no deletion that would need them', async () => {
    const [forAdmin, forAnn] = await Promise.all([world.stream(adminToken, 'entities=comment'), world.stream(ann, 'entities=comment')]);
    const [hers, his] = [await ticket({ title: 'hers', owner: ANN }), await ticket({ title: 'his', owner: BOB })];
    const comment = async (ticketId: string): Promise<string> =>
      String((await admin('POST', '/api/desk/comment', { text: 'c', ticket_id: ticketId })).at('data', 'id'));
    const [first, hidden, gone] = [await comment(hers), await comment(his), await comment(hers)];
    await admin('PATCH', `/api/desk/comment/${first}`, { ticket_id: his });
    await admin('DELETE', `/api/desk/comment/${gone}`);
    const last = await comment(hers);
    await forAnn.waitFor((events) => about(events, last).length === 1);
    await forAdmin.waitFor((events) => typesOf(forAdmin, gone).includes('record.deleted') && about(events, last).length === 1);
    expect(about(forAnn.events, hidden)).toEqual([]);
    expect(typesOf(forAnn, first).at(-1)).toBe('record.deleted');
    expect(typesOf(forAnn, gone)).not.toContain('record.deleted');
    for (const client of [forAdmin, forAnn]) client.kill();
  });

  it('narrows by entities and filters as lists do', async () => {
    const client = await world.stream(adminToken, 'entities=ticket&filter[status]=open&filter[size.gt]=3');
    const out = await ticket({ title: 'small', status: 'open', size: 1 });
    const inside = await ticket({ title: 'big', status: 'open', size: 9 });
    await admin('POST', '/api/desk/plain', { n: 1 });
    await change(inside, { status: 'closed' });
    await client.waitFor((events) => about(events, inside).length >= 1 && typesOf(client, inside).includes('record.deleted'));
    expect(about(client.events, out)).toEqual([]);
    expect(new Set(client.events.map(({ data }) => data['entity']))).toEqual(new Set(['ticket']));
    client.kill();
  });

  it.each([
    ['entities=secret', ann, 403, 'FORBIDDEN'],
    ['entities=nothing', adminToken, 404, 'UNKNOWN_ENTITY'],
    ['entities=ticket&filter[note]=x', ann, 400, 'UNKNOWN_FIELD'],
    ['colour=red', ann, 400, 'UNKNOWN_PARAMETER'],
    ['filter={', ann, 400, 'INVALID_VALUE'],
    ['limit=0', ann, 400, 'INVALID_VALUE'],
    ['ticket=none', ann, 401, 'UNAUTHORIZED'],
  ])('refuses %s before it begins', async (query, _token, status, code) => {
    const token = query.includes('nothing') ? adminToken : ann;
    const client = await world.stream(token, query);
    await client.untilEnd();
    expect(client.status).toBe(status);
    expect(JSON.parse(client.body())).toMatchObject({ error: { code } });
  });

  it('is for somebody, and not for more streams than there may be', async () => {
    const nobody = await listen(`${world.url}/api/desk/_events`);
    expect(nobody.status).toBe(401);
    nobody.kill();
    expect((await world.stream(await world.token('eve@x.test'))).status).toBe(403);
    const many = await Promise.all(Array.from({ length: 12 }, () => world.stream(bob)));
    const last = await world.stream(bob);
    expect(last.status).toBe(429);
    for (const client of many) client.kill();
  });

  it('opens by a ticket, once, with the rights of who made it', async () => {
    const made = await callerOf(world.url, ann)('POST', '/api/desk/_events/ticket');
    expect(made.status).toBe(201);
    const url = `${world.url}/api/desk/_events?ticket=${String(made.at('data', 'ticket'))}`;
    const client = await listen(url);
    expect(client.status).toBe(200);
    expect((await listen(url)).status).toBe(401);
    const id = await ticket({ title: 'by ticket', owner: ANN });
    await client.waitFor((events) => about(events, id).length === 1);
    client.kill();
  });
});

describe('who was cut', () => {
  it('goes on where it was, without a gap and in order', async () => {
    const client = await world.stream(ann);
    const first = await ticket({ title: '1', owner: ANN });
    await client.waitFor((events) => about(events, first).length === 1);
    client.kill();
    const missed: string[] = [];
    for (let n = 0; n < 5; n++) missed.push(await ticket({ title: `m${n}`, owner: ANN }));
    const again = await world.stream(ann, '', { 'last-event-id': client.lastId() });
    await again.waitFor((events) => events.length >= 5);
    expect(again.events.map(({ data }) => data['record_id'])).toEqual(missed);
    again.kill();
  });

  it.each(['ffffffff.1', 'nonsense', '00000000.99', '<here>.999999999'])('is told to begin anew with the id %s', async (given) => {
    const page = await callerOf(world.url, ann)('GET', '/api/desk/_events');
    const here = String(page.at('next')).split('.')[0] ?? '';
    const client = await world.stream(ann, '', { 'last-event-id': given.replace('<here>', here) });
    await client.waitFor((events) => events.length > 0);
    expect(client.events[0]).toMatchObject({ event: 'reset' });
    const id = await ticket({ title: 'from now', owner: ANN });
    await client.waitFor((events) => about(events, id).length === 1);
    client.kill();
  });

  it('reads the same as pages', async () => {
    const read = callerOf(world.url, ann);
    const start = String((await read('GET', '/api/desk/_events')).at('next'));
    const ids = [await ticket({ title: 'p1', owner: ANN }), await ticket({ title: 'p2', owner: ANN })];
    await ticket({ title: 'not hers', owner: BOB });
    const told: unknown[] = [];
    let after = start;
    for (let n = 0; n < 200 && told.length < 2; n++) {
      const page = await read('GET', `/api/desk/_events?after=${after}&limit=1`);
      told.push(...(page.at('data') as { record_id: string }[]).map((event) => event.record_id));
      after = String(page.at('next'));
    }
    expect(told).toEqual(ids);
    expect((await read('GET', '/api/desk/_events?after=x')).body).toMatchObject({ data: [], reset: true });
    expect((await read('GET', '/api/desk/_events?after=oldest&limit=500')).at('data', 0)).toMatchObject({ type: 'record.created' });
  });

  it('hears nothing within five seconds of losing the right: a deactivated account, and new roles', async () => {
    const [first, second] = await Promise.all([world.stream(bob), world.stream(await world.token('ann@x.test'))]);
    const began = Date.now();
    expect((await admin('PATCH', `/api/desk/_admin/users/${BOB}`, { active: false })).status).toBe(200);
    expect((await admin('PATCH', `/api/desk/_admin/users/${ANN}`, { roles: ['agent', 'other'] })).status).toBe(200);
    await Promise.all([first.untilEnd(), second.untilEnd()]);
    expect(Date.now() - began).toBeLessThan(5_000);
    expect(first.events.at(-1)).toMatchObject({ event: 'end', data: { code: 'UNAUTHORIZED' } });
    expect(first.retryMs()).toBeGreaterThan(0);
  }, 15_000);
});

it('is for API keys as far as their scopes go, until they are revoked', async () => {
  const made = await admin('POST', '/api/desk/_admin/api-keys', { name: 'listener', roles: ['agent'], scopes: ['plain:read'] });
  expect(made.status, made.text).toBe(201);
  const headers = { 'x-api-key': String(made.at('data', 'key')) };
  expect((await listen(`${world.url}/api/desk/_events?entities=ticket`, headers)).status).toBe(403);
  const client = await listen(`${world.url}/api/desk/_events`, headers);
  await client.waitFor(() => client.lastId() !== '');
  await ticket({ title: 'not in its scopes' });
  await admin('POST', '/api/desk/plain', { n: 7 });
  await client.waitFor((events) => events.length === 1);
  expect(client.events[0]?.data['entity']).toBe('plain');
  // Other scopes are other eyes for a stream that is open.
  const key = String(made.at('data', 'id'));
  expect((await admin('PATCH', `/api/desk/_admin/api-keys/${key}`, { scopes: ['ticket:read'] })).status).toBe(200);
  const hearsTickets = async (): Promise<boolean> => {
    await ticket({ title: 'of the key', owner: key });
    return client.events.some(({ data }) => data['entity'] === 'ticket');
  };
  await vi.waitUntil(hearsTickets, { timeout: 5_000, interval: 200 });
  const began = Date.now();
  expect((await admin('DELETE', `/api/desk/_admin/api-keys/${key}`)).status).toBe(200);
  await client.untilEnd();
  expect(Date.now() - began).toBeLessThan(5_000);
  expect(client.events.at(-1)).toMatchObject({ event: 'end', data: { code: 'UNAUTHORIZED' } });
}, 20_000);

it('looks with the permissions of the version that is served: what they take away ends within five seconds', async () => {
  const token = await world.token('ann@x.test');
  const client = await world.stream(token, 'entities=plain');
  await client.waitFor(() => client.lastId() !== '');
  const other = await world.stream(token);
  const next = { ...DESK, permissions: DESK.permissions.filter(({ entity }) => entity !== 'plain') };
  await world.pool.query(
    `insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by)
     values ('desk', 2, $1, 'compatible', '[]', '', '{}')`,
    [JSON.stringify(documentSchema.parse(next))],
  );
  await world.pool.query(`update durabase.apps set served_version = 2 where id = 'desk'`);
  await world.pool.query(`insert into durabase.schema_events (type, app) values ('app.updated', 'desk')`);
  const began = Date.now();
  await client.untilEnd();
  expect(Date.now() - began).toBeLessThan(5_000);
  expect(client.events.at(-1)).toMatchObject({ event: 'end', data: { code: 'FORBIDDEN' } });
  const id = await ticket({ title: 'still told', owner: ANN });
  await other.waitFor((events) => about(events, id).length === 1);
  other.kill();
}, 15_000);

it('ends streams with word when to come again when the process stops, and another one goes on', async () => {
  const other = await httpWorld(world.databaseUrl);
  const client = await listen(`${other.url}/api/desk/_events?entities=ticket`, { authorization: `Bearer ${adminToken}` });
  const seen = await ticket({ title: 'through two processes' });
  await client.waitFor((events) => about(events, seen).length === 1);
  await other.close();
  await client.untilEnd();
  expect(client.events.at(-1)).toMatchObject({ event: 'end', data: { code: 'UNAVAILABLE' } });
  const missed = await ticket({ title: 'meanwhile' });
  const again = await world.stream(adminToken, 'entities=ticket', { 'last-event-id': client.lastId() });
  await again.waitFor((events) => about(events, missed).length === 1);
  expect(about(again.events, seen)).toEqual([]);
  again.kill();
}, 20_000);

it('drops a client that does not read, and serves the others', async () => {
  const [slow, quick] = await Promise.all([
    world.stream(adminToken, 'entities=ticket&include_record=true'),
    world.stream(adminToken, 'entities=ticket'),
  ]);
  slow.pause();
  const note = 'x'.repeat(60_000);
  let told = 0;
  for (let n = 0; n < 400 && (await gauge()) > 1; n++) {
    await ticket({ title: `big ${n}`, note });
    told += 1;
  }
  expect(await gauge()).toBe(1);
  await quick.waitFor((events) => events.length === told);
  slow.kill();
  quick.kill();
}, 60_000);

async function gauge(): Promise<number> {
  const text = await (await fetch(`${world.url}/metrics`)).text();
  return Number(/durabase_realtime_streams\{[^}]*\} (\d+)/.exec(text)?.[1]);
}

it('is what the client subscribes to, which goes on by itself when the connection breaks', async () => {
  const breakers: AbortController[] = [];
  const client = createClient(world.url, {
    app: 'desk',
    token: adminToken,
    fetch: (input, init) => {
      const breaker = new AbortController();
      breakers.push(breaker);
      return fetch(input, { ...init, signal: AbortSignal.any([breaker.signal, ...(init?.signal ? [init.signal] : [])]) });
    },
  });
  const heard: string[] = [];
  const subscription = client.subscribe({
    entities: ['ticket'],
    filter: { status: 'open' },
    includeRecord: true,
    onEvent: (event) => void heard.push(`${event.type} ${String(event.record?.['title'])}`),
  });
  await vi.waitUntil(() => subscription.lastId !== undefined, { timeout: 5_000, interval: 10 });
  await ticket({ title: 'one', status: 'open' });
  await ticket({ title: 'other', status: 'closed' });
  await vi.waitUntil(() => heard.length === 1, { timeout: 5_000, interval: 10 });
  breakers.at(-1)?.abort();
  await ticket({ title: 'two', status: 'open' });
  await vi.waitUntil(() => heard.length === 2, { timeout: 5_000, interval: 10 });
  expect(heard).toEqual(['record.created one', 'record.created two']);
  expect(breakers.length).toBeGreaterThan(1);
  subscription.close();
  await subscription.closed;
});
