/** `GET /api/_platform/events`: the registry's log for whoever follows it from outside. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { callerOf, type Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const EVENTS = '/api/_platform/events';
let world: HttpWorld;
let admin: Caller;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('main', { version: 1 }, [{ id: '0190a000-0000-7000-8000-000000000001', email: 'a@b.test', roles: ['admin'] }]);
  for (let version = 2; version <= 8; version++)
    await appendSchemaEvent(world.pool, { type: 'app.updated', app: 'main', schemaName: 'main', newVersion: version, body: { version } });
  admin = await world.platform();
}, 60_000);
afterAll(() => world.close());

interface Page {
  readonly data: readonly { readonly id: number; readonly type: string; readonly app: string; readonly body: object }[];
  readonly meta: { readonly limit: number; readonly next_after: number; readonly last: number };
}
const page = async (query: string): Promise<Page> => (await admin('GET', `${EVENTS}${query}`)).body as Page;

describe('the events of the registry', () => {
  it('come oldest first, and go on from the last page without a gap, also from an empty one', async () => {
    const seen: number[] = [];
    for (let after = 0; ;) {
      const { data, meta } = await page(`?after=${after}&limit=3`);
      seen.push(...data.map(({ id }) => id));
      expect(meta).toEqual({ limit: 3, next_after: data.at(-1)?.id ?? after, last: 7 });
      after = meta.next_after;
      if (data.length === 0) break;
    }
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7]);
    await appendSchemaEvent(world.pool, { type: 'app.updated', app: 'main' });
    expect((await page('?after=7')).data.map(({ id }) => id)).toEqual([8]);
  });

  it('show what happened and to whom, and not the rows they carry', async () => {
    const { data } = await page('?limit=1');
    expect(data[0]).toEqual({
      id: 1,
      type: 'app.updated',
      app: 'main',
      schema: 'main',
      old_version: null,
      new_version: 2,
      body: { version: 2 },
      at: expect.any(String),
    });
  });

  it.each([
    ['?after=x', 'INVALID_VALUE'],
    ['?limit=0', 'INVALID_VALUE'],
    ['?limit=501', 'INVALID_VALUE'],
    ['?page=2', 'UNKNOWN_PARAMETER'],
  ])('%s is refused', async (query, code) => {
    const reply = await admin('GET', `${EVENTS}${query}`);
    expect([reply.status, reply.at('error', 'code')]).toEqual([400, code]);
  });

  it('are for platform accounts only, and for keys with that scope', async () => {
    expect((await callerOf(world.url)('GET', EVENTS)).status).toBe(401);
    expect((await (await world.login('main', 'a@b.test'))('GET', EVENTS)).status).toBe(401);
    const key = async (scope: string): Promise<number> => {
      const made = await admin('POST', '/api/_platform/api-keys', {
        name: scope,
        scopes: [scope],
        roles: ['admin'],
      });
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      return (await callerOf(world.url, String(made.at('data', 'key')))('GET', EVENTS)).status;
    };
    expect([await key('_platform:read'), await key('_platform:write')]).toEqual([200, 403]);
  });
});
