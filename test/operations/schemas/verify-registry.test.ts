/** The registry made again from its events, after sequences nobody chose. The seed is printed; SEED repeats it. */
import path from 'node:path';
import pg from 'pg';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { migrateControl } from '../../../adapters/postgres/migrate.ts';
import { repositoryRoot } from '../../../infra/local/repository.ts';
import { systemActor } from '../../../operations/context.ts';
import { publishChange } from '../../../operations/schemas/publish.ts';
import { createServices, type RunningServices } from '../../../operations/services.ts';
import { verifyRegistry, type RegistryReport } from '../../../operations/schemas/verify-registry.ts';
import { startWorld, type Reply, type World } from '../../api/world.ts';
import { buildAll, launch } from '../../support/process.ts';
import { seeded, type Seeded } from '../../support/seeded.ts';

let world: World;
let token: string;
let pool: pg.Pool;
/** A process whose engine knows no such namespace: what it publishes is recorded and then aborted. */
let lost: RunningServices;

beforeAll(async () => {
  await buildAll();
  world = await startWorld();
  token = await world.platformToken();
  pool = new pg.Pool({ connectionString: world.databaseUrl, max: 3 });
  pool.on('error', () => undefined);
  const { config } = world;
  const elsewhere = { ...config, temporal: { ...config.temporal, namespace: 'there-is-none' } };
  lost = await createServices(elsewhere, 'worker', pino({ level: 'silent' }));
}, 120_000);
afterAll(async () => {
  await lost?.close();
  await pool?.end();
});

const send = (method: string, target: string, body?: unknown): Promise<Reply> =>
  world.send(method, target, { token, ...(body === undefined ? {} : { body }) });
const THING = { name: 'thing', fields: [{ name: 'title', type: 'string' }] };

/** What the sequence has made so far. */
class Platform {
  readonly chance: Seeded;
  readonly owners: string[] = [];
  readonly followers: { readonly app: string; readonly schema: string }[] = [];
  readonly schemas: string[] = [];
  readonly done: string[] = [];
  #number = 0;

  constructor(chance: Seeded) {
    this.chance = chance;
  }

  name = (of: string): string => `${of}${++this.#number}`;
  pick = <T>(of: readonly T[]): T | undefined => of[this.chance.between(0, of.length - 1)];

  /** Refusals are part of it; what breaks is not. */
  async act(what: string, request: Promise<Reply>): Promise<Reply> {
    const reply = await request;
    this.done.push(`${what} ${reply.status}`);
    expect(reply.status, `${this.done.join(', ')}: ${reply.text}`).toBeLessThan(500);
    return reply;
  }
}

type Action = (of: Platform) => Promise<unknown>;

const createOwner: Action = async (of) => {
  const name = of.name('app');
  if ((await of.act(`create ${name}`, send('POST', '/api/_platform/apps', { name }))).status < 300) of.owners.push(name);
};

const createFollower: Action = async (of) => {
  const schema = of.pick([...of.owners, ...of.schemas]);
  const app = of.name('follower');
  if (schema === undefined) return;
  if ((await of.act(`follow ${schema}`, send('POST', '/api/_platform/apps', { name: app, schema }))).status < 300)
    of.followers.push({ app, schema });
};

const createSchema: Action = async (of) => {
  const name = of.name('schema');
  await of.act(`schema ${name}`, send('POST', '/api/_platform/schemas', { name }));
  of.schemas.push(name);
};

const publishShared: Action = async (of) => {
  const schema = of.pick(of.schemas);
  if (schema === undefined) return;
  const body = { version: 1, entities: [THING], roles: [{ name: of.name('role') }] };
  await of.act(`publish ${schema}`, send('POST', `/api/_platform/schemas/${schema}/versions`, body));
};

const publish: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app !== undefined) await of.act(`publish ${app}`, send('POST', `/api/${app}/_admin/entities`, { ...THING, name: of.name('thing') }));
};

const label: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app !== undefined) await of.act(`role in ${app}`, send('POST', `/api/${app}/_admin/roles`, { name: of.name('role') }));
};

const rollback: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app !== undefined)
    await of.act(`rollback ${app}`, send('POST', `/api/${app}/_admin/versions/${of.chance.between(1, 4)}/rollback`, {}));
};

const move: Action = async (of) => {
  const follower = of.pick(of.followers);
  if (follower !== undefined)
    await of.act(`move ${follower.app}`, send('POST', `/api/${follower.app}/_admin/migrations`, { to_version: of.chance.between(1, 3) }));
};

const rename: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app !== undefined) await of.act(`rename ${app}`, send('PUT', `/api/_platform/apps/${app}`, { display_name: of.name('Called ') }));
};

const pin: Action = async (of) => {
  const app = of.pick(of.followers)?.app;
  if (app !== undefined)
    await of.act(`pin ${app}`, send('PUT', `/api/_platform/apps/${app}`, { pinned_version: of.pick([1, 2, null]) ?? null }));
};

const retire: Action = async (of) => {
  const app = of.followers.pop()?.app ?? of.owners.pop();
  if (app === undefined) return;
  const isForGood = of.chance.next() < 0.6;
  await of.act(`delete ${app}`, send('DELETE', `/api/_platform/apps/${app}${isForGood ? '?now=true' : ''}`));
  if (!isForGood && of.chance.next() < 0.5) await of.act(`restore ${app}`, send('POST', `/api/_platform/apps/${app}/restore`));
};

/** What was dropped is in its grace, or that and its retention are ended at once. */
const drop: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app === undefined) return;
  const name = of.name('gone');
  await of.act(`entity ${name}`, send('POST', `/api/${app}/_admin/entities`, { ...THING, name }));
  const reply = await of.act(`drop ${name}`, send('DELETE', `/api/${app}/_admin/entities/${name}?confirm=drop`));
  const [migration] = (await send('GET', `/api/${app}/_admin/migrations`)).body?.data as { id: string }[];
  if (reply.status < 300 && of.chance.next() < 0.5)
    await of.act(`contract ${name}`, send('POST', `/api/${app}/_admin/migrations/${migration?.id ?? ''}/contract`, { drop: true }));
};

/** Duplicates committed while the unique index is built: the migration is taken back. */
const fail: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app === undefined) return;
  const name = of.name('twice');
  await of.act(`entity ${name}`, send('POST', `/api/${app}/_admin/entities`, { ...THING, name }));
  const stored = await pool.query<{ storage: string; id: string }>('select storage, id from durabase.apps where name = $1', [app]);
  const { storage = '', id = '' } = stored.rows[0] ?? {};
  const writer = await pool.connect();
  await writer.query('begin');
  await writer.query(`insert into ${storage}.${name} (id, title) select gen_random_uuid(), 'same' from generate_series(1, 2)`);
  const publishing = send('PUT', `/api/${app}/_admin/entities/${name}`, {
    name,
    fields: [{ name: 'title', type: 'string', unique: true }],
  });
  await vi.waitUntil(
    async () => (await pool.query("select from durabase.migrations where app = $1 and status = 'running'", [id])).rowCount === 1,
    { timeout: 10_000, interval: 10 },
  );
  await writer.query('commit');
  writer.release();
  await of.act(`fail ${app}`, publishing);
  await vi.waitUntil(
    async () =>
      (await pool.query("select from durabase.migrations where app = $1 and status in ('planned', 'running')", [id])).rowCount === 0,
    { timeout: 20_000, interval: 50 },
  );
};

const abort: Action = async (of) => {
  const app = of.pick(of.owners);
  if (app === undefined) return;
  await lost.registry.refresh();
  const runtime = await lost.registry.byName(app);
  if (runtime === undefined) return;
  const ctx = { services: lost, app: runtime, actor: systemActor(), now: new Date(), requestId: 'x', cause: null, depth: 0 };
  const edit = publishChange(ctx, (current) => ({ ...current, roles: [...current.roles, { name: of.name('aborted') }] }));
  await expect(edit).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  of.done.push(`abort ${app}`);
};

const ACTIONS: readonly Action[] = [
  createOwner,
  createFollower,
  createFollower,
  createSchema,
  publishShared,
  publishShared,
  publish,
  publish,
  label,
  rollback,
  drop,
  move,
  move,
  rename,
  pin,
  retire,
];

const telling = (report: RegistryReport): string[] =>
  report.differences.flatMap(({ table, key, kind, members }) =>
    members.length === 0 ? [`${table} ${key} ${kind}`] : members.map(({ path: at }) => `${table} ${key} ${at}`),
  );

describe('the registry made again from its events', () => {
  it('equals the stored one after any sequence of what can happen to it', async () => {
    const of = new Platform(seeded(Number(process.env['SEED'] ?? 1)));
    process.stdout.write(`SEED=${of.chance.seed}\n`);
    for (const action of [createOwner, createSchema, publishShared, publish, label, drop, createFollower, fail, abort]) await action(of);
    for (let round = 0; round < 24; round++) {
      await (of.pick(ACTIONS) ?? createOwner)(of);
      expect(telling(await verifyRegistry(pool)), `SEED=${of.chance.seed}: ${of.done.join(', ')}`).toEqual([]);
    }
    await createOwner(of);
    await fail(of);
    await abort(of);
    const report = await verifyRegistry(pool);
    expect(telling(report)).toEqual([]);
    const ends = await pool.query<{ status: string }>('select distinct status from durabase.migrations');
    expect(ends.rows.map(({ status }) => status)).toEqual(expect.arrayContaining(['completed', 'failed', 'aborted', 'ready']));
    const stored = await pool.query<{ apps: number; versions: number }>(
      'select (select count(*)::int from durabase.apps) as apps, (select count(*)::int from durabase.schema_versions) as versions',
    );
    expect(report.rows).toMatchObject({ apps: stored.rows[0]?.apps, schema_versions: stored.rows[0]?.versions });
  }, 240_000);

  const corrupted = async (text: string, undo: string): Promise<string[]> => {
    await pool.query(text);
    const found = telling(await verifyRegistry(pool));
    await pool.query(undo);
    expect(telling(await verifyRegistry(pool))).toEqual([]);
    return found;
  };

  it('names the row and the member that was changed behind its back', async () => {
    const [app] = (await pool.query<{ id: string }>("select id from durabase.apps where status = 'active' order by id limit 1")).rows;
    const served = (by: number): string => `update durabase.apps set served_version = served_version + ${by} where id = '${app?.id ?? ''}'`;
    expect(await corrupted(served(1), served(-1))).toEqual([`apps ${app?.id ?? ''} served_version`]);

    const [version] = (
      await pool.query<{ schema_name: string; version: number }>(
        "select schema_name, version from durabase.schema_versions where document->'roles'->0 is not null order by 1, 2 limit 1",
      )
    ).rows;
    const role = (name: string): string =>
      `update durabase.schema_versions set document = jsonb_set(document, '{roles,0,description}', '"${name}"')
       where schema_name = '${version?.schema_name ?? ''}' and version = ${version?.version ?? 0}`;
    const undo = `update durabase.schema_versions set document = document #- '{roles,0,description}'
       where schema_name = '${version?.schema_name ?? ''}' and version = ${version?.version ?? 0}`;
    expect(await corrupted(role('x'), undo)).toEqual([
      `schema_versions ${version?.schema_name ?? ''}/${version?.version ?? 0} document.roles.0.description`,
    ]);

    const [failed] = (await pool.query<{ id: string }>("select id from durabase.migrations where status = 'failed' limit 1")).rows;
    const status = (name: string): string => `update durabase.migrations set status = '${name}' where id = '${failed?.id ?? ''}'`;
    expect(await corrupted(status('completed'), status('failed'))).toEqual([`migrations ${failed?.id ?? ''} status`]);

    const behind = (member: string, text: string, undo: string): Promise<void> =>
      expect(
        corrupted(
          `update durabase.migrations set ${member} = ${text} where id = '${failed?.id ?? ''}'`,
          `update durabase.migrations set ${member} = ${undo} where id = '${failed?.id ?? ''}'`,
        ),
      ).resolves.toEqual([expect.stringContaining(`migrations ${failed?.id ?? ''} ${member}`)]);
    await behind('phase', "'grace'", "'expand'");
    await behind('approval', `'{"needed": true}'`, `'{"needed": false}'`);
    await behind('grace_until', 'now()', 'null');
    await behind('retention_until', 'now()', 'null');

    expect(
      await corrupted("insert into durabase.schemas (name) values ('stray')", "delete from durabase.schemas where name = 'stray'"),
    ).toEqual(['schemas stray unknown']);
    await pool.query('create table kept as select * from durabase.migrations where id = $1', [failed?.id]);
    await pool.query('delete from durabase.migration_steps where migration = $1', [failed?.id]);
    expect(
      await corrupted(
        `delete from durabase.migrations where id = '${failed?.id ?? ''}'`,
        'insert into durabase.migrations select * from kept',
      ),
    ).toEqual([`migrations ${failed?.id ?? ''} missing`]);
  }, 60_000);

  it('is what durabase registry verify says, with its exit code', async () => {
    const verify = (...args: string[]) =>
      launch([path.join(repositoryRoot(), 'dist', 'cli', 'main.js'), 'registry', ...args], { DATABASE_URL: world.databaseUrl }).ended;
    const equal = await verify('verify');
    expect(equal.output).toMatch(/^The registry equals its \d+ events:\n\d+ apps, \d+ schemas, \d+ versions and \d+ migrations\.\n$/);
    expect(equal.code).toBe(0);
    await pool.query("update durabase.schemas set latest_version = latest_version + 7 where name = 'schema2'");
    const differs = await verify('verify');
    expect(differs.code).toBe(1);
    expect(differs.output).toMatch(
      /^1 row differs between.+\n {2}schemas schema2\n {4}latest_version: the events say \d+, stored is \d+\n$/,
    );
    const json = await verify('verify', '--json');
    expect(json.code).toBe(1);
    expect(JSON.parse(json.output)).toMatchObject({ isEqual: false, differences: [{ table: 'schemas', key: 'schema2', kind: 'differs' }] });
    await pool.query("update durabase.schemas set latest_version = latest_version - 7 where name = 'schema2'");
    expect(await verify('frobnicate')).toMatchObject({ code: 1, output: expect.stringContaining('Usage: durabase registry verify') });
  }, 60_000);

  it('begins, in a database that is older than the state of events, with one event that holds everything', async () => {
    await pool.query('alter table durabase.schema_events drop column state');
    await pool.query("delete from durabase.system_migrations where name = '0013_event_state'");
    await migrateControl(world.databaseUrl);
    expect(telling(await verifyRegistry(pool))).toEqual([]);
    const of = new Platform(seeded(1));
    of.owners.push(
      ...(await pool.query<{ name: string }>("select name from durabase.apps where status = 'active' and name like 'app%'")).rows.map(
        ({ name }) => name,
      ),
    );
    for (const action of [label, rename, publish]) await action(of);
    expect(telling(await verifyRegistry(pool))).toEqual([]);
  }, 60_000);
});
