/** Two shapes of the same values on a real Postgres: what an old and a new writer can, at every stage. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { conversion, conversionDatabase, ConversionWorld, stepsBetween } from './conversion-world.ts';

let url: string;
beforeAll(async () => {
  url = await conversionDatabase();
});

describe('a text that becomes a number', () => {
  const before = [
    { name: 'amount', type: 'string', required: true, default: '0' },
    { name: 'note', type: 'string' },
  ];
  const after = [
    { name: 'amount', type: 'int', column: 'amount__7', default: 0 },
    { name: 'note', type: 'string' },
  ];
  let world: ConversionWorld;
  beforeEach(async () => {
    world = await ConversionWorld.open(url, before, after, conversion({ from: ['amount'], to: ['amount'] }));
    await world.write('insert into item (id, amount) select n, n::text from generate_series(1, 20) n');
    await world.write("insert into item (id, amount) values (21, 'abc')");
  });

  it('serves an old and a new writer as soon as its triggers are up', async () => {
    await world.to('expand');
    await world.write("insert into item (id, amount) values (30, '30')");
    await world.write('insert into item (id, amount__7) values (31, 31)');
    await world.write("update item set amount = '77' where id = 1");
    await world.write('update item set amount__7 = 78 where id = 2');
    await world.write("update item set note = 'x' where id = 3");
    expect(await world.row(30, 'amount, amount__7')).toEqual({ amount: '30', amount__7: 30 });
    expect(await world.row(31, 'amount, amount__7')).toEqual({ amount: '31', amount__7: 31 });
    expect(await world.row(1, 'amount, amount__7')).toEqual({ amount: '77', amount__7: 77 });
    expect(await world.row(2, 'amount, amount__7')).toEqual({ amount: '78', amount__7: 78 });
    expect(await world.row(3, 'amount, amount__7')).toEqual({ amount: '3', amount__7: null });
  });

  it('takes a null assigned over a null for a write, and the backfill leaves it', async () => {
    await world.to('expand');
    await world.write('update item set amount__7 = null where id = 5');
    await world.to('backfill');
    expect(await world.row(5, 'amount, amount__7')).toEqual({ amount: null, amount__7: null });
    expect(await world.row(6, 'amount, amount__7')).toEqual({ amount: '6', amount__7: 6 });
  });

  it('fills every row without touching its version, and puts what does not fit into the quarantine', async () => {
    await world.to('backfill');
    const rows = await world.rows('amount, amount__7, _version');
    expect(rows.every((row) => row['_version'] === '1')).toBe(true);
    expect(rows.slice(0, 20).every((row) => row['amount'] === String(row['amount__7']))).toBe(true);
    expect(rows[20]).toMatchObject({ amount: 'abc', amount__7: null });
    expect(await world.quarantine()).toEqual([
      { record_id: '21', field: 'amount', direction: 'up', value: 'abc', error: 'invalid input syntax for type integer: "abc"' },
    ]);
    expect(await world.batches('verify/')).toEqual({ rows: 21, wrong: 0 });
  });

  it.each([
    ['the old shape', "update item set amount = '9' where id = 21", { amount: '9', amount__7: 9 }],
    ['the new shape', 'update item set amount__7 = 8 where id = 21', { amount: '8', amount__7: 8 }],
    ['nothing, in the new shape', 'update item set amount__7 = null where id = 21', { amount: null, amount__7: null }],
  ])('takes a repaired value out of the quarantine: %s', async (_title, repair, expected) => {
    await world.to('backfill');
    await world.write("update item set amount = 'abc' where id = 21");
    expect(await world.quarantine()).toHaveLength(1);
    await world.write(repair);
    expect(await world.row(21, 'amount, amount__7')).toEqual(expected);
    // The older shape requires a value, so a record without one is told of; it is no value that was lost on the way up.
    expect((await world.quarantine()).filter((row) => row['direction'] === 'up')).toEqual([]);
  });

  it('forgets a quarantined value with its record', async () => {
    await world.to('backfill');
    await world.write('delete from item where id = 21');
    expect(await world.quarantine()).toEqual([]);
  });

  it('lets the newer shape win where one statement assigns both, and tells of it', async () => {
    await world.to('backfill');
    await world.write("update item set amount = '5', amount__7 = 2 where id = 1");
    await world.write("insert into item (id, amount, amount__7) values (40, '1', 2), (41, '3', 3)");
    await world.write("update item set amount = '55', amount__7 = amount__7 where id = 2");
    await world.write('update item set amount = amount, amount__7 = 56 where id = 3');
    expect(await world.row(1, 'amount, amount__7')).toEqual({ amount: '2', amount__7: 2 });
    expect(await world.row(40, 'amount, amount__7')).toEqual({ amount: '2', amount__7: 2 });
    expect(await world.row(2, 'amount, amount__7')).toEqual({ amount: '55', amount__7: 55 });
    expect(await world.row(3, 'amount, amount__7')).toEqual({ amount: '56', amount__7: 56 });
    const told = (await world.quarantine()).filter((row) => row['direction'] === 'conflict');
    expect(told.map((row) => [row['record_id'], row['value']])).toEqual([
      ['1', '5'],
      ['40', '1'],
    ]);
  });

  it('ends with the new columns alone, and its default', async () => {
    await world.to('backfill');
    await world.write("update item set amount = '9' where id = 21");
    await world.to('contract');
    expect(await world.leftovers()).toEqual([]);
    await world.write('insert into item (id) values (50)');
    expect(await world.row(50, 'amount, amount__7')).toEqual({ amount: null, amount__7: 0 });
  });

  it('leaves nothing when it is undone', async () => {
    await world.to('backfill');
    await world.undo();
    expect(await world.leftovers()).toEqual([]);
    expect(await world.quarantine()).toEqual([]);
    await world.write('insert into item (id) values (50)');
    expect(await world.row(50, 'amount')).toEqual({ amount: '0' });
    await expect(world.rows('amount__7')).rejects.toThrow('amount__7');
  });

  it('changes nothing when a step runs a second time', async () => {
    await world.to('backfill');
    const filled = await world.rows('amount, amount__7');
    for (const step of world.steps.filter((candidate) => ['expand', 'backfill'].includes(candidate.phase))) {
      const { applyStep } = await import('../../../support/steps.ts');
      await applyStep(world.client, step);
    }
    expect(await world.rows('amount, amount__7')).toEqual(filled);
    await world.undo();
    await world.undo();
  });

  it('does not verify what a wrong trigger left', async () => {
    await world.to('backfill');
    await world.client.query('alter table app_x.item disable trigger user');
    await world.write("update item set amount = '123' where id = 4");
    await world.client.query('alter table app_x.item enable trigger user');
    expect(await world.batches('verify/')).toEqual({ rows: 21, wrong: 1 });
  });
});

describe('a name that is split', () => {
  const before = [{ name: 'name', type: 'string', required: true }];
  const after = [
    { name: 'first', type: 'string', required: true },
    { name: 'last', type: 'string' },
  ];
  const split = conversion({
    kind: 'transform',
    from: ['name'],
    to: ['first', 'last'],
    up: { first: "$substringBefore(record.name, ' ')", last: "$substringAfter(record.name, ' ')" },
    down: { name: "record.first & ' ' & record.last" },
  });
  let world: ConversionWorld;
  beforeEach(async () => {
    world = await ConversionWorld.open(url, before, after, split);
    await world.write("insert into item (id, name) select n, 'Ada L' || n from generate_series(1, 20) n");
  });

  it('goes both ways, also when the new shape writes a part of a row that is not filled yet', async () => {
    await world.to('expand');
    await world.write("insert into item (id, first, last) values (30, 'Grace', 'Hopper')");
    await world.write("update item set last = 'Byron' where id = 1");
    await world.write("update item set name = 'Alan Turing' where id = 2");
    expect(await world.row(30, 'name')).toEqual({ name: 'Grace Hopper' });
    expect(await world.row(1, 'name, first, last')).toEqual({ name: 'Ada Byron', first: 'Ada', last: 'Byron' });
    expect(await world.row(2, 'name, first, last')).toEqual({ name: 'Alan Turing', first: 'Alan', last: 'Turing' });
    await world.to('verify');
    await world.to('contract');
    expect(await world.leftovers()).toEqual([]);
    await expect(world.write("insert into item (id, last) values (60, 'x')")).rejects.toMatchObject({ code: '23502' });
  });

  it('does not overwrite the whole by parts of which one is in the quarantine', async () => {
    const narrow = [after[0] as Record<string, unknown>, { name: 'last', type: 'string', max_length: 5 }];
    world = await ConversionWorld.open(url, before, narrow, split);
    await world.write("insert into item (id, name) values (1, 'Ada Lovelace')");
    await world.to('backfill');
    await world.write("update item set first = 'Augusta' where id = 1");
    expect(await world.row(1, 'name, first, last')).toEqual({ name: 'Ada Lovelace', first: 'Augusta', last: null });
    await world.write("update item set last = 'Byron' where id = 1");
    expect(await world.row(1, 'name, first, last')).toEqual({ name: 'Augusta Byron', first: 'Augusta', last: 'Byron' });
    expect(await world.quarantine()).toEqual([]);
  });
});

it('merges two fields into one and back', async () => {
  const parts = [
    { name: 'first', type: 'string' },
    { name: 'last', type: 'string' },
  ];
  const merge = conversion({
    kind: 'transform',
    from: ['first', 'last'],
    to: ['name'],
    up: { name: "record.first & ' ' & record.last" },
    down: { first: "$substringBefore(record.name, ' ')", last: "$substringAfter(record.name, ' ')" },
  });
  const world = await ConversionWorld.open(url, parts, [{ name: 'name', type: 'string' }], merge);
  await world.write("insert into item (id, first, last) values (1, 'Ada', 'Lovelace')");
  await world.to('backfill');
  await world.write("update item set last = 'Byron' where id = 1");
  expect(await world.row(1, 'name')).toEqual({ name: 'Ada Byron' });
  await world.write("update item set name = 'Grace Hopper' where id = 1");
  expect(await world.row(1, 'first, last')).toEqual({ first: 'Grace', last: 'Hopper' });
  expect(await world.batches('verify/')).toEqual({ rows: 1, wrong: 0 });
});

it('keeps what the newer side knows more of, while the older writes back what it read', async () => {
  const world = await ConversionWorld.open(
    url,
    [{ name: 'price', type: 'int' }],
    [{ name: 'price', type: 'decimal', column: 'price__7' }],
    conversion({ from: ['price'], to: ['price'], up: { price: 'record.price' }, down: { price: '$floor(record.price)' } }),
  );
  await world.to('backfill');
  await world.write('insert into item (id, price__7) values (1, 1.25)');
  await world.write('update item set price = 1 where id = 1');
  expect(await world.row(1, 'price, price__7')).toEqual({ price: 1, price__7: '1.25' });
  await world.write('update item set price = 2 where id = 1');
  expect(await world.row(1, 'price, price__7')).toEqual({ price: 2, price__7: '2.00' });
  expect(await world.batches('verify/')).toEqual({ rows: 1, wrong: 0 });
});

it('empties the old side where nothing says what it would hold', async () => {
  const world = await ConversionWorld.open(
    url,
    [{ name: 'secret', type: 'string' }],
    [{ name: 'size', type: 'int' }],
    conversion({ kind: 'transform', from: ['secret'], to: ['size'], up: { size: '$length(record.secret)' } }),
  );
  await world.write("insert into item (id, secret) values (1, 'four'), (2, 'five5')");
  await world.to('backfill');
  await world.write('update item set size = 9 where id = 1');
  expect(await world.rows('secret, size')).toEqual([
    { id: 1, secret: null, size: 9 },
    { id: 2, secret: 'five5', size: 5 },
  ]);
  expect(await world.batches('verify/')).toEqual({ rows: 2, wrong: 0 });
});

it('takes a json apart, missing members included', async () => {
  const world = await ConversionWorld.open(
    url,
    [{ name: 'address', type: 'json' }],
    [
      { name: 'city', type: 'string' },
      { name: 'zip', type: 'int' },
    ],
    conversion({
      kind: 'transform',
      from: ['address'],
      to: ['city', 'zip'],
      up: { city: 'record.address.city', zip: 'record.address.zip' },
    }),
  );
  await world.write(
    `insert into item (id, address) values (1, '{"city": "Oslo", "zip": "0150"}'), (2, '{"city": "Bergen"}'), (3, '{"zip": "x"}'), (4, null)`,
  );
  await world.to('backfill');
  expect(await world.rows('city, zip')).toEqual([
    { id: 1, city: 'Oslo', zip: 150 },
    { id: 2, city: 'Bergen', zip: null },
    { id: 3, city: null, zip: null },
    { id: 4, city: null, zip: null },
  ]);
  expect((await world.quarantine()).map((row) => [row['record_id'], row['field']])).toEqual([['3', 'zip']]);
});

describe('what cannot be done is refused before anything begins', () => {
  const text = [{ name: 'a', type: 'string' }];
  const required = [{ name: 'a', type: 'string', required: true }];
  it.each([
    ['a function without SQL', text, [{ name: 'b', type: 'string' }], { up: { b: '$sift(record.a)' } }, /transform of "item.b"/],
    ['another field', text, [{ name: 'b', type: 'string' }], { up: { b: 'record.other' } }, /"record.other"/],
    [
      'a required old field without a way back',
      required,
      [{ name: 'b', type: 'string' }],
      { up: { b: 'record.a' } },
      /"a" is required by older clients/,
    ],
    ['a new field without a value', text, [{ name: 'b', type: 'string' }], {}, /does not say what "b" becomes/],
    ['a text for a date', text, [{ name: 'b', type: 'date' }], { up: { b: '$length(record.a)' } }, /cannot become a date/],
    ['a broken expression', text, [{ name: 'b', type: 'string' }], { up: { b: '$length(' } }, /transform of "item.b"/],
  ])('%s', (_title, before, after, given, message) => {
    const wanted = conversion({ kind: 'transform', from: ['a'], to: ['b'], ...given });
    expect(() => stepsBetween(before, after, wanted)).toThrow(message);
  });

  it('an automatic conversion that makes no sense', () => {
    const wanted = conversion({ from: ['a'], to: ['a'] });
    expect(() => stepsBetween([{ name: 'a', type: 'date' }], [{ name: 'a', type: 'int', column: 'a__7' }], wanted)).toThrow(
      'Nothing says how date "a" becomes int.',
    );
  });
});
