import { spawn } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import { workflowBundle } from '../support/temporal.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const CREATION = {
  id: 'creation',
  name: 'creation',
  trigger: { type: 'state_change', entity: 'ticket', field: 'status', to: 'asked' },
  steps: [
    { id: 'ask', type: 'approval', assignee: { type: 'role', role: 'lead' }, on_approve: 'make', allow_self_approval: true },
    { id: 'make', type: 'action', actions: [{ type: 'create_record', entity: 'agent', fields: { email: 'record.title' } }] },
  ],
};

const VOTING = {
  id: 'voting',
  name: 'voting',
  trigger: { type: 'state_change', entity: 'ticket', field: 'status', to: 'voted' },
  steps: [{ id: 'vote', type: 'approval', assignee: { type: 'role', role: 'board' }, quorum: 2 }],
};

const make = (id: string, more: object = {}) => ({
  id,
  type: 'action',
  actions: [{ type: 'create_record', entity: 'agent', fields: { email: { expression: `"${id}@" & record.title` } } }],
  ...more,
});

/** Three effects of items, one of a run within, two beside each other, one that is undone, and its undoing: eight in all. */
const NESTED = [
  {
    id: 'nested',
    name: 'nested',
    trigger: { type: 'state_change', entity: 'ticket', field: 'status', to: 'nested' },
    context: { names: ['x', 'y', 'z'] },
    steps: [
      {
        id: 'each',
        type: 'foreach',
        items: 'context.names',
        as: 'name',
        steps: [
          {
            ...make('item'),
            actions: [{ type: 'create_record', entity: 'agent', fields: { email: { expression: 'context.name & "@" & record.title' } } }],
          },
        ],
        then: 'within',
      },
      { id: 'within', type: 'subprocess', workflow: 'part', then: 'split' },
      { id: 'split', type: 'parallel', branches: [{ steps: [make('left')] }, { steps: [make('right')] }], then: 'paid' },
      make('paid', { compensate: make('undone').actions, then: 'late' }),
      { id: 'late', type: 'approval', timeout: '300ms' },
    ],
  },
  { id: 'part', name: 'part', trigger: { type: 'manual', entity: 'ticket' }, steps: [make('inner')] },
];

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([CREATION, VOTING, ...NESTED]);
}, 60_000);

/** Starts a worker that dies at the named place; resolves with the signal that ended it. */
async function doomedWorker(crashAt: string): Promise<string | null> {
  const { config } = world;
  const child = spawn(process.execPath, ['--import', 'tsx', path.join(import.meta.dirname, 'worker-child.ts')], {
    env: {
      ...process.env,
      DATABASE_URL: config.databaseUrl,
      TEMPORAL_ADDRESS: config.temporal.address,
      TEMPORAL_NAMESPACE: config.temporal.namespace,
      SECRET_KEY: config.secretKey,
      LOG_LEVEL: 'error',
      TEST_BUNDLE: await workflowBundle(),
      DURABASE_TEST: '1',
      CRASH_AT: crashAt,
    },
    stdio: 'inherit',
  });
  return new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
}

describe.each(['process.before_effect', 'process.after_effect', 'process.after_decision'])('a worker killed at %s', (place) => {
  it('leaves a run that goes on by itself, with its effect once', async () => {
    const lead = await world.user(`${place}@example.com`, ['lead']);
    const id = await world.ticket({ title: `${place}@made.example`, status: 'asked' });
    await world.change(id, 'create', { id, title: `${place}@made.example`, status: 'asked' }, null);
    const run = await world.until(id, (one) => one.task !== null);
    await world.worker.close();
    let hasDied = false;
    const death = doomedWorker(place).finally(() => (hasDied = true));
    // The answer may be lost with the worker, and the worker may take its time to come up; repeating the decision is safe.
    while (!hasDied) {
      await decideRun(world.as(lead), run.id, 'approved', {}).catch(() => undefined);
      await Promise.race([death, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    expect(await death).toBe('SIGKILL');
    await world.startWorker();
    const done = await world.until(id, (one) => one.status === 'completed', 40_000);
    expect(done.history.map((entry) => entry.status)).toEqual(['approved', 'completed']);
    const { rows } = await world.services.pool.query('select 1 from app_aaaaaaaaaaaa.agent where email = $1', [`${place}@made.example`]);
    expect(rows).toHaveLength(1);
  }, 120_000);
});

describe.each(['process.before_decision', 'process.after_decision'])('a vote whose worker is killed at %s', (place) => {
  it('is counted once, and the next one decides', async () => {
    const [ann, ben] = [await world.user(`ann.${place}@example.com`, ['board']), await world.user(`ben.${place}@example.com`, ['board'])];
    const id = await world.ticket({ title: place, status: 'voted' });
    await world.change(id, 'create', { id, title: place, status: 'voted' }, null);
    const run = await world.until(id, (one) => one.task !== null);
    await world.worker.close();
    let hasDied = false;
    const death = doomedWorker(place).finally(() => (hasDied = true));
    while (!hasDied) {
      await decideRun(world.as(ann), run.id, 'approved', {}).catch(() => undefined);
      await Promise.race([death, new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    expect(await death).toBe('SIGKILL');
    await world.startWorker();
    const voted = await world.until(id, (one) => one.history.length > 0, 40_000);
    expect(voted).toMatchObject({
      status: 'running',
      history: [{ status: 'voted', by: ann.id }],
      task: { votes: [{ decided_by: ann.id }] },
    });
    const done = await decideRun(world.as(ben), run.id, 'approved', {});
    expect(done.history.map((entry) => entry.status)).toEqual(['voted', 'approved']);
  }, 120_000);
});

describe.each([
  ['an item', 2],
  ['a run within', 4],
  ['an undoing', 8],
])('a worker killed after the effect of %s', (_what, pass) => {
  it('leaves a run that ends as it would have, with each effect once', async () => {
    const title = `pass${pass}.example`;
    const id = await world.ticket({ title, status: 'nested' });
    await world.worker.close();
    const death = doomedWorker(`process.after_effect:${pass}`);
    await world.change(id, 'create', { id, title, status: 'nested' }, null);
    expect(await death).toBe('SIGKILL');
    await world.startWorker();
    const states = async (): Promise<unknown[]> =>
      (
        await world.services.pool.query<{ name: string }>(
          `select workflow_name as name, status from app_aaaaaaaaaaaa._runs where record_id = $1 order by workflow_name`,
          [id],
        )
      ).rows;
    await expect.poll(states, { timeout: 40_000 }).toEqual([
      { name: 'nested', status: 'failed' },
      { name: 'part', status: 'completed' },
    ]);
    const made = await world.services.pool.query<{ email: string }>(
      `select split_part(email, '@', 1) as email from app_aaaaaaaaaaaa.agent where email like $1 order by email`,
      [`%@${title}`],
    );
    expect(made.rows.map(({ email }) => email)).toEqual(['inner', 'left', 'paid', 'right', 'undone', 'x', 'y', 'z']);
  }, 120_000);
});
