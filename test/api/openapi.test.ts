import fs from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { complaintsAbout } from '../support/openapi-check.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let admin: string;
let agent: string;
let customer: string;
const descriptions = new Map<string, Record<string, unknown>>();

beforeAll(async () => {
  world = await startWorld();
  admin = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token: admin, body: { name: 'helpdesk' } });
  const example = fs.readFileSync(new URL('../../examples/helpdesk-ticketing.json', import.meta.url), 'utf8');
  await world.send('POST', '/api/helpdesk/_admin/import', { token: admin, body: example, headers: { 'Content-Type': 'application/json' } });
  for (const role of ['agent', 'customer']) {
    const body = { email: `${role}@example.com`, password: 'a long enough password', roles: [role] };
    await world.send('POST', '/api/helpdesk/_admin/users', { token: admin, body });
  }
  agent = await world.login('helpdesk', 'agent@example.com', 'a long enough password');
  customer = await world.login('helpdesk', 'customer@example.com', 'a long enough password');
  for (const token of [admin, agent, customer])
    descriptions.set(token, (await world.send('GET', '/api/helpdesk/_openapi.json', { token })).body);
}, 120_000);

/** Sends, and holds the answer against what the caller's own description says. */
async function ask(token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const reply = await world.send(method, path, { token, headers, ...(body === undefined ? {} : { body }) });
  expect(complaintsAbout(descriptions.get(token) ?? {}, { method, path, ...reply })).toEqual([]);
  return reply;
}

describe('_openapi.json', () => {
  it('is told to who signs in, with an ETag, in JSON or YAML', async () => {
    expect((await world.send('GET', '/api/helpdesk/_openapi.json')).status).toBe(401);
    const first = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent });
    expect(first.body).toMatchObject({ openapi: '3.1.0', info: { title: 'helpdesk' } });
    const etag = first.headers.get('etag') ?? '';
    const again = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent, headers: { 'If-None-Match': etag } });
    expect([again.status, again.text]).toEqual([304, '']);
    const yaml = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent, headers: { Accept: 'application/yaml' } });
    expect(yaml.headers.get('content-type')).toContain('yaml');
    expect(yaml.text).toMatch(/^openapi: 3\.1\.0\n/);
  });

  it('is another document for another role', () => {
    const paths = (token: string): string[] => Object.keys(descriptions.get(token)?.['paths'] as object);
    expect(paths(agent)).toContain('/api/helpdesk/agent');
    expect(paths(customer)).not.toContain('/api/helpdesk/agent');
    expect(JSON.stringify(descriptions.get(customer))).not.toContain('department');
  });

  it('changes with the schema', async () => {
    const before = await world.send('GET', '/api/helpdesk/_openapi.json', { token: admin });
    const entity = { name: 'note', fields: [{ name: 'text', type: 'text', required: true }] };
    expect((await world.send('POST', '/api/helpdesk/_admin/entities', { token: admin, body: entity })).status).toBe(201);
    const after = await world.send('GET', '/api/helpdesk/_openapi.json', { token: admin });
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect(after.body.paths['/api/helpdesk/note'].post.operationId).toBe('create_note');
    descriptions.set(admin, after.body);
  });
});

describe('answers are as they are described', () => {
  it('for reads, with includes, fields, aggregates and exports', async () => {
    for (const token of [admin, agent]) {
      await ask(token, 'GET', '/api/helpdesk/ticket?include=customer,responses,agent.tickets&sort=-created_at&per_page=5');
      const walk = await ask(token, 'GET', '/api/helpdesk/ticket?limit=2&q=the&count=estimated');
      expect(walk.body.page.limit).toBe(2);
      await ask(
        token,
        'GET',
        `/api/helpdesk/ticket/${String(walk.body.data[0]?.id ?? '0198c0de-3001-7000-8000-000000000001')}/_transitions`,
      );
      await ask(token, 'GET', '/api/helpdesk/ticket?fields=title,customer.name&count=none&filter[priority.in]=high,critical');
      await ask(token, 'POST', '/api/helpdesk/ticket/_query', {
        filter: { field: 'customer.name', op: 'contains', value: 'a' },
        include: ['customer'],
      });
      await ask(token, 'GET', '/api/helpdesk/ticket/_aggregate?group_by=status,created_at.month&count=*&count_distinct=agent_id');
      await ask(token, 'GET', '/api/helpdesk/ticket/_export.csv?limit=2');
      await ask(token, 'GET', '/api/helpdesk/ticket', undefined, { Accept: 'application/x-ndjson' });
      await ask(token, 'GET', '/api/helpdesk/_workflows');
      await ask(token, 'GET', '/api/helpdesk/auth/me');
      await ask(token, 'GET', '/api/helpdesk/_discovery');
      if (token === agent) await ask(token, 'GET', '/api/helpdesk/auth/sessions');
    }
    await ask(admin, 'GET', '/api/helpdesk/ticket?with_deleted=true');
  });

  it('for writes, nested ones too', async () => {
    const made = await ask(agent, 'POST', '/api/helpdesk/customer', { name: 'Ada', email: 'ada@example.com' });
    const ticket = await ask(admin, 'POST', '/api/helpdesk/ticket', {
      title: 'It is broken',
      description: 'x',
      customer_id: made.body.data.id,
      responses: [{ author_type: 'agent', author_id: made.body.data.id, body: 'hello' }],
    });
    const path = `/api/helpdesk/ticket/${String(ticket.body.data.id)}`;
    const read = await ask(agent, 'GET', path);
    await ask(agent, 'GET', path, undefined, { 'If-None-Match': read.headers.get('etag') ?? '' });
    expect((await ask(agent, 'PATCH', path, { priority: 'low' }, { 'If-Match': '"99"' })).status).toBe(412);
    expect((await ask(agent, 'PATCH', path, { priority: 'low' }, { 'If-Match': read.headers.get('etag') ?? '' })).status).toBe(200);
    expect((await ask(admin, 'DELETE', path)).status).toBe(200);
    expect((await ask(admin, 'POST', `${path}/_restore`)).status).toBe(200);
    await ask(admin, 'POST', '/api/helpdesk/customer/_bulk?atomic=false', {
      create: [
        { name: 'Bob', email: 'bob@example.com' },
        { name: 'Nobody', email: 'no address' },
      ],
      upsert: { on: 'email', rows: [{ name: 'Bob B.', email: 'bob@example.com' }] },
      delete: [made.body.data.id],
    });
    await ask(admin, 'POST', '/api/helpdesk/_batch', {
      operations: [
        { op: 'create', entity: 'customer', ref: 'who', body: { name: 'Dora', email: 'dora@example.com' } },
        { op: 'create', entity: 'ticket', body: { title: 'It broke', description: 'x', customer_id: { $ref: 'who.id' } } },
      ],
    });
    const key = { 'Idempotency-Key': 'once' };
    for (const _ of [1, 2]) await ask(agent, 'POST', '/api/helpdesk/customer', { name: 'Eve', email: 'eve@example.com' }, key);
  });

  it('for refusals', async () => {
    await ask(agent, 'GET', '/api/helpdesk/ticket?nothing=1');
    await ask(agent, 'GET', '/api/helpdesk/ticket/nothing');
    await ask(agent, 'POST', '/api/helpdesk/ticket', { title: 'x', wrong: true });
    await ask(agent, 'POST', '/api/helpdesk/ticket', '{', { 'Content-Type': 'application/json' });
    await ask(agent, 'POST', '/api/helpdesk/ticket', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' });
    await ask(agent, 'POST', '/api/helpdesk/auth/login', { email: 'agent@example.com', password: 'no' });
  });

  it('405 with the methods a path takes', async () => {
    const paths = descriptions.get(admin)?.['paths'] as Record<string, Record<string, unknown>>;
    for (const [template, item] of Object.entries(paths)) {
      const path = template.replaceAll(/\{\w+\}/g, '0198c0de-1001-7000-8000-000000000001');
      const reply = await world.send('PURGE', path, { token: admin });
      expect([template, reply.status]).toEqual([template, 405]);
      const allowed = (reply.headers.get('allow') ?? '').split(', ');
      for (const method of Object.keys(item).filter((key) => key !== 'parameters')) expect(allowed).toContain(method.toUpperCase());
    }
  });
});
