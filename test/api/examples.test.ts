import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type World } from './world.ts';

const folder = path.join(path.dirname(fileURLToPath(import.meta.url)), '../../examples');
const files = fs.readdirSync(folder).filter((file) => /\.(ya?ml|json)$/.test(file));

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
});

describe('the example documents', () => {
  it.each(files)('%s imports into a new app over HTTP, twice, and serves its rows', async (file) => {
    const app = file.replace(/\..*$/, '').toLowerCase();
    expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: app } })).status).toBe(201);
    const headers = { 'Content-Type': file.endsWith('.json') ? 'application/json' : 'application/yaml' };
    const body = fs.readFileSync(path.join(folder, file), 'utf8');
    const first = await world.send('POST', `/api/${app}/_admin/import`, { token, headers, body });
    expect(first.status, first.text).toBe(200);
    expect(first.body.data.errors).toEqual([]);
    expect(first.body.data.summary.records).toBeGreaterThan(0);
    const again = await world.send('POST', `/api/${app}/_admin/import`, { token, headers, body });
    expect(again.body.data, again.text).toMatchObject({ imported: 0, changes: [] });
    const discovery = await world.send('GET', `/api/${app}/_discovery`, { token });
    for (const entity of discovery.body.data.entities as { name: string }[]) {
      const list = await world.send('GET', `/api/${app}/${entity.name}?per_page=5`, { token });
      expect(list.status, list.text).toBe(200);
    }
  });

  it('are served to whoever begins an app, and to nobody who is not signed in', async () => {
    const list = await world.send('GET', '/api/_platform/examples', { token });
    const listed = list.body.data as { name: string; entities: string[]; records: number }[];
    expect(listed.map(({ name }) => name)).toEqual(['content', 'employees', 'helpdesk']);
    expect(listed[2]).toEqual({
      name: 'helpdesk',
      entities: ['customer', 'agent', 'ticket', 'response'],
      records: expect.any(Number) as number,
    });
    const one = await world.send('GET', '/api/_platform/examples/helpdesk', { token });
    expect(one.body).toEqual(JSON.parse(fs.readFileSync(path.join(folder, 'helpdesk-ticketing.json'), 'utf8')));
    expect((await world.send('GET', '/api/_platform/examples/nothing', { token })).body.error).toMatchObject({ code: 'NOT_FOUND' });
    expect((await world.send('DELETE', '/api/_platform/examples/helpdesk', { token })).status).toBe(405);
    expect((await world.send('GET', '/api/_platform/examples', {})).status).toBe(401);
  });
});
