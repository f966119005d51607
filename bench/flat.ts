/**
 * What does not concern a request must not cost it: a record, a list and a create in a small app alone, beside 499 other apps, in
 * an app of 200 entities, and in one with 300 rules, permissions, webhooks and machines that do not apply.
 *
 *   npm run bench -- flat [--rounds 5] [--seconds 2] [--apps 500]
 */
import path from 'node:path';
import { parseArgs } from 'node:util';
import { config } from './config.mjs';
import { sampleIds } from './lib/data.mjs';
import { rawRequest } from './lib/http.mjs';
import { psql } from './lib/pg.mjs';
import { measure, runLoad, writeRequests } from './harness/load.ts';
import { copyApp } from './harness/many-apps.ts';
import { untilQuiet } from './harness/quiet.ts';
import { requestsOf, type Scenario } from './harness/scenarios.ts';
import { median, table, wholeMs } from './harness/table.ts';
import { DOCUMENT, durabaseRequests, loadData } from './harness/targets.ts';
import {
  createApp,
  pointSharedPartsAt,
  signIn,
  startApi,
  withStack,
  withWorld,
  type Caller,
  type Durabase,
  type World,
} from './harness/world.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    apps: { type: 'string', default: '500' },
  },
});
/** How much dearer than in the small app a request may be in the middle of all rounds; two runs of the same differ by up to this. */
const TOLERANCE = 1.1;
const SCENARIOS: readonly Scenario[] = ['A', 'B', 'E'];
const PASSWORD = 'a-password-of-the-bench';

type Document = typeof DOCUMENT;
const entity = (name: string): Document['entities'][number] => ({
  name,
  table: name,
  fields: [{ name: 'title', type: 'string', required: false }],
});
const some = <T>(count: number, make: (index: number) => T): T[] => Array.from({ length: count }, (_none, index) => make(index));

const SMALL: Document = { ...DOCUMENT, entities: [...DOCUMENT.entities, entity('label'), entity('note')] };

/** Three hundred definitions: of the entity that is asked for other roles, and of one that is not asked. */
const IDLE = {
  ...SMALL,
  entities: [...SMALL.entities, { ...entity('draft'), fields: [...entity('draft').fields, { name: 'state', type: 'string' }] }],
  permissions: [
    ...SMALL.permissions,
    ...some(100, (index) => ({
      entity: index % 2 === 0 ? 'ticket' : 'draft',
      action: 'read',
      roles: [`unused_${index}`],
      conditions: [{ field: 'id', operator: 'eq', value: '$user.id' }],
    })),
  ],
  rules: some(130, (index) => ({
    entity: 'draft',
    hook: 'before_write',
    type: 'field',
    definition: { field: 'title', operator: 'min_length', value: 1 + (index % 5) },
  })),
  webhooks: some(69, (index) => ({
    name: `hook ${index}`,
    entity: 'draft',
    hook: 'after_write',
    url: 'http://127.0.0.1:4010/never',
    method: 'POST',
  })),
  state_machines: [{ entity: 'draft', field: 'state', definition: { initial: 'new', transitions: [{ from: 'new', to: 'done' }] } }],
};

const WIDE = { ...SMALL, entities: [...SMALL.entities, ...some(195, (index) => entity(`extra_${index}`))] };

interface Case {
  readonly name: string;
  readonly app: string;
  readonly api: Durabase;
}

const BASE = 'small app';

async function setUp(world: World): Promise<Case[]> {
  psql('postgres', 'create database flat');
  await withStack(world, 'flat', async ({ call }) => {
    for (const [name, document] of Object.entries({ small: SMALL, wide: WIDE, idle: IDLE })) {
      await createApp(call, name, { ...document, name });
      await call('POST', `/api/${name}/_admin/users`, { email: 'agent@bench.test', password: PASSWORD, roles: ['agent'] });
    }
  });
  for (const name of ['small', 'wide', 'idle']) loadData('flat', name);
  psql('postgres', 'create database flat_many template flat');
  const started = performance.now();
  const copies = await copyApp(world.postgres.url('flat_many'), 'small', Number(values.apps) - 3);
  console.error(`· ${copies.length} more apps in ${Math.round((performance.now() - started) / 1000)} s`);
  for (const database of ['flat', 'flat_many']) psql(database, 'vacuum analyze');
  psql('postgres', 'checkpoint');
  const alone = await startApi(world, 'flat');
  const crowded = await startApi(world, 'flat_many');
  await visit(crowded.call, copies);
  return [
    { name: BASE, app: 'small', api: alone },
    { name: `beside ${copies.length + 2} apps in use`, app: 'small', api: crowded },
    { name: '200 entities', app: 'wide', api: alone },
    { name: '300 definitions that do not apply', app: 'idle', api: alone },
  ];
}

/** An app that was never asked for is not even in memory: each of them is. */
async function visit(call: Caller, apps: readonly string[]): Promise<void> {
  for (const app of apps) await call('GET', `/api/${app}/ticket?count=none`);
}

const ratios = await withWorld(async (world) => {
  pointSharedPartsAt(world);
  // Runs when it is loaded.
  await import('./seed.mjs');
  const data = sampleIds();
  const cases = await setUp(world);
  const found = new Map<string, number[]>();
  for (let round = 0; round <= Number(values.rounds); round++) {
    for (const scenario of SCENARIOS) {
      const costs = new Map<string, number>();
      // The first round only warms up; another case begins each time.
      for (const one of cases.map((_case, index) => cases[(index + round) % cases.length]!)) {
        const { port, pid } = one.api.api;
        const token = await signIn(port, one.app, 'agent@bench.test', PASSWORD);
        const requests = requestsOf(
          scenario,
          durabaseRequests(
            one.app,
            () => token,
            () => token,
          ),
          data,
          config.regions,
        );
        const file = writeRequests(
          path.join(world.dir, 'requests'),
          requests.map((request) => rawRequest({ port }, request)),
        );
        const load = { port, connections: config.connections, seconds: Number(values.seconds), file };
        if (round === 0) await runLoad(config.wrk, load);
        else {
          await untilQuiet(config.quietShare, config.quietWait);
          const measured = await measure(config.wrk, load, { server: pid, postgres: world.postgres.pid }, 1);
          if (measured.badStatus + measured.socketErrors > 0) throw new Error(`${one.name} ${scenario}: ${JSON.stringify(measured)}`);
          costs.set(one.name, wholeMs(measured));
        }
      }
      for (const [name, cost] of costs) {
        const key = `${name}\n${scenario}`;
        found.set(key, [...(found.get(key) ?? []), cost / (costs.get(BASE) ?? NaN)]);
        console.error(`· round ${round} ${scenario} ${name}: ${cost.toFixed(3)} ms`);
      }
    }
  }
  return new Map([...found].map(([key, all]) => [key, median(all)]));
});

const names = [...new Set([...ratios.keys()].map((key) => key.split('\n')[0] ?? ''))];
const rows = names.map((name) => [name, ...SCENARIOS.map((scenario) => (ratios.get(`${name}\n${scenario}`) ?? NaN).toFixed(2))]);
console.log(table('Whole CPU per request, as a multiple of the small app in the same round', ['case', ...SCENARIOS], rows));
const dearer = [...ratios].filter(([, value]) => value > TOLERANCE);
for (const [key, value] of dearer)
  console.error(`${key.replace('\n', ', ')}: ${value.toFixed(2)} times the small app; at most ${TOLERANCE} is noise.`);
if (dearer.length > 0) process.exitCode = 1;
