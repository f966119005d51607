/** From a recorded migration to its end: the queue of an app's migrations, the workflow's start, and the caller's wait. */
import type { WorkflowIdReusePolicy } from '@temporalio/common';
import type { Client } from '@temporalio/client';
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { classOf, type Change } from '../../core/change/change.ts';
import { stepText } from '../../core/change/plan.ts';
import { AppError } from '../../core/errors.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { migrationRules, needsApproval as waitsForApproval } from '../../core/model/migration-settings.ts';
import type { Finding } from '../../core/model/review.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { contractWorkflowId, migrationWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { appIdAttribute, stateAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { ContractInput, SchemaMigrationInput, SchemaMigrationResult } from '../../workflows/contracts/types.ts';
import type { Actor, AppContext, Services } from '../context.ts';
import { getMigration, type MigrationView } from './migrations.ts';
import type { Prepared, Served } from './prepare.ts';

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

/** Records a migration and sees it through. Those of one app wait for each other in order. */
export async function carryOut(ctx: AppContext, record: () => Promise<Outcome>): Promise<Published> {
  const deadline = Date.now() + QUEUE_MS;
  return inOrder(ctx.app.id, deadline, async () => {
    const client = await connected(ctx.services);
    for (;;) {
      const outcome = await record();
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
    hint: 'Repeat this request when it has finished; GET _admin/migrations shows it.',
    retryAfter: 5,
  });

const queues = new Map<string, Promise<unknown>>();

/** First come, first served within this process; between processes the open migration makes them wait. */
async function inOrder<T>(app: string, deadline: number, work: () => Promise<T>): Promise<T> {
  const before = queues.get(app) ?? Promise.resolve();
  const mine = before
    .catch(() => undefined)
    .then(() => {
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

export type Outcome =
  { readonly kind: 'blocked' } | { readonly kind: 'unchanged'; readonly served: Served; readonly prepared: Prepared } | Recorded;

export interface Recorded {
  readonly kind: 'recorded';
  readonly version: number;
  readonly prepared: Prepared;
  readonly migrationId: string;
  readonly number: number;
  /** Its workflow waits for somebody's word. */
  readonly needsApproval: boolean;
}

export async function isMigrationOpen(client: pg.PoolClient, app: string): Promise<boolean> {
  const rows = await run(
    client,
    sql`
    select from durabase.migrations where app = ${value(app)} and status in ('planned', 'awaiting_approval', 'running', 'paused')`,
  );
  return rows.length > 0;
}

export const actorText = (actor: Pick<Actor, 'kind' | 'id' | 'email' | 'keyId'>): string =>
  JSON.stringify({ kind: actor.kind, id: actor.id, email: actor.email, key: actor.keyId });

export interface Move {
  readonly from: number;
  readonly to: number;
  readonly prepared: Prepared;
}

/** Whose tables a migration is about, and who asked for it. */
export interface Mover {
  readonly app: { readonly id: string; readonly schemaName: string };
  readonly actor: Pick<Actor, 'kind' | 'id' | 'email' | 'keyId'>;
}

/** A planned migration with its steps, and the event that asks for it. */
export async function insertMigration(client: pg.PoolClient, { app, actor }: Mover, { from, to, prepared }: Move): Promise<Recorded> {
  const migrationId = uuidv7();
  const rules = migrationRules(prepared.current);
  const needsApproval = waitsForApproval(rules, classOf(prepared.changes));
  const owner = value(app.id);
  const [row] = await run<{ number: number }>(
    client,
    sql`
    insert into durabase.migrations (id, app, number, from_version, to_version, status, plan, plan_hash, workflow_id, created_by, approval, grace_ms, retention_ms)
    select ${value(migrationId, 'uuid')}, ${owner}, n, ${value(from, 'integer')}, ${value(to, 'integer')}, ${value(needsApproval ? 'awaiting_approval' : 'planned')},
           ${value(JSON.stringify({ changes: prepared.changes, held: prepared.held, undone: prepared.undone }), 'jsonb')}, ${value(prepared.planHash)},
           ${value(migrationWorkflowId(app.id, 0).slice(0, -1))} || n, ${value(actorText(actor), 'jsonb')},
           ${value(JSON.stringify({ needed: needsApproval }), 'jsonb')}, ${value(rules.graceMs, 'bigint')}, ${value(rules.retentionMs, 'bigint')}
    from (select coalesce(max(number), 0) + 1 as n from durabase.migrations where app = ${owner}) numbered
    returning number`,
  );
  const number = row?.number ?? 1;
  const steps = prepared.plan.steps.map((step, position) => ({
    key: step.key,
    position,
    phase: step.phase,
    sql: stepText(step),
    lock: step.lock,
  }));
  await execute(
    client,
    sql`
    insert into durabase.migration_steps (migration, key, position, phase, sql, lock)
    select ${value(migrationId, 'uuid')}, s.key, s.position, s.phase, s.sql, s.lock
    from jsonb_to_recordset(${value(JSON.stringify(steps), 'jsonb')}) as s(key text, position integer, phase text, sql text, lock text)`,
  );
  const event = await appendSchemaEvent(client, {
    type: 'schema.migration.requested',
    app: app.id,
    schemaName: app.schemaName,
    oldVersion: from,
    newVersion: to,
    body: { migration_id: migrationId, number, ...(needsApproval ? { needs_approval: true } : {}) },
  });
  // Its log is read from here on.
  await execute(
    client,
    sql`
    update durabase.migrations set progress = progress || jsonb_build_object('requested', ${value(event, 'bigint')})
    where id = ${value(migrationId, 'uuid')}`,
  );
  return { kind: 'recorded', version: to, prepared, migrationId, number, needsApproval };
}

/** Starts the migration an app was made with and waits a little; true when none is open any more. */
export async function finishOpenMigration(services: Services, app: string): Promise<boolean> {
  const [open] = await run<{ id: string; number: number }>(
    services.pool,
    sql`
    select id, number from durabase.migrations where app = ${value(app)} and status in ('planned', 'running')`,
  );
  if (open === undefined) return true;
  const client = await services.temporal.client();
  await startMigrationWorkflow(client, { app, migrationId: open.id, number: open.number }, 'ALLOW_DUPLICATE');
  return (await waitForResult(client, migrationWorkflowId(app, open.number)))?.status === 'completed';
}

const unchanged = (outcome: Extract<Outcome, { kind: 'unchanged' }>): Published => ({
  version: outcome.served.servedVersion,
  changes: [],
  findings: outcome.prepared.findings,
  migration: null,
  isPending: false,
  document: outcome.served.document,
});

async function finish(ctx: AppContext, client: Client, recorded: Recorded): Promise<Published> {
  await startOrAbort(ctx, client, recorded);
  const result = recorded.needsApproval ? undefined : await waitForResult(client, migrationWorkflowId(ctx.app.id, recorded.number));
  if (result !== undefined && result.status !== 'completed' && result.status !== 'ready') {
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
async function startOrAbort(
  ctx: AppContext,
  client: Client,
  recorded: Pick<Recorded, 'migrationId' | 'number' | 'needsApproval'>,
): Promise<void> {
  const { migrationId, number, needsApproval } = recorded;
  const input = { app: ctx.app.id, migrationId, number, ...(needsApproval ? { needsApproval } : {}) };
  try {
    await client.withDeadline(Date.now() + 3_000, () => startMigrationWorkflow(client, input, 'REJECT_DUPLICATE'));
  } catch (error) {
    ctx.services.log.warn({ err: error, migration: recorded.migrationId }, 'a migration could not be started');
    const isAborted = await transaction(ctx.services.pool, async (connection) => {
      const changed = await execute(
        connection,
        sql`
        update durabase.migrations set status = 'aborted', error = 'Temporal did not answer.', updated_at = now()
        where id = ${value(recorded.migrationId, 'uuid')} and status in ('planned', 'awaiting_approval')`,
      );
      if (changed > 0)
        await appendSchemaEvent(connection, {
          type: 'schema.migration.aborted',
          app: ctx.app.id,
          schemaName: ctx.app.schemaName,
          body: { migration_id: recorded.migrationId },
        });
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
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: reuse,
    // A worker that dies inside a local activity is noticed after this long.
    workflowTaskTimeout: '5s',
    staticSummary: `Migration ${input.number} of ${input.app}`,
    typedSearchAttributes: [
      { key: appIdAttribute, value: input.app },
      { key: stateAttribute, value: 'running' },
    ],
  });
}

/** For a contract that nobody carries any more; one that runs goes on. */
export async function startContractWorkflow(client: Client, input: ContractInput): Promise<void> {
  await client.workflow.start('contract', {
    workflowId: contractWorkflowId(input.app, input.number),
    taskQueue: CONTROL_QUEUE,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    workflowIdReusePolicy: 'ALLOW_DUPLICATE',
    staticSummary: `Grace and retention of migration ${input.number} of ${input.app}`,
    typedSearchAttributes: [
      { key: appIdAttribute, value: input.app },
      { key: stateAttribute, value: 'grace' },
    ],
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
