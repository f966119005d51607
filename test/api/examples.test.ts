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
});
