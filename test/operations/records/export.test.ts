import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExportFormat } from '../../../core/filter/export.ts';
import type { Actor, AppContext, AppRuntime } from '../../../operations/context.ts';
import { exportRecords, type Export } from '../../../operations/records/export.ts';
import { listRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';
import { CUSTOMER, FILE, seedHelpdesk, TICKET, USER } from '../../support/tickets.ts';

type Row = Record<string, unknown>;

const PERMISSIONS = [
  {
    entity: 'ticket',
    action: 'read',
    roles: ['customer'],
    conditions: [{ field: 'customer.user_id', operator: 'eq', value: '$user.id' }],
    fields: { read: ['title', 'status'] },
  },
];

let world: ReadingWorld;
let app: AppRuntime;
beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('files', { ...HELPDESK, permissions: PERMISSIONS });
  await seedHelpdesk(world, app);
  await world.pool.query(
    `insert into app_files.comment (id, text, is_internal, ticket_id) select gen_random_uuid(), repeat('x', 60), true, $1 from generate_series(1, 20000)`,
    [TICKET(14)],
  );
});

const begin = (
  query: string,
  format: ExportFormat,
  { entity = 'ticket', ctx = world.context(app), signal = new AbortController().signal } = {},
): Promise<Export> => exportRecords(ctx, entity, new URLSearchParams(query), format, signal);

async function whole(query: string, format: ExportFormat, options: { entity?: string; ctx?: AppContext } = {}): Promise<string> {
  const { first, rest } = await begin(query, format, options);
  let text = first;
  if (rest !== undefined) for await (const piece of rest) text += piece;
  return text;
}

const as = (actor: Partial<Actor>): { ctx: AppContext } => ({ ctx: world.context(app, actor) });
const lines = (text: string): Row[] =>
  text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Row);
const list = async (query: string): Promise<Row[]> =>
  (JSON.parse((await listRecords(world.context(app), 'ticket', new URLSearchParams(query))).text) as { data: Row[] }).data;
/** Connections that are not idle in the pool. */
const busy = (): number => world.pool.totalCount - world.pool.idleCount;

describe('an ndjson export', () => {
  it.each([
    '',
    'filter[status]=open&sort=-created_at',
    'fields=id,title,customer.name',
    'include=customer,comment',
    'include[comment][filter][is_internal]=true&include[comment][limit]=1',
    'q=body',
    'with_deleted=true',
    'with_deleted=only',
  ])('of "%s" has the records of the list, each on a line', async (query) => {
    const wanted = [...(await list(`${query}&per_page=100`))];
    expect(lines(await whole(query, 'ndjson'))).toEqual(wanted);
  });

  it('ends after limit records', async () => {
    expect(lines(await whole('limit=3&sort=title', 'ndjson'))).toEqual(await list('per_page=3&sort=title'));
  });

  it('of many records arrives in pieces, and gives its connection back', async () => {
    const { rest } = await begin('', 'ndjson', { entity: 'comment' });
    let pieces = 0;
    for await (const piece of rest ?? []) pieces += piece === '' ? 0 : 1;
    expect(pieces).toBeGreaterThan(10);
    expect(busy()).toBe(0);
  });
});

describe('a CSV export', () => {
  it('names its columns, keeps nulls apart from empty texts and writes values as JSON does', async () => {
    const [header, first] = (await whole('filter[id]=' + TICKET(0), 'csv')).split('\r\n');
    expect(header).toBe(
      'id,title,body,status,priority,views,score,price,urgent,due_on,opens_at,created_at,meta,attachment,secret_note,owner_id,link,customer_id,parent_id',
    );
    expect(first).toContain(`${TICKET(0)},It's broken,,open,,9007199254740990,,,true,,00:30:00,2026-06-01T00:00:00+00:00,`);
    expect(first).toContain(`"{""a"": 1, ""tags"": [""x"", ""y""]}",${FILE},`);
  });

  it('has dotted columns for relations to one, and refuses those to many', async () => {
    const text = await whole('fields=title,customer.name,customer.company.region&sort=id&limit=2&filter[customer]=' + CUSTOMER(1), 'csv');
    expect(text).toBe('title,customer.name,customer.company.region\r\n100% sure,Customer 1,south\r\n"",Customer 1,south\r\n');
    await expect(whole('include[customer][filter][name]=x', 'csv')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await expect(whole('include=comment', 'csv')).rejects.toMatchObject({ code: 'INVALID_VALUE', hint: 'Export it as ndjson.' });
  });

  it('disarms formulas unless it is told to keep them', async () => {
    await world.pool.query(`update app_files.ticket set title = '=HYPERLINK("http://x")' where id = $1`, [TICKET(5)]);
    const query = `fields=title&filter[id]=${TICKET(5)}`;
    expect(await whole(query, 'csv')).toBe(`title\r\n"'=HYPERLINK(""http://x"")"\r\n`);
    expect(await whole(`${query}&formulas=keep`, 'csv')).toBe(`title\r\n"=HYPERLINK(""http://x"")"\r\n`);
    await expect(whole(`${query}&formulas=maybe`, 'csv')).rejects.toMatchObject({ code: 'INVALID_VALUE' });
  });

  it('shows a caller the rows and columns of a list, and nothing else', async () => {
    const own = await whole('', 'csv', as({ roles: ['customer'], id: USER(1) }));
    expect(own.split('\r\n')[0]).toBe('id,title,status');
    const { rows } = await world.pool.query('select 1 from app_files.ticket where deleted_at is null and customer_id = $1', [CUSTOMER(1)]);
    expect(own.split('\r\n')).toHaveLength(rows.length + 2);
    await expect(whole('fields=price', 'csv', as({ roles: ['customer'], id: USER(1) }))).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(whole('', 'csv', as({ roles: ['nobody'] }))).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('an export', () => {
  it.each(['page=2', 'per_page=5', 'count=none', 'limit=0', 'limit=all', 'sort=nothing', 'filter[nothing]=1', 'formulas=keep'])(
    'refuses "%s"',
    async (query) => {
      await expect(whole(query, 'ndjson')).rejects.toMatchObject({ status: 400 });
      expect(busy()).toBe(0);
    },
  );

  it('shows one moment, whatever is written while it runs', async () => {
    const { first, rest } = await begin('fields=id', 'ndjson', { entity: 'comment' });
    await world.pool.query(
      `insert into app_files.comment (id, text, ticket_id) select gen_random_uuid(), 'late', $1 from generate_series(1, 50)`,
      [TICKET(2)],
    );
    let count = lines(first).length;
    for await (const piece of rest ?? []) count += lines(piece).length;
    expect(count).toBe(20_000 + 60 - 8);
    await world.pool.query(`delete from app_files.comment where text = 'late'`);
  });

  it('that nobody reads on gives its connection back when it is aborted', async () => {
    const abort = new AbortController();
    const { rest } = await begin('', 'csv', { entity: 'comment', signal: abort.signal });
    expect(rest).toBeDefined();
    expect(busy()).toBe(1);
    abort.abort();
    await expect.poll(busy).toBe(0);
    const refused: unknown = await rest?.[Symbol.asyncIterator]()
      .next()
      .catch((error: unknown) => error);
    expect(refused).toMatchObject({ code: 'UNAVAILABLE' });
  });

  it('that is aborted while Postgres works cancels the statement', async () => {
    const abort = new AbortController();
    const other = new pg.Client({ connectionString: world.url });
    await other.connect();
    await other.query('begin; lock table app_files.comment in access exclusive mode');
    const slow = begin('', 'csv', { entity: 'comment', signal: abort.signal });
    slow.catch(() => undefined);
    const waiting = async (): Promise<number> =>
      (await other.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)).rowCount ?? 0;
    await expect.poll(waiting).toBe(1);
    abort.abort();
    await expect(slow).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(await waiting()).toBe(0);
    await other.end();
    await expect.poll(busy).toBe(0);
  });

  it('beyond the places there are is told to come back', async () => {
    const abort = new AbortController();
    await begin('', 'csv', { entity: 'comment', signal: abort.signal });
    await expect(begin('', 'csv', { entity: 'comment' })).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfter: 5 });
    abort.abort();
    await expect.poll(busy).toBe(0);
    expect((await whole('limit=1', 'csv')).split('\r\n')).toHaveLength(3);
  });
});
