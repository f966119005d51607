/** Which deliveries are attempted next, what the claim writes, how what came of it is recorded, and when it is forgotten. */
import { beforeAll, expect, it } from 'vitest';
import { run } from '../../adapters/postgres/run.ts';
import { sql } from '../../core/sql/sql.ts';
import { makeAttempt, type BegunAttempt } from '../../operations/webhooks/attempt.ts';
import { claimDeliveries, LOOK_AROUND_MS, nextDelivery } from '../../operations/webhooks/claim.ts';
import { forgetOld } from '../../operations/retention.ts';
import { recordAttempts, type MadeAttempt } from '../../operations/webhooks/record-attempts.ts';
import type { AppRuntime } from '../../operations/context.ts';
import { takeBatch } from '../../workers/recorder.ts';
import { eventWorld, receiver, type EventWorld, type Receiver } from '../support/event-world.ts';

let world: EventWorld;
let app: AppRuntime;
let failing: Receiver;
let seq = 0;

beforeAll(async () => {
  failing = await receiver(() => 500);
  world = await eventWorld({
    version: 1,
    entities: [{ name: 'ticket', fields: [{ name: 'title', type: 'string' }] }],
    webhooks: ['early', 'late', 'paused', 'failing', 'other', 'kept'].map((id) => ({ id, entity: 'ticket', url: `${failing.url}?${id}` })),
  });
  const found = await world.services.registry.byId(world.app);
  if (found === undefined) throw new Error('the app is not served');
  app = found;
});

/** Deliveries that wait, in the order of the events. */
async function queue(webhook: string, count = 1): Promise<void> {
  for (let i = 0; i < count; i++) {
    await world.query(
      `insert into ${world.storage}._deliveries (id, event_seq, webhook, entity, record_id, record_version, body)
       values (uuidv7(), $1, $2, 'ticket', 'r', 1, '{}')`,
      [++seq, webhook],
    );
  }
}
const claim = (known: Readonly<Record<string, number>>, more: { proven?: string[]; total?: number } = {}): Promise<BegunAttempt[]> =>
  claimDeliveries(world.services.pool, app, { known, proven: [], total: 10, ...more }, 'all');

it('takes those of an endpoint that answers before older ones of others, and writes the attempt with the claim', async () => {
  await queue('early');
  await queue('late');
  const [taken] = await claim({ early: 1, late: 1 }, { proven: ['late'], total: 1 });
  expect(taken).toMatchObject({ webhook: 'late', tries_in_round: 1 });
  expect(
    await world.query(`select delivery_id, number, finished_at from ${world.storage}._attempts where id = $1`, [taken?.attempt_id]),
  ).toEqual([{ delivery_id: taken?.id, number: 1, finished_at: null }]);
  expect((await claim({ early: 1, late: 1 }, { proven: ['late'], total: 1 })).map(({ webhook }) => webhook)).toEqual(['early']);
});

it('lets one of two that claim at the same time try an endpoint whose pause is over', async () => {
  await queue('paused', 2);
  await world.query(
    `insert into ${world.storage}._webhook_state (webhook, failures, failing_since, paused_until) values ('paused', 10, now(), now())`,
  );
  const taken = await Promise.all([claim({ paused: 8 }), claim({ paused: 8 }), claim({ paused: 8 })]);
  expect(taken.flat()).toHaveLength(1);
  expect(await claim({ paused: 8 })).toEqual([]);
});

it('counts failures one by one though they are recorded together, and the second in a row waits without a workflow', async () => {
  await queue('failing', 5);
  await queue('other');
  const begun = await claim({ failing: 5, other: 1 });
  expect(begun).toHaveLength(6);
  let waiting: { made: MadeAttempt }[] = [];
  for (const one of begun) waiting.push({ made: await makeAttempt(world.services, app, one, 'dispatcher') });
  const sizes: number[] = [];
  while (waiting.length > 0) {
    const { taken, left } = takeBatch(waiting);
    sizes.push(taken.length);
    waiting = left;
    await recordAttempts(
      world.services,
      app,
      taken.map(({ made }) => made),
    );
  }
  expect(sizes).toEqual([2, 1, 1, 1, 1]);
  expect(await world.query(`select failures from ${world.storage}._webhook_state where webhook = 'failing'`)).toEqual([{ failures: 5 }]);
  const rows = await world.query<{ status: string; later: boolean }>(
    `select status, due_at > now() as later from ${world.storage}._deliveries where webhook = 'failing' order by event_seq`,
  );
  expect(rows.map(({ status }) => status)).toEqual(['retrying', 'pending', 'pending', 'pending', 'pending']);
  expect(rows.every(({ later }) => later)).toBe(true);
  expect(
    await world.query(`select count(*)::int as n from ${world.storage}._starts where kind = 'delivery' and workflow_id like '%.failing.%'`),
  ).toEqual([{ n: 1 }]);
  expect(await world.query(`select count(*)::int as n from durabase.work where app = $1 and kind = 'deliveries'`, [world.app])).toEqual([
    { n: 1 },
  ]);
});

it('is forgotten after 30 days when it was delivered, after 90 when it was given up, with its attempts, and not while it is open', async () => {
  const insert = (status: string, days: number) =>
    world.query(
      `with d as (
         insert into ${world.storage}._deliveries (id, event_seq, webhook, entity, record_id, record_version, body, status, updated_at)
         values (uuidv7(make_interval(days => -$3::int)), $1, 'kept', 'ticket', $2 || $3, 1, '{}', $2, now() - make_interval(days => $3::int)) returning id)
       insert into ${world.storage}._attempts (id, delivery_id, number) select id, id, 1 from d`,
      [++seq, status, days],
    );
  for (const status of ['delivered', 'dead', 'retrying']) for (const days of [29, 31, 91]) await insert(status, days);
  expect(await forgetOld(world.services)).toMatchObject({ _deliveries: 3 });
  const left = await world.query<{ record_id: string }>(
    `select record_id from ${world.storage}._deliveries d join ${world.storage}._attempts a on a.delivery_id = d.id where webhook = 'kept' order by 1`,
  );
  expect(left.map((row) => row.record_id)).toEqual(['dead29', 'dead31', 'delivered29', 'retrying29', 'retrying31', 'retrying91']);
});

it('makes what waited for an endpoint due as soon as its trial succeeds', async () => {
  await queue('early');
  await world.query(
    `insert into ${world.storage}._webhook_state (webhook, failures, failing_since, paused_until) values ('early', 10, now(), now())`,
  );
  const [trial] = await claim({ early: 8 });
  await world.query(`update durabase.work set due_at = now() + interval '30 seconds' where app = $1`, [world.app]);
  const made = await makeAttempt(world.services, app, trial ?? ({} as BegunAttempt), 'dispatcher');
  await recordAttempts(world.services, app, [
    { ...made, result: { outcome: 'delivered', delayMs: null, reason: null }, sign: { kind: 'delivered', throttleMs: null } },
  ]);
  expect(await world.query(`select kind from durabase.work where app = $1 and due_at <= now()`, [world.app])).toEqual([
    { kind: 'deliveries' },
  ]);
});

it('ends what waits for a webhook that is gone, though its endpoint is paused or disabled, and says when there is more', async () => {
  const at = async (scope: 'served' | 'all'): Promise<number | undefined> => {
    const [next] = await run<{ seconds: number | null }>(
      world.services.pool,
      sql`select extract(epoch from at - now())::float8 as seconds from (${nextDelivery(app, scope)}) n`,
    );
    return next?.seconds ?? undefined;
  };
  await world.query(`delete from ${world.storage}._deliveries`);
  await world.query(`delete from ${world.storage}._webhook_state`);
  expect(await at('all')).toBeUndefined();
  await queue('gone', 2);
  await world.query(
    `insert into ${world.storage}._webhook_state (webhook, failures, paused_until, disabled_at)
     values ('gone', 10, now() + interval '5 minutes', now()), ('late', 10, now() + interval '2 minutes', null)`,
  );
  // Who did not look for all comes back for them, however long the others are left alone.
  expect(await claimDeliveries(world.services.pool, app, { known: {}, proven: [], total: 10 }, 'served')).toEqual([]);
  expect(await at('served')).toBeCloseTo(LOOK_AROUND_MS / 1000, 0);
  expect(await at('all')).toBeLessThanOrEqual(0);
  expect((await claim({})).map(({ webhook }) => webhook)).toEqual(['gone', 'gone']);
});
