/** Workflows that were terminated by hand in Temporal: what they were is shown as failed, and who waits for them is told. */
import { beforeAll, describe, expect, it } from 'vitest';
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

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld(WORKFLOWS);
}, 60_000);

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
