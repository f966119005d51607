/** Imports as durable work: stopped, cut off, lost and done twice at once, each row is written once or not at all. */
import type { Client } from '@temporalio/client';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { resumeLostImports } from '../../operations/imports/sweep.ts';
import { workOnImport } from '../../operations/imports/work.ts';
import { forgetOld } from '../../operations/retention.ts';
import { createServices, type RunningServices } from '../../operations/services.ts';
import { importWorkflowId } from '../../workflows/contracts/ids.ts';
import { Importer } from '../api/imports-world.ts';
import { startWorld, type Reply, type World } from '../api/world.ts';
import { recordHistories } from '../replay/record.ts';

const DOCUMENT = {
  version: 1,
  entities: [
    {
      name: 'part',
      fields: [
        { name: 'code', type: 'string', unique: true, required: true },
        { name: 'title', type: 'string' },
      ],
    },
  ],
};

let world: World;
let admin: Importer;
let services: RunningServices;
let client: Client;
let db: pg.Pool;
let app: string;
let table: string;
const cases = new Map<string, string>();
beforeAll(async () => {
  world = await startWorld();
  const { tokens } = await world.install(DOCUMENT);
  admin = new Importer(world, tokens['admin'] ?? '');
  services = await createServices(world.config, 'worker', pino({ level: 'silent' }));
  client = await services.temporal.client();
  db = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  const { rows } = await db.query<{ id: string; storage: string }>(`select id, storage from durabase.apps where name = 'main'`);
  app = rows[0]?.id ?? '';
  table = `"${rows[0]?.storage ?? ''}"`;
  // A millisecond a row: there is a middle to be met in.
  await db.query(`create function ${table}.slow() returns trigger language plpgsql as 'begin perform pg_sleep(0.001); return new; end'`);
  await db.query(`create trigger slow before insert on ${table}.part for each row execute function ${table}.slow()`);
}, 90_000);
afterAll(async () => {
  await recordHistories(services, 'recordImport', cases);
  await services.close();
  await db.end();
});

const file = (prefix: string, rows: number): string =>
  ['code,title', ...Array.from({ length: rows }, (_, at) => `${prefix}${String(at)},T`)].join('\n');
const count = async (prefix: string): Promise<number> =>
  (await db.query<{ n: number }>(`select count(*)::int as n from ${table}.part where code like $1`, [`${prefix}%`])).rows[0]?.n ?? -1;
const workflowId = (id: string, round = 1): string => importWorkflowId(app, id, round);

async function begun(prefix: string, rows: number, query: string): Promise<string> {
  const sent = await admin.send(file(prefix, rows), { entity: 'part', query });
  expect(sent.status, sent.text).toBe(202);
  return sent.body.data.id as string;
}

const view = async (id: string): Promise<Reply['body']> => (await admin.call('GET', `_imports/${id}`)).body.data;

/** Some batches are written, and some are not. */
async function inTheMiddle(id: string): Promise<void> {
  await vi.waitUntil(
    async () => {
      const { progress, state } = await view(id);
      return state === 'running' && progress.done > 0;
    },
    { timeout: 30_000, interval: 10 },
  );
}

describe('an import that is stopped', () => {
  it('leaves nothing of all or nothing', async () => {
    const id = await begun('whole', 2_000, 'run=true');
    await inTheMiddle(id);
    expect((await admin.call('POST', `_imports/${id}/cancel`)).status).toBe(200);
    const done = await admin.rests(id);
    expect(done).toMatchObject({ state: 'cancelled', undo: { kept: 0, possible: false } });
    expect(done.undo.removed).toBe(done.counts.created);
    expect(done.counts.created).toBeGreaterThan(0);
    expect(await count('whole')).toBe(0);
    cases.set(workflowId(id), 'cancelled-and-taken-back');
  }, 60_000);

  it('keeps what it has written where bad rows are skipped, until that is taken back', async () => {
    const id = await begun('some', 2_000, 'run=true&on_error=skip');
    await inTheMiddle(id);
    await admin.call('POST', `_imports/${id}/cancel`);
    const done = await admin.rests(id);
    expect(done).toMatchObject({ state: 'cancelled', undo: { possible: true } });
    expect(await count('some')).toBe(done.counts.created);
    expect((await admin.call('POST', `_imports/${id}/run`)).body.error.code).toBe('CONFLICT');
    await admin.call('POST', `_imports/${id}/undo`);
    expect(await admin.rests(id)).toMatchObject({ state: 'undone' });
    expect(await count('some')).toBe(0);
    cases.set(workflowId(id, 2), 'undone');
  }, 60_000);

  it('is stopped by whoever cancels its workflow', async () => {
    const id = await begun('webui', 2_000, 'run=true');
    await inTheMiddle(id);
    await client.workflow.getHandle(workflowId(id)).cancel();
    expect(await admin.rests(id)).toMatchObject({ state: 'cancelled' });
    expect(await count('webui')).toBe(0);
    cases.set(workflowId(id), 'cancelled-in-temporal');
  }, 60_000);

  it('is shown as failed when its workflow was terminated', async () => {
    const id = await begun('ended', 2_000, 'run=true&on_error=skip');
    await inTheMiddle(id);
    await client.workflow.getHandle(workflowId(id)).terminate();
    await db.query(`update ${table}._imports set updated_at = now() - interval '1 minute' where id = $1`, [id]);
    await vi.waitUntil(
      async () => {
        await resumeLostImports(services);
        await db.query(`update ${table}._imports set updated_at = now() - interval '1 minute' where id = $1`, [id]);
        return (await view(id)).state === 'failed';
      },
      { timeout: 20_000, interval: 200 },
    );
    expect((await view(id)).error).toEqual({ code: 'CONFLICT', message: 'Its workflow was terminated in Temporal.' });
  }, 60_000);
});

describe('an import that goes on', () => {
  it('takes back what it has written when a row has become bad since it was checked', async () => {
    const id = await begun('late', 1_200, '');
    expect(await admin.rests(id)).toMatchObject({ state: 'checked', counts: { created: 1_200, failed: 0 } });
    await admin.call('POST', 'part', { code: 'late1100' });
    expect((await admin.call('POST', `_imports/${id}/run`)).status).toBe(202);
    const done = await admin.rests(id);
    expect(done).toMatchObject({ state: 'refused', undo: { removed: 1_000, kept: 0 }, error: { code: 'VALIDATION_FAILED' } });
    expect(await count('late')).toBe(1);
    expect((await admin.call('GET', `_imports/${id}/errors`)).body.data).toMatchObject([
      { line: 1_102, column: 'code', code: 'CONFLICT', rule: 'unique' },
    ]);
    cases.set(workflowId(id), 'checked');
    cases.set(workflowId(id, 2), 'refused-and-taken-back');
  }, 60_000);

  it('has another workflow when Temporal has lost its own, and says where it went on', async () => {
    const id = await begun('lost', 2_500, 'run=true&on_error=skip');
    await inTheMiddle(id);
    // Another round than Temporal has ever heard of; the workflow of the first finds that it is not its turn any more.
    await db.query(`update ${table}._imports set round = 2 where id = $1`, [id]);
    expect(await client.workflow.getHandle(workflowId(id)).result()).toMatchObject({ state: 'running' });
    await vi.waitUntil(
      async () => {
        await db.query(`update ${table}._imports set updated_at = now() - interval '1 minute' where id = $1 and round = 2`, [id]);
        return (await resumeLostImports(services)) > 0 || (await view(id)).workflow_id.endsWith('.3');
      },
      { timeout: 20_000, interval: 100 },
    );
    const done = await admin.rests(id);
    expect(done, JSON.stringify(done)).toMatchObject({ state: 'completed', counts: { created: 2_500 }, workflow_id: workflowId(id, 3) });
    expect(done.resumed).toMatchObject([{ task: 'run' }]);
    expect(await count('lost')).toBe(2_500);
    cases.set(workflowId(id, 3), 'resumed');
  }, 60_000);

  it('writes each row once, though two workers think that it is theirs', async () => {
    const id = await begun('twice', 2_000, 'run=true&on_error=skip');
    const input = { app, importId: id, round: 1, entity: 'part' };
    const work = () => workOnImport(services, input, { isResumed: false, isOver: () => false });
    const slices = await Promise.all([work(), work(), work()]);
    expect(slices.map(({ state, created }) => [state, created])).toEqual(Array(3).fill(['completed', 2_000]));
    expect(await count('twice')).toBe(2_000);
    const { rows } = await db.query<{ n: number }>(`select count(*)::int as n from ${table}._import_records where import_id = $1`, [id]);
    expect(rows[0]?.n).toBe(2_000);
  }, 60_000);

  it('is forgotten after its time, with all it had, and not before', async () => {
    const id = await begun('old', 3, 'run=true');
    await admin.rests(id);
    await forgetOld(services);
    expect((await admin.call('GET', `_imports/${id}`)).status).toBe(200);
    const { rows } = await db.query<{ old: string }>(`select uuidv7(interval '-31 days')::text as old`);
    const old = rows[0]?.old ?? '';
    await db.query(
      `insert into ${table}._imports (id, entity_id, entity, schema_version, format, owner, actor, state)
      select $2, entity_id, entity, schema_version, format, owner, actor, state from ${table}._imports where id = $1`,
      [id, old],
    );
    await db.query(`insert into ${table}._import_chunks (import_id, first_row, rows, body) values ($1, 0, 0, '[]')`, [old]);
    expect((await forgetOld(services))['_imports']).toBe(1);
    expect((await admin.call('GET', `_imports/${old}`)).status).toBe(404);
  }, 60_000);
});
