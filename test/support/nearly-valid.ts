/**
 * Requests with one mistake: a right request for every route, of which one thing is broken. Unlike noise, they pass every check but the
 * one they are made for, and so reach what is behind the first.
 */
import {
  chance,
  encode,
  HEADERS,
  name,
  NAMES,
  operator,
  pick,
  text,
  tree,
  valueOf,
  type HostileRequest,
  type Random,
} from './hostile-requests.ts';

/** What is there to be named by right requests. */
export interface Targets {
  readonly app: string;
  /** An account that nobody needs. */
  readonly user: string;
  readonly customer: string;
  /** An API key that nobody uses. */
  readonly key: string;
  readonly invite: string;
}

interface Right {
  readonly method: string;
  readonly path: readonly string[];
  readonly query?: readonly (readonly [string, string])[];
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: HostileRequest['caller'];
}

export const ticketId = (n: number): string => `00000000-0000-7000-8000-00000000${(0x1000 + n).toString(16)}`;

const NOBODY = '00000000-0000-7000-8000-0000000fffff';
const TOKEN = 'A'.repeat(43);

type Maker = (targets: Targets, random: Random) => Right;

const anyTicket = (random: Random): string => ticketId(Math.floor(random() * 40));

const READS: readonly Maker[] = [
  () => ({ method: 'GET', path: ['ticket'], query: pairs('limit=5', 'sort=-priority,title', 'cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA') }),
  () => ({ method: 'GET', path: ['ticket'], query: pairs('limit=5', 'sort=-price', 'filter[views.gte]=0', 'count=exact') }),
  () => ({
    method: 'GET',
    path: ['ticket'],
    query: pairs('include[comment][filter][text.like]=a%', 'include[comment][sort]=-text', 'include[comment][limit]=5'),
  }),
  () => ({
    method: 'GET',
    path: ['ticket'],
    query: pairs(
      'include[customer.company][fields]=name',
      'include[customer][filter][name.neq]=x',
      'include[tag][limit]=3',
      'fields=id,title',
    ),
  }),
  () => ({ method: 'GET', path: ['ticket'], query: pairs('q=ticket 1', 'count=estimated', 'page=2', 'per_page=5') }),
  () => ({ method: 'GET', path: ['ticket'], query: pairs('q="ticket 1" tick', 'limit=5', 'sort=-id', 'with_deleted=true') }),
  (_, random) => ({ method: 'GET', path: ['ticket', anyTicket(random)], query: pairs('include=customer,comment', 'fields=id,title') }),
  (_, random) => ({ method: 'GET', path: ['ticket', anyTicket(random)], headers: { 'if-none-match': 'W/"1-abcdefgh", "2"' } }),
  (_, random) => ({ method: 'GET', path: ['ticket', anyTicket(random), '_transitions'] }),
  (_, random) => ({
    method: 'POST',
    path: ['ticket', '_query'],
    body: {
      filter: { and: [{ field: 'title', op: 'like', value: 'ticket%' }, tree(random, 4)] },
      include: [
        'customer',
        { relation: 'comment', filter: { is_internal: false }, sort: '-text', limit: 5, fields: ['text'], include: [] },
      ],
      sort: '-created_at,title',
      q: 'ticket',
      limit: 5,
      count: 'none',
    },
  }),
  () => ({
    method: 'POST',
    path: ['ticket', '_aggregate'],
    body: {
      group_by: ['status', 'created_at.year_month'],
      count: '*',
      sum: ['price', 'views'],
      having: { field: 'count', op: 'gte', value: 1 },
      time_zone: 'Europe/Paris',
      sort: '-count',
      q: 'ticket',
    },
  }),
  () => ({
    method: 'GET',
    path: ['ticket', '_aggregate'],
    query: pairs('group_by=created_at.hour', 'avg=score', 'having[count.gte]=1', 'time_zone=Asia/Tokyo', 'per_page=5'),
  }),
  () => ({
    method: 'GET',
    path: ['ticket', '_export.csv'],
    query: pairs('limit=3', 'fields=id,title,customer.name', 'sort=-title', 'formulas=keep'),
  }),
  () => ({
    method: 'GET',
    path: ['ticket', '_export.ndjson'],
    query: pairs('limit=3', 'include=comment', 'q=ticket', 'with_deleted=true'),
  }),
  () => ({ method: 'GET', path: ['ticket'], query: pairs('limit=3'), headers: { accept: 'application/x-ndjson' } }),
  () => ({ method: 'GET', path: ['_openapi.json'], query: [], headers: { accept: 'application/yaml' } }),
  () => ({ method: 'GET', path: ['_discovery'] }),
];

const TICKET = {
  title: 'a ticket',
  body: 'text',
  status: 'open',
  priority: 3,
  views: '5',
  score: 1.5,
  price: '2.50',
  urgent: true,
  due_on: '2026-02-28',
  opens_at: '10:00:00',
  created_at: '2026-01-01T10:00:00Z',
  meta: { a: [1] },
  link: 'https://example.com/',
};

const WRITES: readonly Maker[] = [
  () => ({ method: 'POST', path: ['ticket'], body: TICKET }),
  (_, random) => ({
    method: 'POST',
    path: ['ticket'],
    body: {
      ...TICKET,
      comment: { _write_mode: 'diff', data: [{ text: 'a', is_internal: false }, { text: 'b' }] },
      parent_id: anyTicket(random),
    },
  }),
  (_, random) => ({
    method: 'PATCH',
    path: ['ticket', anyTicket(random)],
    body: { title: 'changed', price: '3.25', tag: [] },
    headers: { 'if-match': '"1", W/"2-abcdefgh"' },
  }),
  (_, random) => ({
    method: 'PATCH',
    path: ['ticket', anyTicket(random)],
    body: { priority: Math.floor(random() * 9) },
    headers: { 'idempotency-key': `key-${Math.floor(random() * 30)}` },
  }),
  (_, random) => ({ method: 'DELETE', path: ['ticket', anyTicket(random)], headers: { 'if-match': '"9"' } }),
  (_, random) => ({ method: 'POST', path: ['ticket', anyTicket(random), '_restore'], body: {}, headers: { 'if-match': '*' } }),
  (_, random) => ({
    method: 'POST',
    path: ['ticket', '_bulk'],
    query: pairs(chance(random, 0.5) ? 'atomic=false' : 'atomic=true'),
    body: {
      create: [TICKET, { title: 'two' }],
      update: [{ id: anyTicket(random), title: 'x', _version: 1 }],
      delete: [{ id: anyTicket(random), if_match: '"9"' }],
    },
    headers: chance(random, 0.3) ? { 'idempotency-key': `bulk-${Math.floor(random() * 30)}` } : {},
  }),
  (_, random) => ({
    method: 'POST',
    path: ['customer', '_bulk'],
    body: {
      upsert: {
        on: ['slug'],
        rows: [
          { slug: 'first', name: 'First', email: 'a@example.com' },
          { slug: `s${Math.floor(random() * 9)}`, name: 'S' },
        ],
      },
    },
  }),
  () => ({ method: 'POST', path: ['ticket', '_bulk'], body: { create: Array.from({ length: 1_001 }, () => ({ title: 'x' })) } }),
  () => ({
    method: 'POST',
    path: ['ticket', '_bulk'],
    body: { create: Array.from({ length: 20 }, (_, n) => ({ title: 'x', priority: n === 19 ? 'none' : n })) },
  }),
  (_, random) => ({
    method: 'POST',
    path: ['_batch'],
    query: pairs(chance(random, 0.5) ? 'atomic=false' : 'atomic=true'),
    body: {
      operations: [
        { op: 'create', entity: 'customer', ref: 'c', body: { name: 'Batch', email: 'b@example.com' } },
        {
          op: 'create',
          entity: 'ticket',
          ref: 't',
          body: { title: 'of a batch', customer_id: { $ref: 'c.id' }, comment: [{ text: { $ref: 'c.name' } }] },
        },
        { op: 'update', entity: 'ticket', id: { $ref: 't.id' }, body: { title: { $ref: 'c.slug' } }, if_match: '"1"' },
        { op: 'upsert', entity: 'customer', on: 'slug', body: { slug: 'first', name: { $ref: pick(random, REFS) } } },
        { op: 'delete', entity: 'ticket', id: anyTicket(random), if_match: '"9"' },
        { op: 'restore', entity: 'ticket', id: anyTicket(random) },
      ],
    },
  }),
];

const BESIDE: readonly Maker[] = [
  (_, random) => ({
    method: 'POST',
    path: ['_lists'],
    body: {
      entity: 'ticket',
      name: `list ${Math.floor(random() * 30)}`,
      filter: { and: [{ field: 'title', op: 'like', value: 'ticket%' }, tree(random, 3)] },
      q: 'ticket',
      sort: ['-created_at', 'title'],
      columns: ['title', 'customer.name'],
      per_page: 20,
      shared_with: chance(random, 0.3) ? ['customer'] : null,
      is_default: chance(random, 0.3),
    },
  }),
  (_, random) => ({ method: 'POST', path: ['ticket', anyTicket(random), '_comments'], body: { body: 'Look, @[leaver@example.com].' } }),
  (_, random) => ({
    method: 'GET',
    path: ['ticket', anyTicket(random), '_timeline'],
    query: pairs('types=change,comment', 'limit=5', 'cursor=e30'),
  }),
  (_, random) => ({ method: 'GET', path: ['ticket', anyTicket(random), '_comments'], query: pairs('limit=5', `cursor=${NOBODY}`) }),
  (_, random) => ({
    method: 'PATCH',
    path: ['ticket', anyTicket(random), '_comments', NOBODY],
    body: { body: 'x' },
    headers: { 'if-match': '"1"' },
  }),
  () => ({ method: 'GET', path: ['_lists'], query: pairs('entity=ticket', 'page=1', 'per_page=5') }),
  () => ({ method: 'PATCH', path: ['_lists', NOBODY], body: { name: 'x', sort: ['title'] }, headers: { 'if-match': '"1"' } }),
];

/** What a reference to an earlier operation is not. */
const REFS: readonly string[] = [
  ...[
    't.title',
    'c.name',
    't',
    '.',
    't.',
    '.id',
    't.t.id',
    'c.secret',
    'later.id',
    '__proto__.id',
    'c.__proto__',
    'c.constructor',
    'toString.id',
  ],
  ...['t.comment.0.id', 't.meta.a', 't.owner_id', 't.secret_note', 'c.id ', '$ref', 'c.id.length', `${'c.'.repeat(3_000)}id`],
];

const AUTH: readonly Maker[] = [
  // Few right addresses: guessing locks, and a lock answers before anything else is looked at.
  () => ({ method: 'POST', path: ['auth', 'login'], body: { email: 'leaver@example.com', password: 'a wrong one', cookie: false } }),
  () => ({ method: 'POST', path: ['auth', 'refresh'], body: { refresh_token: TOKEN } }),
  () => ({ method: 'POST', path: ['auth', 'refresh'], body: {}, headers: { cookie: `durabase_refresh=${TOKEN}` } }),
  () => ({ method: 'POST', path: ['auth', 'logout'], body: { refresh_token: TOKEN } }),
  () => ({ method: 'POST', path: ['auth', 'register'], body: { email: 'new@example.com', password: 'long enough' } }),
  () => ({ method: 'POST', path: ['auth', 'forgot'], body: { email: 'leaver@example.com' } }),
  () => ({ method: 'POST', path: ['auth', 'reset'], body: { token: TOKEN, password: 'long enough' } }),
  () => ({ method: 'POST', path: ['auth', 'verify'], body: { token: TOKEN, password: 'long enough' } }),
  () => ({ method: 'POST', path: ['auth', 'verify', 'send'], body: { email: 'leaver@example.com' } }),
  () => ({ method: 'POST', path: ['auth', 'accept-invite'], body: { token: TOKEN, password: 'long enough' } }),
  () => ({ method: 'POST', path: ['auth', 'password'], body: { current: 'a wrong one', new: 'another one' }, caller: 'leaver' }),
  () => ({ method: 'GET', path: ['auth', 'sessions'], caller: 'leaver' }),
  () => ({ method: 'DELETE', path: ['auth', 'sessions'], query: pairs('all=false'), caller: 'leaver' }),
  () => ({ method: 'DELETE', path: ['auth', 'sessions', NOBODY], caller: 'leaver' }),
  () => ({ method: 'GET', path: ['auth', 'me'] }),
  () => ({ method: 'POST', path: ['auth', 'api-keys'], body: { name: 'mine', scopes: ['ticket:read'] }, caller: 'customer' }),
  ({ key }) => ({ method: 'PATCH', path: ['auth', 'api-keys', key], body: { name: 'x' }, caller: 'customer' }),
  ({ key }) => ({ method: 'POST', path: ['auth', 'api-keys', key, 'rotate'], body: {}, caller: 'customer' }),
];

const PERMISSION = {
  entity: 'ticket',
  action: 'read',
  roles: ['customer'],
  conditions: [{ field: 'status', operator: 'eq', value: 'open' }],
  fields: { read: ['title', 'status'] },
};

const ADMIN: readonly Maker[] = [
  (_, random) => ({
    method: 'POST',
    path: ['_admin', 'rules', 'try'],
    body: {
      entity: 'ticket',
      record: TICKET,
      old: chance(random, 0.5) ? { ...TICKET, id: anyTicket(random) } : undefined,
      as: { roles: ['customer'], email: 'c@example.com' },
      drafts: [
        {
          entity: 'ticket',
          type: 'expression',
          definition: { expression: 'len(record.title) > 2 && record.priority < 9', message: 'Say more' },
        },
        { entity: 'ticket', type: 'computed', definition: { field: 'body', expression: "record.title + '!'" } },
      ],
    },
  }),
  ({ customer }, random) => ({
    method: 'POST',
    path: ['_admin', 'permissions', 'simulate'],
    body: {
      as: chance(random, 0.5) ? customer : { roles: ['customer'], id: customer },
      entity: 'ticket',
      action: pick(random, ['read', 'update', 'create', 'delete']),
      record_id: anyTicket(random),
      record: { title: 'changed' },
      draft: [PERMISSION],
    },
  }),
  () => ({
    method: 'POST',
    path: ['_admin', 'permissions', 'simulate'],
    body: {
      as: { roles: ['customer'] },
      entity: 'ticket',
      action: 'read',
      query: { filter: { field: 'title', op: 'like', value: 't%' } },
      draft: [PERMISSION],
    },
  }),
  (_, random) => ({
    method: 'POST',
    path: ['_admin', 'invites'],
    body: { email: `i${Math.floor(random() * 9)}@example.com`, roles: ['customer'] },
  }),
  () => ({
    method: 'POST',
    path: ['_admin', 'invites', 'bulk'],
    body: { emails: ['a@example.com', 'b@example.com'], roles: ['customer'] },
  }),
  () => ({ method: 'GET', path: ['_admin', 'invites'] }),
  ({ invite }) => ({ method: 'POST', path: ['_admin', 'invites', invite, 'resend'], body: {} }),
  () => ({ method: 'DELETE', path: ['_admin', 'invites', NOBODY] }),
  ({ customer }) => ({
    method: 'POST',
    path: ['_admin', 'api-keys'],
    body: { name: 'k', scopes: ['ticket:read', '*:write', '_admin:read'], user_id: customer, expires_at: '2030-01-01T00:00:00Z' },
  }),
  () => ({ method: 'POST', path: ['_admin', 'api-keys'], body: { name: 'k', scopes: ['customer:*'], roles: ['customer'] } }),
  ({ key }) => ({
    method: 'PATCH',
    path: ['_admin', 'api-keys', key],
    body: { name: 'n', scopes: ['ticket:*'], expires_at: '2030-01-01T00:00:00Z' },
  }),
  ({ key }) => ({ method: 'POST', path: ['_admin', 'api-keys', key, 'rotate'], body: {} }),
  () => ({ method: 'GET', path: ['_admin', 'api-keys'], query: pairs('page=1', 'per_page=5') }),
  () => ({
    method: 'POST',
    path: ['_admin', 'users'],
    body: { email: 'c@example.com', password: 'long enough', roles: ['customer'], active: true },
  }),
  () => ({
    method: 'POST',
    path: ['_admin', 'users'],
    body: { email: 'c@example.com', password_hash: `$2b$10$${'a'.repeat(53)}`, roles: ['customer'] },
  }),
  ({ user }) => ({ method: 'PATCH', path: ['_admin', 'users', user], body: { roles: ['customer'], active: true, email: 'x@example.com' } }),
  ({ user }) => ({ method: 'GET', path: ['_admin', 'users', user, 'sessions'] }),
  ({ user }) => ({ method: 'DELETE', path: ['_admin', 'users', user, 'sessions', NOBODY] }),
  () => ({ method: 'GET', path: ['_admin', 'users'], query: pairs('page=1', 'per_page=5') }),
  () => ({ method: 'GET', path: ['_admin', 'signing-keys'] }),
  () => ({ method: 'GET', path: ['_admin', 'deliveries'], query: pairs('page=1') }),
  () => ({ method: 'POST', path: ['_workflows', 'start', 'none'], body: { context: {}, record_id: ticketId(1) } }),
  // Who is asked twice, in two ways, or as somebody else.
  ({ customer }, random) => ({
    method: 'GET',
    path: ['ticket'],
    query: pairs('limit=2'),
    headers: { 'x-as-user': pick(random, [customer, customer, NOBODY]) },
  }),
  ({ user }) => ({ method: 'PATCH', path: ['ticket', ticketId(2)], body: { title: 'y' }, headers: { 'x-as-user': user } }),
];

const FAMILIES: readonly (readonly Maker[])[] = [READS, WRITES, BESIDE, AUTH, ADMIN];

function pairs(...given: readonly string[]): readonly (readonly [string, string])[] {
  return given.map((pair) => {
    const [key = '', ...value] = pair.split('=');
    return [key, value.join('=')] as const;
  });
}

/** A right request of some route with one thing broken (once in twenty with none). */
export function nearlyValid(random: Random, targets: Targets): HostileRequest {
  const right = pick(random, pick(random, FAMILIES))(targets, random);
  return sent(random, targets.app, chance(random, 0.05) ? right : broken(random, right));
}

function broken(random: Random, right: Right): Right {
  const kind = random();
  const { path, query, headers = {} } = right;
  if (kind < 0.08) return { ...right, path: path.with(Math.floor(random() * path.length), pick(random, NAMES)) };
  if (kind < 0.13)
    return { ...right, method: pick(random, ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND', 'QUERY']) };
  if (kind < 0.25) return { ...right, headers: { ...headers, ...headerGame(random) } };
  if (kind < 0.32) return { ...right, caller: pick(random, ['customer', 'program', 'nobody', 'forger'] as const) };
  if (right.body !== undefined && (kind < 0.85 || query === undefined)) return { ...right, body: brokenBody(random, right.body) };
  return { ...right, query: brokenQuery(random, query ?? []) };
}

function headerGame(random: Random): Readonly<Record<string, string>> {
  const given = pick(random, ['idempotency-key', 'if-match', 'x-as-user', 'x-api-key', 'x-tenant-id', 'any'] as const);
  return given === 'any' ? pick(random, HEADERS) : { [given]: pick(random, HEADER_TEXTS) };
}

const HEADER_TEXTS: readonly string[] = [
  ...[
    '',
    ' ',
    '*',
    '""',
    '"',
    ',',
    '"1" "2"',
    'W/',
    'W/"',
    `"${'9'.repeat(400)}"`,
    '-1',
    '1e3',
    '"1",'.repeat(3_000),
    'x',
    'x'.repeat(255),
    'x'.repeat(256),
  ],
  ...[
    '\u00ff',
    'a\tb',
    '0',
    'null',
    NOBODY,
    `${NOBODY} `,
    '00000000000070008000000000000000',
    '__proto__',
    "' or 1=1 --",
    '%00',
    'desk',
    '_platform',
  ],
  ...[`dbk_${'a'.repeat(43)}0000000`, `dbp_${'a'.repeat(43)}0000000`, 'dbk_', `dbk_${'-'.repeat(20_000)}`, 'Bearer x'],
];

function brokenQuery(random: Random, query: readonly (readonly [string, string])[]): readonly (readonly [string, string])[] {
  const at = Math.floor(random() * query.length);
  const [key = 'sort', value = ''] = query[at] ?? [];
  switch (pick(random, ['value', 'value', 'value', 'key', 'more', 'twice', 'gone', 'operator'] as const)) {
    case 'value':
      return query.length === 0 ? [[name(random), text(random)]] : query.with(at, [key, text(random)]);
    case 'key':
      return query.length === 0
        ? [[name(random), value]]
        : query.with(at, [chance(random, 0.5) ? name(random) : `${key}[${name(random)}]`, value]);
    case 'more':
      return [...query, [pick(random, EXTRA_KEYS), text(random)]];
    case 'twice':
      return [...query, [key, text(random)]];
    case 'gone':
      return query.toSpliced(at, 1);
    case 'operator':
      return [...query, [`filter[${name(random)}.${operator(random)}]`, text(random)]];
  }
}

const EXTRA_KEYS: readonly string[] = [
  ...[
    'cursor',
    'limit',
    'page',
    'per_page',
    'count',
    'q',
    'with_deleted',
    'atomic',
    'all',
    'dry_run',
    'time_zone',
    'formulas',
    'include[]',
    'include[comment]',
  ],
  ...[
    'include[comment][page]',
    'include[comment][include][comment][limit]',
    'include[__proto__][limit]',
    'include[customer][sort]',
    'include[nothing][limit]',
  ],
  ...[
    'include[comment][filter][ticket.comment.ticket.comment.text]',
    'include[comment][filter]',
    'include[comment][limit][]',
    'include[comment.ticket.comment.ticket][limit]',
  ],
];

/** The same body with one node changed, taken away, renamed, wrapped, or with one more beside it. */
function brokenBody(random: Random, body: unknown): unknown {
  const copy: unknown = structuredClone(body);
  const places = placesOf(copy);
  const place = places[Math.floor(random() * places.length)];
  if (place === undefined) return valueOf(random);
  const { parent, key } = place;
  const node = parent as Record<string | number, unknown>;
  switch (pick(random, ['value', 'value', 'value', 'value', 'gone', 'renamed', 'wrapped', 'more', 'ref', 'long'] as const)) {
    case 'value':
      node[key] = valueOf(random);
      break;
    case 'gone':
      if (Array.isArray(parent)) parent.splice(Number(key), 1);
      else delete node[key];
      break;
    case 'renamed':
      define(parent, name(random), node[key]);
      if (!Array.isArray(parent)) delete node[key];
      break;
    case 'wrapped':
      node[key] = chance(random, 0.5) ? [node[key]] : { data: node[key] };
      break;
    case 'more':
      define(parent, pick(random, chance(random, 0.5) ? NAMES : MORE_KEYS), valueOf(random));
      break;
    case 'ref':
      node[key] = { $ref: pick(random, REFS) };
      break;
    case 'long': {
      const length = pick(random, [300, 2_000, 30_000]);
      const isTooMuch = (JSON.stringify(node[key]) ?? '').length * length > 1_000_000;
      node[key] = isTooMuch ? 'x'.repeat(500_000) : Array.from({ length }, () => node[key]);
      break;
    }
  }
  return copy;
}

const MORE_KEYS: readonly string[] = [
  ...[
    '_delete',
    '_write_mode',
    '_version',
    'if_match',
    'ref',
    'on',
    'id',
    'data',
    'draft',
    'as',
    'old',
    'relation',
    'filter',
    'cursor',
    'include',
  ],
  ...['is_admin', 'password_hash', 'must_change', 'active', 'realm', 'owner_id', 'secret_note', 'deleted_at', 'user_id', 'roles', 'email'],
];

/** Also `__proto__`, as an own key. */
function define(parent: object, key: string, value: unknown): void {
  if (Array.isArray(parent)) parent.push(value);
  else Object.defineProperty(parent, key, { value, enumerable: true, configurable: true, writable: true });
}

interface Place {
  readonly parent: object;
  readonly key: string | number;
}

function placesOf(node: unknown, into: Place[] = []): readonly Place[] {
  if (typeof node !== 'object' || node === null) return into;
  // The first and the last of many rows are enough.
  const keys = Array.isArray(node) ? [...new Set([0, node.length - 1])].filter((index) => index in node) : Object.keys(node);
  for (const key of keys) {
    into.push({ parent: node, key });
    placesOf((node as Record<string | number, unknown>)[key], into);
  }
  return into;
}

function sent(random: Random, app: string, { method, path, query = [], body, headers = {}, caller = 'admin' }: Right): HostileRequest {
  const segments = [app, ...path].map((segment) => encode(random, segment.slice(0, 3_000)));
  const search = query.map(([key, value]) => `${encode(random, key)}=${encode(random, value)}`).join('&');
  const hasBody = body !== undefined && !['GET', 'HEAD', 'OPTIONS'].includes(method);
  return {
    method,
    path: `/api/${segments.join('/')}${search === '' ? '' : `?${search}`}`,
    headers: { ...(hasBody ? { 'content-type': 'application/json' } : {}), ...headers },
    body: hasBody ? Buffer.from(JSON.stringify(body)) : undefined,
    caller,
  };
}
