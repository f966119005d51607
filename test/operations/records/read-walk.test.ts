import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Actor, AppRuntime } from '../../../operations/context.ts';
import { listRecords, queryRecords } from '../../../operations/records/list.ts';
import { readingWorld, uuid, type ReadingWorld } from '../../support/records.ts';
import '../../support/fixed-seed.ts';

interface Part {
  data: { id: string }[];
  page: { limit: number; next_cursor: string | null };
  meta?: { total: number };
}

const DOCUMENT = {
  version: 1,
  entities: [
    { name: 'shop', fields: [{ name: 'name', type: 'string' }] },
    {
      name: 'item',
      fields: [
        { name: 'name', type: 'string' },
        { name: 'made_at', type: 'timestamp' },
        { name: 'price', type: 'decimal', precision: 4 },
        { name: 'views', type: 'bigint' },
        { name: 'score', type: 'float' },
        { name: 'urgent', type: 'boolean' },
        { name: 'due_on', type: 'date' },
        { name: 'meta', type: 'json' },
        { name: 'rank', type: 'int' },
        { name: 'owner_id', type: 'uuid' },
        { name: 'shop', type: 'relation', target: 'shop' },
      ],
      indexes: [{ fields: ['made_at'] }],
    },
    {
      name: 'note',
      primary_key: { fields: ['book', 'line'] },
      fields: [
        { name: 'book', type: 'string' },
        { name: 'line', type: 'int' },
      ],
    },
  ],
  permissions: [
    { entity: 'item', action: 'read', roles: ['clerk'] },
    { entity: 'shop', action: 'read', roles: ['clerk'] },
    {
      entity: 'item',
      action: 'read',
      roles: ['clerk'],
      deny: true,
      fields: { read: ['price'] },
      conditions: [{ field: 'owner_id', operator: 'neq', value: '$user.id' }],
    },
  ],
};

const ME = uuid(0x77);
const COUNT = 90;
const one = <T>(values: readonly T[], n: number): T | undefined => values[n % values.length];
const NAMES = [null, '', 'a', 'A', 'a', 'ä', 'z "quoted", \\', 'b\n', '💡', 'a b'];
const TIMES = [null, '2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.000002Z', '2026-01-01T00:00:00.000001Z', '-infinity'];

let world: ReadingWorld;
let app: AppRuntime;

const row = (n: number): Record<string, unknown> => ({
  id: uuid((n * 7919) % 100_003),
  name: one(NAMES, n * 3),
  made_at: one(TIMES, n * 7 + (n >> 2)),
  price: one([null, '0.1', '0.1001', '12345678901234.5', '-3'], n >> 1),
  views: one([null, '9007199254740993', '9007199254740992', '-5'], n + (n >> 3)),
  score: one([null, 0.1, 0.30000000000000004, 1e300, 'NaN', '-Infinity'], n >> 2),
  urgent: one([true, false, null], n >> 1),
  due_on: one([null, '2026-02-28', '2024-02-29'], n),
  meta: one([null, '{"a":1}', '[1,2]', '"x"'], n >> 1),
  rank: one([null, 1, 2, 3], n >> 3),
  owner_id: one([ME, uuid(0x78)], n),
  shop_id: one([null, uuid(1), uuid(2), uuid(3)], n >> 1),
});

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('walk', DOCUMENT);
  await world.insert(app, 'shop', [
    { id: uuid(1), name: 'north' },
    { id: uuid(2), name: null },
    { id: uuid(3), name: 'north' },
  ]);
  await world.insert(
    app,
    'item',
    Array.from({ length: COUNT }, (_, n) => row(n)),
  );
  await world.insert(
    app,
    'note',
    Array.from({ length: 9 }, (_, n) => ({ book: one(['b', 'a', 'c'], n), line: n >> 1 })),
  );
});

const read = async (query: string, actor: Partial<Actor> = {}, entity = 'item', of = app): Promise<Part> =>
  JSON.parse((await listRecords(world.context(of, actor), entity, new URLSearchParams(query))).text) as Part;

/** Every part of a list from its beginning; `between` runs after each. */
async function walk(query: string, actor: Partial<Actor> = {}, between?: (seen: string[]) => Promise<void>): Promise<string[]> {
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null;) {
    const part: Part = await read(`fields=id&${query}&cursor=${cursor}`, actor);
    seen.push(...part.data.map(({ id }) => id));
    cursor = part.page.next_cursor;
    if (cursor !== null) await between?.(seen);
    expect(seen.length).toBeLessThanOrEqual(10 * COUNT);
  }
  return seen;
}

const EXPRESSIONS: Readonly<Record<string, string>> = {
  'shop.name': '(select s.name from app_walk.shop s where s.id = t.shop_id)',
};
const FIELDS = ['id', 'name', 'made_at', 'price', 'views', 'score', 'urgent', 'due_on', 'meta', 'rank', 'shop', 'shop.name'];

async function truth(sort: readonly [string, boolean][], hides: boolean): Promise<string[]> {
  const items = sort.map(([name, isDown]) => {
    const stored = name === 'shop' ? 'shop_id' : (EXPRESSIONS[name] ?? name);
    return `${hides && name === 'price' ? `case when owner_id = '${ME}' then price end` : stored}${isDown ? ' desc' : ''}`;
  });
  const down = sort.at(-1)?.[1] === true ? ' desc' : '';
  const found = await world.pool.query<{ id: string }>(`select id from app_walk.item t order by ${[...items, `id${down}`].join(', ')}`);
  return found.rows.map(({ id }) => id);
}

const sorts = fc.uniqueArray(fc.tuple(fc.constantFrom(...FIELDS), fc.boolean()), { maxLength: 3, selector: ([name]) => name });
const textOf = (sort: readonly [string, boolean][]): string => sort.map(([name, isDown]) => (isDown ? '-' : '') + name).join(',');

describe('a walk from cursor to cursor', () => {
  it('answers the whole list in its order, whatever it is sorted by', async () => {
    await fc.assert(
      fc.asyncProperty(sorts, fc.integer({ min: 4, max: 40 }), fc.boolean(), async (sort, limit, isClerk) => {
        const actor = isClerk ? { id: ME, roles: ['clerk'] } : {};
        expect(await walk(`sort=${textOf(sort)}&limit=${limit}`, actor)).toEqual(await truth(sort, isClerk));
      }),
      { numRuns: 60 },
    );
  });

  it('is complete in small steps, over each field and both ways', async () => {
    for (const name of FIELDS) {
      for (const isDown of [false, true]) {
        expect(await walk(`sort=${isDown ? '-' : ''}${name}&limit=3`)).toEqual(await truth([[name, isDown]], false));
      }
    }
  }, 30_000);

  it('neither repeats nor skips what stays while others come and go', async () => {
    const columns = 'name, made_at, price, views, score, urgent, due_on, meta, rank, owner_id, shop_id';
    await fc.assert(
      fc.asyncProperty(sorts, fc.integer({ min: 5, max: 20 }), fc.integer({ min: 0, max: 1000 }), async (sort, limit, seed) => {
        const gone = new Set<string>();
        const came = new Set<string>();
        await world.pool.query('create table app_walk.keep as table app_walk.item');
        let step = seed;
        const seen = await walk(`sort=${textOf(sort)}&limit=${limit}`, {}, async (soFar) => {
          step += 1;
          const victims = [soFar.at(-1), uuid((((step * 13) % COUNT) * 7919) % 100_003)].flatMap((id) => id ?? []);
          await world.pool.query('delete from app_walk.item where id = any($1)', [victims]);
          for (const id of victims) gone.add(id);
          const fresh = uuid(200_000 + step);
          came.add(fresh);
          await world.pool.query(
            `insert into app_walk.item (id, ${columns}) select $1, ${columns} from app_walk.item where id <> $1 order by id offset $2 limit 1`,
            [fresh, (step * 31) % 40],
          );
        });
        await world.pool.query('truncate app_walk.item');
        await world.pool.query('insert into app_walk.item select * from app_walk.keep');
        await world.pool.query('drop table app_walk.keep');
        expect(new Set(seen).size).toBe(seen.length);
        const stayed = (await truth(sort, false)).filter((id) => !gone.has(id));
        expect(seen.filter((id) => !gone.has(id) && !came.has(id))).toEqual(stayed);
      }),
      { numRuns: 25 },
    );
  }, 30_000);

  it('keeps to filters, and shows fields as asked in each part', async () => {
    const first = await read('filter[rank]=1&filter[urgent]=true&sort=-price&limit=4&fields=id');
    const second = await read(
      `filter[urgent]=true&filter[rank]=1&sort=-price&limit=3&cursor=${first.page.next_cursor}&fields=id,rank,urgent`,
    );
    expect(second.data.length).toBeGreaterThan(0);
    for (const item of second.data) expect(item).toMatchObject({ rank: 1, urgent: true });
    expect(first.data.map(({ id }) => id)).not.toContain(second.data[0]?.id);
  });

  it('works for compound keys and in the body of _query, and counts when asked', async () => {
    const notes: unknown[] = [];
    for (let cursor: string | null | undefined; cursor !== null;) {
      const answer = await queryRecords(world.context(app), 'note', { limit: 2, cursor, count: 'exact' });
      const part = JSON.parse(answer.text) as Part;
      expect(part.meta).toEqual({ total: 9 });
      notes.push(...part.data);
      cursor = part.page.next_cursor;
    }
    expect(new Set(notes.map((note) => JSON.stringify(note))).size).toBe(9);
  });

  it('ends with null, exactly at the end too', async () => {
    expect((await read(`limit=${COUNT}`)).page).toEqual({ limit: COUNT, next_cursor: null });
    expect((await read('limit=5&filter[name]=nobody')).page.next_cursor).toBeNull();
    expect((await read('limit=100000')).page.limit).toBe(100);
    expect((await read('cursor=')).page.limit).toBe(25);
  });
});

describe('a cursor', () => {
  const clerk: Partial<Actor> = { id: ME, roles: ['clerk'] };
  const other: Partial<Actor> = { id: uuid(0x78), roles: ['clerk'] };
  const QUERY = 'limit=5&sort=-price&filter[rank]=1';

  it('says nothing: the values in it cannot be read', async () => {
    const { page } = await read('limit=3&sort=name&filter[name.contains]=quoted');
    expect(Buffer.from(page.next_cursor ?? '', 'base64url').toString('latin1')).not.toMatch(/quoted|0000-7000/);
  });

  it('is refused in any other hands, place or shape', async () => {
    const twin = await world.app('twin', DOCUMENT);
    const cursor = (await read(QUERY, clerk)).page.next_cursor ?? '';
    expect((await read(`${QUERY}&cursor=${cursor}`, clerk)).data.length).toBeGreaterThan(0);
    const swapped = `${cursor.slice(0, 40)}${cursor[40] === 'A' ? 'E' : 'A'}${cursor.slice(41)}`;
    const foreign: [string, Partial<Actor>, string?, AppRuntime?][] = [
      [`${QUERY}&cursor=${cursor}`, other],
      [`${QUERY}&cursor=${cursor}`, { ...clerk, roles: ['clerk', 'boss'] }],
      [`${QUERY}&cursor=${cursor}`, clerk, 'item', twin],
      [`limit=5&cursor=${cursor}`, clerk, 'shop'],
      [`limit=5&sort=price&filter[rank]=1&cursor=${cursor}`, clerk],
      [`limit=5&sort=-price&filter[rank]=2&cursor=${cursor}`, clerk],
      [`${QUERY}&q=a&cursor=${cursor}`, clerk],
      [`${QUERY}&cursor=${swapped}`, clerk],
      [`${QUERY}&cursor=${cursor}AAAA`, clerk],
      [`${QUERY}&cursor=null`, clerk],
      [`${QUERY}&cursor=%00`, clerk],
      [`${QUERY}&cursor=${'A'.repeat(100_000)}`, clerk],
    ];
    for (const [query, actor, entity, of] of foreign) {
      await expect(read(query, actor, entity, of)).rejects.toMatchObject({
        code: 'INVALID_VALUE',
        details: [{ field: 'cursor' }],
        hint: expect.stringContaining('next_cursor') as string,
      });
    }
  });

  it.each(['page=2&limit=5', 'per_page=5&cursor=x', 'limit=0', 'limit=x', 'limit=-1', 'limit=1.5', 'limit='])(
    'and its limit are refused clearly: %s',
    async (query) => {
      await expect(read(query)).rejects.toMatchObject({ code: 'INVALID_VALUE', status: 400 });
    },
  );
});

describe('a sort by long texts', () => {
  it('walks by long cursors in a body, and is refused where they would be too long', async () => {
    const long = await world.app('long', DOCUMENT);
    const insert = (n: number, length: number): Promise<void> => world.insert(long, 'shop', [{ id: uuid(n), name: `${n}`.repeat(length) }]);
    for (const n of [1, 2, 3]) await insert(n, 40_000);
    const read = async (cursor?: string | null): Promise<Part> =>
      JSON.parse((await queryRecords(world.context(long), 'shop', { sort: 'name', limit: 1, fields: ['id'], cursor })).text) as Part;
    const first = await read();
    expect((await read(first.page.next_cursor)).data).toEqual([{ id: uuid(2) }]);
    await insert(0, 60_000);
    await expect(read()).rejects.toMatchObject({ code: 'TOO_LARGE', details: [{ field: 'sort' }] });
  });
});

describe('the plan of a walk', () => {
  it('finds its place by an index and sorts no table', async () => {
    await world.pool.query(`create index item_made on app_walk.item (made_at)`);
    await world.pool.query(
      `insert into app_walk.item (id, name, made_at) select gen_random_uuid(), 'bulk', timestamptz '2026-03-01' + n * interval '1 ms' from generate_series(1, 30000) n`,
    );
    await world.pool.query('analyze app_walk.item');
    for (const sort of ['-made_at', 'made_at']) {
      const { page } = await read(`limit=20&sort=${sort}&filter[made_at.gt]=2026-02-01`);
      world.statements.length = 0;
      await read(`limit=20&sort=${sort}&filter[made_at.gt]=2026-02-01&cursor=${page.next_cursor}`);
      const text = (world.statements.at(-1) ?? '').replaceAll(/\$\d+::timestamptz/g, `'2026-03-01T00:00:15Z'::timestamptz`);
      const plan = await world.pool.query<{ 'QUERY PLAN': string }>(
        `explain (analyze, costs off) ${text.replaceAll(/\$\d+::uuid/g, `'${uuid(5)}'::uuid`)}`,
      );
      const lines = plan.rows.map((line) => line['QUERY PLAN']).join('\n');
      expect(lines).toMatch(/Index Scan.* using item_made/);
      expect(lines).not.toMatch(/Seq Scan/);
      for (const [, rows] of lines.matchAll(/Scan[^\n]*rows=(\d+)/g)) expect(Number(rows)).toBeLessThan(200);
    }
  });
});
