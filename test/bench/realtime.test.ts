/** The small size of `npm run bench:realtime`: many streams of some users, and every change reaches every one of them. */
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { openStreams, percentile } from '../../bench/realtime/streams.ts';
import { callerOf } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { DESK, realtimeWorld, USERS, type RealtimeWorld } from '../support/realtime-world.ts';

let world: RealtimeWorld;
beforeAll(async () => {
  world = await realtimeWorld(await freshDatabase(), { STREAMS_PER_USER: '200' });
  await world.app('desk', DESK, USERS);
});
afterAll(() => world.close());

it('tells a hundred streams of two users what each may see, once', async () => {
  const tokens = await Promise.all(['ann@x.test', 'bob@x.test'].map((email) => world.token(email)));
  const admin = callerOf(world.url, await world.token('admin@x.test'));
  const streams = await openStreams(
    Number(new URL(world.url).port),
    'desk',
    Array.from({ length: 100 }, (_, n) => ({ token: tokens[n % 2]! })),
  );
  const owners = USERS.slice(1, 3).map(({ id }) => id);
  const made = await Promise.all(
    Array.from({ length: 40 }, (_, n) => admin('POST', '/api/desk/ticket', { title: `t${n}`, owner: owners[n % 2] })),
  );
  expect(made.every(({ status }) => status === 201)).toBe(true);
  await vi.waitUntil(() => streams.heard >= 40 * 50, { timeout: 15_000, interval: 20 });
  expect({ heard: streams.heard, repeated: streams.repeated, broken: streams.broken }).toEqual({ heard: 2_000, repeated: 0, broken: 0 });
  expect(percentile(streams.latencies, 0.5)).toBeLessThan(5_000);
  streams.close();
}, 30_000);
