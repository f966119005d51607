import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import { getRun } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { listPending } from '../../operations/processes/list.ts';
import { cancelRun, retryRun, skipRun } from '../../operations/processes/operate.ts';
import { recordHistories } from '../replay/record.ts';
import { APPROVER_ROLE, processWorld, type ProcessWorld } from './process-world.ts';

const ESCALATION = {
  id: 'escalation',
  name: 'escalation',
  trigger: { type: 'state_change', entity: 'ticket', field: 'priority', to: 'critical' },
  context: { ticket: 'trigger.record_id', title: 'trigger.record.title', kind: 'purchase_order' },
  steps: [
    {
      id: 'lead',
      type: 'approval',
      assignee: { type: 'role', role: APPROVER_ROLE },
      timeout: '48h',
      on_approve: 'check',
      on_reject: 'end',
      on_timeout: 'end',
    },
    { id: 'check', type: 'condition', expression: 'context.kind = "purchase_order"', on_true: 'end', on_false: 'lead' },
  ],
};

const state = (to: string) => ({ type: 'state_change', entity: 'ticket', field: 'status', to });

const TIMED = {
  id: 'timed',
  name: 'timed',
  trigger: state('timed'),
  steps: [
    { id: 'ask', type: 'approval', timeout: '1s', on_timeout: 'pause' },
    { id: 'pause', type: 'wait', duration: '300ms', then: 'escalate' },
    {
      id: 'escalate',
      type: 'action',
      actions: [
        { type: 'set_field', field: 'status', value: 'escalated' },
        { type: 'set_field', field: 'escalated_at', value: 'now' },
      ],
    },
  ],
};
const SILENT = { id: 'silent', name: 'silent', trigger: state('silent'), steps: [{ id: 'ask', type: 'approval', timeout: '300ms' }] };
const ACTING = {
  id: 'acting',
  name: 'acting',
  trigger: state('acting'),
  context: { original: 'record.title' },
  steps: [
    {
      id: 'copy',
      type: 'action',
      then: 'ask',
      actions: [
        { type: 'create_record', entity: 'ticket', fields: { title: 'context.original', status: 'copy' }, save_as: 'copied' },
        { type: 'update_record', record_id: 'context.copied.id', fields: { priority: 'low' } },
        { type: 'send_event', event: 'copied', data: { id: 'context.copied.id' } },
      ],
    },
    {
      id: 'ask',
      type: 'approval',
      assignee: { type: 'relation', path: 'record.agent.email' },
      comment_required: true,
      on_approve: 'erase',
    },
    { id: 'erase', type: 'action', actions: [{ type: 'delete_record', record_id: 'context.copied.id' }] },
  ],
};
const FAILING = {
  id: 'failing',
  name: 'failing',
  trigger: state('failing'),
  steps: [
    {
      id: 'first',
      type: 'action',
      then: 'second',
      actions: [
        { type: 'create_record', entity: 'agent', fields: { email: 'made@example.com' } },
        { type: 'update_record', record_id: 'context.target', fields: { title: 'found' } },
      ],
    },
    { id: 'second', type: 'action', actions: [{ type: 'set_field', field: 'priority', value: 'done' }] },
  ],
  context: { target: '00000000-0000-7000-8000-00000000dead' },
};
const CALLING = {
  id: 'calling',
  name: 'calling',
  trigger: { ...state('calling'), condition: '$count($filter([1,2,3], function($v) { $v > 1 })) = 2' },
  steps: [
    {
      id: 'call',
      type: 'action',
      then: 'check',
      actions: [{ type: 'http', url: 'context.url', body: { ticket: 'record.title' }, save_as: 'answer' }],
    },
    { id: 'check', type: 'condition', expression: 'context.answer.body.ok = true', on_true: 'note' },
    { id: 'note', type: 'action', actions: [{ type: 'set_field', field: 'priority', expression: '"was " & record.title' }] },
  ],
  context: { url: 'record.title' },
};
const CAUGHT = {
  id: 'caught',
  name: 'caught',
  trigger: state('caught'),
  steps: [
    {
      id: 'try',
      type: 'action',
      on_error: 'plan_b',
      actions: [{ type: 'delete_record', record_id: '00000000-0000-7000-8000-00000000dead' }],
    },
    { id: 'plan_b', type: 'action', actions: [{ type: 'set_field', field: 'priority', value: 'b' }] },
  ],
};
const LOOPING = {
  id: 'looping',
  name: 'looping',
  trigger: state('looping'),
  steps: [{ id: 'a', type: 'condition', expression: 'true', on_true: 'a' }],
};
const MANUAL = {
  id: 'manual',
  name: 'manual',
  trigger: { type: 'manual', entity: 'ticket' },
  steps: [{ id: 'set', type: 'action', actions: [{ type: 'set_field', field: 'title', value: 'context.title' }] }],
};

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([ESCALATION, TIMED, SILENT, ACTING, FAILING, CALLING, CAUGHT, LOOPING, MANUAL]);
}, 60_000);

afterAll(() => recordHistories(world.services, 'process', recorded));
/** Case by workflow id: kept as histories when RECORD_HISTORIES is set. */
const recorded = new Map<string, string>();

async function criticalTicket(by?: Parameters<ProcessWorld['change']>[4]): Promise<string> {
  const id = await world.ticket({ title: 'Printer on fire', priority: 'critical' });
  await world.change(id, 'update', { id, title: 'Printer on fire', priority: 'critical' }, { priority: 'low' }, by);
  return id;
}

describe('an approval', () => {
  it('opens a task for the role, and approving answers the advanced run', async () => {
    const lead = await world.user('lead@example.com', [APPROVER_ROLE]);
    const id = await criticalTicket();
    const run = await world.until(id, (one) => one.task !== null);
    expect(run).toMatchObject({
      status: 'running',
      current_step: 'lead',
      workflow_name: 'escalation',
      entity: 'ticket',
      record_id: id,
      context: { ticket: id, title: 'Printer on fire', kind: 'purchase_order' },
      task: { assignee: { type: 'role', role: APPROVER_ROLE } },
    });
    const pending = await listPending(world.as(lead), new URLSearchParams({ assignee: 'me' }));
    expect(pending.data.map((one) => one.id)).toContain(run.id);
    const answer = await decideRun(world.as(lead), run.id, 'approved', { comment: 'go' });
    expect(answer).toMatchObject({
      status: 'completed',
      current_step: null,
      task: null,
      history: [
        { step: 'lead', status: 'approved', by: lead.id, comment: 'go' },
        { step: 'check', status: 'on_true' },
      ],
    });
    recorded.set(run.temporal_workflow_id, 'approved');
    await expect(decideRun(world.as(lead), run.id, 'approved', {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('is refused to others, and to who caused the run', async () => {
    const lead = await world.user('causer@example.com', [APPROVER_ROLE]);
    const agent = await world.user('agent@example.com', ['agent']);
    const id = await criticalTicket(lead);
    const run = await world.until(id, (one) => one.task !== null);
    await expect(decideRun(world.as(agent), run.id, 'approved', {})).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining(APPROVER_ROLE) as string,
    });
    await expect(decideRun(world.as(lead), run.id, 'approved', {})).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: expect.stringContaining('caused') as string,
    });
    const cancelled = await cancelRun(world.admin, run.id, 'wrong ticket');
    recorded.set(cancelled.temporal_workflow_id, 'cancelled');
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      task: null,
      history: [{ status: 'cancelled', by: 'operator', comment: 'wrong ticket' }],
    });
  });
});

async function ticketIn(status: string, more: Record<string, unknown> = {}): Promise<string> {
  const id = await world.ticket({ title: 'Printer', status, ...more });
  await world.change(id, 'create', { id, title: 'Printer', status, ...more }, null);
  return id;
}

const steps = (run: { history: readonly { step: string; status: string }[] }): string[] =>
  run.history.map((entry) => `${entry.step}:${entry.status}`);

describe('time', () => {
  it('ends an approval at its deadline, waits, and writes through the record operations as the system', async () => {
    const id = await ticketIn('timed');
    const waiting = await world.until(id, (run) => run.task !== null);
    expect(waiting.task?.assignee).toEqual({ type: 'admin' });
    const run = await world.until(id, (one) => one.status === 'completed');
    recorded.set(run.temporal_workflow_id, 'timed-out-and-waited');
    expect(steps(run)).toEqual(['ask:timed_out', 'pause:completed', 'escalate:completed']);
    const row = await world.ticketRow(id);
    expect(row['status']).toBe('escalated');
    expect(row['escalated_at']).toBeInstanceOf(Date);
    const { rows } = await world.services.pool.query<{ depth: number; cause: string }>(
      `select depth, cause from durabase.events where record_id = $1 and action = 'update' order by seq`,
      [id],
    );
    expect(rows).toEqual([
      { depth: 1, cause: `process/${run.id}` },
      { depth: 1, cause: `process/${run.id}` },
    ]);
  });

  it('fails the run when nobody decides and there is no on_timeout', async () => {
    const run = await world.until(await ticketIn('silent'), (one) => one.status === 'failed');
    recorded.set(run.temporal_workflow_id, 'nobody-decided');
    expect(run).toMatchObject({
      task: null,
      history: [{ step: 'ask', status: 'timed_out' }],
      error: expect.stringContaining('on_timeout') as string,
    });
  });
});

describe('actions', () => {
  it('create, update, delete and announce, and resolve an assignee over a relation', async () => {
    const agent = await world.user('anna@example.com', ['agent']);
    const {
      rows: [made],
    } = await world.services.pool.query<{ id: string }>(
      `insert into app_aaaaaaaaaaaa.agent (id, email) values (gen_random_uuid(), 'Anna@Example.com') returning id`,
    );
    const id = await ticketIn('acting', { agent_id: made?.id });
    const run = await world.until(id, (one) => one.task !== null);
    const copied = (run.context['copied'] as { id: string }).id;
    expect(run.task?.assignee).toEqual({ type: 'user', user_ids: [agent.id] });
    expect(await world.ticketRow(copied)).toMatchObject({ title: 'Printer', status: 'copy', priority: 'low' });
    const { rows } = await world.services.pool.query(
      `select record from durabase.events where action = 'custom' and record ->> 'id' = $1`,
      [copied],
    );
    expect(rows).toEqual([{ record: { event: 'copied', id: copied } }]);
    await expect(decideRun(world.as(agent), run.id, 'approved', {})).rejects.toMatchObject({ code: 'VALIDATION_FAILED' });
    const done = await decideRun(world.as(agent), run.id, 'approved', { comment: 'fine' });
    recorded.set(done.temporal_workflow_id, 'actions');
    expect(done.status).toBe('completed');
    expect(await world.ticketRow(copied)).toEqual({});
  });

  it('that fail for good leave a visible run that an operator retries and skips, without repeating what was done', async () => {
    const id = await ticketIn('failing');
    const stuck = await world.until(id, (one) => one.is_stuck);
    expect(stuck).toMatchObject({ status: 'running', current_step: 'first', error: expect.stringContaining('first') as string });
    expect((await retryRun(world.admin, stuck.id)).status).toBe('running');
    const again = await world.until(id, (one) => one.is_stuck && one.history.length === 3);
    expect(steps(again)).toEqual(['first:failed', 'first:retried', 'first:failed']);
    const done = await skipRun(world.admin, stuck.id);
    recorded.set(done.temporal_workflow_id, 'retried-and-skipped');
    expect(done.status).toBe('completed');
    expect(await world.ticketRow(id)).toMatchObject({ priority: 'done' });
    const { rows } = await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa.agent where email = 'made@example.com'`);
    expect(rows).toHaveLength(1);
    await expect(retryRun(world.admin, stuck.id)).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('call other servers once under their key, and later steps read the answer', async () => {
    const seen: unknown[] = [];
    const server = http.createServer((request, response) => {
      seen.push(request.headers['idempotency-key']);
      response.setHeader('content-type', 'application/json').end('{"ok": true}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const id = await world.ticket({ title: url, status: 'calling' });
    await world.change(id, 'create', { id, title: url, status: 'calling' }, null);
    const run = await world.until(id, (one) => one.status === 'completed');
    server.close();
    expect(steps(run)).toEqual(['call:completed', 'check:on_true', 'note:completed']);
    expect(seen).toEqual([`process/aaaaaaaaaaaa/${run.id}/1/0`]);
    expect(await world.ticketRow(id)).toMatchObject({ priority: `was ${url}` });
  });

  it('go to on_error when the step has one', async () => {
    const run = await world.until(await ticketIn('caught'), (one) => one.status === 'completed');
    recorded.set(run.temporal_workflow_id, 'on-error');
    expect(steps(run)).toEqual(['try:failed', 'plan_b:completed']);
  });
});

describe('a run', () => {
  it('that goes round without waiting for anybody fails by name', async () => {
    const run = await world.until(await ticketIn('looping'), (one) => one.status === 'failed', 170_000);
    expect(run.error).toContain('endless loop');
  }, 180_000);

  it('is started by hand and shown at once', async () => {
    const id = await ticketIn('quiet');
    const started = await startRun(world.admin, 'manual', { record_id: id, context: { title: 'By hand' } });
    expect(started).toMatchObject({ status: 'running', workflow_name: 'manual', record_id: id, context: { title: 'By hand' } });
    await world.until(id, (one) => one.status === 'completed');
    expect(await world.ticketRow(id)).toMatchObject({ title: 'By hand' });
    await expect(startRun(world.admin, 'manul', {})).rejects.toMatchObject({
      code: 'NOT_FOUND',
      hint: expect.stringContaining('manual') as string,
    });
    await expect(startRun(world.admin, 'timed', {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('is nobody else\u2019s to see', async () => {
    const agent = await world.user('stranger@example.com', ['agent']);
    const id = await criticalTicket();
    const run = await world.until(id, (one) => one.task !== null);
    await expect(getRun(world.as(agent), run.id)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    expect((await listPending(world.as(agent), new URLSearchParams())).data).toEqual([]);
  });

  it('survives its worker', async () => {
    const lead = await world.user('night@example.com', [APPROVER_ROLE]);
    const id = await criticalTicket();
    const run = await world.until(id, (one) => one.task !== null);
    await world.worker.close();
    await expect(decideRun(world.as(lead), run.id, 'approved', {})).rejects.toMatchObject({ code: 'UNAVAILABLE', retryAfter: 5 });
    await world.startWorker();
    const done = await world.until(id, (one) => one.status === 'completed');
    recorded.set(done.temporal_workflow_id, 'lost-worker');
    expect(done.history.filter((entry) => entry.status === 'approved')).toHaveLength(1);
  });
});
