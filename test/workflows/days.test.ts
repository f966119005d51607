/**
 * What takes days, on Temporal's time-skipping server: the activities, Postgres, the mail server and the receiver are real, only
 * the time that workflows go by passes at once.
 */
import { randomUUID } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import type { RunAnswer } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { skippingServer, skipsTimeSkipping, type SkippingServer } from '../support/time-skipping.ts';
import { type ApprovalWorld, approvalWorld, manual, story } from './approval-world.ts';
import type { Row } from './process-world.ts';
import { Ticket } from './ticket.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** What activities may take of a workflow's time before its next step. */
const SLACK = 20_000;

const at = (moment: unknown): number => Date.parse(String(moment));

// --- a zone that changes its clocks ------------------------------------------------------------------------------------

const ZONE = 'Europe/Berlin';
/** Hours that the zone is ahead of UTC at noon of the day. */
const offset = (day: Date): number => {
  const name = new Intl.DateTimeFormat('en', { timeZone: ZONE, timeZoneName: 'shortOffset' }).formatToParts(day.getTime() + DAY / 2);
  return Number(/[+-]\d+/.exec(name.find(({ type }) => type === 'timeZoneName')?.value ?? '')?.[0] ?? 0);
};

/** The next Sunday, a week from now or later, on which the zone changes its clocks. */
function changeOfClocks(): Date {
  const day = new Date(Math.ceil(Date.now() / DAY) * DAY + 7 * DAY);
  while (offset(day) === offset(new Date(day.getTime() - DAY))) day.setTime(day.getTime() + DAY);
  return day;
}

const SUNDAY = changeOfClocks();
const dayFrom = (days: number): Date => new Date(SUNDAY.getTime() + days * DAY);
const dateOf = (days: number): string => dayFrom(days).toISOString().slice(0, 10);
/** That hour, on the zone's clocks, of a day so many days from the Sunday. */
const local = (days: number, hour: number): number => dayFrom(days).getTime() + (hour - offset(dayFrom(days))) * HOUR;

const WORKDAY = ['09:00-17:00'];
const CALENDAR = {
  name: 'desk_hours',
  timezone: ZONE,
  week: { mon: WORKDAY, tue: WORKDAY, wed: WORKDAY, thu: WORKDAY, fri: WORKDAY, sun: ['00:00-12:00'] },
  holidays: [{ date: dateOf(-3) }, { yearly: dateOf(2).slice(5), hours: ['09:00-12:00'] }],
};

const SLA = {
  id: 'repair',
  name: 'repair',
  entity: 'ticket',
  start: "record.status = 'broken'",
  pause: "record.status = 'waiting'",
  stop: "record.status = 'repaired'",
  target: '60h',
  calendar: 'desk_hours',
  warn_at: ['50%', '2h'],
  on_warn: [{ type: 'send_event', event: 'warned', data: { mark: 'context.sla.mark' } }],
  on_breach: [{ type: 'set_field', field: 'escalated_at', value: 'now' }],
  escalate: [{ after: '10h', actions: [{ type: 'set_field', field: 'priority', value: 'critical' }] }],
};

// --- the others ----------------------------------------------------------------------------------------------------------

const mark = { id: 'mark', type: 'action', actions: [{ type: 'set_field', field: 'escalated_at', value: 'now' }] };
const waiting = (name: string, wait: object) => ({
  id: name,
  name,
  trigger: { type: 'manual', entity: 'ticket' },
  steps: [{ id: 'rest', type: 'wait', then: 'mark', ...wait }, mark],
});

const WORKFLOWS = [
  waiting('for_two_days', { duration: '48h' }),
  waiting('until_then', { until: 'context.then' }),
  waiting('for_an_event', { event: 'never', timeout: '30d', on_timeout: 'mark' }),
  manual('patient', {
    assignee: { type: 'role', role: 'clerk' },
    timeout: '5d',
    reminders: [{ after: '1d', every: '1d', max: 3 }],
    escalate: [{ after: '4d', to: { type: 'role', role: 'chief' } }],
    on_timeout: 'end',
  }),
  manual('edge', { assignee: { type: 'role', role: 'edge' }, timeout: '3d', on_timeout: 'end' }),
];

const attempts: unknown[] = [];
const receiver = http.createServer((request, response) => {
  attempts.push(request.headers['webhook-id']);
  response.writeHead(500).end();
});

describe.skipIf(skipsTimeSkipping)('days', () => {
  let time: SkippingServer;
  let world: ApprovalWorld;
  beforeAll(async () => {
    time = await skippingServer();
    await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
    const webhook = { id: 'hook', name: 'hook', entity: 'ticket', url, condition: "record.status = 'sent'", break_after: 1000 };
    world = await approvalWorld(
      WORKFLOWS,
      { slas: [SLA], calendars: [CALENDAR], webhooks: [webhook] },
      { TEMPORAL_ADDRESS: time.address, TEMPORAL_NAMESPACE: 'default' },
    );
  }, 300_000);
  afterAll(async () => {
    receiver.close();
    await time?.stop();
  });

  const begin = async (name: string, context: Row = {}): Promise<RunAnswer> => {
    const record = await world.ticket({ title: name, status: 'new' });
    return startRun({ ...world.admin, requestId: randomUUID() }, name, { record_id: record, context });
  };
  const end = async (run: RunAnswer): Promise<RunAnswer> => {
    await time.client.workflow.getHandle(run.temporal_workflow_id).result();
    return world.get(run);
  };
  const markedAt = async (run: RunAnswer): Promise<number> =>
    ((await world.ticketRow(run.record_id ?? ''))['escalated_at'] as Date).getTime();

  // The first: its days are dates.
  describe('a clock', () => {
    it('counts by its calendar over holidays, a pause and a change of the zone, and tells each mark at its instant', async () => {
      // An hour less in spring, one more in autumn: the hours of that Sunday from midnight to noon.
      const sunday = 12 - (offset(dayFrom(1)) - offset(dayFrom(-1)));
      const marksOf = async (ticket: Ticket): Promise<Record<string, number>> => {
        const { rows } = await world.services.pool.query<{ key: string; at: string }>(
          `select f.key, f.at from ${world.app.storage}._clocks, jsonb_to_recordset(fired) as f(key text, at text) where record_id = $1`,
          [ticket.id],
        );
        return Object.fromEntries(rows.map((row) => [row.key, at(row.at)]));
      };
      await time.passUntil(local(-4, 9));
      const ticket = await Ticket.of(world, { status: 'broken' }, local(-4, 9));
      await ticket.until(([one]) => Number(one?.['revision']) > 0);

      // Wednesday 8 hours, Thursday none, Friday 8: by Monday's opening 16 and the Sunday's; half of the target on that day.
      const half = local(1, 9 + 30 - 16 - sunday);
      await time.passUntil(half - SLACK);
      expect(await marksOf(ticket)).toEqual({});
      await time.passUntil(half + SLACK);
      expect(Object.keys(await marksOf(ticket))).toEqual(['0:warn:50%']);

      // Monday 8, Tuesday 3, Wednesday 4 until the pause; Thursday's last 2 hours after it.
      await time.passUntil(local(3, 13));
      await ticket.change({ status: 'waiting' }, local(3, 13));
      await ticket.until(([one]) => one?.['state'] === 'paused');
      await time.passUntil(local(4, 15));
      await ticket.change({ status: 'broken' }, local(4, 15));
      const [resumed] = await ticket.until(([one]) => one?.['state'] === 'running');
      // With Friday's 8 that makes 41 and the Sunday's by the next Sunday's midnight.
      const due = local(7, 60 - 41 - sunday);
      expect((resumed?.['due_at'] as Date).toISOString()).toBe(new Date(due).toISOString());

      await time.passUntil(due - SLACK);
      expect(Object.keys(await marksOf(ticket)).sort()).toEqual(['0:warn:2h', '0:warn:50%']);
      // Ten more hours: until that noon, and the rest of them on Monday.
      const escalated = local(8, 9 + 10 - (12 - (60 - 41 - sunday)));
      await time.passUntil(escalated + SLACK);
      const instants = { '0:warn:50%': half, '0:warn:2h': due - 2 * HOUR, '0:breach': due, '0:escalate:10h': escalated };
      const marks = await marksOf(ticket);
      expect(Object.keys(marks).sort()).toEqual(Object.keys(instants).sort());
      for (const [key, instant] of Object.entries(instants)) {
        expect(marks[key], key).toBeGreaterThanOrEqual(instant);
        expect(marks[key], key).toBeLessThan(instant + SLACK);
      }
      const row = await world.ticketRow(ticket.id);
      expect(row['priority']).toBe('critical');
      expect((row['escalated_at'] as Date).getTime() - due).toBeLessThan(SLACK);
      await ticket.change({ status: 'repaired' }, await time.now());
      await ticket.until(([one]) => one?.['stopped_at'] !== null);
    });
  });

  describe('a wait', () => {
    it.each([
      ['for_two_days', 2 * DAY],
      ['for_an_event', 30 * DAY],
    ])('%s goes on when it is up, and shows the time it did', async (name, wait) => {
      const begun = await time.now();
      const run = await end(await begin(name));
      const marked = await markedAt(run);
      expect(run.status).toBe('completed');
      expect(marked - begun).toBeGreaterThanOrEqual(wait);
      expect(marked - begun).toBeLessThan(wait + SLACK);
      expect(at(run.updated_at)).toBeGreaterThanOrEqual(at(run.history.at(-1)?.at) - 1);
    });

    it('until a moment is over at that moment', async () => {
      const then = (await time.now()) + 100 * DAY;
      const run = await end(await begin('until_then', { then: new Date(then).toISOString() }));
      const marked = await markedAt(run);
      expect(marked).toBeGreaterThanOrEqual(then);
      expect(marked).toBeLessThan(then + SLACK);
    });
  });

  describe('an approval', () => {
    it('reminds, asks the substitute while somebody is away, escalates, and ends at its deadline', async () => {
      const [ann, sub, chief] = [await world.person('ann', 'clerk'), await world.person('sub'), await world.person('chief', 'chief')];
      const begun = await time.now();
      const ahead = begun - Date.now();
      await world.away(ann, sub, ahead + 1.5 * DAY, ahead + 2.5 * DAY);
      const run = await end(await begin('patient'));
      expect(story(run)).toEqual(['step0:reminded', 'step0:reminded', 'step0:reminded', 'step0:escalated', 'step0:timed_out']);
      const days = run.history.map((entry) => Math.floor((at(entry.at) - begun) / DAY));
      expect(days).toEqual([1, 2, 3, 4, 5]);
      for (const entry of run.history) expect((at(entry.at) - begun) % DAY).toBeLessThan(SLACK);
      expect(run.status).toBe('completed');
      const { rows } = await world.services.pool.query<{ decided_at: Date; due_at: Date }>(
        `select decided_at, due_at from ${world.app.storage}._tasks where run_id = $1`,
        [run.id],
      );
      expect((rows[0]?.decided_at.getTime() ?? 0) - (rows[0]?.due_at.getTime() ?? 0)).toBeLessThan(SLACK);
      const subjects = async (one: typeof ann, count: number): Promise<string[]> =>
        (await world.mailsTo(one, count)).map((mail) => /Subject: (\w+)/.exec(mail)?.[1] ?? '');
      expect(await subjects(sub, 1)).toEqual(['Still']);
      expect(await subjects(chief, 1)).toHaveLength(1);
      expect(await subjects(ann, 3)).toEqual(['To', 'Still', 'Still']);
    });

    it('counts a decision a moment before the deadline and refuses one after it', async () => {
      const edge = await world.person('edge', 'edge');
      const [early, late] = [await begin('edge'), await begin('edge')];
      const opened = await world.untilRun(late, (one) => one.task !== null);
      const due = at(opened.task?.due_at);
      await time.passUntil(due - 2_000);
      const decided = await decideRun(world.as(edge), early.id, 'approved', {});
      expect(story(decided)).toEqual(['step0:approved']);
      await time.passUntil(due + 1);
      await expect(decideRun(world.as(edge), late.id, 'approved', {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
      expect(story(await end(late))).toEqual(['step0:timed_out']);
      expect(story(await world.get(early))).toEqual(['step0:approved']);
    });
  });

  describe('a delivery', () => {
    it('to a receiver that never answers well is tried through its whole schedule, and is dead', async () => {
      await Ticket.of(world, { status: 'sent' });
      const started = async (): Promise<string | undefined> =>
        (
          await world.services.pool.query<{ workflow_id: string }>(
            `select workflow_id from ${world.app.storage}._starts where kind = 'delivery' and state = 'started'`,
          )
        ).rows[0]?.workflow_id;
      await expect.poll(started, { timeout: 10_000 }).toBeDefined();
      const handle = time.client.workflow.getHandle((await started()) ?? '');
      expect(await handle.result()).toMatchObject({ outcome: 'dead' });
      // 5 s, 5 min, 30 min, 2 h, 5 h and twice 10 h, each at most a tenth more.
      const planned = 5_000 + 35 * 60_000 + 27 * HOUR;
      const { startTime, closeTime } = await handle.describe();
      const took = (closeTime?.getTime() ?? 0) - startTime.getTime();
      expect(took).toBeGreaterThanOrEqual(planned);
      expect(took).toBeLessThan(planned * 1.1 + SLACK);
      expect(attempts).toHaveLength(8);
      expect(new Set(attempts).size).toBe(1);
      const { rows } = await world.services.pool.query(`select status, tries from ${world.app.storage}._deliveries`);
      expect(rows).toEqual([{ status: 'dead', tries: 8 }]);
    });
  });
});
