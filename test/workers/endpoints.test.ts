/** What happens to deliveries when their endpoint is not well: nothing is lost, nobody else is slowed, and it is visible. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AppContext } from '../../operations/context.ts';
import { systemActor } from '../../operations/context.ts';
import { attemptDelivery } from '../../operations/webhooks/attempt.ts';
import { enableWebhook, webhookHealth } from '../../operations/webhooks/health.ts';
import { settleRetries } from '../../operations/webhooks/settle-retries.ts';
import { startReplay } from '../../operations/webhooks/replays.ts';
import { setSecret, rotateSecret } from '../../operations/webhooks/secrets.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import type { Loop } from '../../workers/loop.ts';
import { startRelay } from '../../workers/relay.ts';
import { startReplayer } from '../../workers/replayer.ts';
import { startStarter } from '../../workers/starter.ts';
import { eventWorld, receiver, type EventWorld, type Receiver, type ReceiverAnswer } from '../support/event-world.ts';

let world: EventWorld;
let dispatcher: Loop;
const loops: Loop[] = [];
const answers: Record<string, number | ReceiverAnswer> = {};
const receivers: Record<string, Receiver> = {};

const hook = (name: string, more: object = {}) => ({
  id: name,
  entity: 'ticket',
  url: receivers[name]?.url ?? '',
  condition: `record.title = '${name}'`,
  ...more,
});

beforeAll(async () => {
  for (const name of [
    'breaking',
    'throttled',
    'silent',
    'ordered',
    'replayed',
    'thin',
    'long',
    'updates',
    'echo',
    'abandoned',
    'parked',
    'alone',
    'paced',
  ]) {
    receivers[name] = await receiver((_, call) => {
      const given = answers[name] ?? 200;
      return typeof given === 'object' && given.body === 'ECHO' ? { status: given.status, body: JSON.stringify(call.headers) } : given;
    });
  }
  world = await eventWorld({
    version: 1,
    entities: [
      {
        name: 'ticket',
        fields: [
          { name: 'title', type: 'string' },
          { name: 'note', type: 'text' },
        ],
      },
    ],
    webhooks: [
      hook('breaking', { break_after: 3, concurrency: 1, retry: { max_attempts: 8, backoff: 'fixed', initial: '1h' } }),
      hook('throttled', { concurrency: 1 }),
      hook('silent', { break_after: 2, concurrency: 1 }),
      hook('ordered', { ordered: true, retry: { max_attempts: 2, backoff: 'fixed', initial: '1h' } }),
      hook('replayed', { concurrency: 16 }),
      hook('thin', { payload: 'thin' }),
      hook('long'),
      hook('updates', { events: ['record.updated', 'record.deleted'] }),
      hook('echo', { headers: { Authorization: 'Bearer {{secret.TOKEN}}', 'X-Api-Key': 'written-out-key', Host: 'elsewhere.test' } }),
      hook('abandoned'),
      hook('parked', { break_after: 2, concurrency: 1 }),
      hook('alone', { concurrency: 1, retry: { max_attempts: 3, backoff: 'fixed', initial: '1h' } }),
      hook('paced', { retry: { max_attempts: 3, backoff: 'fixed', initial: '1s' } }),
    ],
  });
  dispatcher = startDispatcher(world.services);
  loops.push(
    startRelay(world.services, () => dispatcher.wake()),
    dispatcher,
    startReplayer(world.services, () => dispatcher.wake()),
  );
});

afterAll(async () => {
  for (const one of loops) await one.close();
});

const context = async (): Promise<AppContext> => {
  const app = await world.services.registry.byId(world.app);
  if (app === undefined) throw new Error('the app is not served');
  return { services: world.services, app, actor: systemActor(), now: new Date(), requestId: 'r', cause: null, depth: 0 };
};
/** What holds soon, on a machine that may be busy. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 15_000 });
const health = async (name: string) => webhookHealth(await context(), name);
const receivedBy = (name: string) => receivers[name]?.received ?? [];
const recordsAt = (name: string): string[] =>
  receivedBy(name).map((call) => (JSON.parse(call.body) as { record: { id: string } }).record.id);

interface Row {
  readonly id: string;
  readonly record_id: string;
  readonly status: string;
  readonly tries: number;
  readonly round: number;
  readonly reason: string | null;
}
const deliveries = (name: string) =>
  world.query<Row>(
    `select id, record_id, status, tries, round, reason from ${world.storage}._deliveries where webhook = $1 order by event_seq, id`,
    [name],
  );
const statuses = async (name: string): Promise<string[]> => (await deliveries(name)).map((row) => row.status);

/** Lets the pauses of an endpoint be over, as if the time had passed. */
async function passTime(name: string): Promise<void> {
  await world.query(`update ${world.storage}._webhook_state set paused_until = now(), trial_until = null where webhook = $1`, [name]);
  await world.query(
    `insert into durabase.work (app, kind, due_at) values ($1, 'deliveries', now()) on conflict (app, kind) do update set due_at = now()`,
    [world.app],
  );
  dispatcher.wake();
}

async function write(name: string, count: number, from = 1): Promise<void> {
  for (let i = from; i < from + count; i++) await world.writeEvent({ recordId: `${name}-${i}`, version: 1, title: name });
}

describe('an endpoint that fails again and again', () => {
  it('is paused after as many failures in a row as the webhook says; what waits is not tried', async () => {
    answers['breaking'] = 500;
    await write('breaking', 8);
    await eventually(async () => (await health('breaking')).state).toBe('open');
    await eventually(() => statuses('breaking')).toEqual(['retrying', ...Array<string>(7).fill('pending')]);
    expect(receivedBy('breaking')).toHaveLength(3);
    expect((await deliveries('breaking')).slice(3).map((row) => row.tries)).toEqual([0, 0, 0, 0, 0]);
    const { failures, paused_until, backlog } = await health('breaking');
    expect([failures, backlog]).toEqual([3, 8]);
    const pauseMs = (paused_until?.getTime() ?? 0) - Date.now();
    expect(pauseMs).toBeGreaterThan(20_000);
    expect(pauseMs).toBeLessThan(31_000);
  });

  it('is tried by one attempt when the pause is over, and paused twice as long when that fails', async () => {
    await passTime('breaking');
    await receivers['breaking']?.waitFor(4);
    await eventually(async () => (await health('breaking')).state).toBe('open');
    const pauseMs = ((await health('breaking')).paused_until?.getTime() ?? 0) - Date.now();
    expect(pauseMs).toBeGreaterThan(50_000);
    expect(pauseMs).toBeLessThan(61_000);
    expect(receivedBy('breaking')).toHaveLength(4);
  });

  it('gets all that waited, in the order of the events, once an attempt succeeds', async () => {
    answers['breaking'] = 200;
    await passTime('breaking');
    await receivers['breaking']?.waitFor(8);
    expect(recordsAt('breaking').slice(4)).toEqual(['breaking-5', 'breaking-6', 'breaking-7', 'breaking-8']);
    expect(await health('breaking')).toMatchObject({ state: 'closed', failures: 0, paused_until: null });
  });
});

it('a retry that comes while the endpoint is paused goes to the queue, and its workflow ends without an attempt', async () => {
  answers['parked'] = 500;
  await write('parked', 3);
  await eventually(async () => (await health('parked')).state).toBe('open');
  await eventually(() => statuses('parked')).toEqual(['retrying', 'pending', 'pending']);
  const [first] = await deliveries('parked');
  const { app } = await context();
  expect(await attemptDelivery(world.services, app, { id: first?.id ?? '', webhook: 'parked' }, 'workflow')).toMatchObject({
    outcome: 'parked',
  });
  expect((await deliveries('parked'))[0]).toMatchObject({ status: 'pending', tries: 1, round: 1 });
  expect(receivedBy('parked')).toHaveLength(2);
});

describe('a retry that is about due', () => {
  const startsOf = (name: string) =>
    world.query<{ workflow_id: string }>(
      `select workflow_id from ${world.storage}._starts where kind = 'delivery' and input ->> 'webhook' = $1 and due_at > now() + interval '59 minutes'`,
      [name],
    );
  const settle = async (name: string, tries = 1): Promise<number[]> => {
    const { services, app } = await context();
    const starts = (await startsOf(name)).map(({ workflow_id }) => ({ workflow_id, tries }));
    return [...(await settleRetries(services, app, starts, (wanted) => wanted)).values()];
  };

  it('becomes a workflow where the delivery failed alone, which is told how long it still has to wait', async () => {
    answers['alone'] = 500;
    await write('alone', 1);
    await eventually(() => statuses('alone')).toEqual(['retrying']);
    const [waitMs = 0, ...others] = await settle('alone');
    expect(waitMs).toBeGreaterThan(3_590_000);
    expect(waitMs).toBeLessThan(3_600_000 * 1.1);
    expect(others).toEqual([]);
    expect(await statuses('alone')).toEqual(['retrying']);
  });

  it("is the dispatcher's where the endpoint fails by now, at the same time", async () => {
    await write('alone', 1, 2);
    await eventually(async () => (await health('alone')).failures).toBe(2);
    const due = () => world.query(`select due_at from ${world.storage}._deliveries where webhook = 'alone' order by event_seq`);
    const before = await due();
    // Its workflow may be there already where somebody had claimed its start before.
    expect(await settle('alone', 2)).toHaveLength(1);
    expect(await statuses('alone')).toEqual(['retrying', 'pending']);
    expect(await settle('alone')).toEqual([]);
    expect([await statuses('alone'), await startsOf('alone')]).toEqual([['pending', 'pending'], []]);
    expect(await due()).toEqual(before);
  });

  it("is the dispatcher's where Temporal is away", async () => {
    answers['paced'] = 500;
    await write('paced', 1);
    await eventually(() => statuses('paced')).toEqual(['retrying']);
    answers['paced'] = 200;
    const starter = startStarter(world.services);
    await eventually(() => statuses('paced')).toEqual(['delivered']);
    await starter.close();
    expect(await deliveries('paced')).toMatchObject([{ tries: 2, round: 0 }]);
  });
});

describe('an endpoint that asks to be left alone', () => {
  it('is left alone for all deliveries as long as Retry-After says, and no longer', async () => {
    answers['throttled'] = { status: 429, headers: { 'retry-after': '120' } };
    await write('throttled', 4);
    await eventually(async () => (await health('throttled')).state).toBe('throttled');
    const pauseMs = ((await health('throttled')).paused_until?.getTime() ?? 0) - Date.now();
    expect(pauseMs).toBeGreaterThan(110_000);
    expect(pauseMs).toBeLessThan(121_000);
    await eventually(() => statuses('throttled')).toEqual(['retrying', 'pending', 'pending', 'pending']);
    answers['throttled'] = 200;
    await passTime('throttled');
    await receivers['throttled']?.waitFor(4);
    expect(recordsAt('throttled')).toEqual([1, 2, 3, 4].map((n) => `throttled-${n}`));
  });
});

describe('an endpoint that took nothing for five days', () => {
  it('is disabled, and the admins of the app are told once', async () => {
    await world.query(`insert into ${world.storage}._users (id, email, roles) values (gen_random_uuid(), 'ada@desk.test', '{admin}'),
      (gen_random_uuid(), 'bob@desk.test', '{agent}')`);
    answers['silent'] = 500;
    await write('silent', 1);
    await eventually(async () => (await health('silent')).failures).toBe(1);
    await world.query(`update ${world.storage}._webhook_state set failing_since = now() - interval '6 days' where webhook = 'silent'`);
    await write('silent', 1, 2);
    await eventually(async () => (await health('silent')).state).toBe('disabled');
    expect((await health('silent')).reason).toBe('Nothing was delivered for five days.');
    const mails = await world.query<{ n: string }>(`select count(*) as n from durabase.mails where kind = 'message' and app = $1`, [
      world.app,
    ]);
    expect(mails).toEqual([{ n: '1' }]);
  });

  it('keeps what comes meanwhile, and gets it in order when it is enabled', async () => {
    answers['silent'] = 200;
    await write('silent', 5, 3);
    await eventually(async () => (await statuses('silent')).length).toBe(7);
    await write('breaking', 1, 9);
    await receivers['breaking']?.waitFor(9);
    expect(receivedBy('silent')).toHaveLength(2);
    expect(await enableWebhook(await context(), 'silent')).toMatchObject({ state: 'closed', backlog: 7 });
    dispatcher.wake();
    await receivers['silent']?.waitFor(8);
    // The first that failed is a workflow's.
    expect(recordsAt('silent').slice(2)).toEqual([2, 3, 4, 5, 6, 7].map((n) => `silent-${n}`));
  });

  it('is given up after thirty days: deliveries end at once, with the reason', async () => {
    await world.query(
      `insert into ${world.storage}._webhook_state (webhook, disabled_at, reason) values ('abandoned', now() - interval '31 days', 'x')`,
    );
    await write('abandoned', 1);
    await eventually(() => statuses('abandoned')).toEqual(['dead']);
    expect((await deliveries('abandoned'))[0]?.reason).toContain('30 days');
    expect(receivedBy('abandoned')).toHaveLength(0);
  });
});

describe('an ordered webhook', () => {
  const version = (recordId: string, n: number) => world.writeEvent({ recordId, version: n, title: 'ordered' });

  it('holds the later changes of a record back while an earlier one is being repeated, and no other record', async () => {
    answers['ordered'] = 500;
    await version('a', 1);
    await eventually(() => statuses('ordered')).toEqual(['retrying']);
    answers['ordered'] = 200;
    await version('a', 2);
    await version('a', 3);
    await version('b', 1);
    await receivers['ordered']?.waitFor(2);
    expect(recordsAt('ordered')).toEqual(['a', 'b']);
    expect((await deliveries('ordered')).filter((row) => row.record_id === 'a').map((row) => row.tries)).toEqual([1, 0, 0]);
  });

  it('goes on behind one that was given up', async () => {
    answers['ordered'] = 500;
    const { app } = await context();
    const [first] = await deliveries('ordered');
    // The two behind come as soon as this one is dead, perhaps before the answers are good again: then they are repeated in order.
    const isLast = attemptDelivery(world.services, app, { id: first?.id ?? '', webhook: 'ordered' }, 'workflow');
    await receivers['ordered']?.waitFor(3);
    answers['ordered'] = 200;
    expect(await isLast).toMatchObject({ outcome: 'dead' });
    dispatcher.wake();
    await receivers['ordered']?.waitFor(5);
    const versions = receivedBy('ordered').map((call) => JSON.parse(call.body) as { record: { id: string }; record_version: number });
    expect(versions.filter(({ record }) => record.id === 'a').map((body) => body.record_version)).toEqual([1, 1, 2, 3]);
  });
});

describe('a replay', () => {
  it('sends all that is dead in a range again in turns, each under its id, and leaves the rest alone', async () => {
    const insert = (status: string, from: number, to: number, age: string) =>
      world.query(
        `insert into ${world.storage}._deliveries (id, event_seq, webhook, entity, record_id, record_version, body, status, tries, created_at, updated_at)
         select uuidv7(), n, 'replayed', 'ticket', 'r' || n, 1, jsonb_build_object('record', jsonb_build_object('id', 'r' || n)), $1, 8,
           now() - $2::interval, now() - $2::interval from generate_series($3::int, $4::int) n`,
        [status, age, from, to],
      );
    await insert('dead', 1_000_001, 1_001_200, '1 hour');
    await insert('dead', 1_001_201, 1_001_210, '3 days');
    await insert('delivered', 1_001_211, 1_001_220, '1 hour');
    const ids = new Set((await deliveries('replayed')).filter((_, index) => index < 1_200).map((row) => row.id));
    const from = new Date(Date.now() - 86_400_000).toISOString();
    const started = JSON.parse(await startReplay(await context(), { webhook: 'replayed', from })) as Record<string, unknown>;
    expect(started).toMatchObject({ webhook: 'replayed', status: 'dead', state: 'running', replayed: 0 });
    await receivers['replayed']?.waitFor(1_200);
    const read = () => world.query<{ state: string; replayed: string }>(`select state, replayed from ${world.storage}._replays`);
    await eventually(read).toEqual([{ state: 'done', replayed: '1200' }]);
    await eventually(async () => (await statuses('replayed')).filter((status) => status === 'delivered').length).toBe(1_210);
    const sent = receivedBy('replayed').map((call) => String(call.headers['webhook-id']));
    expect(sent).toHaveLength(1_200);
    expect(new Set(sent)).toEqual(ids);
    expect((await deliveries('replayed'))[0]).toMatchObject({ tries: 9, round: 1 });
  });
});

describe('what is sent', () => {
  const bodyAt = async (name: string): Promise<Record<string, unknown>> => {
    await receivers[name]?.waitFor(1);
    return JSON.parse(receivedBy(name)[0]?.body ?? '{}') as Record<string, unknown>;
  };

  it('is the record and its change, or only which one when the webhook is thin', async () => {
    await world.writeEvent({ recordId: 't', version: 2, title: 'thin' });
    expect(await bodyAt('thin')).toMatchObject({
      event: 'record.updated',
      record: { id: 't' },
      old: null,
      changes: {},
      thin: true,
      changed_fields: ['title'],
      record_version: 2,
      payload_version: 1,
    });
    expect((await bodyAt('thin'))['record']).toEqual({ id: 't' });
  });

  it('is at most 20 kB: a longer payload becomes thin by itself', async () => {
    await world.writeEvent({ recordId: 'short', version: 1, title: 'long', note: 'x'.repeat(19_000) });
    await receivers['long']?.waitFor(1);
    await world.writeEvent({ recordId: 'too-long', version: 1, title: 'long', note: 'ü'.repeat(10_000) });
    await receivers['long']?.waitFor(2);
    const [short, long] = receivedBy('long').map((call) => call.body);
    expect((JSON.parse(short ?? '') as { record: { note: string } }).record.note).toHaveLength(19_000);
    expect(JSON.parse(long ?? '')).toMatchObject({ thin: true, record: { id: 'too-long' } });
    expect(Math.max(...receivedBy('long').map((call) => Buffer.byteLength(call.body)))).toBeLessThanOrEqual(20_000);
  });

  it('is only what the webhook asked for by its events', async () => {
    await world.writeEvent({ recordId: 'u', version: 1, title: 'updates' });
    await world.writeEvent({ recordId: 'u', version: 2, title: 'updates' });
    expect(await bodyAt('updates')).toMatchObject({ event: 'record.updated' });
    expect(await deliveries('updates')).toHaveLength(1);
  });

  it('shows secrets to the receiver, and nowhere in the record of the attempt', async () => {
    const ctx = await context();
    const token = 'tok"en/with+odd=chars';
    await setSecret(ctx, 'TOKEN', token);
    const { secret } = await rotateSecret(ctx, 'echo');
    answers['echo'] = { status: 200, body: 'ECHO' };
    await world.writeEvent({ recordId: 'e', version: 1, title: 'echo' });
    await receivers['echo']?.waitFor(1);
    const [call] = receivedBy('echo');
    expect(call?.headers.authorization).toBe(`Bearer ${token}`);
    expect(call?.headers.host).toMatch(/^127\.0\.0\.1:/);
    await eventually(() => statuses('echo')).toEqual(['delivered']);
    const kept = JSON.stringify(
      await world.query(
        `select * from ${world.storage}._attempts a join ${world.storage}._deliveries d on d.id = a.delivery_id where d.webhook = 'echo'`,
      ),
    );
    expect(kept).toContain('[redacted]');
    for (const hidden of [token, JSON.stringify(token).slice(1, -1), 'written-out-key', secret, secret.replace('whsec_', '')])
      expect(kept).not.toContain(hidden);
  });

  it('is refused with a reason, and not tried for ever, when a header cannot be sent', async () => {
    await setSecret(await context(), 'TOKEN', 'two\nlines');
    await world.writeEvent({ recordId: 'bad-header', version: 1, title: 'echo' });
    await eventually(() => statuses('echo')).toEqual(['delivered', 'dead']);
    expect((await deliveries('echo'))[1]?.reason).toContain('header content');
    expect((await deliveries('echo'))[1]?.reason).not.toContain('lines');
  });
});
