/** Requests that a hostile or careless client sends, made of a seed: the same seed makes the same requests. */

export interface HostileRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer | undefined;
  /** Which of the callers sends it. */
  readonly caller: 'admin' | 'customer' | 'program' | 'leaver' | 'nobody' | 'forger';
}

/** Mulberry32. */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const ENTITIES = ['ticket', 'customer', 'comment', 'tag', 'company'];
const FIELDS = [
  'id',
  'title',
  'body',
  'status',
  'priority',
  'views',
  'score',
  'price',
  'urgent',
  'due_on',
  'opens_at',
  'created_at',
  'meta',
  'attachment',
];
const FIELDS_OF_OTHERS = [
  'owner_id',
  'link',
  'customer',
  'customer.name',
  'customer.company.region',
  'comment',
  'comment.text',
  'tags.label',
  'secret_note',
];
const OPERATORS = [
  ...['eq', 'neq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'not_in', 'between', 'like', 'ilike', 'contains', 'icontains'],
  ...['starts_with', 'ends_with', 'is_null', 'not_null', 'is_empty'],
];
const ODD_OPERATORS = ['some', 'none', 'regex', 'constructor', '__proto__', ''];
const LONE = '\ud800';
export const NAMES = [
  ...[
    '__proto__',
    'constructor',
    'prototype',
    'toString',
    'hasOwnProperty',
    'valueOf',
    '_version',
    'deleted_at',
    '_hidden',
    '*',
    '',
    '.',
    '..',
    '...',
  ],
  ...[
    '"',
    "'",
    '\\',
    '\0',
    LONE,
    '"; drop table ticket; --',
    "' or 1=1 --",
    '$1',
    '$user.id',
    '${7*7}',
    '{{secret.KEY}}',
    '%',
    '%%',
    '%s',
    '\u202e',
    '０',
  ],
  ...[
    'a.b.c.d.e.f',
    'title.title',
    'customer.customer.customer.customer',
    'created_at.month.month',
    'comment.some',
    'comment.none.',
    '🦆',
    'SELECT',
    'pg_sleep(9)',
  ],
  ...[
    'a'.repeat(64),
    'a'.repeat(2_000),
    'x.'.repeat(400),
    '\r\nX: y',
    '../../etc/passwd',
    'null',
    'undefined',
    '0',
    '-1',
    '[]',
    '{}',
    '[object Object]',
  ],
];
const VALUES: readonly unknown[] = [
  ...NAMES,
  ...[0, -0, -1, 1.5, 1e308, 1e21, 9_007_199_254_740_993, true, false, null, [], {}, [[]], [null], { a: 1 }, { field: 'id' }, { and: [] }],
  ...[
    '1e400',
    '-1e-400',
    'NaN',
    'Infinity',
    '-Infinity',
    '9'.repeat(500),
    `0.${'1'.repeat(2_000)}`,
    '0x10',
    '1_000',
    '٣',
    '--5',
    '2147483648',
    '9223372036854775808',
  ],
  ...[
    '0000-00-00',
    '2026-02-30',
    '99999-01-01',
    '-4713-01-01',
    'infinity',
    'now',
    '2026-01-01T25:00:00Z',
    '2026-01-01T00:00:00+99:00',
    '24:00:00',
    '$now-999999w',
  ],
  ...[
    '$now+999999w',
    '$now-7parsecs',
    '$user.roles',
    '$user.password',
    '%'.repeat(9_000),
    '_%'.repeat(3_000),
    '(a+)+$',
    'x'.repeat(10_001),
    'a,b,,c\\,',
    ','.repeat(3_000),
  ],
];

export type Random = () => number;
export const pick = <T>(random: Random, from: readonly T[]): T => from[Math.floor(random() * from.length)] as T;
export const chance = (random: Random, share: number): boolean => random() < share;

/** Mostly a name that there is: what is refused by its name alone reaches nothing behind it. */
export const name = (random: Random): string =>
  chance(random, 0.2) ? pick(random, NAMES) : pick(random, chance(random, 0.7) ? FIELDS : FIELDS_OF_OTHERS);
export const operator = (random: Random): string => (chance(random, 0.1) ? pick(random, ODD_OPERATORS) : pick(random, OPERATORS));
const SANE: readonly unknown[] = [
  'open',
  5,
  '5',
  1.5,
  '2026-01-01',
  '2026-01-01T10:00:00Z',
  'ticket%',
  true,
  'title',
  'id',
  '*',
  '10,20',
  'status',
  null,
];
export const valueOf = (random: Random): unknown => (chance(random, 0.4) ? pick(random, SANE) : pick(random, VALUES));
export const text = (random: Random): string => {
  const value = valueOf(random);
  return typeof value === 'string' ? value : JSON.stringify(value);
};

const wellFormed = (given: string): string => Buffer.from(given).toString();

/** Percent-encoding that does not mind halves of surrogate pairs, and sometimes sends what is no UTF-8 at all. */
export function encode(random: Random, given: string): string {
  if (chance(random, 0.03)) return `${encodeURIComponent(wellFormed(given))}%FF%C0%80`;
  if (chance(random, 0.02)) return `${encodeURIComponent(wellFormed(given))}%E0%A4%`;
  return wellFormed(given) === given ? encodeURIComponent(given) : '%ED%A0%80';
}

/** Pairs that are valid, so that hostile ones beside them reach the database too. */
const SENSIBLE = {
  list: [
    ...[
      'filter[title.like]=%a%',
      'filter[views.gt]=5',
      'filter[price.between]=1,2',
      'filter[created_at.gte]=$now-7d',
      'filter[meta.contains]={"a":1}',
    ],
    ...['filter[customer.name.is_null]=true', 'filter[comment.some.text]=x', 'filter[status.in]=open,closed', 'with_deleted=false'],
    ...['sort=-created_at,customer.name', 'fields=id,title,customer.name', 'include=customer,comment', 'limit=3', 'q=ticket'],
  ],
  _aggregate: [
    ...[
      'group_by=status',
      'group_by=customer.name,created_at.year_month',
      'group_by=meta',
      'count=*',
      'count_distinct=meta,title',
      'sum=price,views',
    ],
    ...[
      'avg=score,priority',
      'min=created_at,title',
      'having[count.gte]=1',
      'sort=-count',
      'limit=3',
      'filter[title.like]=%a%',
      'page=1000000000',
    ],
  ],
} as const;
const TEXT_CONDITIONS = [
  'title.eq',
  'body.like',
  'link.ilike',
  'title.contains',
  'title.starts_with',
  'title.in',
  'customer.name.ends_with',
  'comment.text.icontains',
];

function queryOf(random: Random, route: string): string {
  const sensible = route === '_aggregate' ? SENSIBLE._aggregate : SENSIBLE.list;
  const pairs: string[] = [];
  const add = (key: string, value: string): void => void pairs.push(`${encode(random, key)}=${encode(random, value)}`);
  const count = chance(random, 0.6) ? 1 : 2 + Math.floor(random() * 3);
  for (let index = 0; index < count; index++) {
    if (chance(random, 0.5)) {
      const [key = '', ...value] = pick<string>(random, sensible).split('=');
      add(key, value.join('='));
      continue;
    }
    const kind = random();
    if (kind < 0.15) add(`filter[${pick(random, TEXT_CONDITIONS)}]`, text(random));
    else if (kind < 0.3) add(`filter[${name(random)}.${operator(random)}]`, text(random));
    else if (kind < 0.45) add(`filter[${name(random)}][${operator(random)}]`, text(random));
    else if (kind < 0.5)
      add(pick(random, ['filter[', 'filter]', 'filter[[]]', 'filter[a]b', 'having[', 'filter[]', 'filter[][]']), text(random));
    else if (kind < 0.6) add('filter', chance(random, 0.5) ? JSON.stringify(tree(random, 0)) : text(random));
    else if (kind < 0.65) add(`having[${name(random)}.${operator(random)}]`, text(random));
    else
      add(
        pick(random, PARAMETERS),
        chance(random, 0.6) ? [name(random), name(random)].slice(Math.floor(random() * 2)).join(',') : text(random),
      );
  }
  return pairs.join('&');
}

const PARAMETERS = [
  ...[
    'sort',
    'fields',
    'include',
    'page',
    'per_page',
    'limit',
    'cursor',
    'count',
    'with_deleted',
    'q',
    'group_by',
    'sum',
    'avg',
    'min',
    'max',
  ],
  ...['count_distinct', 'having', 'time_zone', 'formulas', 'atomic', 'dry_run', 'mode', 'confirm', 'after', '__proto__', 'constructor', ''],
];

export function tree(random: Random, depth: number): unknown {
  const kind = random();
  if (depth > 5 || kind < 0.5) return { field: name(random), op: operator(random), value: valueOf(random) };
  if (kind < 0.7) return { [pick(random, ['and', 'or'])]: [tree(random, depth + 1), tree(random, depth + 1)] };
  if (kind < 0.8) return { not: tree(random, depth + 1) };
  if (kind < 0.9) return { [name(random)]: pick(random, VALUES) };
  return pick(random, VALUES);
}

/** A filter of `depth` levels as text: made by hand, because JSON.stringify would go too deep itself. */
const deep = (depth: number): string => `${'{"not":'.repeat(depth)}{"field":"id","op":"eq","value":1}${'}'.repeat(depth)}`;

function recordOf(random: Random): Record<string, unknown> {
  const entries = Array.from({ length: 1 + Math.floor(random() * 4) }, () => [name(random), valueOf(random)] as const);
  const record: Record<string, unknown> = Object.fromEntries(entries);
  if (chance(random, 0.2))
    record['comment'] = {
      _write_mode: pick(random, ['diff', 'replace', 'append', 'x', 5]),
      data: [pick(random, VALUES), { text: text(random) }],
    };
  return record;
}

function bodyOf(random: Random, route: string): Buffer {
  const kind = random();
  if (kind < 0.02) return Buffer.from(`{"filter":${deep(10_000)}}`);
  if (kind < 0.04) return Buffer.from('['.repeat(100_000));
  if (kind < 0.06)
    return Buffer.from(JSON.stringify({ filter: { field: 'priority', op: 'in', value: Array.from({ length: 100_000 }, (_, n) => n) } }));
  if (kind < 0.07) return Buffer.alloc(2 * 1024 * 1024, 0x20);
  if (kind < 0.09) return Buffer.from(JSON.stringify({ comment: Array.from({ length: 20_000 }, () => ({ text: 'x' })) }));
  if (kind < 0.12)
    return Buffer.from(
      pick(random, ['{', '{"a":', '{"a":1}}', '{a:1}', "{'a':1}", '[1,2', 'nul', '"', '{"a":"\u0001"}', '{"a":1,}', '\ufeff{}', '']),
    );
  if (kind < 0.14)
    return Buffer.concat([Buffer.from('{"title":"'), Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]), Buffer.from('"}')]);
  if (kind < 0.18)
    return Buffer.from(
      pick(random, ['{"__proto__":{"isAdmin":true}}', '{"title":{"constructor":{"prototype":1}}}', '{"a":{"__proto__":null}}']),
    );
  if (kind < 0.24) return Buffer.from(JSON.stringify(pick(random, VALUES)) ?? 'null');
  if (route === '_query' || route === '_aggregate') {
    return Buffer.from(
      JSON.stringify({
        filter: tree(random, 0),
        having: tree(random, 0),
        [pick(random, PARAMETERS)]: valueOf(random),
        [pick(random, PARAMETERS)]: [name(random)],
      }),
    );
  }
  if (route === '_bulk' || route === '_batch') {
    const rows = [recordOf(random), pick(random, VALUES)];
    return Buffer.from(
      JSON.stringify({ create: rows, update: rows, delete: [pick(random, VALUES)], upsert: { on: name(random), rows }, operations: rows }),
    );
  }
  return Buffer.from(JSON.stringify(recordOf(random)));
}

const PARTS = ['_query', '_aggregate', '_export.csv', '_export.ndjson', '_bulk', '_bulk', '_batch', '_nothing', '_restore', '_transitions'];
const ADMIN_PARTS = [
  'entities',
  'relations',
  'rules',
  'state-machines',
  'workflows',
  'permissions',
  'webhooks',
  'roles',
  'users',
  'versions',
  'migrations',
  'deliveries',
  'invites',
  'api-keys',
  'signing-keys',
  'secrets',
  'findings',
];
const AUTH_PARTS = [
  ...['refresh', 'logout', 'me', 'jwks.json', 'nothing', 'register', 'forgot', 'reset', 'verify', 'login', 'password'],
  ...['accept-invite', 'sessions', 'api-keys', 'totp', 'oidc'],
];

/** A record that may be there, or the oddest of names. */
const recordId = (random: Random): string =>
  chance(random, 0.4) ? `00000000-0000-7000-8000-00000000${(0x1000 + Math.floor(random() * 60)).toString(16)}` : text(random);

function target(random: Random, app: string): { readonly method: string; readonly path: string; readonly route: string } {
  const segment = (given: string): string => encode(random, given.slice(0, 3_000));
  const entity = chance(random, 0.9) ? pick(random, ENTITIES) : name(random);
  const kind = random();
  const at = (...segments: readonly string[]): string => `/api/${[app, ...segments].map(segment).join('/')}`;
  if (kind < 0.25) return { method: 'GET', path: `${at(entity)}?${queryOf(random, 'list')}`, route: 'list' };
  if (kind < 0.35) return { method: 'POST', path: at(entity), route: 'create' };
  if (kind < 0.55) {
    const part = pick(random, PARTS);
    const method = pick(
      random,
      part === '_aggregate' ? ['GET', 'POST'] : part.startsWith('_export') ? ['GET', 'HEAD'] : ['POST', 'POST', 'GET', 'PUT'],
    );
    return {
      method,
      path: method === 'GET' || method === 'HEAD' ? `${at(entity, part)}?${queryOf(random, part)}` : at(entity, part),
      route: part,
    };
  }
  if (kind < 0.72) {
    const method = pick(random, ['GET', 'PUT', 'PATCH', 'DELETE']);
    const rest = chance(random, 0.2) ? [pick(random, ['_restore', '_transitions', '_nothing', text(random)])] : [];
    return {
      method: rest.length > 0 ? pick(random, ['GET', 'POST']) : method,
      path: `${at(entity, recordId(random), ...rest)}?${method === 'GET' ? queryOf(random, 'record') : ''}`,
      route: 'record',
    };
  }
  if (kind < 0.8)
    return {
      method: pick(random, ['GET', 'POST', 'PUT', 'DELETE']),
      path: at('_admin', pick(random, ADMIN_PARTS), pick(random, NAMES)),
      route: 'admin',
    };
  if (kind < 0.84) return { method: pick(random, ['GET', 'POST']), path: at('auth', pick(random, AUTH_PARTS)), route: 'auth' };
  if (kind < 0.88)
    return {
      method: pick(random, ['POST', 'GET']),
      path: at(pick(random, ['_batch', '_workflows', '_discovery', '_openapi.json', '_docs', '_files', '_nothing'])),
      route: '_batch',
    };
  return { method: pick(random, ['GET', 'POST', 'TRACE', 'OPTIONS', 'PROPFIND']), path: oddPath(random, app), route: 'odd' };
}

function oddPath(random: Random, app: string): string {
  return pick(random, [
    `/api/${app}//ticket///`,
    `/api/${app}/../../etc/passwd`,
    `/api/${app}/%2e%2e/%2e%2e/ticket`,
    `/api/${app}/ticket%00`,
    `/api/${app}/ticket/%ff`,
    `/api/${app}/ticket/%`,
    `/api/${app}/ticket/%2F%2F`,
    `/api/${app}/ticket/${'a/'.repeat(500)}`,
    `/api/${'a'.repeat(5_000)}`,
    `/api/${app}/${'t'.repeat(10_000)}`,
    `/api/projects/${app}/data/ticket/x/y/z`,
    `/api/v1/${app}/%00`,
    `/api/__proto__/constructor`,
    '/api/',
    '/api?x',
    `/api/${app}?${'a=1&'.repeat(5_000)}`,
    `/api/${app}/ticket?${'filter[id]=1&'.repeat(1_000)}`,
    `/api/${app}/ticket?${'filter[title]=1&filter[body]=2&'.repeat(300)}`,
    `/api/${app}/ticket?filter=${encodeURIComponent(deep(1_000)).slice(0, 30_000)}`,
    `/api/${app}/ticket?page=99999999999999999999&per_page=-1`,
    `/api/${app}/ticket?page=1000000000&per_page=100`,
    `/api/${app}/ticket/_aggregate?group_by=status&page=1000000000&per_page=10000`,
    `/api/${app}/ticket/_aggregate?${'sum=price&'.repeat(500)}`,
    `/api/${app}/ticket?sort=${'title,'.repeat(2_000)}`,
    `/api/${app}/ticket?fields=${'title,'.repeat(2_000)}`,
    `/api/${app}/ticket?include=${'customer.company,'.repeat(1_500)}`,
    `/api/${app}/ticket?include=parent.parent.parent,comment.ticket.comment`,
    `/health/${app}`,
    '/admin/%ff',
    '/%00',
  ]);
}

export const HEADERS: readonly Readonly<Record<string, string>>[] = [
  {},
  {},
  {},
  {},
  { 'x-tenant-id': "' or 1=1 --" },
  { 'x-tenant-id': '__proto__' },
  { 'if-match': '"99999999999999999999"' },
  { 'if-match': 'W/"x", *' },
  { 'if-none-match': '*'.repeat(5_000) },
  { accept: 'text/csv;q=banana, application/x-ndjson;q=9e9' },
  { accept: `${'text/csv,'.repeat(2_000)}*/*` },
  { 'content-type': 'text/plain' },
  { 'content-type': 'application/json; charset=utf-16' },
  { 'content-type': `multipart/form-data; boundary=${'-'.repeat(3_000)}` },
  { 'content-encoding': 'gzip' },
  { 'idempotency-key': 'x'.repeat(5_000) },
  { 'x-request-id': '<script>' },
  { 'x-api-key': 'dk_' + 'x'.repeat(2_000) },
  { 'schema-version': '-1' },
  { origin: 'null' },
  { range: 'bytes=0-1' },
  { expect: '100-continue' },
  { cookie: 'a='.repeat(2_000) },
  { 'x-long': 'y'.repeat(40_000) },
];

export function hostileRequest(random: Random, app: string): HostileRequest {
  const { method, path, route } = target(random, app);
  const hasBody = method !== 'GET' && method !== 'HEAD' && method !== 'OPTIONS' && method !== 'TRACE';
  const caller = pick(random, [
    'admin',
    'admin',
    'admin',
    'admin',
    'customer',
    'customer',
    'program',
    chance(random, 0.5) ? 'nobody' : 'forger',
  ] as const);
  const body = hasBody ? bodyOf(random, route) : undefined;
  return { method, path, headers: { ...(hasBody ? { 'content-type': 'application/json' } : {}), ...pick(random, HEADERS) }, body, caller };
}

/** Bytes that are hardly HTTP: the server may answer or hang up, and must go on serving. */
export const BROKEN_HTTP: readonly string[] = [
  'GET\r\n\r\n',
  'GET /api/desk/ticket HTTP/9.9\r\nHost: x\r\n\r\n',
  'GET /api/desk/ticket HTTP/1.1\r\n\r\n',
  'GET /api/desk/ti cket HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /api/desk/\0 HTTP/1.1\r\nHost: x\r\n\r\n',
  'POST /api/desk/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n',
  'POST /api/desk/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n{"a":1',
  'POST /api/desk/ticket HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /api/desk/ticket HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}\r\n0\r\n\r\n',
  'POST /api/desk/ticket HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'GET /api/desk/ticket HTTP/1.1\r\nHost: x\r\nX: a\r\n b\0\r\n\r\n',
  'GET http://other.example/api/desk/ticket HTTP/1.1\r\nHost: x\r\n\r\n',
  'CONNECT other.example:443 HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /api/desk/ticket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
  'GET /api/desk/_export.csv HTTP/1.0\r\n\r\n',
  '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
];
