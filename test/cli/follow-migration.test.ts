/** Watching a migration over real HTTP, while its row in a real catalogue goes where a worker would bring it. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { endLine, followMigration, type Followed } from '../../cli/follow-migration.ts';
import { signIn, type Session } from '../../cli/http.ts';
import { plainPaper } from '../../cli/text/paper.ts';
import type { MigrationView } from '../../operations/schemas/migrations.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

let world: HttpWorld;
let session: Session;
let number = 0;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('main', { version: 1 }, []);
  session = await signIn({ url: world.url, app: 'main', email: 'platform@localhost', password: 'changeme' });
}, 60_000);
afterAll(() => world.close());

async function planned(): Promise<MigrationView> {
  const id = randomUUID();
  await world.pool.query(
    `insert into durabase.migrations (id, app, number, from_version, to_version, status, plan, plan_hash, workflow_id, created_by)
     values ($1, 'main', $2, 1, 2, 'running', '{}', 'h', 'w', '{}')`,
    [id, ++number],
  );
  await world.pool.query(
    `insert into durabase.migration_steps (migration, key, position, phase, sql) values ($1, 'a', 0, 'expand', 'select 1'), ($1, 'b', 1, 'settle', 'select 2')`,
    [id],
  );
  return (JSON.parse(await session.request('GET', `/api/main/_admin/migrations/${id}`)) as { data: MigrationView }).data;
}

const finish = (id: string, key: string): Promise<unknown> =>
  world.pool.query(`update durabase.migration_steps set state = 'done' where migration = $1 and key = $2`, [id, key]);
const become = (id: string, status: string, phase: string, error: string | null = null): Promise<unknown> =>
  world.pool.query('update durabase.migrations set status = $2, phase = $3, error = $4 where id = $1', [id, status, phase, error]);

describe('watching a migration', () => {
  it('tells each step once as it finishes, and ends with the migration', async () => {
    const migration = await planned();
    const said: string[] = [];
    let end: Followed | undefined;
    const following = followMigration(session, migration, plainPaper(), (line) => said.push(line)).then((followed) => (end = followed));
    await finish(migration.id, 'a');
    await expect.poll(() => said, { timeout: 5_000 }).toEqual(['  1/2  expand    select 1']);
    await become(migration.id, 'ready', 'switch');
    await finish(migration.id, 'b');
    await expect.poll(() => said.length, { timeout: 5_000 }).toBe(2);
    expect(end).toBeUndefined();
    await become(migration.id, 'completed', 'done');
    expect((await following).exitCode).toBe(0);
    expect(said).toEqual(['  1/2  expand    select 1', '  2/2  settle    select 2']);
  }, 30_000);

  it.each([
    ['completed', 'done', 0, 'Version 2 is served.'],
    ['ready', 'grace', 0, 'Version 2 is served.'],
    ['ready', 'contract', 0, 'Version 2 is served.'],
    ['failed', 'expand', 1, 'The migration to version 2 was taken back: too bad'],
    ['aborted', 'expand', 1, 'The migration to version 2 was aborted: too bad'],
    ['awaiting_approval', 'expand', 3, 'is awaiting approval: POST _admin/migrations/'],
    ['paused', 'expand', 3, '/resume lets it go on.'],
  ])(
    '%s in %s ends with %i',
    async (status, phase, exitCode, words) => {
      const migration = await planned();
      await become(migration.id, status, phase, 'too bad');
      const followed = await followMigration(session, migration, plainPaper(), () => undefined);
      expect(followed.exitCode).toBe(exitCode);
      expect(endLine(followed, plainPaper())).toContain(words);
      await become(migration.id, 'completed', 'done');
    },
    30_000,
  );

  it('a token that ran out is renewed', async () => {
    await world.pool.query('update durabase.platform_sessions set revoked_at = now()');
    await world.pool.query(`insert into durabase.revocations (app, session_id) select '', id from durabase.platform_sessions`);
    await expect.poll(() => session.request('GET', '/api/main/_admin/migrations').then(() => sessions()), { timeout: 10_000 }).toBe(2);
  }, 30_000);
});

const sessions = async (): Promise<number> =>
  Number((await world.pool.query<{ n: string }>('select count(*) as n from durabase.platform_sessions')).rows[0]?.n);
