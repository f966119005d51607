import http from 'node:http';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { migrateControl } from '../../adapters/postgres/migrate.ts';
import { loadConfig } from '../../adapters/config.ts';
import { startApi } from '../../api/main.ts';
import { freshDatabase } from '../support/database.ts';

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
