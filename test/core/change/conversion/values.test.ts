/** What becomes of a value in another type without expressions, and of records that get one by a fill, on a real Postgres. */
import { beforeAll, expect, it } from 'vitest';
import { conversion, conversionDatabase, ConversionWorld, stepsBetween } from './conversion-world.ts';

let url: string;
beforeAll(async () => {
  url = await conversionDatabase();
});

const UUID = '01920000-0000-7000-8000-00000000000a';

it.each([
  ['string', 'int', '42', '42', '4.2'],
  ['string', 'decimal', '1.50', '1.50', '1.505'],
  ['string', 'boolean', 'true', 'true', 'perhaps'],
  ['string', 'date', '2026-01-31', '2026-01-31', '31.01.2026'],
  ['string', 'timestamp', '2026-01-31T10:00:00Z', '2026-01-31 10:00:00+00', 'tomorrow'],
  ['string', 'uuid', UUID, UUID, 'none'],
  ['string', 'json', '{"a": 1}', '{"a": 1}', '{"a": '],
  ['string', 'json', 'plain', '"plain"', undefined],
  ['string', 'email', 'a@example.com', 'a@example.com', 'nobody'],
  ['int', 'string', '42', '42', undefined],
  ['int', 'decimal', '42', '42.00', undefined],
  ['decimal', 'int', '42.00', '42', '4.20'],
  ['int', 'boolean', '1', 'true', '2'],
  ['timestamp', 'date', '2026-01-31T23:59:00Z', '2026-01-31', undefined],
  ['json', 'int', '"7"', '7', '{"a": 1}'],
  ['boolean', 'int', 'true', '1', undefined],
])('%s becomes %s', async (from, to, given, expected, misfit) => {
  const world = await ConversionWorld.open(
    url,
    [{ name: 'a', type: from }],
    [{ name: 'a', type: to, column: 'a__7' }],
    conversion({ from: ['a'], to: ['a'] }),
  );
  await world.write('insert into item (id, a) values (1, $1), (2, $2), (3, null)', [given, misfit ?? null]);
  await world.to('backfill');
  expect(await world.rows('a__7::text as now')).toEqual([
    { id: 1, now: expected },
    { id: 2, now: null },
    { id: 3, now: null },
  ]);
  expect((await world.quarantine()).map((row) => [row['record_id'], row['direction']])).toEqual(misfit === undefined ? [] : [['2', 'up']]);
  expect(await world.batches('verify/')).toEqual({ rows: 3, wrong: 0 });
});

it.each([
  ['date', 'int'],
  ['uuid', 'int'],
  ['boolean', 'date'],
  ['time', 'timestamp'],
  ['file', 'string'],
])('%s does not become %s by itself', (from, to) => {
  const before = [{ name: 'a', type: from }];
  const after = [{ name: 'a', type: to, column: 'a__7' }];
  expect(() => stepsBetween(before, after, conversion({ from: ['a'], to: ['a'] }))).toThrow(`Nothing says how ${from} "a" becomes ${to}.`);
});

it('maps a value of an enum that is gone, both ways', async () => {
  const world = await ConversionWorld.open(
    url,
    [{ name: 's', type: 'enum', enum: ['open', 'shut'] }],
    [{ name: 's', type: 'enum', enum: ['open', 'closed'], column: 's__7' }],
    conversion({
      from: ['s'],
      to: ['s'],
      up: { s: "record.s = 'shut' ? 'closed' : record.s" },
      down: { s: "record.s = 'closed' ? 'shut' : record.s" },
    }),
  );
  await world.write("insert into item (id, s) values (1, 'open'), (2, 'shut'), (3, 'odd')");
  await world.to('backfill');
  await world.write("insert into item (id, s__7) values (4, 'closed')");
  expect(await world.rows('s, s__7')).toEqual([
    { id: 1, s: 'open', s__7: 'open' },
    { id: 2, s: 'shut', s__7: 'closed' },
    { id: 3, s: 'odd', s__7: null },
    { id: 4, s: 'shut', s__7: 'closed' },
  ]);
  expect(await world.quarantine()).toMatchObject([{ record_id: '3', value: 'odd', error: 'is not one of the values of "s"' }]);
});

it('fills a field that becomes required, also where an older client leaves it out, until the contract', async () => {
  const title = { name: 'title', type: 'string' };
  const world = await ConversionWorld.open(
    url,
    [title],
    [title, { name: 'code', type: 'string', required: true }],
    conversion({ kind: 'fill', to: ['code'], up: { code: '$uppercase(record.title)' } }),
  );
  await world.write("insert into item (id, title) values (1, 'one'), (2, null)");
  await world.to('backfill');
  await world.write("insert into item (id, title) values (3, 'three')");
  await world.write("insert into item (id, title, code) values (4, 'four', 'own')");
  await world.write('update item set code = null where id = 4');
  expect(await world.rows('code, _version')).toEqual([
    { id: 1, code: 'ONE', _version: '1' },
    { id: 2, code: null, _version: '1' },
    { id: 3, code: 'THREE', _version: '1' },
    { id: 4, code: 'FOUR', _version: '1' },
  ]);
  expect(await world.quarantine()).toMatchObject([{ record_id: '2', field: 'code', error: 'gives nothing, and "code" is required' }]);
  await world.write("update item set code = 'two' where id = 2");
  expect(await world.quarantine()).toEqual([]);
  await world.to('contract');
  expect(await world.leftovers()).toEqual([]);
  await expect(world.write("insert into item (id, title) values (5, 'five')")).rejects.toMatchObject({ code: '23502' });
});

it('takes a fill back, column and all', async () => {
  const title = { name: 'title', type: 'string' };
  const world = await ConversionWorld.open(
    url,
    [title],
    [title, { name: 'code', type: 'string', required: true }],
    conversion({ kind: 'fill', to: ['code'], up: { code: "'x'" } }),
  );
  await world.write('insert into item (id) values (1)');
  await world.to('backfill');
  await world.undo();
  expect(await world.leftovers()).toEqual([]);
  await expect(world.rows('code')).rejects.toThrow('code');
});
