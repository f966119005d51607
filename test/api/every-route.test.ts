/** What holds for every route alike: bodies that are too large, lists that are too long, and methods that are not there. */
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callerOf } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const ID = '00000000-0000-7000-8000-000000000001';
/** Routes that take a body, whoever calls. */
const OPEN = ['login', 'refresh', 'logout', 'register', 'accept-invite', 'forgot', 'reset', 'verify', 'verify/send'].map(
  (verb) => `auth/${verb}`,
);
const POSTS = [
  ...OPEN,
  ...['auth/password', 'ticket', 'ticket/_query', 'ticket/_aggregate', 'ticket/_bulk', '_batch', `ticket/${ID}/_restore`, '_admin/users'],
  ...['_admin/invites', '_admin/invites/bulk', '_admin/api-keys', `_admin/api-keys/${ID}/rotate`, '_admin/rules/try', '_admin/entities'],
  ...['_admin/slas', '_admin/slas/try', '_admin/slas/none/recompute', '_admin/calendars'],
  ...[
    '_admin/permissions/simulate',
    '_admin/permissions/matrix',
    '_admin/permissions/impact',
    '_admin/import',
    '_admin/versions',
    '_admin/migrations',
    '_admin/signing-keys/rotate',
    '_workflows/start/none',
  ],
  ...['check', 'run', 'cancel', 'undo'].map((verb) => `_imports/${ID}/${verb}`),
  ...[
    '_lists',
    `ticket/${ID}/_comments`,
    '_events/ticket',
    `ticket/${ID}/_history/1/revert`,
    '_admin/audit/erase',
    '_admin/auth-providers/check',
  ],
  ...[`_admin/invites/${ID}/resend`, 'auth/api-keys', `auth/api-keys/${ID}/rotate`],
];
const GETS = [
  ...[
    'ticket',
    `ticket/${ID}`,
    `ticket/${ID}/_transitions`,
    `ticket/${ID}/_slas`,
    '_slas',
    '_admin/slas/forecast',
    'ticket/_aggregate',
    'ticket/_export.csv',
    'ticket/_export.ndjson',
    '_openapi.json',
    '_imports',
    `_imports/${ID}`,
    ...['errors', 'errors.csv', 'errors.ndjson', 'kept'].map((part) => `_imports/${ID}/${part}`),
  ],
  ...[
    '_discovery',
    'auth/me',
    'auth/sessions',
    'auth/jwks.json',
    'auth/api-keys',
    'auth/reset',
    '_admin/users',
    '_admin/invites',
    '_admin/api-keys',
  ],
  ...['_admin/signing-keys', '_admin/export', '_workflows'],
  ...[
    '_lists',
    '_overview',
    '_notifications',
    `ticket/${ID}/_comments`,
    `ticket/${ID}/_timeline`,
    '_events',
    `ticket/${ID}/_history`,
    '_admin/audit',
    '_admin/audit/verify',
    '_admin/changes',
  ],
];

let world: HttpWorld;
let token: string;
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, []);
  const login = await callerOf(world.url)('POST', '/api/_platform/auth/login', { email: 'platform@localhost', password: 'changeme' });
  token = String(login.at('data', 'access_token'));
});
afterAll(async () => {
  agent.destroy();
  await world.close();
});

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly allow: string | undefined;
  readonly ms: number;
}

function send(method: string, path: string, body?: Buffer): Promise<Answered> {
  const headers = {
    authorization: `Bearer ${token}`,
    ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': body.length }),
  };
  const began = performance.now();
  return new Promise((resolve, reject) => {
    const request = http.request(
      `${world.url}/api${path.startsWith('/') ? path : `/desk/${path}`}`,
      { method, headers, agent },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (piece: string) => (text += piece));
        response.once('end', () => {
          resolve({ status: response.statusCode ?? 0, text, allow: response.headers.allow, ms: performance.now() - began });
        });
      },
    );
    request.once('error', reject).end(body);
  });
}

/** The quickest of a few: the machine may be busy with other things. */
async function quickest(method: string, path: string, body?: Buffer): Promise<Answered> {
  let best = await send(method, path, body);
  for (let more = 0; more < 5 && best.ms > 50; more++) {
    const again = await send(method, path, body);
    if (again.ms < best.ms) best = again;
  }
  return best;
}

describe('every route', () => {
  it.each(POSTS)('POST %s refuses two megabytes at once', async (path) => {
    const { status, ms } = await quickest('POST', path, Buffer.alloc(2 * 1024 * 1024, 0x20));
    expect(status).toBe(413);
    expect(ms).toBeLessThan(50);
  });

  it.each([...new Set([...POSTS, ...GETS])])('%s answers a preflight and refuses methods that it has not', async (path) => {
    expect((await send('OPTIONS', path)).status).toBe(204);
    for (const method of ['PROPFIND', 'TRACE', 'LOCK']) {
      const { status, allow, text } = await send(method, path);
      expect([status, allow === undefined], `${method} ${text}`).toEqual([405, false]);
    }
  });

  it.each(GETS)('HEAD %s answers as GET does, without a body', async (path) => {
    const [head, get] = [await send('HEAD', path), await send('GET', path)];
    expect([head.status, head.text]).toEqual([get.status, '']);
  });

  it.each(['workflow', 'entity', 'record_id'])('a list of runs by a %s with NUL in it is refused', async (parameter) => {
    expect((await send('GET', `_workflows?${parameter}=a%00b`)).status).toBe(400);
  });

  it.each(['action', 'actor', 'target'])('audit entries by a %s with NUL in it are refused', async (parameter) => {
    expect((await send('GET', `_admin/audit?${parameter}=a%00b`)).status).toBe(400);
  });

  it.each(['priority.in', 'title.in', 'customer.name.in', 'id.not_in'])(
    'a list of too many values of %s is refused at once',
    async (filter) => {
      const [field, op] = [filter.slice(0, filter.lastIndexOf('.')), filter.slice(filter.lastIndexOf('.') + 1)];
      const value = Array.from({ length: 100_000 }, (_, n) => n);
      const body = Buffer.from(JSON.stringify({ filter: { field, op, value } }));
      const asked = await quickest('POST', 'ticket/_query', body);
      expect([asked.status, asked.text.length < 1_000, asked.ms < 50]).toEqual([413, true, true]);
      // As much of it as a request line may hold.
      const listed = await quickest('GET', `ticket?filter[${filter}]=${value.slice(0, 6_000).join()}`);
      expect([listed.status >= 400 && listed.status < 500, listed.text.length < 1_000, listed.ms < 50]).toEqual([true, true, true]);
      expect((await send('GET', `ticket?filter[${filter}]=${value.join()}`)).status).toBe(431);
    },
  );
});

describe.each([
  ['NUL', '\0'],
  ['half a surrogate pair', '\ud800'],
])('%s, which Postgres cannot hold', (_, odd) => {
  const account = { email: 'a@example.com', password: 'long enough', roles: ['agent'] };
  const key = { name: 'a key', scopes: ['ticket:read'], roles: ['agent'] };
  const as = { roles: ['agent'], id: ID, email: 'a@example.com' };
  it.each([
    ['_admin/users', { ...account, roles: [`a${odd}`] }],
    ['_admin/users', { ...account, email: `a${odd}@example.com` }],
    ['_admin/invites', { email: 'b@example.com', roles: [`a${odd}`] }],
    ['_admin/invites', { email: `b${odd}@example.com`, roles: [] }],
    ['_admin/invites/bulk', { emails: ['b@example.com'], roles: [`a${odd}`] }],
    ['_admin/api-keys', { ...key, name: `a${odd}` }],
    ['_admin/api-keys', { ...key, roles: [`a${odd}`] }],
    ['_admin/api-keys', { ...key, scopes: [`ticket${odd}:read`] }],
    ['_admin/rules/try', { entity: 'ticket', record: {}, as: { ...as, email: `a${odd}` } }],
    ['_admin/permissions/simulate', { entity: 'ticket', action: 'read', as: { ...as, id: `a${odd}` } }],
    ['_admin/permissions/simulate', { entity: 'ticket', action: 'read', as: `a${odd}` }],
    ['auth/forgot', { email: `a${odd}@example.com` }],
    ['auth/verify/send', { email: `a${odd}@example.com` }],
    ['auth/login', { email: `a${odd}@example.com`, password: `p${odd}` }],
    ['auth/reset', { token: `a${odd}`, password: 'long enough' }],
    ['auth/accept-invite', { token: `${ID}.${odd}`, password: 'long enough' }],
    ['auth/refresh', { refresh_token: `a${odd}` }],
    ['auth/logout', { refresh_token: `a${odd}` }],
  ])('is refused by POST %s %j', async (path, body) => {
    const { status, text } = await send('POST', path, Buffer.from(JSON.stringify(body)));
    // Signing out of what is no session is done already.
    if (path !== 'auth/logout') expect(status, text).toBeGreaterThanOrEqual(400);
    expect(status, text).toBeLessThan(500);
  });

  const NAMES = [
    'q',
    'filter[email]',
    'filter[role]',
    'filter[id]',
    'filter[status]',
    'sort',
    'page',
    'status',
    'after',
    'cursor',
    'workflow',
    'record_id',
    'app',
    'action',
  ];
  const LISTS = [
    '_admin/users',
    '_admin/api-keys',
    '_admin/invites',
    '_admin/deliveries',
    '_admin/versions',
    '_admin/migrations',
    '_workflows',
    ...['/_platform/audit', '/_platform/migrations', '/_platform/events', '/_platform/users'],
  ];
  it.each(LISTS)('is answered in every parameter of %s', async (list) => {
    for (const name of NAMES) {
      const { status, text } = await send('GET', `${list}?${name}=${odd === '\0' ? '%00' : '%ED%A0%80'}`);
      expect(status, `${name} ${text}`).toBeLessThan(500);
    }
  });
});
