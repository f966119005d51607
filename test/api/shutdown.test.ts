import http from 'node:http';
import pg from 'pg';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { migrateControl } from '../../adapters/postgres/migrate.ts';
import { loadConfig } from '../../adapters/config.ts';
import { startApi } from '../../api/main.ts';
import { callerOf } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld } from '../support/http-world.ts';

const log = pino({ level: 'silent' });

async function apiWithoutTemporal() {
  const databaseUrl = await freshDatabase();
  await migrateControl(databaseUrl);
  // Port 9 (discard): nothing answers there.
  return startApi(loadConfig({ PORT: '0', DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: '127.0.0.1:9', SECRET_KEY: 'k'.repeat(40) }), log);
}

const get = (port: number, path: string, agent: http.Agent): Promise<{ status: number; connection: string | undefined }> =>
  new Promise((resolve, reject) => {
    http
      .get({ port, path, agent, host: '127.0.0.1' }, (response) => {
        response.resume();
        response.on('end', () => resolve({ status: response.statusCode ?? 0, connection: response.headers.connection }));
      })
      .on('error', reject);
  });

describe('a stopping api', () => {
  it('fails no request of clients that keep their connections', async () => {
    const api = await apiWithoutTemporal();
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    let isRefused = false;
    let answered = 0;
    const failures: string[] = [];
    const client = async (): Promise<void> => {
      while (!isRefused) {
        try {
          const { status } = await get(api.port, '/health/live', agent);
          if (status !== 200) failures.push(String(status));
          answered += 1;
        } catch (error) {
          // A new connection to a closed port is the end, not a failed request.
          if ((error as NodeJS.ErrnoException).code === 'ECONNREFUSED') isRefused = true;
          else failures.push(String(error));
        }
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    };
    const clients = Array.from({ length: 8 }, client);
    await expect.poll(() => answered).toBeGreaterThan(40);
    await api.close();
    await Promise.all(clients);
    expect(failures).toEqual([]);
  });
});

/** Connections that others than the one who asks have to a database. */
async function connectionsOf(databaseUrl: string): Promise<number> {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ count: number }>(
      `select count(*)::int as count from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()`,
    );
    return rows[0]?.count ?? -1;
  } finally {
    await client.end();
  }
}

describe('a stopping api with an open export', () => {
  it('takes no new connection, sends the export to its last row, and leaves no connection to the database', async () => {
    const databaseUrl = await freshDatabase();
    const world = await httpWorld(databaseUrl);
    await world.app('desk', { version: 1, entities: [{ name: 'thing', fields: [{ name: 'note', type: 'text' }] }] }, []);
    // Far more than sockets and buffers hold, so that rows are still in the database when the stop begins.
    await world.pool.query(
      `insert into app_desk.thing (id, note) select gen_random_uuid(), repeat('note ', 200) from generate_series(1, 20000)`,
    );
    const login = await callerOf(world.url)('POST', '/api/_platform/auth/login', { email: 'platform@localhost', password: 'changeme' });
    const headers = { authorization: `Bearer ${String(login.at('data', 'access_token'))}` };
    const response = await new Promise<http.IncomingMessage>((resolve, reject) => {
      http.get(`${world.url}/api/desk/thing/_export.ndjson`, { headers, agent: false }, resolve).on('error', reject);
    });
    expect(response.statusCode).toBe(200);
    let isClosed = false;
    const closed = world.close().then(() => (isClosed = true));
    const isRefused = (): Promise<boolean> =>
      fetch(`${world.url}/health/live`).then(
        () => false,
        () => true,
      );
    await expect.poll(isRefused).toBe(true);
    expect(isClosed).toBe(false);
    let text = '';
    for await (const piece of response.setEncoding('utf8')) text += String(piece);
    expect(text.trim().split('\n')).toHaveLength(20_000);
    expect(response.complete).toBe(true);
    await closed;
    expect(await connectionsOf(databaseUrl)).toBe(0);
  });
});

describe('an api without Temporal', () => {
  it('is ready, with degraded, signs in, and answers 503 where the engine is needed', async () => {
    const api = await apiWithoutTemporal();
    const url = `http://127.0.0.1:${api.port}`;
    const ready = await fetch(`${url}/health/ready`);
    expect(ready.status).toBe(200);
    expect(await ready.json()).toMatchObject({ status: 'degraded', dependencies: { postgres: 'ok', temporal: 'degraded' } });
    const json = { 'Content-Type': 'application/json' };
    const login = await fetch(`${url}/api/_platform/auth/login`, {
      method: 'POST',
      headers: json,
      body: JSON.stringify({ email: 'platform@localhost', password: 'changeme' }),
    });
    expect(login.status).toBe(200);
    const { data } = (await login.json()) as { data: { access_token: string } };
    const made = await fetch(`${url}/api/_platform/apps`, {
      method: 'POST',
      headers: { ...json, Authorization: `Bearer ${data.access_token}` },
      body: '{"name":"acme"}',
    });
    expect(made.status).toBe(503);
    expect(made.headers.get('retry-after')).toBeTruthy();
    const list = await fetch(`${url}/api/_platform/apps`, { headers: { Authorization: `Bearer ${data.access_token}` } });
    expect(await list.json()).toMatchObject({ data: [] });
    await api.close();
  });
});

describe('the published development password', () => {
  it('is refused outside a development start', async () => {
    const databaseUrl = await freshDatabase();
    await migrateControl(databaseUrl);
    const env = { PORT: '0', DATABASE_URL: databaseUrl, TEMPORAL_ADDRESS: '127.0.0.1:9', SECRET_KEY: 'k'.repeat(40) };
    await (await startApi(loadConfig(env), log)).close();
    const api = await startApi(loadConfig({ ...env, NODE_ENV: 'production', PLATFORM_ADMIN_PASSWORD: 'a good one' }), log);
    const login = await fetch(`http://127.0.0.1:${api.port}/api/_platform/auth/login`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ email: 'platform@localhost', password: 'changeme' }),
    });
    expect(login.status).toBe(401);
    await api.close();
  });
});
