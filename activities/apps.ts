/** Side effects of making and removing an app. Each may run again after a crash: it looks at what is there before it acts. */
import { activityInfo, heartbeat, sleep } from '@temporalio/activity';
import { WorkflowNotFoundError, type WorkflowHandle } from '@temporalio/client';
import { migrateApp } from '../adapters/postgres/migrate.ts';
import { connectDirect } from '../adapters/postgres/pool.ts';
import { execute, run } from '../adapters/postgres/run.ts';
import { transaction } from '../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../adapters/schema-events/postgres.ts';
import { appRealm, createSigningKey } from '../adapters/tokens.ts';
import { AppError } from '../core/errors.ts';
import { id, sql, value, type Sql } from '../core/sql/sql.ts';
import { seedAppAdmin } from '../operations/auth/seed.ts';
import type { Services } from '../operations/context.ts';
import { firstVersion, planFirstMigration } from '../operations/schemas/move.ts';

export interface AppActivities {
  /** The app's Postgres schema with its system tables. */
  createStorage(app: string): Promise<void>;
  /** Signing key and first admin. */
  createIdentity(app: string): Promise<void>;
  /** From here on the app serves; one that follows a schema of others has its first migration planned. */
  activateApp(app: string): Promise<void>;
  /** Provisioning cannot succeed; the app stays visible as failed until it is deleted. */
  failApp(input: { readonly app: string; readonly reason: string }): Promise<void>;
  /** A retirement was called off. */
  reactivateApp(app: string): Promise<void>;
  dropStorage(app: string): Promise<void>;
  /** Ends what still runs for an app whose storage is gone: processes, deliveries, clocks. */
  endRuns(app: string): Promise<void>;
  deleteEvents(app: string): Promise<void>;
  finishRetirement(app: string): Promise<void>;
}

const EVENTS_PER_BATCH = 5_000;
const LOOK_MS = 500;

export function createAppActivities(services: Services): AppActivities {
  return {
    async createStorage(app) {
      const { storage } = await catalogRow(services, app);
      await migrateApp(ownerUrl(services), storage);
      await grantToDataRole(services, storage);
    },
    async createIdentity(app) {
      const row = await catalogRow(services, app);
      await createSigningKey(services.pool, services.keyring, app);
      await seedAppAdmin(services, appRealm({ id: app, storage: row.storage }), row.name);
    },
    async activateApp(app) {
      const row = await catalogRow(services, app);
      await transaction(services.pool, async (client) => {
        await execute(
          client,
          sql`
          insert into durabase.schemas (name, owner_app) values (${value(row.schema_name, 'text')}, ${value(app, 'text')}) on conflict do nothing`,
        );
        const changed = await setStatus(client, app, 'active', ['provisioning']);
        if (changed === 0) return;
        const version = await firstVersion(client, app);
        await execute(client, sql`update durabase.apps set pinned_version = null where id = ${value(app, 'text')}`);
        await appendSchemaEvent(client, { type: 'app.created', app, schemaName: row.schema_name, newVersion: 0 });
        await planFirstMigration(client, { id: app, schemaName: row.schema_name, storage: row.storage }, version);
      });
    },
    async failApp({ app, reason }) {
      services.log.error({ app, reason }, 'an app could not be made');
      await execute(
        services.pool,
        sql`
        update durabase.apps set status = 'failed', updated_at = now() where id = ${value(app, 'text')} and status = 'provisioning'`,
      );
    },
    async reactivateApp(app) {
      await transaction(services.pool, async (client) => {
        const changed = await setStatus(client, app, 'active', ['retiring']);
        if (changed > 0) await appendSchemaEvent(client, { type: 'app.updated', app });
      });
    },
    async dropStorage(app) {
      const { storage, status } = await catalogRow(services, app);
      if (status !== 'retiring') throw new AppError('CONFLICT', `The app is ${status}, not retiring.`);
      await withOwner(services, async (run) => {
        await run(sql`set lock_timeout = '200ms'`);
        await run(sql`drop schema if exists ${id(storage)} cascade`);
      });
    },
    async endRuns(app) {
      const client = await services.temporal.client();
      const own = activityInfo().workflowExecution?.workflowId;
      // A start decided before the storage went may come after a look; visibility is a moment behind as well.
      for (let emptyLooks = 0; emptyLooks < 2; heartbeat()) {
        let found = 0;
        for await (const { workflowId } of client.workflow.list({ query: `AppId = "${app}" and ExecutionStatus = "Running"` })) {
          if (workflowId === own) continue;
          found += 1;
          await end(client.workflow.getHandle(workflowId));
        }
        emptyLooks = found === 0 ? emptyLooks + 1 : 0;
        await sleep(LOOK_MS);
      }
    },
    async deleteEvents(app) {
      for (;;) {
        const removed = await execute(
          services.pool,
          sql`
          delete from durabase.events where ctid = any(array(
            select ctid from durabase.events where app = ${value(app, 'text')} limit ${value(EVENTS_PER_BATCH, 'integer')}))
          and app = ${value(app, 'text')}`,
        );
        const forgotten = await execute(
          services.pool,
          sql`
          delete from durabase.feed where (app, position) in (
            select app, position from durabase.feed where app = ${value(app, 'text')} limit ${value(EVENTS_PER_BATCH, 'integer')})`,
        );
        if (removed + forgotten === 0) return;
        heartbeat(removed + forgotten);
      }
    },
    async finishRetirement(app) {
      await transaction(services.pool, async (client) => {
        await execute(client, sql`delete from durabase.work where app = ${value(app, 'text')}`);
        await execute(client, sql`delete from durabase.mails where app = ${value(app, 'text')}`);
        await execute(client, sql`delete from durabase.signing_keys where app = ${value(app, 'text')}`);
        const changed = await setStatus(client, app, 'retired', ['retiring']);
        if (changed > 0) await appendSchemaEvent(client, { type: 'app.retired', app });
      });
    },
  };
}

/** One that ended by itself in the meantime is ended. */
async function end(run: WorkflowHandle): Promise<void> {
  try {
    await run.terminate('The app was removed.');
  } catch (error) {
    if (!(error instanceof WorkflowNotFoundError)) throw error;
  }
}

interface CatalogRow {
  readonly name: string;
  readonly storage: string;
  readonly schema_name: string;
  readonly status: string;
}

async function catalogRow(services: Services, app: string): Promise<CatalogRow> {
  const [row] = await run<CatalogRow & Record<string, unknown>>(
    services.pool,
    sql`
    select name, storage, schema_name, status from durabase.apps where id = ${value(app, 'text')}`,
  );
  if (row === undefined) throw new AppError('APP_NOT_FOUND', 'The app is not in the catalog any more.');
  return row;
}

const setStatus = (client: Parameters<typeof execute>[0], app: string, status: string, from: readonly string[]): Promise<number> =>
  execute(
    client,
    sql`
    update durabase.apps set status = ${value(status, 'text')}, updated_at = now(),
      retire_at = case when ${value(status, 'text')} = 'active' then null else retire_at end
    where id = ${value(app, 'text')} and status = any(${value(from, 'text[]')})`,
  );

function ownerUrl(services: Services): string {
  const { databaseOwnerUrl, databaseDirectUrl, databaseUrl } = services.config;
  const url = databaseOwnerUrl ?? databaseDirectUrl ?? databaseUrl;
  if (url === undefined) throw new AppError('INTERNAL_ERROR', 'DATABASE_URL is not set.');
  return url;
}

async function withOwner(services: Services, work: (run: (statement: Sql) => Promise<unknown>) => Promise<void>): Promise<void> {
  const client = await connectDirect(ownerUrl(services), 'durabase-apps');
  try {
    await work((statement) => run(client, statement));
  } finally {
    await client.end();
  }
}

/** Where the API's role is not the owner, it gets the data of the app's tables, now and later, and nothing else. */
async function grantToDataRole(services: Services, storage: string): Promise<void> {
  const [row] = await run<{ role: string }>(services.pool, sql`select current_user::text as role`);
  await withOwner(services, async (asOwner) => {
    const [owner] = (await asOwner(sql`select current_user::text as role`)) as { role: string }[];
    if (row === undefined || row.role === owner?.role) return;
    const role = id(row.role);
    const schema = id(storage);
    await asOwner(sql`grant usage on schema ${schema} to ${role}`);
    await asOwner(sql`grant select, insert, update, delete on all tables in schema ${schema} to ${role}`);
    await asOwner(sql`alter default privileges in schema ${schema} grant select, insert, update, delete on tables to ${role}`);
    await asOwner(sql`alter default privileges in schema ${schema} grant usage on sequences to ${role}`);
  });
}
