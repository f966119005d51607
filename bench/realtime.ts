/**
 * Many open streams on one api process while records change at a fixed rate: nothing may be lost, and how long it takes from the
 * transaction to the client.
 *
 *   npm run bench:realtime -- [--streams 1000] [--users 20] [--rate 100] [--seconds 20] [--all]
 *
 * Each user sees its own records only; with --all everybody sees every record, so that each event goes to every stream.
 */
import { parseArgs } from 'node:util';
import { cpuSeconds, memoryMiB, sleep } from './lib/proc.mjs';
import { psql } from './lib/pg.mjs';
import { table } from './harness/table.ts';
import { caller, createApp, pointSharedPartsAt, signIn, withStack, withWorld, type Durabase, type World } from './harness/world.ts';
import { openStreams, percentile, type Streams } from './realtime/streams.ts';

const { values } = parseArgs({
  options: {
    streams: { type: 'string', default: '1000' },
    users: { type: 'string', default: '20' },
    rate: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    all: { type: 'boolean', default: false },
  },
});
const STREAMS = Number(values.streams);
const USERS = Number(values.users);
const RATE = Number(values.rate);
const SECONDS = Number(values.seconds);
const PASSWORD = 'bench-user-password';
/** The next token is waited for this long: the last events are on their way. */
const SETTLE_MS = 5_000;

const own = [{ field: 'owner', operator: 'eq', value: '$user.id' }];
const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'owner', type: 'uuid' },
        { name: 'n', type: 'int' },
      ],
    },
  ],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['reader'], ...(values.all ? {} : { conditions: own }) },
    { entity: 'ticket', action: 'create', roles: ['reader'] },
  ],
};

interface User {
  readonly id: string;
  readonly token: string;
}

interface Result {
  readonly written: number;
  readonly expected: number;
  readonly streams: Streams;
  readonly cpuShare: number;
  readonly idleMiB: number;
  readonly mostMiB: number;
}

async function makeUsers({ api, call }: Durabase): Promise<User[]> {
  const users: User[] = [];
  for (let n = 0; n < USERS; n++) {
    const email = `u${n}@bench.test`;
    const made = (await call('POST', '/api/desk/_admin/users', { email, password: PASSWORD, roles: ['reader'] })) as {
      data: { id: string };
    };
    users.push({ id: made.data.id, token: await signIn(api.port, 'desk', email, PASSWORD) });
  }
  return users;
}

/** Writes at times fixed in advance, whatever the answers take; answers how many of each user were acknowledged. */
async function write(port: number, users: readonly User[]): Promise<Map<string, number>> {
  const written = new Map<string, number>();
  const open: Promise<void>[] = [];
  const began = performance.now();
  for (let n = 0; n < RATE * SECONDS; n++) {
    await sleep(Math.max(0, began + (n * 1_000) / RATE - performance.now()));
    const user = users[n % users.length]!;
    open.push(
      caller(port, user.token)('POST', '/api/desk/ticket', { title: `t${n}`, owner: user.id, n }).then(
        () => void written.set(user.id, (written.get(user.id) ?? 0) + 1),
      ),
    );
  }
  await Promise.all(open);
  return written;
}

async function measure(world: World): Promise<Result> {
  pointSharedPartsAt(world);
  psql('postgres', 'create database durabase');
  return withStack(world, 'durabase', async (durabase) => {
    const { api, call } = durabase;
    await createApp(call, 'desk', DOCUMENT);
    const users = await makeUsers(durabase);
    const before = memoryMiB(api.pid);
    const streams = await openStreams(
      api.port,
      'desk',
      Array.from({ length: STREAMS }, (_, n) => users[n % users.length]!),
    );
    // Leases tell other processes of streams every two seconds; so long writes are told by the poll.
    await sleep(3_000);
    console.error(`· ${streams.size} streams are open: ${before.toFixed(0)} MiB before, ${memoryMiB(api.pid).toFixed(0)} MiB with them`);
    const idleMiB = memoryMiB(api.pid);
    const samples: number[] = [];
    const timer = setInterval(() => samples.push(memoryMiB(api.pid)), 1_000);
    const [cpu, began] = [cpuSeconds(api.pid), performance.now()];
    const written = await write(api.port, users);
    const cpuShare = (cpuSeconds(api.pid) - cpu) / ((performance.now() - began) / 1_000);
    const total = [...written.values()].reduce((sum, count) => sum + count, 0);
    const perUser = STREAMS / USERS;
    const expected = values.all ? total * STREAMS : [...written.values()].reduce((sum, count) => sum + count * perUser, 0);
    for (let waited = 0; waited < SETTLE_MS && streams.heard < expected; waited += 50) await sleep(50);
    clearInterval(timer);
    streams.close();
    return { written: total, expected, streams, cpuShare, idleMiB, mostMiB: Math.max(...samples) };
  });
}

const result = await withWorld(measure);
const { streams } = result;
console.log(
  table(
    `${STREAMS} streams of ${USERS} users on one api process, ${RATE} changes a second for ${SECONDS} s, ${values.all ? 'all seen by all' : 'each seen by its own user'}`,
    ['changes', 'told', 'lost', 'repeated', 'p50, ms', 'p99, ms', 'longest', 'CPU of the api', 'MiB idle', 'MiB at most'],
    [
      [
        String(result.written),
        String(streams.heard),
        String(result.expected - streams.heard),
        String(streams.repeated),
        percentile(streams.latencies, 0.5).toFixed(0),
        percentile(streams.latencies, 0.99).toFixed(0),
        percentile(streams.latencies, 1).toFixed(0),
        `${(result.cpuShare * 100).toFixed(0)} %`,
        result.idleMiB.toFixed(0),
        result.mostMiB.toFixed(0),
      ],
    ],
  ),
);
if (result.expected !== streams.heard || streams.repeated > 0 || streams.broken > 0) {
  console.error(`FAIL: ${result.expected - streams.heard} lost, ${streams.repeated} repeated, ${streams.broken} streams broken.`);
  process.exitCode = 1;
}
