/** Temporal's database is lost: a worker over the old Postgres and a fresh namespace goes on with what was open. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { pino } from 'pino';
import { command } from '../../cli/commands/temporal.ts';
import { decideRun } from '../../operations/approvals/decide.ts';
import { rewindRun, skipRun } from '../../operations/processes/operate.ts';
import { getRun, type RunAnswer } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { createServices } from '../../operations/services.ts';
import { startWorker } from '../../workers/main.ts';
import { scheduleId } from '../../workflows/contracts/ids.ts';
import { workflowBundle } from '../support/temporal.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const state = (to: string) => ({ type: 'state_change', entity: 'ticket', field: 'status', to });
const set = (id: string, field: string, to: unknown) => ({ id, type: 'action', actions: [{ type: 'set_field', field, value: to }] });
const makeAgent = (email: string) => ({ type: 'create_record', entity: 'agent', fields: { email } });
const ask = (id: string, then: string) => ({ id, type: 'approval', allow_self_approval: true, on_approve: then });

const WORKFLOWS = [
  {
    name: 'asked',
    trigger: state('asked'),
    steps: [
      { id: 'make', type: 'action', actions: [makeAgent('once@example.com')], then: 'ask' },
      ask('ask', 'done'),
      set('done', 'priority', 'approved'),
    ],
  },
  {
    name: 'outer',
    trigger: state('outer'),
    steps: [{ id: 'inner', type: 'subprocess', workflow: 'part', then: 'done' }, set('done', 'priority', 'joined')],
  },
  { name: 'part', trigger: { type: 'manual', entity: 'ticket' }, steps: [ask('inside', 'end')] },
  {
    name: 'paid',
    trigger: state('paid'),
    steps: [{ id: 'pay', type: 'wait', event: 'payment', then: 'done' }, set('done', 'priority', 'paid')],
  },
  {
    name: 'payer',
    trigger: { type: 'manual' },
    steps: [{ id: 'send', type: 'action', actions: [{ type: 'send_event', event: 'payment' }] }],
  },
  {
    name: 'items',
    trigger: state('items'),
    context: { names: ['x', 'y'] },
    steps: [
      { id: 'first', type: 'condition', expression: 'true', on_true: 'all' },
      {
        id: 'all',
        type: 'foreach',
        items: 'context.names',
        as: 'name',
        steps: [
          { id: 'each', type: 'action', actions: [makeAgent('item@example.com')], then: 'rest' },
          { id: 'rest', type: 'wait', duration: '30d' },
        ],
        then: 'done',
      },
      set('done', 'priority', 'items'),
    ],
  },
  { name: 'yearly', trigger: { type: 'schedule', cron: '0 4 1 1 *' }, steps: [set('never', 'priority', 'x')] },
];
const SLA = { name: 'answer', entity: 'ticket', start: "record.status = 'clocked'", stop: "record.status = 'closed'", target: '1h' };

const receiver = http.createServer((_, response) => void response.writeHead(500).end());

let world: ProcessWorld;
const open: Record<string, { ticket: string; run: RunAnswer }> = {};
let clocked = '';
let output = '';

async function ticketIn(status: string): Promise<string> {
  const id = await world.ticket({ title: 'T', status });
  await world.change(id, 'update', { id, title: 'T', status }, { status: 'new' });
  return id;
}
const ofTicket = async (ticket: string, name: string): Promise<RunAnswer> => {
  const { rows } = await world.services.pool.query<{ id: string }>(
    `select id from app_aaaaaaaaaaaa._runs where record_id = $1 and workflow_name = $2`,
    [ticket, name],
  );
  return getRun(world.admin, rows[0]?.id ?? '');
};
const count = async (email: string): Promise<number> =>
  (await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa.agent where email = $1`, [email])).rows.length;
const clocks = async (): Promise<unknown[]> =>
  (await world.services.pool.query(`select record_id, state, stopped_at is null as open from app_aaaaaaaaaaaa._clocks`)).rows;

interface Retried {
  readonly workflow_id: string;
  readonly status: string;
  readonly tries: number;
}
const retried = async (): Promise<Retried[]> =>
  (
    await world.services.pool.query<Retried>(
      `select 'delivery/aaaaaaaaaaaa/' || event_seq || '.' || webhook || '.' || round as workflow_id, status, tries from app_aaaaaaaaaaaa._deliveries`,
    )
  ).rows;
async function hasSchedule({ services }: Pick<ProcessWorld, 'services'>): Promise<boolean> {
  const { schedule } = await services.temporal.client();
  return schedule
    .getHandle(scheduleId('aaaaaaaaaaaa', 'yearly'))
    .describe()
    .then(
      () => true,
      () => false,
    );
}

/** The same database, and a Temporal that knows nothing. */
async function loseTemporal(): Promise<void> {
  await world.worker.close();
  const config = { ...world.config, temporal: { ...world.config.temporal, namespace: `${world.config.temporal.namespace}-new` } };
  const services = await createServices(config, 'worker', pino({ level: 'error' }));
  const worker = await startWorker(config, { log: pino({ level: 'error' }), bundlePath: await workflowBundle() });
  while (worker.health().temporal !== 'running') await new Promise((resolve) => setTimeout(resolve, 25));
  world.worker = worker;
  world = { ...world, config, services, admin: { ...world.admin, services } };
}

async function restore(...args: string[]): Promise<unknown> {
  vi.stubEnv('DATABASE_URL', world.config.databaseUrl ?? '');
  const write = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    output = String(text);
    return true;
  });
  try {
    expect(await command.run(['restore', '--json', ...args])).toBe(0);
  } finally {
    write.mockRestore();
    vi.unstubAllEnvs();
  }
  return JSON.parse(output);
}

beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  const retry = { max_attempts: 3, backoff: 'fixed', initial: '1h' };
  const hook = { id: 'refused', name: 'refused', entity: 'ticket', condition: "record.status = 'sent'", url, retry };
  world = await processWorld(WORKFLOWS, { slas: [SLA], webhooks: [hook] }, { WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' });
  const at = async (name: string, isThere: (one: RunAnswer) => boolean): Promise<void> => {
    const ticket = await ticketIn(name);
    open[name] = { ticket, run: await world.until(ticket, isThere) };
  };
  await at('asked', (one) => one.task !== null);
  await at('paid', (one) => one.current_step === 'pay');
  await at('outer', (one) => one.workflow_name === 'part' && one.task !== null);
  const { ticket: outer } = open['outer'] ?? { ticket: '' };
  open['outer'] = { ticket: outer, run: await ofTicket(outer, 'outer') };
  await at('items', (one) => one.current_step === 'all');
  await vi.waitFor(async () => expect(await count('item@example.com')).toBe(1), { timeout: 20_000 });
  clocked = await ticketIn('clocked');
  await vi.waitFor(async () => expect(await clocks()).toEqual([{ record_id: clocked, state: 'running', open: true }]), { timeout: 20_000 });
  await ticketIn('sent');
  await vi.waitFor(async () => expect(await retried()).toMatchObject([{ status: 'retrying', tries: 1 }]), { timeout: 20_000 });
  await vi.waitFor(async () => expect(await hasSchedule(world)).toBe(true), { timeout: 20_000 });
  await loseTemporal();
  // A step of an item that nothing was shown of had come further.
  await world.services.pool.query(
    `insert into app_aaaaaaaaaaaa._effects (key, result) values ('process/aaaaaaaaaaaa/' || $1 || '/99/0', '{}')`,
    [open['items']?.run.id],
  );
}, 120_000);
afterAll(async () => {
  receiver.close();
  await world.services.close();
});

describe('restoring', () => {
  it('says what there is without doing it, then queues it', async () => {
    const said = { app: 'desk', runs: 4, stuck: 1, clocks: 1, deliveries: 1, starts: 0, refused: [] };
    expect(await restore('--dry-run')).toMatchObject([said]);
    const { rows } = await world.services.pool.query(
      `select 1 from app_aaaaaaaaaaaa._starts where state = 'pending' and kind <> 'delivery'`,
    );
    expect(rows).toEqual([]);
    expect(await restore()).toMatchObject([said]);
  });

  it('goes on with a task, and repeats nothing', async () => {
    const { ticket, run } = open['asked'] ?? { ticket: '', run: undefined };
    await expect
      .poll(async () => decideRun(world.admin, run?.id ?? '', 'approved', {}).then(() => 'decided', String), { timeout: 20_000 })
      .toBe('decided');
    const done = await world.until(ticket, (one) => one.status === 'completed');
    expect(await world.ticketRow(ticket)).toMatchObject({ priority: 'approved' });
    expect(await count('once@example.com')).toBe(1);
    expect(done.history.map((entry) => `${entry.step}:${entry.status}`)).toEqual([
      'make:completed',
      'ask:restored',
      'ask:approved',
      'done:completed',
    ]);
  });

  it('goes on with a wait, and with the run that waits for another', async () => {
    await startRun(world.admin, 'payer', {});
    await world.until(open['paid']?.ticket ?? '', (one) => one.status === 'completed');
    const part = await ofTicket(open['outer']?.ticket ?? '', 'part');
    await decideRun(world.admin, part.id, 'approved', {});
    await expect.poll(async () => (await world.ticketRow(open['outer']?.ticket ?? ''))['priority'], { timeout: 20_000 }).toBe('joined');
  });

  it('shows a run stuck, with the reason, where what it did is not recorded', async () => {
    const { ticket, run } = open['items'] ?? { ticket: '', run: undefined };
    const stuck = await world.until(ticket, (one) => one.is_stuck);
    expect(stuck).toMatchObject({ current_step: 'all', error: expect.stringMatching(/Temporal lost this run/) as string });
    expect(await count('item@example.com')).toBe(1);
    await rewindRun(world.admin, run?.id ?? '', { to: 'first' });
    await expect.poll(() => count('item@example.com'), { timeout: 20_000 }).toBe(2);
    await expect(skipRun(world.admin, run?.id ?? '')).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('keeps clocks going', async () => {
    await world.change(clocked, 'update', { id: clocked, title: 'T', status: 'closed' }, { status: 'clocked' });
    await expect.poll(clocks, { timeout: 20_000 }).toEqual([{ record_id: clocked, state: 'met', open: false }]);
  });

  it('repeats deliveries at their time, and makes schedules anew', async () => {
    const [row] = await retried();
    const { workflow } = await world.services.temporal.client();
    const handle = workflow.getHandle(row?.workflow_id ?? '');
    await expect.poll(async () => (await handle.describe()).status.name, { timeout: 20_000 }).toBe('RUNNING');
    const { events = [] } = await handle.fetchHistory();
    const timers = (events ?? []).flatMap((event) => event.timerStartedEventAttributes?.startToFireTimeout?.seconds ?? []);
    expect(timers.map(Number).every((seconds) => seconds > 3_000)).toBe(true);
    expect(await retried()).toMatchObject([{ status: 'retrying', tries: 1 }]);
    await expect.poll(() => hasSchedule(world), { timeout: 20_000 }).toBe(true);
  });

  it('done once more changes nothing', async () => {
    await restore();
    await expect
      .poll(async () => (await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa._starts where state = 'pending'`)).rows)
      .toEqual([]);
    expect((await getRun(world.admin, open['asked']?.run.id ?? '')).status).toBe('completed');
  });
});
