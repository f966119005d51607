/** Workflows that were terminated by hand in Temporal: what they were is shown as failed, and who waits for them is told. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noticeTerminated, type Period } from '../../operations/notice-terminated.ts';
import { getRun, type RunAnswer } from '../../operations/processes/runs.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { ProcessState } from '../../workflows/contracts/types.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const state = (to: string) => ({ type: 'state_change', entity: 'ticket', field: 'status', to });
const set = (step: string, field: string, to: unknown) => ({
  id: step,
  type: 'action',
  actions: [{ type: 'set_field', field, value: to }],
});

const WORKFLOWS = [
  {
    name: 'outer',
    trigger: state('outer'),
    steps: [
      { id: 'inner', type: 'subprocess', workflow: 'part', on_error: 'caught', then: 'end' },
      { ...set('caught', 'priority', 'caught'), then: 'end' },
    ],
  },
  {
    name: 'part',
    trigger: { type: 'manual', entity: 'ticket' },
    steps: [{ id: 'inside', type: 'approval' }],
  },
  { name: 'waiting', trigger: state('waiting'), steps: [{ id: 'payment', type: 'wait', event: 'payment' }] },
];
const SLA = { name: 'answer', entity: 'ticket', start: "record.status = 'clocked'", stop: "record.status = 'closed'", target: '1h' };
const HOOK = { id: 'refused', name: 'refused', entity: 'ticket', condition: "record.status = 'sent'" };

let world: ProcessWorld;
let attempts = 0;
const receiver = http.createServer((_, response) => {
  attempts++;
  response.writeHead(500).end();
});
beforeAll(async () => {
  receiver.listen(0, '127.0.0.1');
  await new Promise((resolve) => receiver.once('listening', resolve));
  const { port } = receiver.address() as AddressInfo;
  const webhooks = [{ ...HOOK, url: `http://127.0.0.1:${port}/`, retry: { max_attempts: 3, backoff: 'fixed', initial: '1h' } }];
  world = await processWorld(WORKFLOWS, { slas: [SLA], webhooks }, { WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8' });
}, 60_000);
afterAll(() => receiver.close());

async function ticketIn(status: string): Promise<string> {
  const ticket = await world.ticket({ title: 'T', status });
  await world.change(ticket, 'update', { id: ticket, title: 'T', status }, { status: 'new' });
  return ticket;
}

async function ofWorkflow(record: string, name: string): Promise<RunAnswer> {
  const [row] = await run<{ id: string }>(
    world.services.pool,
    sql`select id from ${id(world.app.storage, '_runs')} where record_id = ${value(record)} and workflow_name = ${value(name)}`,
  );
  return getRun(world.admin, row?.id ?? '');
}

/** As Temporal has it after a continue-as-new: another execution under the same id, which begins with what the first one had come to. */
async function continueAsNew({ id: runId, temporal_workflow_id: workflowId }: RunAnswer): Promise<void> {
  const [row] = await run<{ state: ProcessState; input: object }>(
    world.services.pool,
    sql`select r.state, s.input from ${id(world.app.storage, '_runs')} r join ${id(world.app.storage, '_starts')} s on s.workflow_id = r.workflow_id
        where r.id = ${value(runId, 'uuid')}`,
  );
  const client = await world.services.temporal.client();
  await client.workflow.start('process', {
    workflowId,
    taskQueue: 'durabase-control',
    args: [{ ...row?.input, state: row?.state }],
    workflowIdConflictPolicy: 'TERMINATE_EXISTING',
  });
}

const terminate = async (workflowId: string): Promise<void> => {
  const client = await world.services.temporal.client();
  await client.workflow.getHandle(workflowId).terminate('by hand');
};

describe('a run whose workflow was terminated in Temporal', () => {
  it('has failed, with what it had open closed', async () => {
    const ticket = await ticketIn('waiting');
    const waiting = await world.until(ticket, (one) => one.current_step_deadline === null && one.current_step === 'payment');
    await terminate(waiting.temporal_workflow_id);
    const failed = await world.until(ticket, (one) => one.status !== 'running', 40_000);
    expect(failed).toMatchObject({ status: 'failed', current_step: 'payment' });
    expect(failed.error).toMatch(/terminated in Temporal: by hand/);
    expect(failed.history.at(-1)).toMatchObject({ step: 'payment', status: 'failed' });
    const waits = await run(
      world.services.pool,
      sql`select 1 from ${id(world.app.storage, '_waits')} where run_id = ${value(waiting.id, 'uuid')}`,
    );
    expect(waits).toEqual([]);
  }, 60_000);

  it('is told to the run that waits for it, though that was continued as new', async () => {
    const ticket = await ticketIn('outer');
    const inner = await world.until(ticket, (one) => one.workflow_name === 'part' && one.task !== null);
    const outer = await ofWorkflow(ticket, 'outer');
    await continueAsNew(outer);
    await terminate(inner.temporal_workflow_id);
    await expect.poll(async () => (await getRun(world.admin, outer.id)).status, { timeout: 40_000 }).toBe('completed');
    expect(await world.ticketRow(ticket)).toMatchObject({ priority: 'caught' });
    const ended = await getRun(world.admin, outer.id);
    expect(ended.history.map((entry) => `${entry.step}:${entry.status}`)).toEqual(['inner:failed', 'caught:completed']);
    expect(ended.history[0]?.error).toMatch(/terminated in Temporal/);
    expect(await getRun(world.admin, inner.id)).toMatchObject({ status: 'failed', tasks: [] });
  }, 60_000);
});

/** Of `_clocks` or `_deliveries`, with the id of its workflow. */
async function rowOf(table: '_clocks' | '_deliveries', record: string): Promise<Record<string, unknown> | undefined> {
  const { rows } = await world.services.pool.query<Record<string, unknown>>(
    `select * from ${world.app.storage}.${table} where record_id = $1`,
    [record],
  );
  return rows[0];
}

it('a clock whose workflow was terminated or cancelled in Temporal is started again, and is where the events say', async () => {
  const client = await world.services.temporal.client();
  const ends = [terminate, async (workflowId: string) => void (await client.workflow.getHandle(workflowId).cancel())];
  const clocked = await Promise.all(
    ends.map(async (end) => {
      const ticket = await ticketIn('clocked');
      await expect.poll(async () => (await rowOf('_clocks', ticket))?.['state'], { timeout: 20_000 }).toBe('running');
      const workflowId = String((await rowOf('_clocks', ticket))?.['workflow_id']);
      const status = async (): Promise<string> => (await client.workflow.getHandle(workflowId).describe()).status.name;
      await expect.poll(() => status().catch(() => 'none'), { timeout: 20_000 }).toBe('RUNNING');
      await end(workflowId);
      await expect.poll(status).not.toBe('RUNNING');
      return { ticket, status };
    }),
  );
  for (const { ticket, status } of clocked) {
    await expect.poll(status, { timeout: 40_000 }).toBe('RUNNING');
    await world.change(ticket, 'update', { id: ticket, title: 'T', status: 'closed' }, { status: 'clocked' });
    await expect.poll(async () => (await rowOf('_clocks', ticket))?.['state'], { timeout: 20_000 }).toBe('met');
  }
}, 90_000);

it('a delivery whose workflow was terminated in Temporal is dead, with the reason', async () => {
  const ticket = await ticketIn('sent');
  await expect.poll(async () => (await rowOf('_deliveries', ticket))?.['status'], { timeout: 20_000 }).toBe('retrying');
  // Nobody waits an hour for its start.
  await world.services.pool.query(`update ${world.app.storage}._starts set due_at = now() where kind = 'delivery'`);
  await world.services.pool.query(
    `insert into durabase.work (app, kind, due_at) values ($1, 'starts', now()) on conflict (app, kind) do update set due_at = now()`,
    [world.app.id],
  );
  const row = await rowOf('_deliveries', ticket);
  const workflowId = `delivery/${world.app.id}/${String(row?.['event_seq'])}.refused.0`;
  const client = await world.services.temporal.client();
  const status = async (): Promise<string> => (await client.workflow.getHandle(workflowId).describe()).status.name;
  await expect.poll(() => status().catch(() => 'none'), { timeout: 20_000 }).toBe('RUNNING');
  await terminate(workflowId);
  await expect.poll(async () => (await rowOf('_deliveries', ticket))?.['status'], { timeout: 40_000 }).toBe('dead');
  expect((await rowOf('_deliveries', ticket))?.['reason']).toBe('Its workflow was terminated in Temporal: by hand');
  expect(attempts).toBe(1);
}, 90_000);

it('what is more than is looked at in one pass is looked at in the next', async () => {
  const runs: string[] = [];
  const client = await world.services.temporal.client();
  for (let index = 0; index < 3; index++) {
    const workflowId = `process/${world.app.id}/${String(index)}.lost`;
    await client.workflow.start('process', { workflowId, taskQueue: 'nobody', args: [] });
    await world.services.pool.query(
      `insert into ${world.app.storage}._runs (id, workflow_id, definition_id, workflow_name, schema_version, status, current_step)
       values (gen_random_uuid(), $1, 'lost', 'lost', 1, 'running', 'x')`,
      [workflowId],
    );
    await terminate(workflowId);
    runs.push(workflowId);
  }
  const failed = async (): Promise<number> =>
    (
      await world.services.pool.query(
        `select 1 from ${world.app.storage}._runs where workflow_id = any($1) and status = 'failed' and error like '%by hand%'`,
        [runs],
      )
    ).rows.length;
  const first: Period = { since: new Date(Date.now() - 600_000) };
  await expect
    .poll(
      async () => {
        let passes = 0;
        let period = first;
        do {
          period = await noticeTerminated(world.services, period, 1);
          passes++;
        } while (period.before !== undefined);
        expect(period.since.getTime()).toBeGreaterThan(first.since.getTime());
        return passes > 3 && (await failed());
      },
      { timeout: 20_000 },
    )
    .toBe(3);
}, 60_000);
