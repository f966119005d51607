/**
 * Everything that can be asked and could tell something hidden, as a table: a later part of the API adds its line. `reads` change
 * nothing and are sent by every caller; `writes` come after them, in order.
 */
import type { Seeded } from '../support/seeded.ts';
import { COMMENT, CUSTOMER, FILE, MEMO, REPLY, TAG, TICKET, USER, VAULT } from './leak-world.ts';

export interface Ask {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** `whole`: never sampled, because it alone shows that a check is missing. */
export type Clause = readonly [name: string, asks: readonly Ask[], sampling?: 'whole'];

const DESK = '/api/desk';
const get = (path: string, headers?: Ask['headers']): Ask => ({
  method: 'GET',
  path: DESK + path,
  ...(headers === undefined ? {} : { headers }),
});
const post = (path: string, body: unknown): Ask => ({ method: 'POST', path: DESK + path, body });
const list = (query: string, entity = 'ticket'): Ask => get(`/${entity}?${query}`);

/** Hidden and open names, of fields and of what lies behind relations. */
const PATHS = [
  'title',
  'amount',
  'note',
  'owner_id',
  'covert',
  'covert_amount',
  'covert_state',
  'seal',
  'badge',
  'memo.some.text',
  'vault',
  'vault_id',
  'vault.cipher',
  'topic',
  'topic.label',
  'origin.label',
  'customer',
  'customer.name',
  'customer.region',
  'customer.covert',
  'comment',
  'comment.text',
  'comment.some.text',
  'comment.none.text',
  'comment.some.is_internal',
  'comment.none.is_internal',
  'ticket_tags.some.label',
  'ticket_tags.none.label',
  'customer.ticket.some.covert',
  'customer.ticket.title',
  'customer.ticket.note',
  'comment.ticket.note',
  'deleted_at',
  '_version',
  'coverts',
  'vaults',
  'nothing',
];
const OPERATORS = [
  'eq',
  'neq',
  'gt',
  'gte',
  'lt',
  'lte',
  'in',
  'not_in',
  'like',
  'ilike',
  'contains',
  'icontains',
  'starts_with',
  'ends_with',
  'between',
  'is_null',
  'not_null',
  'is_empty',
];
const VALUES: Readonly<Record<string, string>> = {
  in: 'a,alpha,my note,5',
  not_in: 'alpha,z',
  between: '0,100',
  is_null: 'true',
  not_null: 'true',
  is_empty: 'true',
  like: '%25a%25',
  ilike: '%25A%25',
};
const TEXTS = ['alpha', 'internal alpha', 'my note', 'public one', '1'];
const all = (paths: readonly string[], make: (path: string) => Ask | readonly Ask[]): Ask[] => paths.flatMap(make);

const filters = all(PATHS, (path) => [
  ...OPERATORS.map((operator) => list(`filter[${path}.${operator}]=${VALUES[operator] ?? 'alpha'}&per_page=50`)),
  ...TEXTS.map((text) => list(`filter[${path}]=${encodeURIComponent(text)}`)),
]);

const trees = all(PATHS, (path) => [
  post('/ticket/_query', { filter: { not: { field: path, op: 'eq', value: 'alpha' } } }),
  post('/ticket/_query', {
    filter: {
      or: [
        { field: path, op: 'is_null', value: true },
        { field: 'title', op: 'eq', value: 'Mine open' },
      ],
    },
  }),
  post('/ticket/_query', { filter: { field: 'comment', op: 'none', value: { field: path, op: 'contains', value: 'internal' } } }),
  post('/ticket/_query', {
    filter: { field: 'comment', op: 'some', value: { not: { field: 'text', op: 'contains', value: 'internal' } } },
    sort: path,
  }),
]);

const pages = all(PATHS, (path) => [
  list(`sort=${path}`),
  list(`sort=-${path}`),
  list(`sort=${path}&per_page=1&page=2`),
  list(`fields=id,${path}`),
  list(`sort=${path}&limit=1`),
  list(`sort=${path}&limit=1&cursor=AAAA`),
  list(`sort=-${path}&limit=2`),
  list(`sort=status,-${path}&limit=1&fields=id`),
]);

const includes = all(
  [
    'customer',
    'vault',
    'topic',
    'comment',
    'comments',
    'ticket_tags',
    'comment.ticket',
    'customer.ticket',
    'customer.ticket.vault',
    'customer.ticket.comment',
    'covert',
    'memo',
    'reply',
    'nothing',
  ],
  (path) => [
    list(`include=${path}`),
    list(`include=${path}&fields=id,${path}.id`),
    get(`/ticket/${TICKET(1)}?include=${path}`),
    list(`include=${path}&include[${path}][limit]=1`),
    list(`include=${path}&include[${path}][sort]=-text`),
    list(`include=${path}&include[${path}][filter][text.contains]=internal`),
    list(`include=${path}&include[${path}][filter][covert]=x`),
    list(`include=${path}&include[${path}][sort]=covert`),
    list(`include[${path}][fields]=id,note,text,name`),
    list(`include[${path}][filter][note.contains]=a`),
    list(`include[${path}][sort]=note,id&include[${path}][limit]=1`),
    post('/ticket/_query', { include: [{ relation: path, filter: { field: 'id', op: 'not_null', value: true }, limit: 2 }] }),
  ],
);

const aggregates = all(PATHS, (path) => [
  get(`/ticket/_aggregate?count=*&group_by=${path}`),
  get(`/ticket/_aggregate?sum=${path}`),
  get(`/ticket/_aggregate?min=${path}&max=${path}`),
  get(`/ticket/_aggregate?count_distinct=${path}`),
  get(`/ticket/_aggregate?count=${path}`),
  get(`/ticket/_aggregate?count=*&filter[${path}]=alpha`),
  get(`/ticket/_aggregate?count=*&group_by=status&having[count.gt]=1&sort=${path}`),
  get(`/ticket/_aggregate?group_by=status&max=${path}&having[max_${path}.gt]=1`),
]);

const searches = ['alpha', 'internal', 'note', 'zeta', 'hidden', 'mine', 'omega', 'aardvark', 'deleted'].flatMap((text) => [
  list(`q=${text}`),
  list(`q=${text}&count=exact&fields=id`),
  list(`q=${text}`, 'comment'),
  list(`q=${text}`, 'customer'),
  get(`/ticket/_export.ndjson?q=${text}`),
]);

const entities = ['ticket', 'customer', 'comment', 'tag', 'vault', 'ticket_tag', 'reply', 'trace', 'memo', '_users', 'nothing'];
const counts = entities.flatMap((entity) => [
  list('count=exact', entity),
  list('count=estimated', entity),
  list('count=none', entity),
  list('page=2&per_page=1', entity),
  list('with_deleted=true', entity),
  list('limit=2', entity),
]);

const exports_ = [...entities, 'ticket'].flatMap((entity) => [
  get(`/${entity}/_export.csv`),
  get(`/${entity}/_export.ndjson`),
  get(`/${entity}`, { Accept: 'text/csv' }),
  get(`/${entity}/_export.csv?fields=id,covert`),
  get(`/${entity}/_export.csv?sort=note`),
  get(`/${entity}/_export.ndjson?filter[covert]=alpha`),
]);

const KEYS = [1, 2, 3, 4, 5, 6, 7, 20, 21, 30].map(TICKET);
const single = [...KEYS, 'mine-open', 'hidden-a', 'hidden-b', 'aaa-hidden', 'deleted', 'gone'].flatMap((key) => [
  get(`/ticket/${key}`),
  get(`/ticket/${key}`, { 'If-None-Match': '"1"' }),
  get(`/ticket/${key}?include=comment,customer`),
  get(`/ticket/${key}?with_deleted=true`),
  get(`/ticket/${key}/_transitions`),
  get(`/ticket/${key}/_history`),
]);
const others = [CUSTOMER(1), CUSTOMER(3), CUSTOMER(4)].flatMap((key) => [get(`/customer/${key}`), get(`/customer/${key}?include=ticket`)]);
const more = [COMMENT(1), COMMENT(3), COMMENT(4)]
  .map((key) => get(`/comment/${key}`))
  .concat(
    [TAG(1), TAG(2), TAG(3)].map((key) => get(`/tag/${key}?include=ticket_tags`)),
    [get(`/vault/${VAULT(1)}`), get(`/vault/${VAULT(2)}`), get(`/memo/${MEMO(1)}`), get(`/reply/${REPLY(2)}`), get(`/reply/${REPLY(3)}`)],
  );

const descriptions = [
  get('/_discovery'),
  get('/_openapi.json'),
  get('/_openapi.json', { Accept: 'application/yaml' }),
  get('/_docs'),
  get('/_admin/permissions'),
  get('/_admin/users'),
  get('/_admin/rules/try'),
  get('/_workflows'),
  get('/auth/me'),
];

/** At least one ask per kind of check in the filter, policy and record code, each of which meets hidden data whose absence shows. */
const essential = [
  // A column of the link is hidden: the relation is.
  ...['filter[topic.label]=public one', 'filter[topic.not_null]=true', 'sort=topic.label', 'fields=id,topic.label', 'include=topic'].map(
    (query) => list(query),
  ),
  get('/ticket/_aggregate?count=*&group_by=topic.label'),
  list('include=ticket_topic', 'tag'),
  // It is hidden in some rows: nothing is found behind them.
  ...['filter[origin.label]=public one', 'sort=origin.label', 'fields=id,origin.label', 'include=origin'].map((query) => list(query)),
  get('/ticket/_aggregate?count=*&group_by=origin.label'),
  // Related rows.
  list('filter[comment.some.text.contains]=internal'),
  list('filter[customer.region]=south'),
  list('sort=customer.name'),
  list('include=customer,comment,ticket_tags&fields=title,customer.name,comment.text'),
  get('/ticket/_aggregate?count=*&group_by=customer.name'),
  get(`/tag/${TAG(1)}?include=ticket_tags`),
  // Hidden fields, and fields hidden in some rows.
  ...['covert=alpha', 'note.contains=alpha', 'note.is_null=true', 'owner_id.not_null=true'].map((test) =>
    list(`filter[${test}`.replace('=', ']=')),
  ),
  ...['note', '-note', 'owner_id', 'covert_amount'].flatMap((field) => [list(`sort=${field}`), list(`sort=${field}&limit=1`)]),
  ...['note', 'owner_id', 'covert'].flatMap((field) => [
    get(`/ticket/_aggregate?count=*&group_by=${field}`),
    get(`/ticket/_aggregate?group_by=status&max=${field}&having[max_${field}.not_null]=true`),
    get(`/ticket/_aggregate?group_by=status&count_distinct=${field}&having[count_distinct_${field}.gt]=1`),
    get(`/ticket/_export.csv?fields=id,${field}`),
  ]),
  ...['alpha', 'zeta', 'internal', 'aardvark'].flatMap((text) => [list(`q=${text}`), get(`/ticket/_export.ndjson?q=${text}`)]),
  list('q=aardvark', 'customer'),
  list('q=internal', 'comment'),
  // What names are suggested.
  ...['cover', 'vaul', 'topi', 'covert_amoun'].flatMap((name) => [list(`filter[${name}]=1`), list(`include=${name}`)]),
  list('filter[customer.cover]=x'),
  // Counts, whole lists, single records.
  ...['ticket', 'comment', 'customer', 'tag'].flatMap((entity) => [
    list('count=exact&per_page=1', entity),
    list('count=estimated', entity),
    list('limit=1&sort=id', entity),
    get(`/${entity}/_export.csv`),
    get(`/${entity}/_export.ndjson`),
  ]),
  // Too many to be counted, but for those that are seen.
  list('count=estimated', 'trace'),
  // Of admins only.
  post('/_admin/rules/try', { entity: 'ticket', record: { covert: 'x', status: 'closed' }, old: { status: 'open' } }),
  post('/_admin/permissions/simulate', {
    as: { roles: ['agent'] },
    entity: 'ticket',
    action: 'read',
    query: { filter: { covert: 'alpha' } },
  }),
  post('/_admin/permissions/simulate', { as: { roles: ['titles'] }, entity: 'ticket', action: 'update', record_id: TICKET(6) }),
  post('/_admin/permissions/matrix', {}),
  post('/_admin/permissions/impact', {
    draft: [{ entity: 'ticket', action: 'read', roles: ['agent'], conditions: [{ field: 'covert', value: 'alpha' }] }],
  }),
  // Nobody but an admin acts as somebody else.
  ...['/ticket?count=exact', '/memo', `/ticket/${TICKET(6)}`].map((path) => get(path, { 'X-As-User': USER(8) })),
  // By a slug that is hidden.
  ...['/parcel/p-alpha', '/parcel/p-alpha/_transitions', '/parcel/p-omega?include=nothing'].map((path) => get(path)),
  // Left out of a key's scopes.
  ...['/memo', '/ticket?include=memo', '/ticket?filter[memo.some.text]=alpha', '/memo/_export.csv'].map((path) => get(path)),
  ...[1, 2, 3, 5, 6, 20].flatMap((n) => [get(`/ticket/${TICKET(n)}`), get(`/ticket/${TICKET(n)}/_transitions`)]),
  get('/ticket/hidden-a'),
  get('/ticket/theirs-open'),
  list('with_deleted=true'),
  ...['/_discovery', '/_openapi.json'].map((path) => get(path)),
];

/** Several clauses in one request, by chance that can be repeated: what one of them hides another may show. */
export function combinations({ between }: Seeded, count: number): Clause {
  const oneOf = <T>(of: readonly T[]): T | undefined => of[between(0, of.length - 1)];
  const path = (): string => oneOf(PATHS) ?? '';
  const filter = (): string => {
    const operator = oneOf(OPERATORS) ?? 'eq';
    return `filter[${path()}.${operator}]=${VALUES[operator] ?? encodeURIComponent(oneOf(TEXTS) ?? '')}`;
  };
  const parts: readonly (() => string)[] = [
    filter,
    filter,
    () => `sort=${oneOf(['', '-']) ?? ''}${path()}`,
    () => `fields=id,${path()}`,
    () => `include=${path()}`,
    () => `q=${oneOf(TEXTS) ?? ''}`,
    () => oneOf(['count=exact', 'count=estimated', 'limit=1', 'limit=2', 'per_page=1&page=2']) ?? '',
  ];
  const asks = Array.from({ length: count }, () => {
    const chosen = parts.filter(() => between(0, 2) === 0).map((part) => part());
    const kind = oneOf(['', '', '', '/_export.csv', '/_export.ndjson']) ?? '';
    return get(`/ticket${kind}?${chosen.join('&')}`);
  });
  return ['combination', asks, 'whole'];
}

/** What changes, and what happened: the same names and records as in lists. */
const changes: Ask[] = [
  ...['ticket', 'customer', 'comment', 'vault', 'memo', 'ticket,vault', 'nothing'].map((entity) =>
    get(`/_events?entities=${entity}&include_record=true`),
  ),
  get('/_events?after=oldest'),
  ...PATHS.map((path) => get(`/_events?entities=ticket&filter[${path}]=1`)),
  ...[1, 2, 3, 5, 6, 20].map((n) => get(`/ticket/${TICKET(n)}/_history`)),
  get(`/vault/${VAULT(1)}/_history`),
];

export const READS: readonly Clause[] = [
  ['essential', essential, 'whole'],
  ['filter', filters],
  ['filter tree', trees],
  ['sort, fields, cursor', pages],
  ['include', includes],
  ['aggregate', aggregates],
  ['search', searches],
  ['count', counts],
  ['export', exports_],
  ['record', single],
  ['related record', [...others, ...more]],
  ['changes', changes],
  ['description', descriptions],
];

const send = (method: string, path: string, body?: unknown, headers?: Ask['headers']): Ask => ({
  method,
  path: DESK + path,
  ...(body === undefined ? {} : { body }),
  ...(headers === undefined ? {} : { headers }),
});

const batch = (operations: readonly object[], query = ''): Ask => send('POST', `/_batch${query}`, { operations });

/** Of hidden records, and of open ones whose hidden parts differ. Asked for by `agent` and `reader`. */
export const WRITES: readonly Clause[] = [
  [
    'update',
    KEYS.flatMap((key) => [
      send('PATCH', `/ticket/${key}`, { amount: 11 }),
      send('PATCH', `/ticket/${key}`, { amount: 12 }, { 'If-Match': '"7"' }),
      send('PATCH', `/ticket/${key}`, { covert: 'x' }),
      send('PATCH', `/ticket/${key}`, { status: 'held' }),
      send('PATCH', `/ticket/${key}`, { note: 'x' }),
      send('PATCH', `/ticket/${key}`, { owner_id: USER(9), amount: 20 }),
      // The changed record would be open to it, the stored one is not.
      send('PATCH', `/ticket/${key}`, { owner_id: USER(1), amount: 21 }),
      send('PATCH', `/ticket/${key}`, { covert_state: 'done' }),
      send('PATCH', `/ticket/${key}`, { scan: FILE(1) }),
      // A field it does not show in this row is not shown by its answer.
      send('PATCH', `/ticket/${key}`, { title: 'Changed' }),
    ]),
  ],
  [
    'create',
    [
      post('/ticket', { title: 'New', covrt: 1 }),
      post('/ticket', { title: 'New', vault: [] }),
      post('/ticket', { title: 'New', vault_id: VAULT(2) }),
      post('/ticket', { title: 'New', owner_id: USER(9) }),
      post('/ticket', { title: 'New', seal: 'alpha' }),
      post('/ticket', { title: 'New', scroll: {} }),
      post('/ticket', { title: 'New', covert_state: 'done' }),
      post('/ticket', { title: 'New', scan: FILE(1) }),
      post('/ticket', { title: 'New', memo: [{ text: 'x' }] }),
      post('/memo', { text: 'x' }),
      post('/ticket', { title: 'New', customer_id: CUSTOMER(4) }),
      post('/ticket', { title: 'New', customer_id: CUSTOMER(30) }),
      post('/ticket', { title: 'New', customer: CUSTOMER(4) }),
      post('/vault', { cipher: 'x' }),
      post('/comment', { text: 'x' }),
      post('/ticket', { title: 'New', cover: 1 }),
      post('/ticket', { title: 'New', topi: 1 }),
      post('/ticket', { title: 'New', topic_id: TAG(1) }),
      post('/ticket', { title: 'New', customer: { name: 'x' } }),
    ],
  ],
  [
    'nested',
    [
      send('PATCH', `/ticket/${TICKET(1)}`, { comment: [{ id: COMMENT(3), text: 'x' }] }),
      send('PATCH', `/ticket/${TICKET(1)}`, { ticket_tags: [TAG(2)] }),
      send('PATCH', `/ticket/${TICKET(1)}`, { ticket_tags: [TAG(3)] }),
      send('PATCH', `/ticket/${TICKET(1)}`, { comment: [{ id: COMMENT(4), _delete: true }] }),
      send('PATCH', `/ticket/${TICKET(1)}`, { vault: [{}] }),
      ...[1, 2].flatMap((n) => [
        send('PATCH', `/ticket/${TICKET(n)}`, { reply: [{ id: REPLY(2), text: 'x' }] }),
        send('PATCH', `/ticket/${TICKET(n)}`, { reply: [{ id: REPLY(3), is_internal: false }] }),
        send('PATCH', `/ticket/${TICKET(n)}`, { reply: [{ id: REPLY(3), _delete: true }] }),
        send('PATCH', `/ticket/${TICKET(n)}`, { ticket_tags: [{ id: TAG(2), _delete: true }] }),
        send('PATCH', `/ticket/${TICKET(n)}`, { ticket_tags: { _write_mode: 'replace', data: [TAG(1)] } }),
        send('PATCH', `/ticket/${TICKET(n)}`, { reply: { _write_mode: 'replace', data: [] } }),
      ]),
      ...['vault', 'memo', 'topic', 'nothing'].map((name) => send('PATCH', `/ticket/${TICKET(1)}`, { [name]: [{ cipher: 'x' }] })),
    ],
  ],
  [
    'bulk',
    [
      post('/ticket/_bulk', { update: KEYS.map((id) => ({ id, amount: 13 })) }),
      post('/ticket/_bulk?atomic=false', {
        update: KEYS.map((id) => ({ id, amount: 13 })),
        delete: [TICKET(5), TICKET(6), TICKET(20), TICKET(30)],
      }),
      post('/ticket/_bulk?atomic=false', { upsert: { on: ['covert'], rows: [{ covert: 'alpha' }] } }),
      post('/ticket/_bulk', { upsert: { on: 'seal', rows: [{ seal: 'alpha', title: 'x' }] } }),
      post('/ticket/_bulk', { upsert: { on: 'badge', rows: [{ badge: 'taken', title: 'x' }] } }),
      post('/ticket/_bulk', { upsert: { on: 'badge', rows: [{ badge: 'mine', title: 'Mine by its badge' }] } }),
      post('/ticket/_bulk', { create: [{ title: 'New', owner_id: USER(9) }, { title: 'New too' }] }),
    ],
  ],
  [
    'batch',
    [
      batch([{ op: 'update', entity: 'ticket', id: TICKET(6), body: { amount: 1 } }]),
      batch([{ op: 'update', entity: 'ticket', id: TICKET(5), body: { amount: 1 } }]),
      batch([{ op: 'update', entity: 'ticket', id: TICKET(3), body: { amount: 1 } }]),
      batch([{ op: 'update', entity: 'ticket', id: TICKET(6), body: { amount: 1 }, if_match: '"1"' }]),
      batch([{ op: 'delete', entity: 'ticket', id: TICKET(7) }]),
      batch([{ op: 'restore', entity: 'ticket', id: TICKET(21) }]),
      batch([{ op: 'upsert', entity: 'ticket', on: ['covert'], body: { covert: 'alpha', title: 'x' } }]),
      batch([{ op: 'upsert', entity: 'ticket', on: ['seal'], body: { seal: 'alpha', title: 'x' } }]),
      batch([{ op: 'upsert', entity: 'ticket', on: ['badge'], body: { badge: 'taken', title: 'x' } }]),
      // What is wrong behind a hidden name is not looked at.
      ...['vault', 'memo', 'scroll', 'nothing'].map((name) =>
        batch([
          {
            op: 'create',
            entity: 'ticket',
            body: { title: 'New', [name]: name === 'scroll' ? { $ref: 'no.id' } : [{ cipher: { $ref: 'no.id' } }] },
          },
        ]),
      ),
      batch([{ op: 'upsert', entity: 'ticket', on: ['slug'], body: { slug: 'hidden-a', title: 'x' } }]),
      batch([{ op: 'upsert', entity: 'ticket', body: { id: TICKET(6), title: 'x' } }]),
      batch([{ op: 'create', entity: 'vault', body: { cipher: 'x' } }]),
      batch([{ op: 'create', entity: 'ticket', body: { title: 'New', customer_id: CUSTOMER(4) } }]),
      ...['covert', 'vault_id', 'note', 'topic_id', 'seal', 'nothing'].map((field) =>
        batch([
          { op: 'update', entity: 'ticket', id: TICKET(1), body: { amount: 14 }, ref: 'mine' },
          { op: 'update', entity: 'ticket', id: TICKET(2), body: { title: { $ref: `mine.${field}` } } },
        ]),
      ),
      batch(
        KEYS.map((id) => ({ op: 'update', entity: 'ticket', id, body: { amount: 15 } })),
        '?atomic=false',
      ),
    ],
  ],
  [
    'restore',
    [20, 21, 22, 23, 24, 5, 6, 30]
      .map((n) => send('POST', `/ticket/${TICKET(n)}/_restore`))
      .concat(
        [20, 22, 24].map((n) => batch([{ op: 'restore', entity: 'ticket', id: TICKET(n) }])),
        [REPLY(20), REPLY(22), REPLY(23)].map((key) => send('POST', `/reply/${key}/_restore`)),
      ),
  ],
  ['delete', [TICKET(5), TICKET(6), TICKET(20), TICKET(30), TICKET(3)].map((key) => send('DELETE', `/ticket/${key}`))],
  // Hidden comments stand in the way of both: that something does is told, how much of it is hidden is not.
  ['restrict', [send('DELETE', `/ticket/${TICKET(1)}`), send('DELETE', `/ticket/${TICKET(2)}`)]],
];
