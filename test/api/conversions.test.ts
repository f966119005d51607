/** Values that are converted, split and filled on live data, through the API alone. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startWorld, type Reply, type Send, type World } from './world.ts';

let world: World;
let send: Send;
beforeAll(async () => {
  world = await startWorld();
  send = await world.asPlatformAdmin();
});

const OLD = { 'Schema-Version': '1' };

async function makeApp(name: string, ...fields: object[]): Promise<void> {
  expect((await send('POST', '_platform/apps', { name })).status).toBe(201);
  expect((await send('POST', `${name}/_admin/versions`, { version: 1, entities: [{ name: 'item', fields }] })).status).toBe(201);
}
const make = async (app: string, body: object): Promise<string> => {
  const made = await send('POST', `${app}/item`, body);
  expect(made.status, made.text).toBe(201);
  return made.body.data.id as string;
};
const publish = (app: string, fields: object[], migrate: object[]): Promise<Reply> =>
  send('POST', `${app}/_admin/versions`, { version: 1, entities: [{ name: 'item', fields }], migrate });
const read = async (app: string, id: string, headers: Record<string, string> = {}): Promise<Record<string, unknown>> =>
  (await send('GET', `${app}/item/${id}`, undefined, headers)).body.data as Record<string, unknown>;
const until = (app: string, id: string, status: string): Promise<true> =>
  vi.waitUntil(async () => (await send('GET', `${app}/_admin/migrations/${id}`)).body.data.status === status, {
    timeout: 30_000,
    interval: 50,
  });

describe('a type that changes', () => {
  let migration: string;
  let ids: string[];
  beforeAll(async () => {
    await makeApp('types', { name: 'amount', type: 'string' }, { name: 'note', type: 'string' });
    ids = [await make('types', { amount: '12' }), await make('types', { amount: 'a dozen' }), await make('types', { amount: null })];
  });

  it('wants to be told how, and pauses before the switch for values that do not fit', async () => {
    const fields = [
      { name: 'amount', type: 'int' },
      { name: 'note', type: 'string' },
    ];
    expect((await publish('types', fields, [])).body.error.details[0]).toMatchObject({ kind: 'change_type', rule: 'unsafe_change' });
    const document = { version: 1, entities: [{ name: 'item', fields }], migrate: [{ convert: { entity: 'item', field: 'amount' } }] };
    const dry = await send('POST', 'types/_admin/versions?dry_run=true', document);
    expect(dry.body.data, dry.text).toMatchObject({ approval: { needed: false, four_eyes: false }, grace_ms: 604_800_000 });
    expect(dry.body.data.conversions).toMatchObject([
      { entity: 'item', fields: ['amount'], kind: 'convert', checked: 3, failing: 1, is_whole: true },
    ]);
    const [failing] = dry.body.data.conversions[0].sample as { error: string }[];
    expect(failing).toMatchObject({ record_id: ids[1], field: 'amount', value: 'a dozen' });
    const asked = await publish('types', fields, [{ convert: { entity: 'item', field: 'amount' } }]);
    expect(asked.status, asked.text).toBe(202);
    migration = asked.body.data.migration.id as string;
    await until('types', migration, 'paused');
    const view = (await send('GET', `types/_admin/migrations/${migration}`)).body.data;
    expect(view.waiting_for).toContain('1 quarantined value');
    expect((await send('GET', `types/_admin/migrations/${migration}/quarantine`)).body.data).toMatchObject([
      { entity: 'item', record_id: ids[1], direction: 'up', value: 'a dozen', error: failing?.error },
    ]);
    expect(view).toMatchObject({ quarantined: 1, class: 'breaking', created_by: { kind: 'platform' } });
    expect(view.changes).toMatchObject([{ kind: 'change_type', entity: 'item', field: 'amount' }]);
    const plan = await send('GET', `types/_admin/migrations/${migration}/plan`);
    expect(plan.body.data, plan.text).toMatchObject({ plan_hash: view.plan_hash, conversions: [], questions: [] });
    expect(plan.body.data.steps.map(({ key }: { key: string }) => key)).toEqual(view.steps.map(({ key }: { key: string }) => key));
  });

  it('goes on when they are repaired', async () => {
    expect((await send('PATCH', `types/item/${ids[1] ?? ''}`, { amount: '13' })).status).toBe(200);
    expect((await send('POST', `types/_admin/migrations/${migration}/resume`)).status).toBe(200);
    await until('types', migration, 'ready');
    expect(await Promise.all(ids.map(async (id) => (await read('types', id))['amount']))).toEqual([12, 13, null]);
  });

  it('is written in both shapes, and filtered in the new one', async () => {
    await send('PATCH', `types/item/${ids[0] ?? ''}`, { amount: 14 });
    expect((await read('types', ids[0] ?? '', OLD))['amount']).toBe('14');
    await send('PATCH', `types/item/${ids[0] ?? ''}`, { amount: '15' }, OLD);
    expect((await read('types', ids[0] ?? ''))['amount']).toBe(15);
    await send('PATCH', `types/item/${ids[1] ?? ''}`, { amount: null }, OLD);
    expect((await read('types', ids[1] ?? ''))['amount']).toBe(null);
    expect((await send('GET', 'types/item?filter[amount.gt]=14')).body.data).toHaveLength(1);
    const odd = await send('PATCH', `types/item/${ids[2] ?? ''}`, { amount: 'many' }, OLD);
    expect(odd.status, odd.text).toBe(200);
    expect((await read('types', ids[2] ?? ''))['amount']).toBe(null);
  });

  it('is contracted when nothing is quarantined, and then has its column for itself', async () => {
    await send('POST', `types/_admin/migrations/${migration}/contract`, { drop: true });
    await vi.waitUntil(
      async () => String((await send('GET', `types/_admin/migrations/${migration}`)).body.data.waiting_for).includes('1 quarantined'),
      { timeout: 10_000, interval: 50 },
    );
    await send('PATCH', `types/item/${ids[2] ?? ''}`, { amount: 3 });
    await send('POST', `types/_admin/migrations/${migration}/contract`, { drop: true });
    await until('types', migration, 'completed');
    expect((await read('types', ids[2] ?? ''))['amount']).toBe(3);
    expect((await send('PATCH', `types/item/${ids[2] ?? ''}`, { amount: 4 })).body.data).toMatchObject({ amount: 4 });
    expect((await send('GET', 'types/item', undefined, OLD)).status).toBe(409);
  });

  it('tells what happened to it, and how many rows each step went through', async () => {
    const { log, steps } = (await send('GET', `types/_admin/migrations/${migration}`)).body.data as {
      log: { at: string; text: string }[];
      steps: { phase: string; rows?: number }[];
    };
    expect(log.map(({ text }) => text.replace(/ until .*/, ''))).toEqual([
      'requested',
      'started',
      'backfill',
      'verify',
      'paused for the repair of 1 quarantined values',
      'goes on',
      'switch',
      'grace',
      'contract',
      'retention',
      'completed',
    ]);
    expect(log.map((line) => Date.parse(line.at))).toEqual(log.map((line) => Date.parse(line.at)).sort((a, b) => a - b));
    expect(steps.map(({ phase, rows }) => [phase, rows]).filter(([, rows]) => rows !== undefined)).toEqual([
      ['backfill', 3],
      ['verify', 3],
    ]);
    expect((await send('GET', 'types/_admin/migrations')).body.data[0]).not.toHaveProperty('log');
  });
});

describe('an instruction', () => {
  it('that names what is not there, or that nobody can carry out, is refused with its place', async () => {
    await makeApp('wrong', { name: 'a', type: 'string' });
    const fields = [
      { name: 'a', type: 'string' },
      { name: 'b', type: 'string' },
    ];
    const cases: [object, number, string][] = [
      [{ convert: { entity: 'item', field: 'z' } }, 422, 'migrate.0.convert.field'],
      [{ convert: { entity: 'item', field: 'b' } }, 422, 'migrate.0.convert.field'],
      [{ fill: { entity: 'thing', field: 'a', expression: '1' } }, 422, 'migrate.0.fill.entity'],
      [{ move: { from: 'item.a', to: 'item.b', via: 'other' } }, 422, 'migrate.0.move.from'],
      [{ shrink: {} }, 422, 'migrate.0'],
    ];
    for (const [instruction, status, path] of cases) {
      const reply = await publish('wrong', fields, [instruction]);
      expect([reply.status, reply.body.error.details[0].path], JSON.stringify(instruction)).toEqual([status, path]);
    }
    const bad = await publish('wrong', fields, [{ fill: { entity: 'item', field: 'b', expression: '$random()' } }]);
    expect([bad.status, bad.body.error.message.includes('random')], bad.text).toEqual([422, true]);
  });
});

describe('a field that is split', () => {
  it('is read and written whole by old clients and in parts by new ones', async () => {
    await makeApp('names', { name: 'name', type: 'string', required: true });
    const id = await make('names', { name: 'Ada Lovelace' });
    const fields = ['first', 'last'].map((name) => ({ name, type: 'string', required: true }));
    const asked = await publish('names', fields, [
      {
        transform: {
          entity: 'item',
          from: ['name'],
          to: ['first', 'last'],
          up: { first: '$substringBefore(record.name, " ")', last: '$substringAfter(record.name, " ")' },
          down: { name: 'record.first & " " & record.last' },
        },
      },
    ]);
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    expect(await read('names', id)).toMatchObject({ first: 'Ada', last: 'Lovelace' });
    await send('PATCH', `names/item/${id}`, { last: 'Byron' });
    expect(await read('names', id, OLD)).toMatchObject({ name: 'Ada Byron' });
    const made = await send('POST', 'names/item', { name: 'Grace Hopper' }, OLD);
    expect(await read('names', made.body.data.id as string)).toMatchObject({ first: 'Grace', last: 'Hopper' });
    const plain = await make('names', { first: 'Alan', last: 'Turing' });
    expect(await read('names', plain, OLD)).toMatchObject({ name: 'Alan Turing' });
    const migration = asked.body.data.migration.id as string;
    await send('POST', `names/_admin/migrations/${migration}/contract`, { drop: true });
    await until('names', migration, 'completed');
    expect(await read('names', plain)).toMatchObject({ first: 'Alan', last: 'Turing' });
  });
});

describe('a field that is split in an entity that is renamed', () => {
  it('needs no word that it is dropped, as little as elsewhere; a field beside it does', async () => {
    await makeApp('renamed', { name: 'name', type: 'string' }, { name: 'size', type: 'int' });
    const id = await make('renamed', { name: 'Ada Lovelace', size: 3 });
    const split = (...fields: object[]): object => ({
      version: 1,
      entities: [{ name: 'person', fields: [{ name: 'first', type: 'string' }, { name: 'last', type: 'string' }, ...fields] }],
      migrate: [
        { rename: { entity: 'item', to: 'person' } },
        {
          transform: {
            entity: 'person',
            from: ['name'],
            to: ['first', 'last'],
            up: { first: "$substringBefore(record.name, ' ')", last: "$substringAfter(record.name, ' ')" },
          },
        },
      ],
    });
    const versions = 'renamed/_admin/versions';
    const dropping = await send('POST', `${versions}?dry_run=true`, split());
    expect(dropping.body.data?.questions, dropping.text).toMatchObject([{ kind: 'drop_field', field: 'size' }]);
    const asked = await send('POST', versions, split({ name: 'size', type: 'int' }));
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    expect((await send('GET', `renamed/person/${id}`)).body.data).toMatchObject({ first: 'Ada', last: 'Lovelace', size: 3 });
  });
});

describe('a field that becomes required', () => {
  it('is filled where it is missing, and goes on being filled for clients that leave it out', async () => {
    await makeApp('fills', { name: 'title', type: 'string' }, { name: 'state', type: 'string' });
    const id = await make('fills', { title: 'x' });
    const fields = [
      { name: 'title', type: 'string' },
      { name: 'state', type: 'string', required: true },
    ];
    const bare = await publish('fills', fields, []);
    expect([bare.status, bare.body.error.code]).toEqual([409, 'UNSAFE_CHANGE']);
    const asked = await publish('fills', fields, [{ fill: { entity: 'item', field: 'state', expression: '"new"' } }]);
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    expect(await read('fills', id)).toMatchObject({ state: 'new' });
    expect((await send('POST', 'fills/item', { title: 'y' })).status).toBe(422);
    const made = await send('POST', 'fills/item', { title: 'y' }, OLD);
    expect(made.body.data, made.text).toMatchObject({ state: 'new' });
    const migration = asked.body.data.migration.id as string;
    await send('POST', `fills/_admin/migrations/${migration}/contract`, { drop: true });
    await until('fills', migration, 'completed');
  });
});

describe('a conversion in grace', () => {
  it('is taken back with what was written meanwhile, in either shape', async () => {
    await makeApp('backs', { name: 'amount', type: 'string', required: true, default: '0' });
    const id = await make('backs', { amount: '12' });
    const asked = await publish(
      'backs',
      [{ name: 'amount', type: 'int', required: true, default: 0 }],
      [{ convert: { entity: 'item', field: 'amount' } }],
    );
    expect(asked.body.data?.migration.status, asked.text).toBe('ready');
    await send('PATCH', `backs/item/${id}`, { amount: 13 });
    const back = await send('POST', 'backs/_admin/versions/1/rollback');
    expect([back.status, back.body.data?.migration.status], back.text).toEqual([201, 'ready']);
    expect(await read('backs', id)).toMatchObject({ amount: '13' });
    expect((await send('GET', `backs/_admin/migrations/${asked.body.data.migration.id as string}`)).body.data.status).toBe('aborted');
    // Clients of the version that was taken back are the older ones now; those of the first are as they were.
    const NEW = { 'Schema-Version': '2' };
    await send('PATCH', `backs/item/${id}`, { amount: 14 }, NEW);
    expect([(await read('backs', id))['amount'], (await read('backs', id, OLD))['amount']]).toEqual(['14', '14']);
    const made = await send('POST', 'backs/item', { amount: '15' });
    expect(await read('backs', made.body.data.id as string, NEW)).toMatchObject({ amount: 15 });
    const migration = back.body.data.migration.id as string;
    await send('POST', `backs/_admin/migrations/${migration}/contract`, { drop: true });
    await until('backs', migration, 'completed');
    expect((await send('POST', 'backs/item', {})).body.data).toMatchObject({ amount: '0' });
    expect(await read('backs', id)).toMatchObject({ amount: '14' });
  });
});
