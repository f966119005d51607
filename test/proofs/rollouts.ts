/**
 * A rollout over many apps, ring by ring, while the worker is killed with -9 at each of the rollout's crash points and at any moment.
 * Afterwards every app has moved, by one migration of its own, and can be read and written in its new shape.
 *
 *   npm run prove -- rollouts [--apps 200] [--kills 6] [--seed 7]
 */
import { parseArgs } from 'node:util';
import pg from 'pg';
import { copyApp } from '../../bench/harness/many-apps.ts';
import { eventually, signIn, type Caller, type Reply } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Rig } from '../support/rig.ts';
import { seeded } from '../support/seeded.ts';

export interface RolloutsResult {
  readonly apps: number;
  readonly kills: number;
  readonly seconds: number;
  /** Temporal runs of the one rollout: each continues as new before its history grows long. */
  readonly runs: number;
}

const POINTS = ['rollout.after_plan', 'rollout.after_outcome'] as const;

export async function proveRollouts(
  options: { apps: number; kills: number; seed: number },
  say: (line: string) => void,
): Promise<RolloutsResult> {
  const rig = await Rig.start();
  try {
    const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
    await makeFleet(rig, admin, options.apps);
    say(`${options.apps} apps of one schema made`);
    const began = Date.now();
    const body = {
      schema: 'chain',
      version: 2,
      rings: [{ name: 'canary', percent: 2, bake: '1s' }, { percent: 30 }],
      parallel: Math.max(2, Math.ceil(options.apps / 20)),
    };
    await expectStatus(admin('POST', '/api/_platform/rollouts', body), 202, 'the rollout could not be started');
    const runs = await killing(rig, admin, options, say);
    const seconds = Math.round((Date.now() - began) / 1000);
    await check(rig, admin, options.apps);
    await moveBack(rig, admin);
    return { apps: options.apps, kills: options.kills, seconds, runs };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await rig.stop();
  }
}

const book = (more: object = {}) => ({ version: 1, entities: [{ name: 'book', fields: [{ name: 'title', type: 'string' }], ...more }] });

async function makeFleet(rig: Rig, admin: Caller, apps: number): Promise<void> {
  await expectStatus(admin('POST', '/api/_platform/schemas', { name: 'chain' }), 201, 'the schema could not be made');
  await expectStatus(admin('POST', '/api/_platform/schemas/chain/versions', book()), 201, 'version 1 could not be published');
  await expectStatus(admin('POST', '/api/_platform/apps', { name: 'store', schema: 'chain' }), 201, 'the first app could not be made');
  await copyApp(rig.databaseUrl, 'store', apps - 1);
  const next = book({ indexes: [{ fields: ['title'] }] });
  await expectStatus(admin('POST', '/api/_platform/schemas/chain/versions', next), 201, 'version 2 could not be published');
}

async function expectStatus(reply: Promise<Reply>, status: number, message: string): Promise<void> {
  const { status: found, text } = await reply;
  demand(found === status, `${message}: ${found} ${text}`);
}

/** Kills the worker again and again while apps move; answers how many runs the rollout took. */
async function killing(
  rig: Rig,
  admin: Caller,
  { apps, kills, seed }: { apps: number; kills: number; seed: number },
  say: (line: string) => void,
): Promise<number> {
  const chance = seeded(seed);
  for (let kill = 1; kill <= kills; kill++) {
    const point = POINTS[kill % (POINTS.length + 1)];
    if (point === undefined) {
      await moving(rig, Math.floor((apps * kill) / (kills + 1)));
      await rig.kill('worker');
    } else {
      await rig.kill('worker');
      await rig.up('worker', `${point}:${chance.between(1, 2)}`);
      demand(await rig.died('worker', 60_000), `the worker did not reach ${point}`);
    }
    await rig.up('worker');
    say(`kill ${kill}: ${point ?? 'at any moment'}, ${await movedApps(rig)} apps moved`);
  }
  const last = await eventually(
    async () => (await admin('GET', '/api/_platform/rollouts')).at('data', 0),
    (view) => (view as { status?: string } | undefined)?.status === 'completed',
    600_000,
  );
  const view = last as { status: string; apps: Record<string, number>; workflow_id: string };
  demand(view.status === 'completed', `the rollout is ${view.status}: ${JSON.stringify(view)}`);
  demand(view.apps['moved'] === apps, `not every app moved: ${JSON.stringify(view.apps)}`);
  return runsOf(rig, view.workflow_id);
}

const movedApps = async (rig: Rig): Promise<number> =>
  Number((await ask<{ count: string }>(rig, "select count(*) from durabase.rollout_apps where status = 'moved'"))[0]?.count ?? 0);

const moving = (rig: Rig, count: number): Promise<number> =>
  eventually(
    () => movedApps(rig),
    (moved) => moved >= count,
    300_000,
  );

async function runsOf(rig: Rig, workflowId: string): Promise<number> {
  const { Client, Connection } = await import('@temporalio/client');
  const connection = await Connection.connect({ address: rig.temporalAddress });
  try {
    const client = new Client({ connection });
    const { count } = await client.workflow.count(`WorkflowId = "${workflowId}"`);
    return count;
  } finally {
    await connection.close();
  }
}

async function check(rig: Rig, admin: Caller, apps: number): Promise<void> {
  const rows = await ask<{ name: string; storage: string; served_version: number; migrations: string }>(
    rig,
    `select name, storage, served_version, (select count(*) from durabase.migrations m where m.app = a.id and m.to_version = 2) as migrations
     from durabase.apps a where schema_name = 'chain'`,
  );
  demand(rows.length === apps, `${rows.length} apps are there`);
  const wrong = rows.filter((row) => row.served_version !== 2 || row.migrations !== '1');
  demand(wrong.length === 0, `${wrong.length} apps did not move by one migration: ${JSON.stringify(wrong[0])}`);
  const [indexes] = await ask<{ count: string }>(
    rig,
    `select count(*) from pg_index x join pg_class t on t.oid = x.indrelid join pg_namespace n on n.oid = t.relnamespace
     where n.nspname like 'app\\_%' and t.relname = 'book' and x.indisvalid and not x.indisprimary`,
  );
  demand(indexes?.count === String(apps), `${indexes?.count} valid indexes for ${apps} apps`);
  const open = await ask(rig, "select from durabase.migrations where status <> 'completed'");
  demand(open.length === 0, `${open.length} migrations did not end`);
  for (const { name } of rows.slice(0, 20)) {
    await expectStatus(admin('POST', `/api/${name}/book`, { title: 'after' }), 201, `"${name}" cannot be written`);
  }
}

/** The rollout has ended: it wakes up to move one app back. */
async function moveBack(rig: Rig, admin: Caller): Promise<void> {
  const id = String((await admin('GET', '/api/_platform/rollouts')).at('data', 0, 'id'));
  await expectStatus(admin('POST', `/api/_platform/rollouts/${id}/apps/store/rollback`), 200, 'an app could not be moved back');
  const served = await eventually(
    async () => (await ask<{ served_version: number }>(rig, "select served_version from durabase.apps where name = 'store'"))[0],
    (row) => row?.served_version === 1,
    60_000,
  );
  demand(served?.served_version === 1, 'an app was not moved back');
}

async function ask<Row extends pg.QueryResultRow>(rig: Rig, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: rig.databaseUrl });
  await client.connect();
  try {
    return (await client.query<Row>(text)).rows;
  } finally {
    await client.end();
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      apps: { type: 'string', default: '200' },
      kills: { type: 'string', default: '6' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
    },
  });
  const say = (line: string): void => console.log(line);
  say(`rollouts: ${values.apps} apps, ${values.kills} kills, seed ${values.seed}`);
  const result = await proveRollouts({ apps: Number(values.apps), kills: Number(values.kills), seed: Number(values.seed) }, say);
  say(`proved: ${result.apps} apps moved in ${result.seconds} s over ${result.kills} kills of the worker, in ${result.runs} Temporal runs`);
}
