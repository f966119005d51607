import { afterAll, beforeAll, expect, it } from 'vitest';
import { ensureNamespaceReady } from '../../../adapters/temporal/namespace.ts';
import { isAppError } from '../../../core/errors.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import { publishDocument } from '../../../operations/schemas/publish.ts';
import { schemaWorld, startMigrationWorker, type SchemaWorld } from './schema-world.ts';

let world: SchemaWorld;
let worker: { close(): Promise<void> } | undefined;
beforeAll(async () => {
  world = await schemaWorld({ worker: false });
  await ensureNamespaceReady(world.config);
});
afterAll(() => worker?.close());

const ticket = (unique: boolean) => ({ name: 'ticket', fields: [{ name: 'code', type: 'string', unique }] });
const note = { name: 'note', fields: [{ name: 'text', type: 'text' }] };

it('takes a migration back when records that arrived after its checks refuse it', async () => {
  worker = await startMigrationWorker(world.config, world.services);
  await publishDocument(await world.context(), readDocument({ version: 1, entities: [ticket(false)] }));
  await worker.close();
  worker = undefined;
  const publishing = publishDocument(await world.context(), readDocument({ version: 1, entities: [ticket(true), note] })).catch(
    (error: unknown) => error,
  );
  while ((await world.query("select from durabase.migrations where status = 'planned'")).length === 0)
    await new Promise((resolve) => setTimeout(resolve, 20));
  await world.query(`insert into ${world.storage}.ticket (id, code) values (gen_random_uuid(), 'x'), (gen_random_uuid(), 'x')`);
  worker = await startMigrationWorker(world.config, world.services);
  // On a busy machine the caller has been told "still running" (202) before; the outcome is the migration's either way.
  const answer = await publishing;
  const settled = () =>
    world.query<{ status: string; error: string | null }>('select status, error from durabase.migrations order by number desc limit 1');
  let [migration] = await settled();
  while (migration?.status === 'planned' || migration?.status === 'running') {
    await new Promise((resolve) => setTimeout(resolve, 20));
    [migration] = await settled();
  }
  expect(migration?.error).toContain('The records of "ticket" changed');
  if (isAppError(answer))
    expect(answer).toMatchObject({ code: 'CONFLICT', message: expect.stringContaining('The records of "ticket" changed') as string });
  const ctx = await world.context();
  expect(ctx.app.version).toBe(1);
  expect(await world.query('select to_regclass($1)::text as note', [`${world.storage}.note`])).toEqual([{ note: null }]);
  expect(
    await world.query(
      'select from pg_index i join pg_class c on c.oid = i.indexrelid where c.relnamespace = $1::regnamespace and not indisvalid',
      [world.storage],
    ),
  ).toEqual([]);
  const next = await publishDocument(ctx, readDocument({ version: 1, entities: [ticket(false), note] }));
  expect(next).toMatchObject({ version: 3, migration: { status: 'completed' } });
});
