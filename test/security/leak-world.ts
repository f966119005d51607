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
export const REPLY = (n: number): string => uuid('1a', n);
export const SHELF = (n: number): string => uuid('1b', n);
export const MEMO = (n: number): string => uuid('1c', n);
export const FILE = (n: number): string => uuid('1d', n);

/** Of tickets and of what lies behind them: nobody but admins may read them. */
export const HIDDEN_NAMES = [
  'covert_amount',
  'covert_state',
  'covert',
  'vault_id',
  'vault',
  'topic_id',
  'topic',
  'cipher',
  'seal',
  'scroll',
  'memo',
] as const;

/** Beside them, of callers whose rights a key cuts down. */
export const HIDDEN_FROM: Readonly<Record<string, readonly string[]>> = {
  'tickets only': ['parcel', 'reply', 'trace'],
  'scribe without memos': ['parcel', 'reply', 'trace'],
};

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
        { name: 'covert_state', type: 'enum', enum: ['raw', 'done'] },
        { name: 'seal', type: 'string', unique: true },
        { name: 'scroll', type: 'json' },
        // Open in one's own tickets only.
        { name: 'note', type: 'text' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'badge', type: 'string', unique: true },
        { name: 'scan', type: 'file' },
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
    { name: 'vault', table: 'vault', fields: [{ name: 'cipher', type: 'string' }] },
    // Written by agents, who read what is not internal.
    {
      name: 'reply',
      table: 'reply',
      soft_delete: true,
      fields: [
        { name: 'text', type: 'string' },
        { name: 'is_internal', type: 'boolean', default: false },
        { name: 'ticket', type: 'relation', target: 'ticket', on_delete: 'cascade' },
        { name: 'shelf', type: 'relation', target: 'shelf' },
      ],
    },
    { name: 'shelf', table: 'shelf', soft_delete: true, fields: [{ name: 'label', type: 'string' }] },
    // More than are worth counting, nearly all of them of a hidden ticket.
    { name: 'trace', table: 'trace', fields: [{ name: 'ticket', type: 'relation', target: 'ticket', on_delete: 'set_null' }] },
    // Found by its slug only by who may read that.
    {
      name: 'parcel',
      table: 'parcel',
      slug: { field: 'code', source: 'label' },
      fields: [
        { name: 'label', type: 'string' },
        { name: 'code', type: 'string' },
      ],
    },
    // Readable by a role that only a key has whose scopes leave it out.
    {
      name: 'memo',
      table: 'memo',
      fields: [
        { name: 'text', type: 'string' },
        { name: 'ticket', type: 'relation', target: 'ticket', on_delete: 'set_null' },
      ],
    },
  ],
  relations: [{ name: 'ticket_tags', type: 'many_to_many', source: 'ticket', target: 'tag', join_table: 'ticket_tag' }],
  state_machines: [
    {
      entity: 'ticket',
      field: 'status',
      definition: {
        initial: 'open',
        transitions: [
          // Holds of all tickets that a caller may close; of others it would tell what they hide.
          { from: 'open', to: 'closed', guard: 'record.covert_amount != 3', message: 'not now' },
          { from: 'open', to: 'held', roles: ['lead'] },
        ],
      },
    },
    { entity: 'ticket', field: 'covert_state', definition: { initial: 'raw', transitions: [{ from: 'raw', to: 'done' }] } },
  ],
  ui_configs: [
    { entity: 'ticket', scope: 'list', columns: ['title', '-covert', { field: 'vault_id' }, 'topic.label'], widths: { covert_amount: 3 } },
    { entity: 'vault', scope: 'list', columns: ['cipher'] },
    { scope: 'menu', items: ['ticket', 'vault'] },
  ],
  permissions: [
    // agent: rows of an owner, fields by list.
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { read: ['title', 'slug', 'status', 'amount', 'note', 'owner_id', 'badge', 'scan', 'customer_id', 'origin_id'] },
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
      fields: { write: ['title', 'amount', 'customer_id', 'owner_id', 'badge', 'scan'] },
    },
    {
      entity: 'ticket',
      action: 'update',
      roles: ['agent'],
      conditions: [{ field: 'owner_id', value: '$user.id' }],
      fields: { write: ['title', 'amount', 'status', 'owner_id', 'badge', 'scan'] },
    },
    // Of everybody's open tickets the title alone.
    {
      entity: 'ticket',
      action: 'update',
      roles: ['agent'],
      conditions: [{ field: 'status', value: 'open' }],
      fields: { write: ['title'] },
    },
    { entity: 'ticket', action: 'delete', roles: ['agent'], conditions: [{ field: 'owner_id', value: '$user.id' }] },
    // Some that may be deleted may not be read.
    { entity: 'ticket', action: 'delete', roles: ['agent'], conditions: [{ field: 'amount', value: 400 }] },
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
    {
      entity: 'reply',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'is_internal', value: false }],
      fields: { read: ['text', 'is_internal', 'ticket_id', 'shelf_id'] },
    },
    { entity: 'shelf', action: 'read', roles: ['agent'] },
    ...['create', 'update', 'delete'].map((action) => ({
      entity: 'reply',
      action,
      roles: ['agent'],
      fields: { write: ['text', 'is_internal', 'ticket_id'] },
    })),
    { entity: 'trace', action: 'read', roles: ['agent', 'reader'], conditions: [{ field: 'ticket.status', value: 'open' }] },
    { entity: 'memo', action: 'read', roles: ['scribe'] },
    { entity: 'parcel', action: 'read', roles: ['agent', 'reader'], fields: { read: ['label'] } },
  ],
};

type Variant = 'a' | 'b';
type Row = readonly (string | number | boolean | null)[];
type Rows = Readonly<Record<string, { readonly columns: string; readonly rows: readonly Row[] }>>;

/** Rows of both variants, `hidden` ones of one only. */
function rowsOf(variant: Variant): Rows {
  const isA = variant === 'a';
  const pick = <T>(a: T, b: T): T => (isA ? a : b);
  const me = USER(1);
  const them = USER(9);
  return {
    vault: {
      columns: 'id, cipher',
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
    reply: {
      columns: 'id, text, is_internal, ticket_id',
      rows: [
        [REPLY(1), 'public', false, TICKET(1)],
        [REPLY(2), pick('internal a', 'internal b'), true, TICKET(1)],
        ...pick<Row[]>([[REPLY(3), 'internal', true, TICKET(2)]], []),
      ],
    },
    trace: { columns: 'id, ticket_id', rows: [[uuid('1e', 1), TICKET(1)]] },
    parcel: { columns: 'id, label, code', rows: [[uuid('1f', 1), 'A parcel', pick('p-alpha', 'p-omega')]] },
    memo: {
      columns: 'id, text, ticket_id',
      rows: pick<Row[]>([[MEMO(1), 'alpha', TICKET(1)]], [[MEMO(2), 'omega', TICKET(3)]]),
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

const DELETED_AT = '2026-01-01';

/** Softly deleted rows differ as well. */
function deletedRows(variant: Variant): Rows {
  const pick = <T>(a: T, b: T): T => (variant === 'a' ? a : b);
  return {
    ticket: {
      columns: 'id, title, slug, status, amount, owner_id',
      rows: [
        ...pick<Row[]>(
          [
            [TICKET(20), 'Deleted', 'deleted', 'open', 5, USER(9)],
            [TICKET(21), 'Deleted', 'deleted-2', 'open', 7, USER(9)],
            // To be brought back by whoever may delete it, if they might read it.
            [TICKET(24), 'Deleted', 'deleted-4', 'closed', 400, USER(9)],
          ],
          [[TICKET(20), 'Gone', 'gone', 'open', 500, USER(9)]],
        ),
        // One's own: what comes back with them is hidden.
        [TICKET(22), 'Mine deleted', 'mine-deleted', 'open', 5, USER(1)],
        [TICKET(23), 'Mine deleted too', 'mine-deleted-too', 'closed', 5, USER(1)],
      ],
    },
    shelf: {
      columns: 'id, label',
      rows: [
        [SHELF(1), 'a'],
        [SHELF(2), 'b'],
      ],
    },
    reply: {
      columns: 'id, text, is_internal, ticket_id, shelf_id',
      rows: [
        // What it stands on is gone.
        [REPLY(20), 'internal', true, TICKET(22), pick(SHELF(1), SHELF(2))],
        [REPLY(21), 'internal', true, TICKET(23), null],
        ...pick<Row[]>([[REPLY(22), 'internal', true, TICKET(23), null]], []),
        [REPLY(23), 'public', false, TICKET(23), null],
      ],
    },
  };
}

export interface LeakWorld {
  readonly callers: ReadonlyMap<string, Caller>;
  /** What no caller may write, as it is stored now. */
  sealed(): Promise<string>;
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
  await hide(world, variant);
  // The other app has the same document, and data of the other variant.
  await fill(world, 'other', variant === 'a' ? 'b' : 'a');
  const columns = 'id, name, size, mime_type, checksum';
  if (variant === 'a') await insert(world, 'app_other._files', columns, [FILE(1), 'theirs', 1, 'text/plain', 'x']);
  const callers = new Map<string, Caller>();
  for (const { name } of CALLERS) callers.set(name, await world.login('desk', `${name}@leak.example`));
  const admin = await world.login('desk', 'admin@leak.example');
  callers.set('as agent', (method, path, body, headers) => admin(method, path, body, { ...headers, 'X-As-User': USER(1) }));
  callers.set('key of agent', await keyed(world, admin, USER(10), { user_id: USER(1), scopes: ['*:*', '_discovery:read'] }));
  callers.set('tickets only', await keyed(world, admin, USER(11), { roles: ['agent'], scopes: ['ticket:read', 'customer:create'] }));
  const scribe = { roles: ['agent', 'scribe'], scopes: ['ticket:*', 'customer:read'] };
  callers.set('scribe without memos', await keyed(world, admin, USER(12), scribe));
  callers.set('stranger', await world.login('other', 'agent@other.example'));
  return { callers, sealed: () => sealed(world), close: () => world.close() };
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
  for (const [table, { columns, rows }] of Object.entries(deletedRows(variant))) {
    for (const row of rows) await insert(world, `app_${app}.${table}`, `${columns}, _version, deleted_at`, [...row, 1, DELETED_AT]);
  }
  await world.pool.query('analyze');
}

/** Values of the fields that are hidden, or hidden in some rows, and rows too many to be counted. */
async function hide(world: HttpWorld, variant: Variant): Promise<void> {
  const pick = <T>(a: T, b: T): T => (variant === 'a' ? a : b);
  const set = async (assigned: string, tickets: readonly string[]): Promise<void> => {
    await world.pool.query(`update app_desk.ticket set ${assigned} where id = any($1)`, [tickets]);
  };
  await set(`covert_state = '${pick('raw', 'done')}', scroll = '{"x": "${variant}"}'`, [TICKET(1), TICKET(3)]);
  await set(`seal = '${pick('alpha', 'omega')}'`, [TICKET(1)]);
  // A badge that is taken, in one database by a hidden record and in the other by one whose badge is hidden.
  await set(`badge = 'taken'`, [pick(TICKET(5), TICKET(3))]);
  await set(`badge = 'mine'`, [TICKET(1)]);
  await world.pool.query(
    `insert into app_desk.trace (id, ticket_id, _version) select gen_random_uuid(), $1, 1 from generate_series(1, $2::integer)`,
    [TICKET(5), pick(1_000, 21_000)],
  );
}

/** Hidden rows, hidden parts of open ones, what belongs to others, and whether a made ticket has its preset and nothing hidden. */
const SEALED = `select json_build_object(
  'tickets', (select json_agg(json_build_array(id, owner_id, note, covert, covert_amount, seal, vault_id, topic_id, origin_id) order by id)
    from app_desk.ticket where id::text like '00000000-%'),
  'states', (select json_agg(covert_state order by id) from app_desk.ticket where id in ('${TICKET(1)}', '${TICKET(3)}')),
  'of others', (select json_agg(json_build_array(id, status, amount, badge, deleted_at) order by id)
    from app_desk.ticket where owner_id = '${USER(9)}'),
  'made', (select count(*) from app_desk.ticket where id::text not like '00000000-%'
    and (owner_id is null or owner_id = '${USER(9)}' or num_nonnulls(note, covert, covert_amount, seal, vault_id, topic_id, origin_id) > 0)),
  'replies', (select json_agg(json_build_array(id, text, ticket_id, shelf_id) order by id) from app_desk.reply where is_internal),
  'links', (select json_agg(l order by l.tag_id, l.ticket_id) from app_desk.ticket_tag l where l.tag_id <> '${TAG(1)}'),
  'rest', (select json_agg(v order by v.id) from app_desk.vault v), 'comments', (select json_agg(c order by c.id) from app_desk.comment c),
  'customers', (select json_agg(c order by c.id) from app_desk.customer c), 'tags', (select json_agg(t order by t.id) from app_desk.tag t)
)::text as sealed`;

async function sealed({ pool }: HttpWorld): Promise<string> {
  const { rows } = await pool.query<{ sealed: string }>(SEALED);
  return rows[0]?.sealed ?? '';
}

async function insert(world: HttpWorld, table: string, columns: string, row: Row): Promise<void> {
  await world.pool.query(`insert into ${table} (${columns}) values (${row.map((_, index) => `$${String(index + 1)}`).join(', ')})`, [
    ...row,
  ]);
}
