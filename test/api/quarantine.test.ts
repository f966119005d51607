/** What a migration could not carry over, as its admin sees it. How values get there: test/core/change/conversion. */
import pg from 'pg';
import { beforeAll, expect, it } from 'vitest';
import { startWorld, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token, body: { name: 'held' } });
  const published = await world.send('POST', '/api/held/_admin/versions', {
    token,
    body: { version: 1, entities: [{ name: 'item', fields: [{ name: 'amount', type: 'int' }] }] },
  });
  expect(published.status).toBe(201);
  const client = new pg.Client({ connectionString: world.databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ storage: string; version: number }>(
      "select storage, served_version as version from durabase.apps where name = 'held'",
    );
    await client.query(
      `insert into ${rows[0]?.storage ?? ''}._quarantine (version, entity, record_id, field, direction, value, error)
       select $1, 'item', n, 'amount', 'up', 'abc', 'is no number' from generate_series(1, 3) n`,
      [rows[0]?.version],
    );
  } finally {
    await client.end();
  }
});

it('lists the values of a migration in pages', async () => {
  const migrations = await world.send('GET', '/api/held/_admin/migrations', { token });
  const [{ id }] = migrations.body.data as [{ id: string }];
  const first = await world.send('GET', `/api/held/_admin/migrations/${id}/quarantine?per_page=2`, { token });
  expect(first.status, first.text).toBe(200);
  expect(first.body.meta).toEqual({ page: 1, per_page: 2, total: 3 });
  expect(first.body.data[0]).toMatchObject({
    entity: 'item',
    record_id: '1',
    field: 'amount',
    direction: 'up',
    value: 'abc',
    error: 'is no number',
  });
  const second = await world.send('GET', `/api/held/_admin/migrations/${id}/quarantine?per_page=2&page=2`, { token });
  expect((second.body.data as { record_id: string }[]).map((row) => row.record_id)).toEqual(['3']);
});

it('is for admins, of a migration that exists, and takes no other parameter', async () => {
  const path = '/api/held/_admin/migrations/1/quarantine';
  expect((await world.send('GET', path)).status).toBe(401);
  expect((await world.send('GET', '/api/held/_admin/migrations/77/quarantine', { token })).status).toBe(404);
  expect((await world.send('GET', `${path}?limit=1`, { token })).body.error.code).toBe('UNKNOWN_PARAMETER');
  expect((await world.send('POST', path, { token, body: {} })).status).toBe(405);
});
