/** What an operator does to a run that rests, through the api's operations and a real worker; and what Temporal shows of it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import { cancelRun, retryRun, rewindRun, skipRun } from '../../operations/processes/operate.ts';
import { operateMany } from '../../operations/processes/operate-many.ts';
import type { RunAnswer } from '../../operations/processes/runs.ts';
import { recordHistories } from '../replay/record.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const state = (to: string) => ({ type: 'state_change', entity: 'ticket', field: 'status', to });
const GONE = '00000000-0000-7000-8000-00000000dead';
const makeAgent = (email: string) => ({ type: 'create_record', entity: 'agent', fields: { email }, save_as: 'made' });
const failing = (id: string) => ({ id, type: 'action', actions: [{ type: 'delete_record', record_id: GONE }] });
const ask = (id: string, extra: object = {}) => ({ id, type: 'approval', allow_self_approval: true, ...extra });

const WORKFLOWS = [
  {
    name: 'edited',
    trigger: state('edited'),
    context: { target: `"${GONE}"`, kept: 'yes' },
    steps: [
      {
        id: 'move',
        type: 'action',
        actions: [makeAgent('once@example.com'), { type: 'update_record', record_id: 'context.target', fields: { title: 'found' } }],
      },
    ],
  },
  {
    name: 'fixed',
    trigger: state('fixed'),
    steps: [{ id: 'move', type: 'action', actions: [{ type: 'delete_record', record_id: GONE }] }],
  },
  {
    name: 'back',
    trigger: state('back'),
    steps: [
      { id: 'make', type: 'action', actions: [makeAgent('again@example.com')], then: 'ask' },
      ask('ask', { on_approve: 'pay' }),
      { id: 'pay', type: 'wait', event: 'payment', then: 'pause', timeout: '7d', on_timeout: 'never' },
      { id: 'pause', type: 'wait', duration: '30d', then: 'never' },
      { id: 'never', type: 'action', actions: [{ type: 'set_field', field: 'priority', value: 'never' }] },
    ],
  },
  {
    name: 'branching',
    trigger: state('branching'),
    steps: [
      { id: 'first', type: 'condition', expression: 'true', on_true: 'split' },
      { id: 'split', type: 'parallel', branches: [{ steps: [ask('left')] }, { steps: [ask('right')] }] },
    ],
  },
  {
    name: 'stuck_twice',
    trigger: state('stuck_twice'),
    steps: [{ id: 'split', type: 'parallel', branches: [{ steps: [failing('left')] }, { steps: [failing('right')] }] }],
  },
];

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld(WORKFLOWS);
}, 60_000);
afterAll(() => recordHistories(world.services, 'process', recorded));
/** Case by workflow id: kept as histories when RECORD_HISTORIES is set. */
const recorded = new Map<string, string>();

async function ticketIn(status: string): Promise<string> {
  const id = await world.ticket({ title: 'T', status });
  await world.change(id, 'update', { id, title: 'T', status }, { status: 'new' });
  return id;
}
const told = (run: RunAnswer): string[] => run.history.map((entry) => `${entry.step}:${entry.status}`);
const count = async (email: string): Promise<number> =>
  (await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa.agent where email = $1`, [email])).rows.length;
const audited = async (run: string): Promise<unknown[]> =>
  (await world.services.pool.query(`select action, detail from durabase.audit where target = $1 order by number`, [run])).rows;

describe('a retry with edited input', () => {
  it('takes the values into the context, does not repeat what was done, and names what was edited', async () => {
    const id = await ticketIn('edited');
    const stuck = await world.until(id, (one) => one.is_stuck);
    await retryRun(world.admin, stuck.id, { context: { target: id, added: { deep: 1 } } });
    const done = await world.until(id, (one) => one.status === 'completed');
    recorded.set(done.temporal_workflow_id, 'retried-with-edits');
    expect(await world.ticketRow(id)).toMatchObject({ title: 'found' });
    expect(done.context).toMatchObject({ target: id, added: { deep: 1 }, kept: 'yes' });
    expect(done.history[1]).toMatchObject({ status: 'retried', by: 'operator', changed: ['context.target', 'context.added'] });
    expect(await count('once@example.com')).toBe(1);
    expect(await audited(stuck.id)).toMatchObject([
      { action: 'run.retry', detail: { workflow: 'edited', step: 'move', context: ['target', 'added'], actions: [] } },
    ]);
    expect(JSON.stringify(await audited(stuck.id))).not.toContain(id);
  });

  it('takes another action in place of the failed one, of the same kind only, this once', async () => {
    const id = await ticketIn('fixed');
    const stuck = await world.until(id, (one) => one.is_stuck);
    const retry = (actions: object) => retryRun(world.admin, stuck.id, { actions });
    await expect(retry({ 1: { type: 'delete_record', record_id: id } })).rejects.toThrow(/has 1 actions/);
    await expect(retry({ 0: { type: 'set_field', field: 'priority', value: 'x' } })).rejects.toThrow(/only its values/);
    await expect(retry({ 0: { type: 'delete_record', nonsense: 1 } })).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(retryRun(world.admin, stuck.id, { context: { a: 'x'.repeat(70_000) } })).rejects.toMatchObject({ code: 'TOO_LARGE' });
    await expect(retryRun(world.admin, stuck.id, { context: { a: '\0' } })).rejects.toMatchObject({ code: 'INVALID_PAYLOAD' });
    const other = await world.ticket({ title: 'other' });
    await retry({ 0: { type: 'delete_record', record_id: other } });
    const done = await world.until(id, (one) => one.status === 'completed');
    expect(await world.ticketRow(other)).toEqual({});
    expect(done.history[1]).toMatchObject({ status: 'retried', changed: ['actions.0'] });
  });
});

describe('a run in which several steps failed', () => {
  const stuckTwice = async (): Promise<RunAnswer> =>
    world.until(await ticketIn('stuck_twice'), (one) => one.current_steps.filter(({ error }) => error !== null).length === 2);

  it('wants to be told which one is meant, and says which there are', async () => {
    const stuck = await stuckTwice();
    const named = {
      code: 'INVALID_STATE',
      message: expect.stringMatching(/"left" \(strand "split\.1\.1"\), "right" \(strand "split\.1\.2"\)/) as string,
    };
    await expect(retryRun(world.admin, stuck.id)).rejects.toMatchObject(named);
    await expect(skipRun(world.admin, stuck.id)).rejects.toMatchObject(named);
    await expect(skipRun(world.admin, stuck.id, { step: 'nowhere' })).rejects.toMatchObject(named);
    await expect(retryRun(world.admin, stuck.id, { strand: 'split.1.3' })).rejects.toMatchObject(named);
    await expect(skipRun(world.admin, stuck.id, { other: 1 })).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    const left = await skipRun(world.admin, stuck.id, { step: 'left' });
    expect(told(left).filter((entry) => entry.endsWith(':skipped'))).toEqual(['left:skipped']);
    expect(left.is_stuck).toBe(true);
    expect(await audited(stuck.id)).toMatchObject([{ action: 'run.skip', detail: { step: 'left' } }]);
    await skipRun(world.admin, stuck.id, { strand: 'split.1.2' });
    const done = await world.until(stuck.record_id ?? '', (one) => one.status === 'completed');
    expect(told(done).filter((entry) => entry.endsWith(':skipped'))).toEqual(['left:skipped', 'right:skipped']);
    recorded.set(done.temporal_workflow_id, 'skipped-one-by-one');
  });

  it('is operated on with many others by the step that is named', async () => {
    const stuck = await stuckTwice();
    const operate = (body: object) => operateMany(world.admin, { action: 'skip', filter: { workflow: 'stuck_twice' }, ...body });
    await expect(operateMany(world.admin, { action: 'cancel', step: 'left' })).rejects.toThrow(/cancelled as a whole/);
    const { text } = await operate({ step: 'right' });
    expect(JSON.parse(text)).toMatchObject({ data: { action: 'skip', step: 'right', strand: null, total: 1 } });
    const left = await world.until(stuck.record_id ?? '', (one) => told(one).includes('right:skipped'));
    expect(left.current_steps.filter(({ error }) => error !== null)).toMatchObject([{ step: 'left' }]);
    await operate({});
    await world.until(stuck.record_id ?? '', (one) => one.status === 'completed');
  });
});

describe('rewinding', () => {
  it('goes back from a task and from a wait, closes what was open, and does the step anew', async () => {
    const id = await ticketIn('back');
    const asked = await world.until(id, (one) => one.task !== null);
    const firstTask = asked.task?.id ?? '';
    const back = await rewindRun(world.admin, asked.id, { to: 'make', comment: 'once more' });
    expect(back).toMatchObject({ current_step: 'ask', status: 'running' });
    expect(back.task?.id).not.toBe(firstTask);
    expect(told(back)).toEqual(['make:completed', 'ask:rewound', 'make:completed']);
    expect(back.history[1]).toMatchObject({ back_to: 'make', by: 'operator', comment: 'once more' });
    expect(await count('again@example.com')).toBe(2);
    const { rows } = await world.services.pool.query(`select state from app_aaaaaaaaaaaa._tasks where id = $1`, [firstTask]);
    expect(rows).toEqual([{ state: 'cancelled' }]);
    await expect(decideRun(world.admin, back.id, 'approved', { task: firstTask })).rejects.toMatchObject({
      status: expect.any(Number) as number,
    });

    const waiting = await decideRun(world.admin, back.id, 'approved', {});
    expect(waiting.current_step).toBe('pay');
    const waits = async () =>
      (await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa._waits where run_id = $1`, [back.id])).rows.length;
    expect(await waits()).toBe(1);
    const again = await rewindRun(world.admin, back.id, { to: 'ask' });
    expect(again).toMatchObject({ current_step: 'ask', current_step_deadline: null });
    expect(again.task).not.toBeNull();
    expect(await waits()).toBe(0);
    expect(await audited(back.id)).toMatchObject([{ action: 'run.rewind', detail: { from: 'ask', to: 'make' } }, { action: 'run.rewind' }]);
    const ended = await cancelRun(world.admin, back.id);
    recorded.set(ended.temporal_workflow_id, 'rewound');
    await expect(rewindRun(world.admin, back.id, { to: 'make' })).rejects.toThrow(/cancelled already/);
  });

  it('is refused with the reason', async () => {
    const asked = await world.until(await ticketIn('back'), (one) => one.task !== null);
    const to = (step: string) => rewindRun(world.admin, asked.id, { to: step });
    await expect(to('nowhere')).rejects.toThrow(/no step "nowhere"/);
    await expect(to('pay')).rejects.toThrow(/has not been at the step "pay"/);
    await expect(to('ask')).rejects.toThrow(/at the step "ask" already/);
    const split = await world.until(await ticketIn('branching'), (one) => one.tasks.length === 2);
    await expect(rewindRun(world.admin, split.id, { to: 'first' })).rejects.toThrow(/branches/);
    const anybody = world.as(await world.user('some@example.com', []));
    await expect(rewindRun(anybody, asked.id, { to: 'make' })).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });
});

describe('the Temporal Web UI', () => {
  it('finds a stuck run and tells its story', async () => {
    const id = await ticketIn('fixed');
    const stuck = await world.until(id, (one) => one.is_stuck);
    const client = await world.services.temporal.client();
    const found = async (query: string): Promise<string[]> => {
      const ids: string[] = [];
      for await (const run of client.workflow.list({ query })) ids.push(run.workflowId);
      return ids;
    };
    const where = `AppId = "${world.app.id}" and WorkflowType = "process" and Entity = "ticket" and RecordId = "${id}"`;
    await vi.waitFor(async () => expect(await found(`${where} and State = "stuck"`)).toEqual([stuck.temporal_workflow_id]), {
      timeout: 10_000,
    });
    const handle = client.workflow.getHandle(stuck.temporal_workflow_id);
    const description = await handle.describe();
    expect(await description.staticSummary()).toBe('fixed (state_change of ticket)');
    const { currentDetails } = await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata');
    expect(currentDetails).toMatch(/^\*\*fixed\*\* is at `move` \(action\) failed: .*Retry, skip or cancel it\./);
    const { events } = await handle.fetchHistory();
    const summaries = (events ?? [])
      .flatMap(({ userMetadata }) => userMetadata?.summary?.data ?? [])
      .map((bytes) => Buffer.from(bytes).toString());
    expect(summaries).toContain('"move: delete_record"');
    await skipRun(world.admin, stuck.id);
    await vi.waitFor(async () => expect(await found(`${where} and State = "completed"`)).toHaveLength(1), { timeout: 10_000 });
  });
});
