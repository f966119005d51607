/** Two databases that differ in nothing but what their callers must not learn. */
import { httpWorld, type HttpWorld } from '../support/http-world.ts';
import { callerOf, type Caller } from '../support/api.ts';

const uuid = (kind: string, n: number): string => `00000000-0000-7000-8000-0000000${kind}${n.toString(16).padStart(3, '0')}`;
export const USER = (n: number): string => uuid('0a', n);
export const TICKET = (n: number): string => uuid('0b', n);
export const CUSTOMER = (n: number): string => uuid('0c', n);
export const COMMENT = (n: number): string => uuid('0d', n);
export const TAG = (n: number): string => uuid('0e', n);
export const VAULT = (n: number): string => uuid('0f', n);

/** Of tickets and of what lies behind them: nobody but admins may read them. */
export const HIDDEN_NAMES = ['covert_amount', 'covert', 'vault_id', 'vault', 'topic_id', 'topic'] as const;

export const LEAK_DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'ticket',
      table: 'ticket',
      soft_delete: true,
      slug: { field: 'slug', source: 'title' },
      fields: [
        { name: 'title', type: 'string' },
        { name: 'slug', type: 'string' },
        { name: 'status', type: 'enum', enum: ['open', 'closed', 'held'] },
        { name: 'amount', type: 'int' },
        // Hidden from everybody but admins.
        { name: 'covert', type: 'string' },
        { name: 'covert_amount', type: 'int' },
        // Open in one's own tickets only.
        { name: 'note', type: 'text' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'customer', type: 'relation', target: 'customer' },
        // The relation is hidden with its column, the entity behind it by having no grant.
        { name: 'vault', type: 'relation', target: 'vault' },
        // Hidden with its column alone: what it leads to may be read.
        { name: 'topic', type: 'relation', target: 'tag' },
        // Open in one's own tickets only, as the note.
        { name: 'origin', type: 'relation', target: 'tag' },
      ],
    },
    {
      name: 'customer',
      table: 'customer',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'region', type: 'string' },
        { name: 'covert', type: 'string' },
      ],
    },
    {
      name: 'comment',
      table: 'comment',
      soft_delete: true,
      fields: [
        { name: 'text', type: 'string' },
        { name: 'is_internal', type: 'boolean' },
        { name: 'ticket', type: 'relation', target: 'ticket', on_delete: 'restrict' },
      ],
    },
    { name: 'tag', table: 'tag', fields: [{ name: 'label', type: 'string' }] },
    { name: 'vault', table: 'vault', fields: [{ name: 'code', type: 'string' }] },
  ],
  relations: [{ name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag' }],
  state_machines: [
    {
      entity: 'ticket',
      field: 'status',
      definition: {
        initial: 'open',
        transitions: [
          { from: 'open', to: 'closed' },
          { from: 'open', to: 'held', roles: ['lead'] },
        ],
      },
    },
  ],
  ui_configs: [
    { entity: 'ticket', scope: 'list', columns: ['title', '-covert', { field: 'vault_id' }, 'topic.label'], widths: { covert_amount: 3 } },
    { entity: 'vault', scope: 'list', columns: ['code'] },
    { scope: 'menu', items: ['ticket', 'vault'] },
  ],
  permissions: [
    // agent: rows of an owner, fields by list.
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { read: ['title', 'slug', 'status', 'amount', 'note', 'owner_id', 'customer_id', 'origin_id'] },
    },
    // public: open tickets of everybody, without the note.
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent', 'reader'],
      conditions: [{ field: 'status', value: 'open' }],
      fields: { read: ['title', 'slug', 'status', 'amount', 'customer_id'] },
    },
    { entity: 'ticket', action: 'read', roles: ['titles'], conditions: [{ field: 'status', value: 'open' }], fields: { read: ['title'] } },
    {
      entity: 'ticket',
      action: 'create',
      roles: ['agent'],
      presets: { owner_id: '$user.id' },
      fields: { write: ['title', 'amount', 'customer_id'] },
    },
    {
      entity: 'ticket',
      action: 'update',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { write: ['title', 'amount', 'status'] },
    },
    { entity: 'ticket', action: 'delete', roles: ['agent'], conditions: [{ field: 'owner_id', value: '$user.id' }] },
    {
      entity: 'customer',
      action: 'read',
      roles: ['agent', 'reader'],
      conditions: [{ field: 'region', value: 'north' }],
      fields: { read: ['name', 'region'] },
    },
    { entity: 'comment', action: 'read', roles: ['agent', 'reader'], conditions: [{ field: 'is_internal', value: false }] },
    {
      entity: 'tag',
      action: 'read',
      roles: ['agent', 'reader'],
      conditions: [{ field: 'label', operator: 'starts_with', value: 'public' }],
    },
  ],
};

type Variant = 'a' | 'b';
type Row = readonly (string | number | boolean | null)[];

/** Rows of both variants, `hidden` ones of one only. */
function rowsOf(variant: Variant): Readonly<Record<string, { readonly columns: string; readonly rows: readonly Row[] }>> {
  const isA = variant === 'a';
  const pick = <T>(a: T, b: T): T => (isA ? a : b);
  const me = USER(1);
  const them = USER(9);
  return {
    vault: {
      columns: 'id, code',
      rows: pick(
        [
          [VAULT(1), 'alpha'],
          [VAULT(2), 'beta'],
        ],
        [[VAULT(1), 'omega']],
      ),
    },
    customer: {
      columns: 'id, name, region, covert',
      rows: [
        [CUSTOMER(1), 'North One', 'north', pick('x', 'y')],
        [CUSTOMER(2), 'North Two', 'north', pick(null, 'z')],
        [CUSTOMER(3), pick('Aardvark', 'Zebra'), pick('south', 'west'), pick('q', 'a')],
        ...pick<Row[]>([[CUSTOMER(4), 'Only in A', 'south', null]], []),
      ],
    },
    ticket: {
      columns: 'id, title, slug, status, amount, covert, covert_amount, note, owner_id, customer_id, vault_id',
      rows: [
        [
          TICKET(1),
          'Mine open',
          'mine-open',
          'open',
          10,
          pick('alpha', 'omega'),
          pick(1, 100),
          'my note',
          me,
          CUSTOMER(1),
          pick(VAULT(1), null),
        ],
        [
          TICKET(2),
          'Mine closed',
          'mine-closed',
          'closed',
          20,
          pick(null, 'omega'),
          pick(2, 1),
          'my other note',
          me,
          CUSTOMER(3),
          pick(null, VAULT(1)),
        ],
        [
          TICKET(3),
          'Theirs open',
          'theirs-open',
          'open',
          30,
          pick('b', 'a'),
          pick(3, 0),
          pick('zeta note', 'alpha note'),
          them,
          CUSTOMER(2),
          null,
        ],
        [TICKET(4), 'Theirs too', 'theirs-too', 'open', 40, pick('a', null), pick(0, 3), pick(null, 'zz note'), them, CUSTOMER(3), null],
        // Outside of every caller's rows.
        [
          TICKET(5),
          pick('Hidden A', 'Hidden B'),
          pick('hidden-a', 'hidden-b'),
          'closed',
          pick(1, 999),
          's',
          5,
          'n',
          them,
          CUSTOMER(1),
          null,
        ],
        ...pick<Row[]>(
          [
            [TICKET(6), 'Hidden more', 'hidden-more', 'held', 15, 's', 5, 'my note', them, CUSTOMER(1), VAULT(2)],
            [TICKET(7), 'Aaa hidden', 'aaa-hidden', 'closed', 25, 's', 5, 'n', them, CUSTOMER(2), null],
          ],
          [],
        ),
      ],
    },
    comment: {
      columns: 'id, text, is_internal, ticket_id',
      rows: [
        [COMMENT(1), 'Hello', false, TICKET(1)],
        [COMMENT(2), 'Again', false, TICKET(3)],
        [COMMENT(3), pick('internal alpha', 'internal omega'), true, TICKET(1)],
        ...pick<Row[]>(
          [
            [COMMENT(4), 'more internal', true, TICKET(1)],
            [COMMENT(5), 'internal', true, TICKET(2)],
            [COMMENT(6), 'internal', true, TICKET(4)],
          ],
          [
            [COMMENT(5), 'internal', true, TICKET(2)],
            [COMMENT(7), 'internal', true, TICKET(2)],
          ],
        ),
      ],
    },
    tag: {
      columns: 'id, label',
      rows: [[TAG(1), 'public one'], [TAG(2), pick('private a', 'private b')], ...pick<Row[]>([[TAG(3), 'private more']], [])],
    },
    ticket_tag: {
      columns: 'ticket_id, tag_id',
      rows: [
        [TICKET(1), TAG(1)],
        ...pick<Row[]>(
          [
            [TICKET(1), TAG(2)],
            [TICKET(3), TAG(3)],
          ],
          [[TICKET(2), TAG(2)]],
        ),
      ],
    },
  };
}

/** Softly deleted rows differ as well. */
const deletedRows = (variant: Variant): readonly Row[] =>
  variant === 'a'
    ? [
        [TICKET(20), 'Deleted', 'deleted', 'open', 5, USER(9)],
        [TICKET(21), 'Deleted', 'deleted-2', 'open', 7, USER(9)],
      ]
    : [[TICKET(20), 'Gone', 'gone', 'open', 500, USER(9)]];

export interface LeakWorld {
  readonly callers: ReadonlyMap<string, Caller>;
  close(): Promise<void>;
}

const CALLERS = [
  { name: 'agent', id: USER(1), roles: ['agent'] },
  { name: 'reader', id: USER(2), roles: ['reader'] },
  { name: 'titles', id: USER(3), roles: ['titles'] },
  { name: 'nobody', id: USER(4), roles: [] },
] as const;

export async function leakWorld(databaseUrl: string, variant: Variant): Promise<LeakWorld> {
  const world = await httpWorld(databaseUrl);
  const users = CALLERS.map(({ name, id, roles }) => ({ id, roles, email: `${name}@leak.example` }));
  await world.app('desk', LEAK_DOCUMENT, [...users, { id: USER(8), roles: ['admin'], email: 'admin@leak.example' }]);
  await world.app('other', LEAK_DOCUMENT, [{ id: USER(1), email: 'agent@other.example', roles: ['agent'] }]);
  await fill(world, 'desk', variant);
  const topics = variant === 'a' ? [TICKET(1), TICKET(3)] : [TICKET(2), TICKET(4)];
  await world.pool.query('update app_desk.ticket set topic_id = $1 where id = any($2)', [TAG(1), topics]);
  const origins = variant === 'a' ? [TICKET(1), TICKET(3)] : [TICKET(1), TICKET(4)];
  await world.pool.query('update app_desk.ticket set origin_id = $1 where id = any($2)', [TAG(1), origins]);
  // The other app has the same document, and data of the other variant.
  await fill(world, 'other', variant === 'a' ? 'b' : 'a');
  const callers = new Map<string, Caller>();
  for (const { name } of CALLERS) callers.set(name, await world.login('desk', `${name}@leak.example`));
  const admin = await world.login('desk', 'admin@leak.example');
  callers.set('as agent', (method, path, body, headers) => admin(method, path, body, { ...headers, 'X-As-User': USER(1) }));
  callers.set('key of agent', await keyed(world, admin, USER(10), { user_id: USER(1), scopes: ['*:*', '_discovery:read'] }));
  callers.set('tickets only', await keyed(world, admin, USER(11), { roles: ['agent'], scopes: ['ticket:read', 'customer:create'] }));
  callers.set('stranger', await world.login('other', 'agent@other.example'));
  return { callers, close: () => world.close() };
}

/** A caller by an API key. */
async function keyed(world: HttpWorld, admin: Caller, id: string, rights: object): Promise<Caller> {
  const made = await admin('POST', '/api/desk/_admin/api-keys', { name: 'leak', ...rights });
  if (made.status !== 201) throw new Error(`The key was refused: ${made.text}`);
  // The same in both databases: an answer may name its caller.
  await world.pool.query('update app_desk._api_keys set id = $1 where id = $2', [id, made.at('data', 'id')]);
  return callerOf(world.url, String(made.at('data', 'key')));
}

async function fill(world: HttpWorld, app: string, variant: Variant): Promise<void> {
  for (const [table, { columns, rows }] of Object.entries(rowsOf(variant))) {
    const isLink = table === 'ticket_tag';
    for (const row of rows)
      await insert(world, `app_${app}.${table}`, isLink ? columns : `${columns}, _version`, isLink ? row : [...row, 1]);
  }
  for (const row of deletedRows(variant)) {
    await insert(world, `app_${app}.ticket`, 'id, title, slug, status, amount, owner_id, _version, deleted_at', [...row, 1, '2026-01-01']);
  }
  await world.pool.query('analyze');
}

async function insert(world: HttpWorld, table: string, columns: string, row: Row): Promise<void> {
  await world.pool.query(`insert into ${table} (${columns}) values (${row.map((_, index) => `$${String(index + 1)}`).join(', ')})`, [
    ...row,
  ]);
}
