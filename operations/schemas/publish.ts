/**
 * Publishing: the one way a definition changes. A version, its events and a planned migration are written in one transaction;
 * the `schemaMigration` workflow does the rest while the caller waits a little.
 */
import { WorkflowIdConflictPolicy, WorkflowIdReusePolicy } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { classOf, type Change } from '../../core/change/change.ts';
import { stepText } from '../../core/change/plan.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import type { Finding } from '../../core/model/review.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { migrationWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import type { SchemaMigrationInput, SchemaMigrationResult } from '../../workflows/contracts/types.ts';
import { checkEntityNames } from '../apps/names.ts';
import type { AppContext, Services } from '../context.ts';
import { getMigration, type MigrationView } from './migrations.ts';
import { checkData, prepare, readServed, type Edit, type Prepared, type Served } from './prepare.ts';

export interface PublishOptions {
  /** `If-Match`: the schema version the caller edited. */
  readonly ifMatch?: number | undefined;
}

export interface Published {
  /** The version that is served when `isPending` is false. */
  readonly version: number;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly migration: MigrationView | null;
  /** True when the migration takes longer than a caller should wait: answer 202. */
  readonly isPending: boolean;
  /** The document as published, ids included. */
  readonly document: SchemaDocument;
}

/** How long a publish waits for the ones before it, and for its own migration. */
const QUEUE_MS = 10_000;
const RESULT_MS = 5_000;

export const publishDocument = (ctx: AppContext, next: SchemaDocument, options: PublishOptions = {}): Promise<Published> =>
  publishChange(ctx, () => next, options);

/** Publishes an edit of the served document. Edits of one app wait for each other in order. */
export async function publishChange(ctx: AppContext, edit: Edit, options: PublishOptions = {}): Promise<Published> {
  const deadline = Date.now() + QUEUE_MS;
  return inOrder(ctx.app.id, deadline, async () => {
    const client = await connected(ctx.services);
    for (;;) {
      const outcome = await record(ctx, edit, options);
      if (outcome.kind === 'unchanged') return unchanged(outcome);
      if (outcome.kind === 'recorded') return finish(ctx, client, outcome);
      if (Date.now() > deadline) throw busy();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
}

/** Without the engine nothing is written at all. */
async function connected(services: Services): Promise<Client> {
  const client = await services.temporal.client();
  if (!(await services.temporal.isReachable())) throw temporalUnavailable();
  return client;
}

const busy = (): AppError =>
  new AppError('CONFLICT', 'Another migration of this app is still running.', {
    hint: 'Repeat this request when it has finished; GET _admin/migrations shows it.', retryAfter: 5,
  });

const queues = new Map<string, Promise<unknown>>();

/** First come, first served within this process; between processes the open migration makes them wait. */
async function inOrder<T>(app: string, deadline: number, work: () => Promise<T>): Promise<T> {
  const before = queues.get(app) ?? Promise.resolve();
  const mine = before.catch(() => undefined).then(() => {
    if (Date.now() > deadline) throw busy();
    return work();
  });
  queues.set(app, mine);
  try {
    return await mine;
  } finally {
    if (queues.get(app) === mine) queues.delete(app);
  }
}

type Outcome =
  | { readonly kind: 'blocked' }
  | { readonly kind: 'unchanged'; readonly served: Served; readonly prepared: Prepared }
  | { readonly kind: 'recorded'; readonly version: number; readonly prepared: Prepared; readonly migrationId: string; readonly number: number };

async function record(ctx: AppContext, edit: Edit, options: PublishOptions): Promise<Outcome> {
  try {
    return await transaction(ctx.services.pool, async (client): Promise<Outcome> => {
      const served = await readServed(client, ctx, true);
      if (await isMigrationOpen(client, ctx.app.id)) return { kind: 'blocked' };
      if (options.ifMatch !== undefined && options.ifMatch !== served.servedVersion) {
        throw new AppError('PRECONDITION_FAILED', `The schema is at version ${served.servedVersion}, not ${options.ifMatch}: somebody else changed it.`, {
          hint: 'Read the definitions again and repeat the change.',
        });
      }
      const prepared = prepare(ctx, served.document, edit);
      if (prepared.changes.length === 0) return { kind: 'unchanged', served, prepared };
      const added = prepared.changes.flatMap((change) => (change.kind === 'add_entity' && change.entity !== undefined ? [change.entity] : []));
      await checkEntityNames(ctx.services, ctx.app, added);
      await checkData(client, prepared.plan);
      return insertVersion(client, ctx, served, prepared);
    });
  } catch (error) {
    // Another process recorded its migration between our question and our insert.
    if (sqlState(error) === '23505') return { kind: 'blocked' };
    throw error;
  }
}

async function isMigrationOpen(client: pg.PoolClient, app: string): Promise<boolean> {
  const rows = await run(client, sql`
    select from durabase.migrations where app = ${value(app)} and status in ('planned', 'awaiting_approval', 'running', 'paused')`);
  return rows.length > 0;
}

async function insertVersion(client: pg.PoolClient, ctx: AppContext, served: Served, prepared: Prepared): Promise<Outcome> {
  const version = served.latestVersion + 1;
  const schemaName = ctx.app.schemaName;
  const actor = JSON.stringify({ kind: ctx.actor.kind, id: ctx.actor.id, email: ctx.actor.email });
  const changeClass = served.servedVersion === 0 ? 'initial' : classOf(prepared.changes);
  await execute(client, sql`
    insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by)
    values (${value(schemaName)}, ${value(version, 'integer')}, ${value(JSON.stringify(prepared.document), 'jsonb')}, ${value(changeClass)},
            ${value(JSON.stringify(prepared.changes), 'jsonb')}, ${value(prepared.documentHash)}, ${value(actor, 'jsonb')})`);
  await execute(client, sql`update durabase.schemas set latest_version = ${value(version, 'integer')} where name = ${value(schemaName)}`);
  const { migrationId, number } = await insertMigration(client, ctx, served, prepared, version, actor);
  const facts = { app: ctx.app.id, schemaName, newVersion: version };
  await appendSchemaEvent(client, served.servedVersion === 0
    ? { ...facts, type: 'schema.created', body: { changes: prepared.changes } }
    : { ...facts, type: 'schema.updated.compatible', oldVersion: served.servedVersion, body: { changes: prepared.changes } });
  await appendSchemaEvent(client, {
    ...facts, type: 'schema.migration.requested', oldVersion: served.servedVersion, body: { migration_id: migrationId, number },
  });
  return { kind: 'recorded', version, prepared, migrationId, number };
}

async function insertMigration(
  client: pg.PoolClient, ctx: AppContext, served: Served, prepared: Prepared, version: number, actor: string,
): Promise<{ migrationId: string; number: number }> {
  const migrationId = uuidv7();
  const app = value(ctx.app.id);
  const [row] = await run<{ number: number }>(client, sql`
    insert into durabase.migrations (id, app, number, from_version, to_version, status, plan, plan_hash, workflow_id, created_by)
    select ${value(migrationId, 'uuid')}, ${app}, n, ${value(served.servedVersion, 'integer')}, ${value(version, 'integer')}, 'planned',
           ${value(JSON.stringify({ changes: prepared.changes }), 'jsonb')}, ${value(prepared.planHash)},
           ${value(migrationWorkflowId(ctx.app.id, 0).slice(0, -1))} || n, ${value(actor, 'jsonb')}
    from (select coalesce(max(number), 0) + 1 as n from durabase.migrations where app = ${app}) numbered
    returning number`);
  const steps = prepared.plan.steps.map((step, position) => ({
    key: step.key, position, phase: step.phase, sql: stepText(step), lock: step.lock,
  }));
  await execute(client, sql`
    insert into durabase.migration_steps (migration, key, position, phase, sql, lock)
    select ${value(migrationId, 'uuid')}, s.key, s.position, s.phase, s.sql, s.lock
    from jsonb_to_recordset(${value(JSON.stringify(steps), 'jsonb')}) as s(key text, position integer, phase text, sql text, lock text)`);
  return { migrationId, number: row?.number ?? 1 };
}

const unchanged = (outcome: Extract<Outcome, { kind: 'unchanged' }>): Published => ({
  version: outcome.served.servedVersion, changes: [], findings: outcome.prepared.findings, migration: null, isPending: false,
  document: outcome.served.document,
});

async function finish(ctx: AppContext, client: Client, recorded: Extract<Outcome, { kind: 'recorded' }>): Promise<Published> {
  await startOrAbort(ctx, client, recorded);
  const result = await waitForResult(client, migrationWorkflowId(ctx.app.id, recorded.number));
  if (result !== undefined && result.status !== 'completed') {
    throw new AppError('CONFLICT', result.error ?? 'The migration was aborted. Nothing was changed.', { hint: 'Publish again.' });
  }
  await ctx.services.registry.refresh();
  return {
    version: recorded.version,
    changes: recorded.prepared.changes,
    findings: recorded.prepared.findings,
    migration: await getMigration(ctx, recorded.migrationId),
    isPending: result === undefined,
    document: recorded.prepared.document,
  };
}

/**
 * A start that fails may have happened all the same. Aborting the planned row decides it: a workflow that comes up finds the
 * row aborted and ends; one that was quicker has made the row running, and then it goes on.
 */
async function startOrAbort(ctx: AppContext, client: Client, recorded: { readonly migrationId: string; readonly number: number }): Promise<void> {
  const input = { app: ctx.app.id, migrationId: recorded.migrationId, number: recorded.number };
  try {
    await client.withDeadline(Date.now() + 3_000, () => startMigrationWorkflow(client, input, WorkflowIdReusePolicy.REJECT_DUPLICATE));
  } catch (error) {
    ctx.services.log.warn({ err: error, migration: recorded.migrationId }, 'a migration could not be started');
    const isAborted = await transaction(ctx.services.pool, async (connection) => {
      const changed = await execute(connection, sql`
        update durabase.migrations set status = 'aborted', error = 'Temporal did not answer.', updated_at = now()
        where id = ${value(recorded.migrationId, 'uuid')} and status = 'planned'`);
      if (changed > 0) await appendSchemaEvent(connection, { type: 'schema.migration.aborted', app: ctx.app.id, schemaName: ctx.app.schemaName, body: { migration_id: recorded.migrationId } });
      return changed > 0;
    });
    if (isAborted) throw temporalUnavailable(error);
  }
}

/** One place that knows how a migration's workflow is started. */
export async function startMigrationWorkflow(client: Client, input: SchemaMigrationInput, reuse: WorkflowIdReusePolicy): Promise<void> {
  await client.workflow.start('schemaMigration', {
    workflowId: migrationWorkflowId(input.app, input.number),
    taskQueue: CONTROL_QUEUE,
    args: [input],
    workflowIdConflictPolicy: WorkflowIdConflictPolicy.USE_EXISTING,
    workflowIdReusePolicy: reuse,
    // A worker that dies inside a local activity is noticed after this long.
    workflowTaskTimeout: '5s',
  });
}

async function waitForResult(client: Client, workflowId: string): Promise<SchemaMigrationResult | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(() => resolve(undefined), RESULT_MS)));
  const handle = client.workflow.getHandle<() => Promise<SchemaMigrationResult>>(workflowId);
  // The engine going away while we wait is no failure of the publish: the migration is recorded and goes on.
  const result = client.withDeadline(Date.now() + RESULT_MS + 1_000, () => handle.result()).catch(() => undefined);
  try {
    return await Promise.race([result, late]);
  } finally {
    clearTimeout(timer);
  }
}
