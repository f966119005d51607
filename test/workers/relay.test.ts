import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Webhook } from 'standardwebhooks';
import { rotateSecret } from '../../operations/webhooks/secrets.ts';
import type { AppContext } from '../../operations/context.ts';
import { systemActor } from '../../operations/context.ts';
import { startDispatcher } from '../../workers/dispatcher.ts';
import type { Loop } from '../../workers/loop.ts';
import { startRelay } from '../../workers/relay.ts';
import { eventWorld, receiver, type EventWorld, type Receiver } from '../support/event-world.ts';

let world: EventWorld;
let good: Receiver;
let failing: Receiver;
let hanging: Receiver;
let gone: Receiver;
const release: (() => void)[] = [];
const loops: Loop[] = [];

const hook = (id: string, url: string, more: object = {}) => ({ id, entity: 'ticket', url, ...more });

beforeAll(async () => {
  good = await receiver();
  failing = await receiver(() => 500);
  // The first call says "never again"; the second, already under way, fails a moment later.
  gone = await receiver((call) => (call === 1 ? 410 : new Promise<number>((resolve) => setTimeout(() => resolve(500), 300))));
  hanging = await receiver(() => new Promise<number>((resolve) => release.push(() => resolve(200))));
  world = await eventWorld({
    version: 1,
    entities: [
      {
        name: 'ticket',
        fields: [
          { name: 'title', type: 'string' },
          { name: 'note', type: 'text', hidden: true },
        ],
      },
    ],
    webhooks: [
      hook('good', good.url, { condition: "record.title != 'muted'" }),
      hook('failing', failing.url, { condition: "record.title = 'fail'" }),
      hook('hanging', hanging.url, { condition: "record.title = 'hang'" }),
      hook('gone', gone.url, { condition: "record.title = 'gone'" }),
      hook('private', 'http://10.0.0.1/', { condition: "record.title = 'private'" }),
    ],
    workflows: [
      {
        id: 'wf',
        name: 'escalation',
        trigger: { type: 'state_change', entity: 'ticket', field: 'title', to: 'critical' },
        steps: [{ id: 'ask', type: 'approval' }],
      },
    ],
  });
  const dispatcher = startDispatcher(world.services);
  loops.push(
    startRelay(world.services, () => dispatcher.wake()),
    dispatcher,
  );
});

afterAll(async () => {
  for (const end of release.splice(0)) end();
  for (const one of loops) await one.close();
});

const context = async (): Promise<AppContext> => {
  const app = await world.services.registry.byId(world.app);
  if (app === undefined) throw new Error('the app is not served');
  return { services: world.services, app, actor: systemActor(), now: new Date(), requestId: 'r', cause: null, depth: 0 };
};

const deliveriesOf = (recordId: string) =>
  world.query<{ webhook: string; status: string; tries: number; reason: string | null }>(
    `select webhook, status, tries, reason from ${world.storage}._deliveries where record_id = $1 order by webhook`,
    [recordId],
  );

const eventually = async <T>(read: () => Promise<T>, holds: (value: T) => boolean): Promise<T> => {
  for (let i = 0; ; i++) {
    const found = await read();
    if (holds(found) || i > 200) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
};

describe('the relay', () => {
  it('delivers a committed change once, signed, without hidden fields', async () => {
    const { secret } = await rotateSecret(await context(), 'good');
    await world.writeEvent({ recordId: 'signed', version: 1 });
    await good.waitFor(1);
    const [call] = good.received;
    const payload = new Webhook(secret).verify(call?.body ?? '', call?.headers as Record<string, string>) as Record<string, unknown>;
    expect(payload).toMatchObject({
      event: 'record.created',
      entity: 'ticket',
      action: 'create',
      record: { id: 'signed', title: 'a ticket' },
      user: { roles: ['agent'] },
      schema_version: 1,
    });
    expect(payload['record']).not.toHaveProperty('note');
    expect(payload['id']).toBe(call?.headers['webhook-id']);
    const rows = await eventually(
      () => deliveriesOf('signed'),
      ([row]) => row?.status === 'delivered',
    );
    expect(rows).toMatchObject([{ webhook: 'good', status: 'delivered', tries: 1 }]);
  });

  it('never delivers what was rolled back, nor what the condition leaves out', async () => {
    const client = await world.connect();
    await client.query('begin');
    await world.writeEvent({ recordId: 'rolled-back', version: 1 }, client);
    await client.query('rollback');
    await world.writeEvent({ recordId: 'muted', version: 1, title: 'muted' });
    await world.writeEvent({ recordId: 'after', version: 1 });
    await eventually(
      () => deliveriesOf('after'),
      (rows) => rows.length > 0,
    );
    expect(await deliveriesOf('rolled-back')).toEqual([]);
    expect(await deliveriesOf('muted')).toEqual([]);
  });

  it('is not held up by a transaction that stays open, and delivers that one when it commits', async () => {
    const idle = await world.connect();
    await idle.query('begin');
    await world.writeEvent({ recordId: 'slow', version: 1 }, idle);
    const lags: number[] = [];
    for (let i = 0; i < 20; i++) {
      const started = Date.now();
      await world.writeEvent({ recordId: `quick-${i}`, version: 1 });
      await eventually(
        () => deliveriesOf(`quick-${i}`),
        (rows) => rows.length > 0,
      );
      lags.push(Date.now() - started);
    }
    expect(Math.max(...lags)).toBeLessThan(1_000);
    expect(await deliveriesOf('slow')).toEqual([]);
    await idle.query('commit');
    expect(
      await eventually(
        () => deliveriesOf('slow'),
        (rows) => rows.length > 0,
      ),
    ).toHaveLength(1);
  });

  it('skips nothing and repeats nothing when many transactions commit out of order', async () => {
    const clients = await Promise.all(Array.from({ length: 8 }, () => world.connect()));
    await Promise.all(
      clients.map(async (client, lane) => {
        for (let i = 0; i < 25; i++) {
          await client.query('begin');
          await world.writeEvent({ recordId: `mass-${lane}-${i}`, version: 1 }, client);
          await client.query('select pg_sleep($1)', [((lane * 7 + i * 3) % 10) / 1000]);
          await client.query((lane + i) % 5 === 0 ? 'rollback' : 'commit');
        }
      }),
    );
    const count = () => world.query<{ n: string }>(`select count(*) as n from ${world.storage}._deliveries where record_id like 'mass-%'`);
    await eventually(count, ([row]) => row?.n === '160');
    expect(await count()).toEqual([{ n: '160' }]);
    const ids = good.received.map((call) => call.headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  it('hands a failed first attempt to a workflow, in the transaction that records it', async () => {
    await world.writeEvent({ recordId: 'failed', version: 1, title: 'fail' });
    const rows = await eventually(
      () => deliveriesOf('failed'),
      (found) => found.some((row) => row.webhook === 'failing' && row.status === 'retrying'),
    );
    expect(rows.find((row) => row.webhook === 'failing')).toMatchObject({
      status: 'retrying',
      tries: 1,
      reason: 'The receiver answered 500.',
    });
    const starts = await world.query<{ workflow_id: string; state: string }>(
      `select workflow_id, state from ${world.storage}._starts where kind = 'delivery'`,
    );
    expect(starts).toHaveLength(1);
    expect(starts[0]?.workflow_id).toMatch(new RegExp(`^delivery/${world.app}/\\d+\\.failing\\.0$`));
  });

  it('keeps an endpoint disabled that answered 410, whatever was under way besides', async () => {
    const client = await world.connect();
    await client.query('begin');
    for (const recordId of ['gone-1', 'gone-2']) await world.writeEvent({ recordId, version: 1, title: 'gone' }, client);
    await client.query('commit');
    const read = () =>
      world.query<{ status: string; reason: string | null }>(
        `select status, reason from ${world.storage}._deliveries where webhook = 'gone'`,
      );
    const rows = await eventually(read, (found) => found.length === 2 && found.every((row) => row.reason !== null));
    // Who repeats the other depends on which of them was recorded first.
    expect(rows.map((row) => row.status).sort()).toEqual(['dead', expect.stringMatching(/^(pending|retrying)$/)]);
    expect(
      await world.query(`select reason, disabled_at is null as open from ${world.storage}._webhook_state where webhook = 'gone'`),
    ).toEqual([{ reason: 'The receiver answered 410.', open: false }]);
  });

  it('shows an address that is not allowed as a dead attempt with its reason', async () => {
    await world.writeEvent({ recordId: 'private', version: 1, title: 'private' });
    const rows = await eventually(
      () => deliveriesOf('private'),
      (found) => found.some((row) => row.status === 'dead'),
    );
    expect(rows.find((row) => row.webhook === 'private')).toMatchObject({ status: 'dead', tries: 1 });
    expect(rows.find((row) => row.webhook === 'private')?.reason).toContain('WEBHOOK_ALLOW_CIDRS');
  });

  it('lets a receiver that hangs slow no other', async () => {
    for (let i = 0; i < 30; i++) await world.writeEvent({ recordId: `hang-${i}`, version: 1, title: 'hang' });
    await hanging.waitFor(1);
    await world.writeEvent({ recordId: 'meanwhile', version: 1 });
    const rows = await eventually(
      () => deliveriesOf('meanwhile'),
      ([row]) => row?.status === 'delivered',
    );
    expect(rows).toMatchObject([{ webhook: 'good', status: 'delivered' }]);
    expect(hanging.received.length).toBeLessThanOrEqual(8);
  });

  it('decides the start of a process once, and keeps it while Temporal is away', async () => {
    await world.writeEvent({ recordId: 'crit', version: 1, title: 'critical' });
    const read = () =>
      world.query<{ state: string; input: { runId: string } }>(
        `select state, input from ${world.storage}._starts where kind = 'process' and input->'trigger'->>'recordId' = 'crit'`,
      );
    const starts = await eventually(read, (rows) => rows.length > 0);
    expect(starts).toHaveLength(1);
    expect(starts[0]?.state).toBe('pending');
  });

  it('hands the lead to another process when the leader is gone, without a gap', async () => {
    const second = startRelay(world.services);
    loops.push(second);
    await loops[0]?.close();
    await world.writeEvent({ recordId: 'second-leader', version: 1 });
    expect(
      await eventually(
        () => deliveriesOf('second-leader'),
        (rows) => rows.length > 0,
      ),
    ).toHaveLength(1);
  });
});
