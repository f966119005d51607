import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ensureNamespaceReady } from '../../adapters/temporal/namespace.ts';
import { createRecord } from '../../operations/records/create.ts';
import { publishChange } from '../../operations/schemas/publish.ts';
import { readItem } from '../../core/model/read-document.ts';
import { schemaWorld, type SchemaWorld } from '../operations/schemas/schema-world.ts';
import { workflowBundle } from '../support/temporal.ts';

let world: SchemaWorld;
const children: ChildProcess[] = [];
beforeAll(async () => {
  world = await schemaWorld({ worker: false });
  await ensureNamespaceReady(world.config);
});
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
});

async function launch(crashAt?: string): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'test/workflows/migration-worker.ts'], {
    env: {
      ...process.env,
      ...world.env,
      BUNDLE: await workflowBundle(),
      DURABASE_TEST: '1',
      ...(crashAt === undefined ? {} : { CRASH_AT: crashAt }),
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(child);
  await once(child.stdout ?? child, 'data');
  return child;
}

describe('a migration whose worker is killed', () => {
  it.each(['migration.before_step', 'migration.after_step', 'migration.before_switch', 'migration.after_switch'])(
    'at %s ends with registry and database in agreement',
    async (point) => {
      const name = point.replace('migration.', 'at_');
      const dying = await launch(point);
      const killed = once(dying, 'exit');
      const ctx = await world.context();
      const publishing = publishChange(ctx, (current) => ({
        ...current,
        entities: [...current.entities, readItem('entities', { name, fields: [{ name: 'title', type: 'string', unique: true }] })],
      }));
      await killed;
      const next = await launch();
      await publishing;
      await vi.waitUntil(async () => (await world.query("select from durabase.migrations where status <> 'completed'")).length === 0, {
        timeout: 40_000,
        interval: 100,
      });
      const after = await world.context();
      expect(after.app.version).toBe(ctx.app.version + 1);
      await createRecord(after, name, { title: 'works' });
      const [steps] = await world.query<{ open: string }>(
        "select count(*) filter (where state <> 'done') as open from durabase.migration_steps",
      );
      expect(steps?.open).toBe('0');
      next.kill('SIGKILL');
    },
    60_000,
  );
});

describe('an engine that is away', () => {
  it('refuses a publish with 503 and writes nothing', async () => {
    const away = await schemaWorld({ worker: false, temporal: '127.0.0.1:1' });
    await expect(publishChange(await away.context(), (current) => ({ ...current, roles: [{ name: 'x' }] }))).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect(await away.query('select from durabase.schema_versions')).toEqual([]);
  });
});
