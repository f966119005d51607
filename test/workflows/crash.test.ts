import { spawn } from 'node:child_process';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/approvals/decide.ts';
import { getOperation, operateMany } from '../../operations/processes/operate-many.ts';
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

const STUCK = {
  id: 'stuck',
  name: 'stuck',
  trigger: { type: 'state_change', entity: 'ticket', field: 'status', to: 'stuck' },
  steps: [
    {
      id: 'bad',
      type: 'action',
      actions: [{ type: 'delete_record', record_id: '00000000-0000-7000-8000-00000000dead' }],
      then: 'after',
    },
    make('after'),
  ],
};

const WITNESS = {
  id: 'witness',
  name: 'witness',
  entity: 'ticket',
  on: 'after_create',
  when: "record.status = 'seen'",
  function: 'create_records',
  params: { entity: 'agent', records: [{ email: 'record.title' }] },
};

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([CREATION, VOTING, ...NESTED, STUCK], { functions: [WITNESS] });
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
  ['one of two branches', 5],
  ['the other', 6],
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

describe('a worker killed when a function had done its work, and had not said so', () => {
  it('leaves it to the next one, and what it wrote stands once', async () => {
    const { pool } = world.services;
    const title = 'witness@seen.example';
    await world.worker.close();
    const death = doomedWorker('function.performed');
    const id = await world.ticket({ title, status: 'seen' });
    await world.change(id, 'create', { id, title, status: 'seen' }, null);
    expect(await death).toBe('SIGKILL');
    const runs = async (): Promise<unknown> =>
      (await pool.query(`select status, attempt from app_aaaaaaaaaaaa._function_runs where record_id = $1`, [id])).rows;
    expect(await runs()).toEqual([{ status: 'running', attempt: 1 }]);
    // What the dead one had claimed is free again when its lease is over.
    await pool.query(`update app_aaaaaaaaaaaa._function_runs set due_at = now() where status = 'running'`);
    await pool.query(`update durabase.work set due_at = now() where kind = 'functions'`);
    await world.startWorker();
    await expect.poll(runs, { timeout: 40_000 }).toEqual([{ status: 'succeeded', attempt: 2 }]);
    expect((await pool.query(`select 1 from app_aaaaaaaaaaaa.agent where email = $1`, [title])).rows).toHaveLength(1);
  }, 120_000);
});

describe('a worker killed while it asks thirty runs', () => {
  it('leaves the rest to the next one, and each run was asked once', async () => {
    const { pool } = world.services;
    const storage = world.app.storage;
    for (let index = 0; index < 30; index++) {
      const title = `many${index}.example`;
      const id = await world.ticket({ title, status: 'stuck' });
      await world.change(id, 'create', { id, title, status: 'stuck' }, null);
    }
    const stuck = async (): Promise<number> =>
      (await pool.query(`select 1 from ${storage}._runs where workflow_name = 'stuck' and status = 'running' and error is not null`)).rows
        .length;
    await expect.poll(stuck, { timeout: 30_000 }).toBe(30);
    await world.worker.close();
    const death = doomedWorker('operation.asked:14');
    const begun = await operateMany(world.admin, { action: 'skip', filter: { workflow: 'stuck' } });
    expect(begun.status).toBe(202);
    expect(await death).toBe('SIGKILL');
    const { id: operation } = (JSON.parse(begun.text) as { data: { id: string } }).data;
    const state = async (): Promise<unknown> => JSON.parse(await getOperation(world.admin, operation));
    expect(await state()).toMatchObject({ data: { state: 'running', total: 30, failed: 0 } });
    // What the dead one had claimed is free again when its lease is over.
    await pool.query(`update ${storage}._operated_runs set due_at = now() where state = 'pending'`);
    await pool.query(`update durabase.work set due_at = now() where kind = 'operations'`);
    await world.startWorker();
    await expect.poll(state, { timeout: 40_000 }).toMatchObject({ data: { state: 'done', total: 30, done: 30, failed: 0 } });
    const { rows } = await pool.query<{ status: string; said: string[] }>(
      `select status, (select array_agg(h->>'status') from jsonb_array_elements(history) h) as said from ${storage}._runs where workflow_name = 'stuck'`,
    );
    expect(rows).toEqual(Array.from({ length: 30 }, () => ({ status: 'completed', said: ['failed', 'skipped', 'completed'] })));
    const made = await pool.query(
      `select count(*)::int as made, count(distinct email)::int as names from ${storage}.agent where email like 'after@many%'`,
    );
    expect(made.rows).toEqual([{ made: 30, names: 30 }]);
    const again = await operateMany(world.admin, { action: 'skip', filter: { workflow: 'stuck' } });
    expect(JSON.parse(again.text)).toMatchObject({ data: { total: 0, state: 'done' } });
  }, 120_000);
});
