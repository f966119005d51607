/** Runs that Temporal asks to be continued as new, by a server that asks early: what was open stays open, what came meanwhile counts once. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startTemporal, type RunningTemporal } from '../../infra/local/temporal.ts';
import { decideRun } from '../../operations/approvals/decide.ts';
import type { Actor } from '../../operations/context.ts';
import type { RunAnswer } from '../../operations/processes/runs.ts';
import { startRun } from '../../operations/processes/start.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const NAMES = Array.from({ length: 24 }, (_, index) => `n${String(index).padStart(2, '0')}`);
const VOTERS = 5;

const WORKFLOWS = [
  {
    name: 'each',
    trigger: { type: 'manual', entity: 'ticket' },
    steps: [
      {
        id: 'all',
        type: 'foreach',
        items: 'context.names',
        as: 'name',
        concurrency: 4,
        save_as: 'results',
        steps: [
          {
            id: 'choose',
            type: 'condition',
            switch: {
              on: 'context.name',
              cases: [
                { when: 'vote', goto: 'vote' },
                { when: 'pay', goto: 'pay' },
              ],
              default: 'make',
            },
          },
          { id: 'vote', type: 'approval', assignee: { type: 'role', role: 'board' }, quorum: VOTERS, on_approve: 'end' },
          { id: 'pay', type: 'wait', event: 'payment', match: 'event.data.for = record.title', save_as: 'payment', then: 'end' },
          {
            id: 'make',
            type: 'action',
            actions: [
              {
                type: 'create_record',
                entity: 'agent',
                fields: { email: { expression: 'context.name & "@each.example"' } },
                save_as: 'made',
              },
            ],
          },
        ],
        then: 'done',
      },
      { id: 'done', type: 'action', actions: [{ type: 'set_field', field: 'days', expression: '$count(context.results)' }] },
    ],
  },
  {
    name: 'asking',
    trigger: { type: 'manual', entity: 'ticket' },
    steps: [{ id: 'ask', type: 'approval', assignee: { type: 'role', role: 'board' }, on_approve: 'ask', on_reject: 'end' }],
  },
  {
    name: 'payer',
    trigger: { type: 'manual' },
    steps: [
      {
        id: 'send',
        type: 'action',
        actions: [{ type: 'send_event', event: 'payment', data: { for: 'context.for', amount: 'context.amount' } }],
      },
    ],
  },
].map((workflow) => ({ id: workflow.name, ...workflow }));

let temporal: RunningTemporal;
let world: ProcessWorld;
const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-continued-'));
beforeAll(async () => {
  temporal = await startTemporal({
    logFile: path.join(folder, 'temporal.log'),
    // Without a pause between two executions, so that what comes meets the end of one as often as its beginning.
    dynamicConfig: { 'limit.historyCount.suggestContinueAsNew': 24, 'history.workflowIdReuseMinimalInterval': '0s' },
  });
  world = await processWorld(WORKFLOWS, {}, { TEMPORAL_ADDRESS: temporal.address });
}, 90_000);
afterAll(async () => {
  await temporal?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** How the executions of a run have ended. */
async function executions(run: RunAnswer): Promise<string[]> {
  const statuses: string[] = [];
  const { workflow } = await world.services.temporal.client();
  for await (const one of workflow.list({ query: `WorkflowId = "${run.temporal_workflow_id}"` })) statuses.push(one.status.name);
  return statuses;
}

it('go on inside a foreach with an open vote and an open wait, and count every vote, event and effect once', async () => {
  const board: Actor[] = [];
  const last = await world.user('last@example.com', ['board']);
  for (let index = 1; index < VOTERS; index++) board.push(await world.user(`member${index}@example.com`, ['board']));
  const ticket = await world.ticket({ title: 'T-1', status: 'new' });
  const started = await startRun(world.admin, 'each', { record_id: ticket, context: { names: ['vote', 'pay', ...NAMES] } });
  const pay = (to: string, amount: number) =>
    startRun({ ...world.admin, requestId: `pay ${to} ${amount}` }, 'payer', { context: { for: to, amount } });
  await world.until(ticket, (run) => run.task !== null);

  // Votes and events of others meet the run while it is continued, again and again.
  for (const [index, member] of board.entries()) {
    await Promise.all([decideRun(world.as(member), started.id, 'approved', {}), pay('nobody', index)]);
  }
  const made = async (): Promise<string[]> =>
    (
      await world.services.pool.query<{ name: string }>(
        `select split_part(email, '@', 1) as name from ${world.app.storage}.agent where email like '%@each.example' order by 1`,
      )
    ).rows.map(({ name }) => name);
  await expect.poll(made, { timeout: 30_000 }).toEqual(NAMES);

  const open = await world.until(ticket, (run) => run.current_steps.length === 2);
  expect(open.current_steps.map(({ step }) => step).sort()).toEqual(['pay', 'vote']);
  expect(open.task?.votes).toHaveLength(VOTERS - 1);
  await pay('T-1', 42);
  await decideRun(world.as(last), started.id, 'approved', {});
  const done = await world.until(ticket, (run) => run.status !== 'running');
  expect(done).toMatchObject({ status: 'completed', error: null });
  expect(await made()).toEqual(NAMES);
  expect(done.context['results']).toHaveLength(NAMES.length + 2);
  expect(done.context['results']).toContainEqual({ payment: { for: 'T-1', amount: 42 } });
  const votes = done.history.filter(({ step }) => step === 'vote').map(({ status }) => status);
  expect(votes).toEqual([...Array<string>(VOTERS - 1).fill('voted'), 'approved']);
  await expect.poll(() => executions(done), { timeout: 10_000 }).toContain('COMPLETED');
  expect((await executions(done)).filter((status) => status === 'CONTINUED_AS_NEW').length).toBeGreaterThan(1);
}, 90_000);

it('answer a decision in the very task in which the server asks for it', async () => {
  const member = await world.user('asked@example.com', ['board']);
  const ticket = await world.ticket({ title: 'T-2', status: 'new' });
  const { id } = await startRun({ ...world.admin, requestId: 'asking' }, 'asking', { record_id: ticket });
  let task: string | undefined;
  for (let round = 0; round < 8; round++) {
    const run = await world.until(ticket, (one) => one.task !== null && one.task.id !== task);
    task = run.task?.id;
    await decideRun(world.as(member), id, 'approved', { task });
  }
  const open = await world.until(ticket, (one) => one.task !== null && one.task.id !== task);
  expect(open.history.map(({ status }) => status)).toEqual(Array<string>(8).fill('approved'));
  const ended = await decideRun(world.as(member), id, 'rejected', { task: open.task?.id });
  expect((await executions(ended)).filter((status) => status === 'CONTINUED_AS_NEW').length).toBeGreaterThan(1);
  expect((await world.until(ticket, (one) => one.status !== 'running')).status).toBe('completed');
}, 90_000);
