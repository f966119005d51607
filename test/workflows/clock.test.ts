/** Clocks through relay, starter, Temporal and a worker. Days pass by events that happened days ago. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { updateDefinition } from '../../operations/schemas/definitions.ts';
import { recomputeClocks } from '../../operations/slas/recompute.ts';
import { trySla } from '../../operations/slas/try.ts';
import { recordHistories } from '../replay/record.ts';
import { processWorld, type ProcessWorld, type Row } from './process-world.ts';
import { Ticket } from './ticket.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const tell = (event: string) => ({ type: 'send_event', event, data: { mark: 'context.sla.mark', due: 'context.sla.due_at' } });
const when = (word: string): string => `record.status = '${word}'`;
const ALL_WEEK = Object.fromEntries(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((day) => [day, ['00:00-12:00']]));

const calendar = (name: string) => ({ id: name, name, timezone: 'Asia/Kolkata', week: ALL_WEEK });
const SLAS = [
  {
    id: 'quick',
    name: 'quick',
    entity: 'ticket',
    start: when('quick'),
    pause: when('waiting'),
    stop: when('done'),
    target: '1200ms',
    warn_at: ['50%'],
    on_warn: [tell('warned')],
    on_breach: [tell('breached'), { type: 'set_field', field: 'priority', value: 'critical' }],
    escalate: [{ after: '600ms', actions: [tell('escalated')] }],
  },
  {
    id: 'slow',
    name: 'slow',
    entity: 'ticket',
    start: "record.status in ['slow', 'again']",
    pause: when('waiting'),
    stop: when('done'),
    targets: [{ when: "record.priority = 'high'", target: '10h' }],
    target: '200h',
    warn_at: ['50%', '30m'],
    on_warn: [tell('warned')],
    on_breach: [tell('breached')],
  },
  {
    id: 'refused',
    name: 'refused',
    entity: 'ticket',
    start: when('refused'),
    stop: when('done'),
    target: '1s',
    on_breach: [{ type: 'delete_record', record_id: 'context.nothing' }, tell('breached')],
  },
  { id: 'forward', name: 'forward', entity: 'ticket', start: when('forward'), stop: when('done'), target: '96h', calendar: 'half' },
  {
    id: 'backward',
    name: 'backward',
    entity: 'ticket',
    start: when('backward'),
    stop: when('done'),
    target: '96h',
    calendar: 'other_half',
    retroactive: true,
  },
];

let world: ProcessWorld;
const cases = new Map<string, string>();
beforeAll(async () => {
  world = await processWorld([], { slas: SLAS, calendars: [calendar('half'), calendar('other_half')] });
}, 60_000);
afterAll(() => recordHistories(world.services, 'clock', cases));

const fired = (row: Row | undefined): string[] => (row?.['fired'] ?? []) as string[];
const keep = (row: Row | undefined, name: string): void => void cases.set(String(row?.['workflow_id']), name);
const handle = async (row: Row | undefined) => (await world.services.temporal.client()).workflow.getHandle(String(row?.['workflow_id']));

const statesOf = (rows: readonly Row[]): unknown[] => rows.map((row) => [row['state'], (row['started_at'] as Date).toISOString()]);

describe('a clock', () => {
  it('warns, breaches and escalates at its instants, each once', async () => {
    const start = Date.now();
    const ticket = await Ticket.of(world, { status: 'quick' }, start);
    const [row] = await ticket.until(([one]) => fired(one).length === 3);
    const due = new Date(start + 1_200).toISOString();
    const byEvent = (await ticket.told()).sort((a, b) => String(a['event']).localeCompare(String(b['event'])));
    expect(byEvent).toEqual([
      { event: 'breached', mark: 'breach', due },
      { event: 'escalated', mark: '600ms', due },
      { event: 'warned', mark: '50%', due },
    ]);
    expect((await world.ticketRow(ticket.id))['priority']).toBe('critical');
    const { rows: marks } = await world.services.pool.query<{ key: string; at: Date }>(
      `select f.key, f.at from ${world.app.storage}._clocks, jsonb_to_recordset(fired) as f(key text, at timestamptz) where record_id = $1`,
      [ticket.id],
    );
    // Its activities take a moment; none comes before its time.
    const instants = { '0:warn:50%': 600, '0:breach': 1_200, '0:escalate:600ms': 1_800 };
    expect(marks.map(({ key }) => key).sort()).toEqual(Object.keys(instants).sort());
    for (const [key, instant] of Object.entries(instants)) {
      const at = marks.find((mark) => mark.key === key)?.at.getTime() ?? NaN;
      expect(at - start).toBeGreaterThanOrEqual(instant);
      expect(at - start).toBeLessThan(instant + 5_000);
    }
    await ticket.change({ status: 'done' });
    await ticket.until(([one]) => one?.['stopped_at'] !== null);
    expect(await (await handle(row)).result()).toEqual({ status: 'breached' });
    keep(row, 'breached-and-escalated');
  });

  it('that starts late counts from its event', async () => {
    const started = Date.now() - 9 * DAY;
    const ticket = await Ticket.of(world, { status: 'slow' }, started);
    const [row] = await ticket.until(([one]) => fired(one).length === 3);
    expect(fired(row).sort()).toEqual(['0:breach', '0:warn:30m', '0:warn:50%']);
    expect([row?.['state'], (row?.['due_at'] as Date).getTime()]).toEqual(['breached', started + 200 * HOUR]);
  });

  it('holds no timer while it is paused, is met, and another one follows', async () => {
    const started = Date.now() - 5 * DAY;
    const ticket = await Ticket.of(world, { status: 'slow' }, started);
    await ticket.change({ status: 'waiting' }, started + 10 * HOUR);
    const [paused] = await ticket.until(([one]) => one?.['is_paused'] === true && one['state'] === 'paused' && Number(one['revision']) > 0);
    expect([paused?.['due_at'], paused?.['next_at'], fired(paused)]).toEqual([null, null, []]);
    const { events = [] } = await (await handle(paused)).fetchHistory();
    const count = (attribute: 'timerStartedEventAttributes' | 'timerCanceledEventAttributes' | 'timerFiredEventAttributes'): number =>
      events?.filter((event) => Boolean(event[attribute])).length ?? 0;
    expect(count('timerStartedEventAttributes')).toBe(count('timerCanceledEventAttributes') + count('timerFiredEventAttributes'));
    const resumed = started + 4 * DAY;
    await ticket.change({ status: 'again' }, resumed);
    const [running] = await ticket.until(([one]) => one?.['is_paused'] === false);
    expect((running?.['due_at'] as Date).getTime()).toBe(resumed + 190 * HOUR);
    await ticket.change({ status: 'done' });
    const [met] = await ticket.until(([one]) => one?.['state'] === 'met');
    expect(await (await handle(met)).result()).toEqual({ status: 'met' });
    keep(met, 'paused-and-met');
    await ticket.change({ status: 'slow' });
    const [first, second] = await ticket.until((rows) => rows.length === 2 && Number(rows[1]?.['revision']) > 0);
    expect([first?.['state'], second?.['state']]).toEqual(['met', 'running']);
    expect(second?.['workflow_id']).not.toBe(first?.['workflow_id']);
    const clocks = await ticket.clocks();
    expect(clocks.map(({ state }) => state)).toEqual(['running', 'met']);
    expect(clocks[1]?.history?.map(({ what }) => what)).toEqual(['started', 'paused', 'resumed', 'stopped']);
  });

  it('is one for each start, also when nobody looked in between', async () => {
    const started = Date.now() - 2 * DAY;
    const ticket = new Ticket(world);
    for (const [index, status] of ['slow', 'done', 'slow', 'done', 'again'].entries())
      await ticket.change({ status }, started + index * HOUR);
    const rows = await ticket.until((all) => all.length === 3 && all.every((one) => Number(one['revision']) > 0));
    expect(rows.map((one) => one['state'])).toEqual(['met', 'met', 'running']);
    expect((rows[2]?.['due_at'] as Date).getTime()).toBe(started + 204 * HOUR);
  });

  it('is where the events say, however quickly a record is stopped and started again', async () => {
    let seed = 7;
    const random = (below: number): number => (seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31) % below;
    const words = ['slow', 'waiting', 'done', 'again', 'other'];
    const tickets = Array.from({ length: 6 }, () => new Ticket(world));
    const stories = tickets.map(() => Array.from({ length: 20 }, () => words[random(words.length)] ?? 'done'));
    await Promise.all(
      tickets.map(async (ticket, index) => {
        for (const status of stories[index] ?? []) await ticket.change({ status });
      }),
    );
    for (const ticket of tickets) {
      const { clocks } = await trySla({ ...world.admin, now: new Date() }, { definition: 'slow', record_id: ticket.id });
      const expected = clocks.map(({ state, started_at }) => [state, started_at]);
      const rows = await ticket.until(
        (all) => all.length >= expected.length && all.every((row) => row['stopped_at'] !== null || row === all.at(-1)),
      );
      const settled = await ticket.until((all) => JSON.stringify(statesOf(all)) === JSON.stringify(expected)).catch(() => rows);
      expect(statesOf(settled)).toEqual(expected);
    }
    expect(stories.flat().filter((status) => status === 'done').length).toBeGreaterThan(10);
  }, 60_000);

  it('follows a target that changes with the record', async () => {
    const started = Date.now() - 20 * HOUR;
    const ticket = await Ticket.of(world, { status: 'slow', priority: 'low' }, started);
    await ticket.until(([one]) => Number(one?.['revision']) > 0);
    expect((await ticket.shown())[0]).toMatchObject({ state: 'running', fired: [] });
    await ticket.change({ priority: 'high' });
    const [row] = await ticket.until(([one]) => fired(one).includes('0:breach'));
    expect((row?.['due_at'] as Date).getTime()).toBe(started + 10 * HOUR);
  });

  it('ends with its record, without a word', async () => {
    const ticket = await Ticket.of(world, { status: 'slow' });
    await ticket.until(([one]) => Number(one?.['revision']) > 0);
    await ticket.change(null);
    const [row] = await ticket.until(([one]) => one?.['state'] === 'cancelled');
    expect(await (await handle(row)).result()).toEqual({ status: 'cancelled' });
    expect(await ticket.told()).toEqual([]);
    keep(row, 'deleted');
  });

  it('shows an action that was refused for good, and does the others', async () => {
    const ticket = await Ticket.of(world, { status: 'refused' });
    const [row] = await ticket.until(([one]) => fired(one).length === 1);
    expect(String(row?.['error'])).toContain('delete_record');
    expect(await ticket.told()).toHaveLength(1);
    keep(row, 'refused-action');
  });

  it('fires what fell due while no worker was there, within five seconds', async () => {
    const start = Date.now();
    const ticket = await Ticket.of(world, { status: 'quick' }, start + 4_000);
    await ticket.until(([one]) => Number(one?.['revision']) > 0);
    await world.worker.close();
    expect(fired((await ticket.shown())[0])).toEqual([]);
    await new Promise((resolve) => setTimeout(resolve, Math.max(0, start + 7_000 - Date.now())));
    await world.startWorker();
    const back = Date.now();
    await ticket.until(([one]) => fired(one).length === 3);
    expect(Date.now() - back).toBeLessThan(5_000);
    expect((await ticket.told()).map(({ event }) => String(event)).sort()).toEqual(['breached', 'escalated', 'warned']);
  }, 60_000);
});

describe('a calendar that changes', () => {
  it('counts from then on, or from the start where the rule looks back', async () => {
    const started = Date.now() - 4 * DAY;
    const [ahead, behind] = await Promise.all([
      Ticket.of(world, { status: 'forward' }, started),
      Ticket.of(world, { status: 'backward' }, started),
    ]);
    const before = await Promise.all([ahead, behind].map((ticket) => ticket.until(([one]) => Number(one?.['revision']) > 0)));
    // Half of every day counts: 96 hours are eight days.
    for (const [row] of before) expect(Math.round(((row?.['due_at'] as Date).getTime() - started) / DAY)).toBe(8);
    for (const name of ['half', 'other_half']) await updateDefinition(world.admin, 'calendars', name, { timezone: 'UTC', week: null });
    const [[later], [anew]] = (await Promise.all([
      ahead.until(([one]) => (one?.['due_at'] as Date).getTime() - started < 7 * DAY, 40_000),
      behind.until(([one]) => (one?.['due_at'] as Date).getTime() - started < 7 * DAY, 40_000),
    ])) as [Row[], Row[]];
    // 48 of 96 hours have counted and the rest goes twice as fast; or all of it did from the start.
    expect(Math.round(((later?.['due_at'] as Date).getTime() - started) / HOUR)).toBe(4 * 24 + 48);
    expect((anew?.['due_at'] as Date).getTime()).toBe(started + 96 * HOUR);
    const app = await world.services.registry.byId(world.app.id);
    if (app === undefined) throw new Error('the app is gone');
    await recomputeClocks({ ...world.admin, app: (await world.services.registry.newerThan(app)) ?? app }, 'forward');
    const [counted] = await ahead.until(([one]) => (one?.['due_at'] as Date).getTime() === started + 96 * HOUR);
    expect(counted?.['state']).toBe('breached');
  }, 90_000);
});
