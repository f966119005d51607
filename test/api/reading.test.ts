import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

const EXAMPLE = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../examples/helpdesk-ticketing.json');

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'helpdesk' } })).status).toBe(201);
  const headers = { 'Content-Type': 'application/json' };
  const imported = await world.send('POST', '/api/helpdesk/_admin/import', { token, headers, body: fs.readFileSync(EXAMPLE, 'utf8') });
  expect(imported.status, imported.text).toBe(200);
});

const get = (query: string, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send('GET', `/api/helpdesk/ticket${query}`, { token, headers });
type Row = Record<string, unknown>;

describe('reading over HTTP', () => {
  it('walks a list by the cursor of each answer', async () => {
    const all = ((await get('?sort=-priority,title&per_page=100')).body.data as Row[]).map((row) => row['id']);
    const seen: unknown[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const part: Reply = await get(`?sort=-priority,title&limit=2&cursor=${cursor}`);
      expect(part.status, part.text).toBe(200);
      seen.push(...(part.body.data as Row[]).map((row) => row['id']));
      cursor = part.body.page.next_cursor as string | null;
    }
    expect(seen).toEqual(all);
    expect(seen.length).toBeGreaterThan(2);
    const wrong = await get('?limit=2&cursor=abc');
    expect([wrong.status, wrong.body.error.code]).toEqual([400, 'INVALID_VALUE']);
  });

  it('takes the examples of the documentation', async () => {
    for (const query of [
      '?filter[status]=open&sort=-created_at&limit=50',
      '?include[responses][sort]=-created_at&include[responses][limit]=5&include[responses][fields]=body,created_at',
      '?q=printer',
      '?q=%22password reset%22 log&fields=title,status',
      '?count=estimated&per_page=1',
    ]) {
      const reply = await get(query);
      expect(reply.status, `${query}: ${reply.text}`).toBe(200);
    }
    const body = {
      filter: {
        or: [
          { field: 'status', op: 'eq', value: 'open' },
          { field: 'customer.company', op: 'like', value: 'A%' },
        ],
      },
      include: ['customer', { relation: 'responses', filter: { internal_note: false }, sort: '-created_at', limit: 5, fields: ['body'] }],
      limit: 50,
    };
    const reply = await world.send('POST', '/api/helpdesk/ticket/_query', { token, body });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.body.page.limit).toBe(50);
  });

  it('knows a record again by its ETag, with what it includes', async () => {
    const [row] = (await get('?per_page=1')).body.data as [Row];
    const id = String(row['id']);
    const plain = (await get(`/${id}`)).headers.get('etag') ?? '';
    expect(plain).toMatch(/^"\d+-[\w-]{8}"$/);
    expect((await get(`/${id}`, { 'If-None-Match': plain })).status).toBe(304);
    const query = `/${id}?include=responses`;
    const full = (await get(query)).headers.get('etag') ?? '';
    expect(full).toMatch(/^W\/"\d+-[\w-]{22}"$/);
    const again = await get(query, { 'If-None-Match': `"x", ${full}` });
    expect([again.status, again.text]).toEqual([304, '']);
    expect((await get(query, { 'If-None-Match': plain })).status).toBe(200);
    const answer = await world.send('POST', '/api/helpdesk/response', {
      token,
      body: { ticket_id: id, body: 'Have you tried it?', author_type: 'agent', author_id: id },
    });
    expect(answer.status, answer.text).toBe(201);
    expect((await get(query, { 'If-None-Match': full })).status).toBe(200);
    const written = await world.send('PATCH', `/api/helpdesk/ticket/${id}`, {
      token,
      body: { title: 'New title' },
      headers: { 'If-Match': full },
    });
    expect(written.status, written.text).toBe(200);
    const late = await world.send('PATCH', `/api/helpdesk/ticket/${id}`, {
      token,
      body: { title: 'Too late' },
      headers: { 'If-Match': full },
    });
    expect(late.status).toBe(412);
  });

  it('answers HEAD like GET, without the body', async () => {
    const head = await world.send('HEAD', '/api/helpdesk/ticket?limit=2&count=exact', { token });
    expect([head.status, head.text]).toEqual([200, '']);
    expect(Number(head.headers.get('content-length'))).toBeGreaterThan(20);
  });
});
