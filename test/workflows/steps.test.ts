/** The kinds of step beside actions, approvals and plain waits, through the api's operations and a real worker. */
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import { cancelRun } from '../../operations/processes/operate.ts';
import { getRun, type RunAnswer } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { hintRelay } from '../../operations/hint.ts';
import { issueSecret } from '../../operations/webhooks/secrets.ts';
import { recordHistories } from '../replay/record.ts';
import { receiver, type Receiver } from '../support/event-world.ts';
import { approvalWorld, type ApprovalWorld } from './approval-world.ts';
import type { Row } from './process-world.ts';

const state = (to: string) => ({ type: 'state_change', entity: 'ticket', field: 'status', to });
const set = (id: string, field: string, value: unknown, extra: object = {}) => ({
  id,
  type: 'action',
  actions: [{ type: 'set_field', field, value }],
  ...extra,
});
const ask = (id: string, role: string, extra: object = {}) => ({
  id,
  type: 'approval',
  assignee: { type: 'role', role },
  allow_self_approval: true,
  ...extra,
});
const GONE = '00000000-0000-7000-8000-00000000dead';
const failing = (id: string, extra: object = {}) => ({
  id,
  type: 'action',
  actions: [{ type: 'delete_record', record_id: GONE }],
  ...extra,
});
const makeAgent = (email: string) => ({ type: 'create_record', entity: 'agent', fields: { email }, save_as: 'made' });

const WORKFLOWS = [
  {
    name: 'both',
    trigger: state('both'),
    steps: [
      {
        id: 'split',
        type: 'parallel',
        branches: [
          { steps: [ask('legal', 'lawyer', { on_approve: 'noted' }), set('noted', 'title', 'legal')] },
          { steps: [ask('money', 'banker')] },
        ],
        then: 'done',
      },
      set('done', 'priority', 'both'),
    ],
  },
  {
    name: 'first',
    trigger: state('first'),
    steps: [
      {
        id: 'race',
        type: 'parallel',
        join: 'any',
        branches: [
          { steps: [ask('one', 'lawyer')] },
          { steps: [ask('two', 'banker')] },
          { steps: [{ id: 'long', type: 'wait', duration: '30d' }] },
        ],
        then: 'done',
      },
      set('done', 'priority', 'first'),
    ],
  },
  {
    name: 'each',
    trigger: state('each'),
    context: { names: ['x', 'y', 'z'], kind: 'each' },
    steps: [
      {
        id: 'all',
        type: 'foreach',
        items: 'context.names',
        as: 'name',
        concurrency: 2,
        save_as: 'agents',
        steps: [
          {
            id: 'make',
            type: 'action',
            actions: [{ ...makeAgent(''), fields: { email: { expression: 'context.name & "@each.example"' } } }],
          },
        ],
        then: 'count',
      },
      { id: 'count', type: 'action', actions: [{ type: 'set_field', field: 'days', expression: '$count(context.agents)' }] },
    ],
  },
  {
    name: 'many',
    trigger: state('many'),
    context: { names: ['x', 'y', 'z'] },
    steps: [{ id: 'all', type: 'foreach', items: 'context.names', as: 'name', max: 2, steps: [set('never', 'title', 'never')] }],
  },
  {
    name: 'outer',
    trigger: state('outer'),
    steps: [
      { id: 'inner', type: 'subprocess', workflow: 'part', context: { wanted: 'record.title' }, save_as: 'part', then: 'after' },
      { id: 'after', type: 'action', actions: [{ type: 'set_field', field: 'priority', value: 'context.part.context.wanted' }] },
    ],
  },
  { name: 'part', trigger: { type: 'manual', entity: 'ticket' }, steps: [ask('inside', 'lawyer')] },
  {
    name: 'outer_failing',
    trigger: state('outer_failing'),
    steps: [{ id: 'inner', type: 'subprocess', workflow: 'hurried', on_error: 'after' }, set('after', 'priority', 'caught')],
  },
  { name: 'hurried', trigger: { type: 'manual' }, steps: [{ id: 'late', type: 'approval', timeout: '200ms' }] },
  {
    name: 'paid',
    trigger: state('paid'),
    steps: [
      {
        id: 'pay',
        type: 'wait',
        event: 'payment',
        match: 'event.data.ticket = record.title',
        timeout: '7d',
        on_timeout: 'end',
        save_as: 'payment',
        then: 'note',
      },
      { id: 'note', type: 'action', actions: [{ type: 'set_field', field: 'days', value: 'context.payment.amount' }] },
    ],
  },
  {
    name: 'unpaid',
    trigger: state('unpaid'),
    steps: [
      { id: 'pay', type: 'wait', event: 'payment', match: 'event.data.ticket = "nobody"', timeout: '400ms', on_timeout: 'late' },
      set('late', 'priority', 'late'),
    ],
  },
  {
    name: 'payer',
    trigger: { type: 'manual' },
    steps: [
      {
        id: 'send',
        type: 'action',
        actions: [{ type: 'send_event', event: 'payment', data: { ticket: 'context.ticket', amount: 'context.amount' } }],
      },
    ],
  },
  {
    name: 'changed',
    trigger: state('changed'),
    steps: [
      { id: 'change', type: 'wait', event: 'record_updated', match: 'event.record.priority = "high"', then: 'seen' },
      set('seen', 'title', 'seen'),
    ],
  },
  {
    name: 'choosing',
    trigger: state('choosing'),
    steps: [
      {
        id: 'pick',
        type: 'condition',
        switch: {
          on: 'record.title',
          cases: [
            { when: ['a', 'b'], goto: 'ab' },
            { when: 'c', goto: 'c' },
          ],
          default: 'other',
        },
      },
      set('ab', 'priority', 'ab'),
      set('c', 'priority', 'c'),
      { id: 'other', type: 'wait', until: '2020-01-01', then: 'later' },
      set('later', 'priority', 'other'),
    ],
  },
  {
    name: 'undoing',
    trigger: state('undoing'),
    steps: [
      {
        id: 'one',
        type: 'action',
        actions: [makeAgent('one@undo.example')],
        compensate: [{ type: 'delete_record', entity: 'agent', record_id: 'context.made.id' }, makeAgent('undone-one@undo.example')],
        then: 'two',
      },
      {
        id: 'two',
        type: 'action',
        actions: [makeAgent('two@undo.example')],
        compensate: [makeAgent('undone-two@undo.example')],
        then: 'late',
      },
      { id: 'late', type: 'approval', timeout: '300ms' },
    ],
  },
  {
    name: 'trying',
    trigger: state('trying'),
    steps: [failing('try', { retry: { max_attempts: 3, initial: '50ms' }, on_error: 'gave_up' }), set('gave_up', 'priority', 'gave up')],
  },
  {
    name: 'telling',
    trigger: state('telling'),
    steps: [
      {
        id: 'tell',
        type: 'action',
        actions: [
          { type: 'notify', to: 'role:teller', message: 'Ticket {{record.title}}', link: '/t/{{trigger.record_id}}' },
          { type: 'email', to: 'role:teller', subject: 'About {{record.title}}', text: 'It is {{record.status}}.' },
          { type: 'start_workflow', workflow: 'payer', context: { ticket: 'record.title', amount: 7 }, save_as: 'started' },
        ],
      },
    ],
  },
  {
    name: 'writing',
    trigger: state('writing'),
    steps: [
      {
        id: 'write',
        type: 'action',
        actions: [
          {
            type: 'email',
            to: ['own@write.example', 'role:reader', 'own@write.example'],
            subject: 'About {{record.title}}',
            html: '<h1>Fish &amp; chips</h1><p>Of <b>{{record.title}}</b></p>',
          },
          { type: 'email', to: 'template@write.example', subject: 'T', template: '<p>Dear {{record.title}},</p><p>bye</p>' },
          { type: 'email', to: 'text@write.example', subject: 'P', text: 'One {{record.title}}\n\nTwo' },
          { type: 'webhook', webhook: 'hook' },
        ],
      },
    ],
  },
  {
    name: 'on_payment',
    trigger: { type: 'event', event: 'payment', condition: 'trigger.data.amount = 7' },
    context: { paid: 'trigger.data.ticket' },
    steps: [{ id: 'keep', type: 'action', actions: [{ type: 'create_record', entity: 'agent', fields: { email: 'context.paid' } }] }],
  },
].map((workflow) => ({ id: workflow.name, ...workflow }));

let world: ApprovalWorld;
let hook: Receiver;
beforeAll(async () => {
  hook = await receiver();
  // Its events never match: only the action calls it.
  const webhook = { id: 'hook', name: 'hook', entity: 'ticket', url: hook.url, condition: "record.status = 'nothing has this'" };
  world = await approvalWorld(WORKFLOWS, { webhooks: [webhook] });
}, 60_000);
afterAll(() => recordHistories(world.services, 'process', recorded));
const recorded = new Map<string, string>();

async function ticketIn(status: string, fields: Row = {}): Promise<string> {
  const row = { title: 'Printer', priority: 'low', ...fields, status };
  const id = await world.ticket(row);
  await world.change(id, 'update', { id, ...row }, { status: 'before' });
  return id;
}
const steps = (run: RunAnswer): string[] => run.history.map((entry) => `${entry.step}:${entry.status}`);
const isDone = (run: RunAnswer): boolean => run.status !== 'running';
async function agents(like: string): Promise<string[]> {
  const { rows } = await world.services.pool.query<{ email: string }>(
    `select email from app_aaaaaaaaaaaa.agent where email like $1 order by email`,
    [like],
  );
  return rows.map((row) => row.email);
}

describe('parallel', () => {
  it('has a task open in each branch, and goes on when all have ended', async () => {
    const both = await world.user('both@example.com', ['lawyer', 'banker']);
    const lawyer = await world.user('lawyer@example.com', ['lawyer']);
    const id = await ticketIn('both');
    const run = await world.until(id, (one) => one.tasks.length === 2);
    expect(run.current_step).toBe('split');
    expect(run.current_steps.map(({ step }) => step)).toEqual(['legal', 'money']);
    await expect(decideRun(world.as(both), run.id, 'approved', {})).rejects.toMatchObject({
      status: 422,
      message: expect.stringContaining('several open tasks') as string,
    });
    // Who may decide one of them need not name it.
    await decideRun(world.as(lawyer), run.id, 'approved', {});
    const half = await world.until(id, (one) => one.tasks.length === 1);
    expect(half.status).toBe('running');
    const money = half.tasks[0]?.id;
    const done = await decideRun(world.as(both), run.id, 'rejected', { task: money });
    recorded.set(run.temporal_workflow_id, 'parallel-all');
    expect(done.status).toBe('completed');
    expect(await world.ticketRow(id)).toMatchObject({ title: 'legal', priority: 'both' });
    expect(done.history.find((entry) => entry.step === 'legal')).toMatchObject({ strand: 'split.1.1', status: 'approved' });
  });

  it('with join any cancels the others and closes their tasks', async () => {
    const banker = await world.user('banker@example.com', ['banker']);
    const id = await ticketIn('first');
    const run = await world.until(id, (one) => one.tasks.length === 2);
    const done = await decideRun(world.as(banker), run.id, 'approved', {});
    recorded.set(run.temporal_workflow_id, 'parallel-any');
    expect(done).toMatchObject({ status: 'completed', tasks: [], current_steps: [] });
    expect(steps(done).sort()).toEqual(['done:completed', 'long:cancelled', 'one:cancelled', 'race:completed', 'two:approved']);
    const { rows } = await world.services.pool.query(`select state from app_aaaaaaaaaaaa._tasks where run_id = $1 order by step`, [run.id]);
    expect(rows).toEqual([{ state: 'cancelled' }, { state: 'approved' }]);
  });
});

describe('foreach', () => {
  it('goes through the steps for each item, each with its effect once, and keeps what they saved', async () => {
    const id = await ticketIn('each');
    const run = await world.until(id, isDone);
    recorded.set(run.temporal_workflow_id, 'foreach');
    expect(run).toMatchObject({ status: 'completed', error: null });
    expect(await agents('%@each.example')).toEqual(['x@each.example', 'y@each.example', 'z@each.example']);
    expect(run.context['agents']).toHaveLength(3);
    expect(run.context['made']).toBeUndefined();
    expect(await world.ticketRow(id)).toMatchObject({ days: 3 });
  });

  it('refuses a list that is longer than allowed', async () => {
    const run = await world.until(await ticketIn('many'), (one) => one.is_stuck);
    expect(run.error).toContain('3 items, more than the 2');
    await cancelRun(world.admin, run.id);
  });
});

describe('subprocess', () => {
  it('waits for a run of its own, and reads what it left', async () => {
    const lawyer = await world.user('inner@example.com', ['lawyer']);
    const id = await ticketIn('outer', { title: 'Wanted' });
    const inner = await world.until(id, (one) => one.workflow_name === 'part' && one.task !== null);
    recorded.set(inner.temporal_workflow_id, 'subprocess-child');
    await decideRun(world.as(lawyer), inner.id, 'approved', {});
    await expect.poll(async () => (await world.ticketRow(id))['priority'], { timeout: 10_000 }).toBe('Wanted');
    await expect.poll(async () => (await ofWorkflow(id, 'outer')).status, { timeout: 10_000 }).toBe('completed');
    const outer = await ofWorkflow(id, 'outer');
    recorded.set(outer.temporal_workflow_id, 'subprocess');
    expect(steps(outer)).toEqual(['inner:completed', 'after:completed']);
  });

  it('is cancelled with the run that waits for it', async () => {
    const id = await ticketIn('outer');
    const inner = await world.until(id, (one) => one.workflow_name === 'part' && one.task !== null);
    await cancelRun(world.admin, (await ofWorkflow(id, 'outer')).id);
    await expect.poll(async () => (await getRun(world.admin, inner.id)).status, { timeout: 10_000 }).toBe('cancelled');
  });

  it('that fails is the failure of its step', async () => {
    const id = await ticketIn('outer_failing');
    const run = await world.until(id, isDone);
    expect(steps(run)).toEqual(['inner:failed', 'after:completed']);
    expect(run.history[0]?.error).toContain('hurried');
  });
});

async function ofWorkflow(record: string, name: string): Promise<RunAnswer> {
  const { rows } = await world.services.pool.query<{ id: string }>(
    `select id from app_aaaaaaaaaaaa._runs where record_id = $1 and workflow_name = $2`,
    [record, name],
  );
  return getRun(world.admin, rows[0]?.id ?? '');
}

describe('wait', () => {
  it('for an event goes on with the one that matches, whoever else waits', async () => {
    const mine = await ticketIn('paid', { title: 'P-1' });
    const other = await ticketIn('paid', { title: 'P-2' });
    const waiting = await world.until(mine, (one) => one.current_step === 'pay' && one.current_step_deadline !== null);
    await world.until(other, (one) => one.current_step_deadline !== null);
    await startRun(world.admin, 'payer', { context: { ticket: 'P-1', amount: 42 } });
    const run = await world.until(mine, isDone);
    recorded.set(waiting.temporal_workflow_id, 'wait-event');
    expect(run).toMatchObject({ status: 'completed', context: { payment: { ticket: 'P-1', amount: 42 } } });
    expect(await world.ticketRow(mine)).toMatchObject({ days: 42 });
    expect((await world.until(other, () => true)).status).toBe('running');
  });

  it('for an event ends at its timeout', async () => {
    const id = await ticketIn('unpaid');
    const run = await world.until(id, isDone);
    recorded.set(run.temporal_workflow_id, 'wait-event-timed-out');
    expect(steps(run)).toEqual(['pay:timed_out', 'late:completed']);
    const { rows } = await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa._waits where run_id = $1`, [run.id]);
    expect(rows).toEqual([]);
  });

  it('for a change of its own record', async () => {
    const id = await ticketIn('changed');
    const run = await world.until(id, (one) => one.current_step === 'change');
    await expect
      .poll(async () => (await world.services.pool.query(`select 1 from app_aaaaaaaaaaaa._waits where run_id = $1`, [run.id])).rows.length)
      .toBe(1);
    await world.change(id, 'update', { id, priority: 'middle' }, { priority: 'low' });
    await world.change(id, 'update', { id, priority: 'high' }, { priority: 'middle' });
    hintRelay(world.services);
    await world.until(id, isDone);
    expect(await world.ticketRow(id)).toMatchObject({ title: 'seen' });
  });
});

describe('conditions, failures, and what tells others', () => {
  it.each([
    ['b', 'ab'],
    ['c', 'c'],
    ['d', 'other'],
  ])('a switch takes %s to %s', async (title, priority) => {
    const id = await ticketIn('choosing', { title });
    await world.until(id, isDone);
    expect(await world.ticketRow(id)).toMatchObject({ priority });
  });

  it('a run that fails is undone, the latest step first, each by what it saved itself', async () => {
    const id = await ticketIn('undoing');
    const run = await world.until(id, isDone);
    recorded.set(run.temporal_workflow_id, 'compensated');
    expect(run.status).toBe('failed');
    expect(steps(run)).toEqual(['one:completed', 'two:completed', 'late:timed_out', 'two:compensated', 'one:compensated']);
    expect(await agents('%undo.example')).toEqual(['two@undo.example', 'undone-one@undo.example', 'undone-two@undo.example']);
  });

  it('a step is tried as often as it says', async () => {
    const run = await world.until(await ticketIn('trying'), isDone);
    recorded.set(run.temporal_workflow_id, 'retried-by-itself');
    expect(steps(run)).toEqual(['try:failed', 'try:failed', 'try:failed', 'gave_up:completed']);
  });

  it('notifications, mails, and other workflows by name and by event', async () => {
    const teller = await world.user('teller@example.com', ['teller']);
    const id = await ticketIn('telling', { title: 'T-1@tell.example' });
    const run = await world.until(id, isDone);
    expect(run).toMatchObject({ status: 'completed', context: { started: { id: expect.any(String) as string } } });
    const told = await world.services.pool.query(`select user_id, message, link from app_aaaaaaaaaaaa._notifications where user_id = $1`, [
      teller.id,
    ]);
    expect(told.rows).toEqual([{ user_id: teller.id, message: 'Ticket T-1@tell.example', link: `/t/${id}` }]);
    const mails = await world.services.pool.query(`select kind from durabase.mails where key = $1`, [
      `process/aaaaaaaaaaaa/${run.id}/1/1/teller@example.com`,
    ]);
    expect(mails.rows).toEqual([{ kind: 'message' }]);
    await expect.poll(() => agents('T-1@tell.example'), { timeout: 10_000 }).toEqual(['T-1@tell.example']);
    const [mail] = await world.mailsTo(teller, 1);
    expect(mail).toContain('Subject: About T-1@tell.example');
    expect(mail).toContain('It is telling.');
  });

  it('mails of every form and a webhook reach those they are for, each once', async () => {
    const reader = await world.user('reader@write.example', ['reader']);
    const secret = await issueSecret(world.admin, 'hook');
    const id = await ticketIn('writing', { title: '<i>T</i> & "co"' });
    const run = await world.until(id, isDone);
    recorded.set(run.temporal_workflow_id, 'mails-and-webhook');
    expect(run).toMatchObject({ status: 'completed', error: null });
    const one = async (email: string): Promise<{ text: string; html: string; all: string }> => {
      const [all = ''] = await world.mailsTo({ ...reader, email }, 1);
      const [, text = '', html = ''] = all.split(/^Content-Type: text\/(?:plain|html).*$/m);
      return { text, html, all };
    };
    for (const email of ['own@write.example', 'reader@write.example']) {
      const { text, html, all } = await one(email);
      expect(all).toContain('About_<i>T</i>_&_"co"');
      expect(html).toContain('<h1>Fish &amp; chips</h1><p>Of <b>&lt;i&gt;T&lt;/i&gt; &amp; &quot;co&quot;</b></p>');
      expect(text).toMatch(/^Fish & chips\r\nOf <i>T<\/i> & "co"\r$/m);
    }
    const template = await one('template@write.example');
    expect(template.html).toContain('<p>Dear &lt;i&gt;T&lt;/i&gt; &amp; &quot;co&quot;,</p><p>bye</p>');
    expect(template.text).toContain('Dear <i>T</i> & "co",');
    expect(template.text).not.toContain('<p>');
    const plain = await one('text@write.example');
    expect(plain.html).toContain('<p>One &lt;i&gt;T&lt;/i&gt; &amp; &quot;co&quot;</p>\r\n<p>Two</p>');
    expect(world.smtp.mails.filter(({ to }) => to.some((address) => address.endsWith('@write.example')))).toHaveLength(4);

    await hook.waitFor(1);
    const [called] = hook.received;
    const body = new Webhook(secret).verify(called?.body ?? '', called?.headers as Record<string, string>);
    expect(body).toMatchObject({ run_id: run.id, entity: 'ticket', record: { id, status: 'writing' } });
    const deliveries = async (): Promise<unknown[]> =>
      (await world.services.pool.query(`select id, status from app_aaaaaaaaaaaa._deliveries where record_id = $1`, [id])).rows;
    await expect.poll(deliveries, { timeout: 10_000 }).toEqual([{ id: called?.headers['webhook-id'], status: 'delivered' }]);
    expect(hook.received).toHaveLength(1);
  });
});

describe('a run that was continued as new', () => {
  const over = '2020-01-01T00:00:00.000Z';
  const wait = (id: string, then?: string) => ({ id, type: 'wait', duration: '1h', ...(then === undefined ? {} : { then }) });
  const atRest = { visit: 1, isBegun: true, deadline: over, task: null, failure: null, streak: 0 };
  const common = { context: { kind: 'kept' }, visits: 3, history: [], revision: 9, answered: [] };

  /** Begins where an earlier run of Temporal left off; answers the steps it went through after that. */
  async function goOn(name: string, steps: object[], state: object): Promise<unknown> {
    const client = await world.services.temporal.client();
    const trigger = {
      type: 'manual',
      eventSeq: null,
      entity: null,
      recordId: null,
      actor: { kind: 'system', id: null, roles: [] },
      depth: 0,
    };
    const handle = await client.workflow.start('process', {
      workflowId: `process/aaaaaaaaaaaa/${name}.continued`,
      taskQueue: 'durabase-control',
      args: [
        {
          app: 'aaaaaaaaaaaa',
          runId: '00000000-0000-8000-8000-000000000001',
          definition: { id: name, name, steps, context: {} },
          schemaVersion: 1,
          trigger,
          state,
        },
      ],
    });
    const result: unknown = await handle.result();
    return result;
  }

  it('by the code of before there were strands goes on where it was', async () => {
    const steps = [wait('w', 'right'), { id: 'right', type: 'condition', expression: 'context.kind = "kept"', on_false: 'right' }];
    const state = { ...common, version: 1, currentStep: 'w', task: null, isBegun: true, deadline: over, streak: 0 };
    expect(await goOn('v1', steps, state)).toEqual({ status: 'completed' });
  });

  it('goes on in each of its strands', async () => {
    const steps = [
      { id: 'split', type: 'parallel', join: 'all', branches: [{ steps: [wait('a')] }, { steps: [wait('b')] }], then: 'right' },
      { id: 'right', type: 'condition', expression: 'context.kind = "kept"', on_false: 'right' },
    ];
    const strands = [
      { id: 'main', parent: null, currentStep: 'split', ...atRest, deadline: null },
      { id: 'split.1.1', parent: 'main', currentStep: null, ...atRest, visit: null, isBegun: false, ended: 'completed' },
      { id: 'split.1.2', parent: 'main', currentStep: 'b', ...atRest, visit: 3 },
    ];
    expect(await goOn('v2', steps, { ...common, version: 2, strands })).toEqual({ status: 'completed' });
  });
});
