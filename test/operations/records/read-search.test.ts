import { beforeAll, describe, expect, it } from 'vitest';
import type { Actor, AppRuntime } from '../../../operations/context.ts';
import { aggregateRecords } from '../../../operations/records/aggregate.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { listRecords, queryRecords } from '../../../operations/records/list.ts';
import { createKeyring } from '../../../adapters/keys.ts';
import { writingWorld, type WritingWorld } from '../../support/writing.ts';

const ME = '00000000-0000-7000-8000-000000000077';
const FIELDS = [
  { name: 'title', type: 'string' },
  { name: 'body', type: 'text' },
  { name: 'mail', type: 'email' },
  { name: 'status', type: 'enum', enum: ['fresh', 'stale'] },
  { name: 'secret', type: 'text' },
  { name: 'owner', type: 'uuid' },
];
const PERMISSIONS = ['page', 'bare'].flatMap((entity) => [
  { entity, action: 'read', roles: ['reader'], fields: { read: ['title', 'body', 'mail', 'status', 'owner'] } },
  { entity, action: 'read', roles: ['owner'] },
  {
    entity,
    action: 'read',
    roles: ['owner'],
    deny: true,
    fields: { read: ['secret'] },
    conditions: [{ field: 'owner', operator: 'neq', value: '$user.id' }],
  },
]);
const DOCUMENT = {
  version: 1,
  entities: [
    { name: 'page', fields: FIELDS, indexes: [{ fields: ['title', 'body', 'secret'], type: 'fulltext' }] },
    { name: 'bare', fields: FIELDS },
  ],
  permissions: PERMISSIONS,
};

const ROWS = [
  { title: 'Printer on fire', body: 'The printer in room 12 burns', mail: 'ann@example.com', status: 'fresh', secret: 'gold', owner: ME },
  { title: 'Cold coffee', body: 'Somebody set fire to the printer', mail: 'bob@example.org', status: 'stale', secret: 'silver' },
  { title: 'fire fire fire', body: "It's 2026-06-15, don't panic: v2.5-beta <b>bold</b>", status: 'fresh', secret: 'golden gate' },
  { title: null, body: null, mail: null },
];

let world: WritingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await writingWorld({ keyring: createKeyring('a secret key of thirty-two bytes or more') });
  app = await world.app('search', DOCUMENT);
  for (const entity of ['page', 'bare']) for (const row of ROWS) await createRecord(world.context(app), entity, row);
});

interface Answer {
  data: { title: string | null }[];
  meta?: { total: number };
  page?: { next_cursor: string | null };
}

const read = async (q: string, rest = '', entity = 'page', actor: Partial<Actor> = {}): Promise<Answer> =>
  JSON.parse(
    (await listRecords(world.context(app, actor), entity, new URLSearchParams(`${rest}&q=${encodeURIComponent(q)}`))).text,
  ) as Answer;
const titles = async (q: string, entity = 'page', actor: Partial<Actor> = {}): Promise<(string | null)[]> =>
  (await read(q, 'sort=id', entity, actor)).data.map(({ title }) => title);

const [PRINTER, COFFEE, FIRES] = ROWS.map(({ title }) => title);

describe('q', () => {
  it.each([
    ['fire', [PRINTER, COFFEE, FIRES]],
    ['FIRE Printer', [PRINTER, COFFEE]],
    ['fire burn', [PRINTER]],
    ['burn fire', []],
    ['prin', [PRINTER, COFFEE]],
    ['"set fire"', [COFFEE]],
    ['"fire set"', []],
    ['"printer on fire"', [PRINTER]],
    ['"room 12" fire', [PRINTER]],
    ['"set fir"', []],
    ['"set fire', [COFFEE]],
    ["don't", [FIRES]],
    ['2026-06-15', [FIRES]],
    ['06', [FIRES]],
    ['v2.5-be', [FIRES]],
    ['bold', [FIRES]],
    ['stale', []],
    ['! & | <-> :* ( )', []],
    ["'", []],
    ['\\', []],
    ['fire & !printer', [PRINTER, COFFEE]],
    ["fire') or true --", []],
    ['fire\n\t\u0007printer', [PRINTER, COFFEE]],
    ['🔥', []],
  ])('%s', async (q, found) => {
    expect(await titles(q)).toEqual(found);
    expect(await titles(q, 'bare')).toEqual(found);
  });

  it('finds every text the caller may read where no index names the fields', async () => {
    expect(await titles('ann', 'bare')).toEqual([PRINTER]);
    expect(await titles('example.co', 'bare')).toEqual([PRINTER]);
    expect(await titles('ann')).toEqual([]);
  });

  it('searches for nothing when it is blank', async () => {
    expect((await read('  ')).meta?.total).toBe(4);
  });

  it('never finds a record by what its reader does not see', async () => {
    for (const entity of ['page', 'bare']) {
      expect(await titles('gold', entity)).toEqual([PRINTER, FIRES]);
      expect(await titles('gold', entity, { roles: ['reader'] })).toEqual([]);
      expect((await read('gold', 'count=exact', entity, { roles: ['reader'] })).meta?.total).toBe(0);
      expect(await titles('gold', entity, { id: ME, roles: ['owner'] })).toEqual([PRINTER]);
      expect(await titles('fire', entity, { roles: ['reader'] })).toEqual([PRINTER, COFFEE, FIRES]);
    }
  });

  it('ranks what is found, with cursors too', async () => {
    const ranked = (await read('fire')).data.map(({ title }) => title);
    expect(ranked[0]).toBe(FIRES);
    const walked: (string | null)[] = [];
    for (let cursor: string | null | undefined = ''; cursor !== null && cursor !== undefined;) {
      const part: Answer = await read('fire', `limit=1&cursor=${cursor}`);
      walked.push(...part.data.map(({ title }) => title));
      cursor = part.page?.next_cursor;
    }
    expect(walked).toEqual(ranked);
  });

  it('goes with filters and stands in the body of _query', async () => {
    const answer = await queryRecords(world.context(app), 'page', { q: 'fire', filter: { status: 'fresh' }, sort: 'title' });
    expect((JSON.parse(answer.text) as Answer).data.map(({ title }) => title)).toEqual([FIRES, PRINTER].sort());
  });

  it.each(['\u0000', 'a\ud800', 'x'.repeat(501), Array.from({ length: 21 }, () => 'w').join(' ')])(
    'is refused when it is %j',
    async (q) => {
      const refused = queryRecords(world.context(app), 'page', { q });
      await expect(refused).rejects.toMatchObject({ code: 'INVALID_VALUE', details: [{ field: 'q' }] });
    },
  );

  it('takes texts of any length: the beginning is found', async () => {
    const words = Array.from({ length: 60_000 }, (_, n) => (n + 1_000_000).toString(36)).join(' ');
    await createRecord(world.context(app), 'page', {
      title: 'long',
      body: `first-word ${words}`,
      secret: `${'\u{10000}a'.repeat(400)} ${words}`,
    });
    expect(await titles('first-word')).toEqual(['long']);
  });

  it('answers by its index', async () => {
    await world.pool.query(
      `insert into app_search.page (id, title, body, secret) select gen_random_uuid(), 'bulk ' || md5(n::text), md5(n::text || 'x'), 'none' from generate_series(1, 5000) n`,
    );
    await world.pool.query('analyze app_search.page');
    world.statements.length = 0;
    await read('printer burns', 'count=none');
    const text = (world.statements.at(-1) ?? '').replaceAll(/\$\d+::text/g, `'''printer'' & ''burns'':*'`);
    const plan = await world.pool.query<{ 'QUERY PLAN': string }>(`explain ${text}`);
    expect(plan.rows.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Bitmap Index Scan on page_title_body_secret_\w+_fts/);
  });

  it('answers by its index also for a word of nearly every record', async () => {
    world.statements.length = 0;
    expect((await read('"bulk"')).meta?.total).toBe(5000);
    await read('"bulk"', 'count=none');
    await read('"bulk"', 'sort=title&count=exact');
    await aggregateRecords(world.context(app), 'page', new URLSearchParams('q="bulk"&count=*'));
    const searches = world.statements.filter((text) => text.includes('to_tsquery'));
    expect(searches).toHaveLength(6);
    for (const text of searches) {
      const literal = text.replaceAll(/\$\d+::text/g, `'''bulk'''`).replaceAll(/\$\d+/g, 'null');
      const plan = await world.pool.query<{ 'QUERY PLAN': string }>(`explain ${literal}`);
      expect(plan.rows.map((line) => line['QUERY PLAN']).join('\n')).toMatch(/Bitmap Index Scan on page_title_body_secret_\w+_fts/);
    }
  });

  it('goes with aggregates', async () => {
    const counted = await aggregateRecords(world.context(app), 'bare', new URLSearchParams('q=fire&count=*'));
    expect((JSON.parse(counted.text) as { data: unknown }).data).toEqual([{ count: 3 }]);
    const hidden = await aggregateRecords(world.context(app, { roles: ['reader'] }), 'bare', new URLSearchParams('q=gold&count=*'));
    expect((JSON.parse(hidden.text) as { data: unknown }).data).toEqual([{ count: 0 }]);
  });

  it('ranks up to 5,000 finds; more come by their key, and a walk keeps the order it began with', async () => {
    await world.pool.query(`update app_search.bare set title = title || ' twin'`);
    const bulk = (from: number, to: number): Promise<unknown> =>
      world.pool.query(
        `insert into app_search.bare (id, title, body) select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'twin', repeat('twin ', n % 3) from generate_series($1::integer, $2) n`,
        [from, to],
      );
    await bulk(1, 4990);
    const ranked = await read('twin', 'limit=10&count=exact', 'bare');
    expect(ranked).toMatchObject({ meta: { total: 4993 }, data: Array.from({ length: 10 }, () => ({ title: 'twin' })) });
    await bulk(4991, 5100);
    const still = await read('twin', `limit=10&cursor=${ranked.page?.next_cursor}`, 'bare');
    expect(still.data.map((row) => (row as { body?: string }).body)).toEqual(Array.from({ length: 10 }, () => 'twin twin '));
    const first = await read('twin', 'limit=3', 'bare');
    const second = await read('twin', `limit=3&cursor=${first.page?.next_cursor}`, 'bare');
    expect([...first.data, ...second.data].map((row) => Number((row as { id?: string }).id?.slice(-12)))).toEqual([1, 2, 3, 4, 5, 6]);
    expect((await read('twin', 'page=2&per_page=3', 'bare')).data).toEqual(second.data);
    expect((await read('twin', 'per_page=3', 'bare')).meta?.total).toBe(5103);
  });
});
