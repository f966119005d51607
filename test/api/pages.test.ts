/** The lists that are no records read pages in one way, and refuse parameters that they do not take. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const ID = '00000000-0000-7000-8000-000000000001';
let world: HttpWorld;
let platform: Caller;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, [
    { id: ID, email: 'boss@desk.test', roles: ['admin'] },
    { id: ID.replace(/1$/, '2'), email: 'ann@desk.test', roles: ['agent'] },
    { id: ID.replace(/1$/, '3'), email: 'bob@desk.test', roles: ['agent'] },
  ]);
  platform = await world.platform();
});
afterAll(() => world.close());

const PAGED = [
  ...['users', 'api-keys', 'deliveries', 'entities', 'rules', 'migrations'].map((part) => `desk/_admin/${part}`),
  ...['desk/_workflows', 'desk/_workflows/pending', '_platform/apps', '_platform/users', '_platform/api-keys', '_platform/audit'],
  '_platform/migrations',
];
const WHOLE = [
  ...['invites', 'auth-providers', 'signing-keys', 'secrets', 'versions', 'findings', 'export', `users/${ID}/sessions`].map(
    (part) => `desk/_admin/${part}`,
  ),
  ...['_platform/invites', '_platform/auth-providers', '_platform/signing-keys', '_platform/schemas', '_platform/events'],
  '_platform/schemas/desk/versions',
];

describe('a list', () => {
  it.each([...PAGED, ...WHOLE])('refuses what %s does not take', async (path) => {
    expect((await platform('GET', `/api/${path}`)).status).toBe(200);
    const reply = await platform('GET', `/api/${path}?nobody_knows=1`);
    expect([reply.status, reply.at('error', 'code'), reply.at('error', 'details', 0, 'field')]).toEqual([
      400,
      'UNKNOWN_PARAMETER',
      'nobody_knows',
    ]);
  });

  it.each(PAGED)('takes whole numbers for the page of %s', async (path) => {
    for (const name of ['page', 'per_page']) {
      for (const given of ['', '0', '-1', '1.5', 'x', '1e3', '9999999999']) {
        const reply = await platform('GET', `/api/${path}?${name}=${given}`);
        expect([reply.status, reply.at('error', 'code')], given).toEqual([400, 'INVALID_VALUE']);
        expect(reply.at('error', 'details', 0)).toMatchObject({ field: name, rule: 'type' });
      }
    }
    const far = await platform('GET', `/api/${path}?page=999999999&per_page=2`);
    expect([far.status, far.at('data')]).toEqual([200, []]);
    expect(far.at('meta')).toMatchObject({ page: 999_999_999, per_page: 2 });
  });

  it.each(WHOLE.filter((path) => !path.endsWith('events')))('has no pages in %s', async (path) => {
    expect((await platform('GET', `/api/${path}?page=1`)).at('error', 'code')).toBe('UNKNOWN_PARAMETER');
  });

  it('shows the page that was asked for', async () => {
    const names = async (query: string): Promise<unknown> => {
      const reply = await platform('GET', `/api/desk/_admin/users?sort=email${query}`);
      return [(reply.at('data') as { email: string }[]).map(({ email }) => email.split('@')[0]), reply.at('meta')];
    };
    expect(await names('&page=2&per_page=2')).toEqual([['boss'], { page: 2, per_page: 2, total: 3 }]);
    expect(await names('&per_page=5000&filter[role]=agent')).toEqual([['ann', 'bob'], { page: 1, per_page: 100, total: 2 }]);
    expect((await platform('GET', '/api/desk/_admin/users?filter[active]=yes')).at('error', 'code')).toBe('INVALID_VALUE');
    const entities = (await platform('GET', '/api/desk/_admin/entities')).at('data') as { name: string }[];
    const second = await platform('GET', '/api/desk/_admin/entities?page=2&per_page=1');
    expect([second.at('data'), second.at('meta', 'total')]).toEqual([[entities[1]], entities.length]);
  });
});
