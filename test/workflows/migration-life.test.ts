/** Migrations that wait for people, with a worker that goes and comes again meanwhile; their histories are kept for the replay test. */
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { isAppError } from '../../core/errors.ts';
import { askMigration } from '../../operations/schemas/ask-migration.ts';
import { getMigration } from '../../operations/schemas/migrations.ts';
import { publishVersion } from '../../operations/schemas/versions.ts';
import { migrationWorkflowId } from '../../workflows/contracts/ids.ts';
import { schemaWorld, startMigrationWorker, type SchemaWorld } from '../operations/schemas/schema-world.ts';
import { recordHistories } from '../replay/record.ts';

let world: SchemaWorld;
let worker: { close(): Promise<void> };
/** Holds the lock that every write of the records from the middle on asks for: no batch passes there then, and steps are not hindered. */
let holder: pg.Client;
const histories = new Map<string, string>();
beforeAll(async () => {
  world = await schemaWorld({ worker: false });
  worker = await startMigrationWorker(world.config, world.services);
  holder = new pg.Client({ connectionString: world.url });
  await holder.connect();
  await publishVersion(await world.context(), document({ amount: 'string', size: 'string' }));
  await world.query(
    `insert into ${world.storage}.item (id, amount, size)
     select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid, n::text, n::text from generate_series(1, ${ROWS}) n`,
  );
  await world.query(
    `create function ${world.storage}.held() returns trigger language plpgsql as 'begin perform pg_advisory_xact_lock_shared(${LOCK}); return new; end';
     create trigger held before update on ${world.storage}.item for each row
       when (new.id >= ('00000000-0000-7000-8000-' || lpad(to_hex(${HELD}), 12, '0'))::uuid) execute function ${world.storage}.held()`,
  );
}, 90_000);
afterAll(async () => {
  await recordHistories(world.services, 'schemaMigration', histories);
  await holder.end();
  await worker.close();
});

const ROWS = 4_000;
const HELD = ROWS / 2;
const LOCK = 4711;
const WAIT = { timeout: 30_000, interval: 20 };

const document = (types: Readonly<Record<string, string>>, convert: readonly string[] = [], approval = 'never') => ({
  version: 1,
  settings: { migrations: { approval, grace: '1h', retention: '1h' } },
  entities: [{ name: 'item', fields: Object.entries(types).map(([name, type]) => ({ name, type })) }],
  migrate: convert.map((field) => ({ convert: { entity: 'item', field } })),
});

interface Open {
  readonly id: string;
  readonly status: string;
  readonly workflow_id: string;
}
const newest = async (): Promise<Open> => {
  const [row] = await world.query<Open>('select id, status, workflow_id from durabase.migrations order by number desc limit 1');
  return row ?? { id: '', status: '', workflow_id: '' };
};
const until = (status: string): Promise<true> => vi.waitUntil(async () => (await newest()).status === status, WAIT);
const keep = async (name: string): Promise<void> => void histories.set((await newest()).workflow_id, name);
/** Asks until somebody answers: a worker that has just begun may take longer than a caller waits, and asking again is safe. */
const ask = async (verb: Parameters<typeof askMigration>[2]): Promise<string> => {
  const { id } = await newest();
  for (;;) {
    try {
      return (await askMigration(await world.context(), id, verb, {})).status;
    } catch (error) {
      if (!isAppError(error, 'UNAVAILABLE')) throw error;
    }
  }
};
const backfilled = (): Promise<{ cursor: string | null; done: number; state: string }[]> =>
  world.query(
    `select s.cursor, s.rows_done::int as done, s.state from durabase.migration_steps s
     where s.phase = 'backfill' and s.migration = (select id from durabase.migrations order by number desc limit 1)`,
  );

/** A migration whose backfill has done some records and cannot pass the one in the middle. */
async function inMidway(next: object): Promise<{ readonly publishing: Promise<unknown> }> {
  const before = await newest();
  await holder.query('select pg_advisory_lock($1)', [LOCK]);
  const publishing = publishVersion(await world.context(), next).catch((error: unknown) => error);
  await vi.waitUntil(async () => (await newest()).id !== before.id && ((await backfilled())[0]?.done ?? 0) > 0, WAIT);
  return { publishing };
}
const isStill = (): Promise<true> =>
  vi.waitUntil(
    async () =>
      (await world.query("select from pg_stat_activity where datname = current_database() and application_name like 'durabase-backfill/%'"))
        .length === 0,
    WAIT,
  );

/** An api process that has heard of nothing and does not say so again: it may serve what it knows until its lease is over. */
async function deafProcess(): Promise<void> {
  await world.query('insert into durabase.api_leases (process_id, seen_event) values (gen_random_uuid(), 0)');
}
/** How long after the end of that lease a moment was, in seconds. */
const afterLease = async (moment: string): Promise<number> => {
  const [row] = await world.query<{ seconds: number }>(
    `select extract(epoch from (${moment}) - max(renewed_at))::float - 5 as seconds from durabase.api_leases where seen_event = 0`,
  );
  return row?.seconds ?? -Infinity;
};

describe('a migration that is paused', () => {
  it('is still paused after its worker was started again, and goes on where it stopped', async () => {
    const { publishing } = await inMidway(document({ amount: 'int', size: 'string' }, ['amount']));
    expect(await ask('pause')).toBe('paused');
    await isStill();
    const [stopped] = await backfilled();
    expect(stopped?.done).toBeLessThan(HELD);
    expect(stopped?.cursor).not.toBe(null);
    await publishing;
    await worker.close();
    await holder.query('select pg_advisory_unlock($1)', [LOCK]);
    worker = await startMigrationWorker(world.config, world.services);
    // An answer of the workflow: the new worker has taken it up.
    expect(await ask('pause')).toBe('paused');
    expect(await backfilled()).toEqual([stopped]);
    expect(await ask('resume')).toBe('running');
    await until('ready');
    // Records that are filled already are not counted again: from the beginning it would have come to fewer.
    expect(await backfilled()).toMatchObject([{ done: ROWS, state: 'done' }]);
    const [wrong] = await world.query(`select count(*)::int as n from ${world.storage}.item where amount__2::text is distinct from amount`);
    expect(wrong).toEqual({ n: 0 });
    await keep('paused-over-a-restart');
  }, 90_000);

  it('narrows nothing for as long as an api process may serve the older shape', async () => {
    await vi.waitUntil(async () => (await world.query("select from durabase.migrations where phase = 'grace'")).length === 1, WAIT);
    await deafProcess();
    await ask('contract');
    const ended = "select finished_at from durabase.migration_steps where key like 'end-conversion/%' and finished_at is not null";
    await vi.waitUntil(async () => (await world.query(ended)).length === 1, WAIT);
    expect(await afterLease(ended)).toBeGreaterThanOrEqual(0);
  }, 60_000);

  it('is called off by a worker that was not there when it began', async () => {
    const { publishing } = await inMidway(document({ amount: 'int', size: 'int' }, ['size'], 'breaking'));
    expect(await ask('pause')).toBe('paused');
    await isStill();
    await worker.close();
    await holder.query('select pg_advisory_unlock($1)', [LOCK]);
    worker = await startMigrationWorker(world.config, world.services);
    await publishing;
    await deafProcess();
    await ask('abort');
    await until('aborted');
    expect(await afterLease('select updated_at from durabase.migrations order by number desc limit 1')).toBeGreaterThanOrEqual(0);
    const left = await world.query(
      "select attname from pg_attribute where attrelid = $1::regclass and attname like 'size\\_\\_%' and not attisdropped",
      [`${world.storage}.item`],
    );
    expect(left).toEqual([]);
    await keep('paused-and-called-off');
  }, 90_000);
});

describe('a migration that wants a word', () => {
  it('waits for it across a restart, and runs when it is given', async () => {
    // From the version served here on breaking plans wait.
    await publishVersion(await world.context(), document({ amount: 'int', size: 'string' }, [], 'breaking'));
    await publishVersion(await world.context(), document({ amount: 'int', size: 'int' }, ['size'], 'breaking'));
    await until('awaiting_approval');
    await worker.close();
    worker = await startMigrationWorker(world.config, world.services);
    await ask('approve');
    await until('ready');
    await keep('approved');
    const view = await getMigration(await world.context(), (await newest()).id);
    expect(view.log?.map(({ text }) => text.replace(/ until .*/, '')).slice(0, 3)).toEqual([
      'requested: waits for an approval',
      'approved',
      'started',
    ]);
  }, 90_000);

  it('ends when it is rejected', async () => {
    const next = document({ amount: 'int', size: 'int', note: 'string' }, [], 'breaking');
    const [entity] = next.entities;
    await publishVersion(await world.context(), next);
    await publishVersion(
      await world.context(),
      { ...next, entities: [{ ...entity, fields: entity?.fields.slice(0, 2) }] },
      { confirm: ['drop'] },
    );
    await until('awaiting_approval');
    await ask('reject');
    await until('aborted');
    await keep('rejected');
    expect((await world.context()).app.model.entities.get('item')?.fields.has('note')).toBe(true);
  }, 60_000);
});

it('the histories kept are of as many workflows', () => {
  expect([...histories.keys()].every((id) => id.startsWith(migrationWorkflowId(world.app, 0).slice(0, -1)))).toBe(true);
  expect(new Set(histories.values()).size).toBe(4);
});
