/**
 * What is told of a task, a wait or a run within before the run has opened it: as after the loss of the workflow task that opened it,
 * when everybody sees it and the run opens it a second time.
 */
import { beforeAll, expect, it } from 'vitest';
import { actorRef } from '../../operations/actor-ref.ts';
import { childEndedSignal, decideTaskUpdate, eventSignal } from '../../workflows/contracts/messages.ts';
import { visitId } from '../../workflows/process/state.ts';
import { getRun, type RunAnswer } from '../../operations/processes/runs.ts';
import { APPROVER_ROLE, processWorld, type ProcessWorld } from './process-world.ts';

const pause = { id: 'pause', type: 'wait', duration: '1500ms', then: 'late' };
const mark = (priority: string) => ({ id: priority, type: 'action', actions: [{ type: 'set_field', field: 'priority', value: priority }] });
const workflow = (name: string, ...steps: object[]) => ({
  name,
  trigger: { type: 'state_change', entity: 'ticket', field: 'status', to: name },
  steps: [pause, ...steps],
});

const WORKFLOWS = [
  workflow(
    'paid',
    { id: 'late', type: 'wait', event: 'record_updated', entity: 'ticket', match: 'event.data.title = "paid"', then: 'done' },
    mark('done'),
  ),
  workflow('asked', { id: 'late', type: 'approval', assignee: { type: 'role', role: APPROVER_ROLE }, on_approve: 'done' }, mark('done')),
  workflow('outer', { id: 'late', type: 'subprocess', workflow: 'part', on_error: 'done', then: 'end' }, mark('done')),
  { name: 'part', trigger: { type: 'manual', entity: 'ticket' }, steps: [{ id: 'long', type: 'wait', duration: '1h' }] },
];

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld(WORKFLOWS);
}, 60_000);

async function pausing(status: string): Promise<RunAnswer> {
  const ticket = await world.ticket({ title: 'T', status });
  await world.change(ticket, 'update', { id: ticket, title: 'T', status }, { status: 'new' });
  return world.until(ticket, (run) => run.current_step === 'pause');
}

const handleOf = async ({ temporal_workflow_id: workflowId }: RunAnswer) =>
  (await world.services.temporal.client()).workflow.getHandle(workflowId);

async function endOf({ id, record_id: record }: RunAnswer): Promise<string[]> {
  await expect.poll(async () => (await getRun(world.admin, id)).status, { timeout: 30_000 }).toBe('completed');
  expect(await world.ticketRow(record ?? '')).toMatchObject({ priority: 'done' });
  return (await getRun(world.admin, id)).history.map(({ step, status }) => `${step}:${status}`);
}

it('an event counts', async () => {
  const run = await pausing('paid');
  const other = await world.ticket({ title: 'other', status: 'open' });
  const meant = await world.change(other, 'update', { id: other, title: 'paid' }, { title: 'other' });
  const handle = await handleOf(run);
  for (const seq of [meant, meant]) await handle.signal(eventSignal, { waitId: visitId(run.id, 2), seq });
  expect(await endOf(run)).toEqual(['pause:completed', 'late:completed', 'done:completed']);
}, 60_000);

it('a decision counts, and is answered when the task is open', async () => {
  const run = await pausing('asked');
  const lead = await world.user('lead@desk.test', [APPROVER_ROLE]);
  const handle = await handleOf(run);
  const decision = { taskId: visitId(run.id, 2), decision: 'approved', actor: actorRef(lead), key: 'early' } as const;
  await handle.executeUpdate(decideTaskUpdate, { args: [decision], updateId: 'early' });
  expect(await endOf(run)).toEqual(['pause:completed', 'late:approved', 'done:completed']);
}, 60_000);

it('a decision about a task of no visit to come is refused at once', async () => {
  const run = await pausing('asked');
  const lead = await world.user('other@desk.test', [APPROVER_ROLE]);
  const decision = { taskId: visitId(run.id, 1), decision: 'approved', actor: actorRef(lead), key: 'past' } as const;
  const handle = await handleOf(run);
  await expect(handle.executeUpdate(decideTaskUpdate, { args: [decision], updateId: 'past' })).rejects.toThrow();
});

it('the end of a run within counts', async () => {
  const run = await pausing('outer');
  const workflowId = `process/${world.app.id}/${run.id}-2.0.part`;
  const outcome = { status: 'failed', error: 'It was terminated.', context: {} } as const;
  await (await handleOf(run)).signal(childEndedSignal, { workflowId, outcome });
  expect(await endOf(run)).toEqual(['pause:completed', 'late:failed', 'done:completed']);
}, 60_000);
