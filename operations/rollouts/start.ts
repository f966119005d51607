/** Starting a rollout: its rows are written first, under an id made of the request, then the workflow is started. */
import type { Client, WorkflowOptions } from '@temporalio/client';
import type pg from 'pg';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { temporalUnavailable } from '../../adapters/temporal/client.ts';
import { canonical } from '../../core/change/pair.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { rolloutWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { stateAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { RolloutInput } from '../../workflows/contracts/types.ts';
import type { PlatformContext, Services } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { sha256 } from '../schemas/prepare.ts';
import { actorText } from '../schemas/run-migration.ts';
import { assignRings, readRollout, type Assignment, type RolloutBody, type Target } from './input.ts';
import { getRollout, type RolloutDetail } from './read.ts';

export interface StartedRollout {
  readonly rollout: RolloutDetail;
  /** False: this very request was made before. */
  readonly isNew: boolean;
}

/**
 * The same request while its rollout is open, or with the same `Idempotency-Key` at any time, answers that rollout. A start that Temporal
 * loses is made by the worker's sweep.
 */
export async function startRollout(ctx: PlatformContext, input: unknown, key?: string): Promise<StartedRollout> {
  const body = readRollout(input);
  const { services } = ctx;
  const client = await services.temporal.client();
  if (!(await services.temporal.isReachable())) throw temporalUnavailable();
  const hash = sha256(canonical(body));
  const { id, isNew } = await transaction(services.pool, (connection) => record(connection, ctx, { body, hash, key }));
  await client
    .withDeadline(Date.now() + 3_000, () => startRolloutWorkflow(client, { rolloutId: id }, 'REJECT_DUPLICATE'))
    .catch((error: unknown) => services.log.warn({ err: error, rollout: id }, 'a rollout could not be started; the sweep will'));
  return { rollout: await getRollout(services, id, new URLSearchParams()), isNew };
}

interface Request {
  readonly body: RolloutBody;
  readonly hash: string;
  readonly key: string | undefined;
}

async function record(client: pg.PoolClient, ctx: PlatformContext, request: Request): Promise<{ id: string; isNew: boolean }> {
  const { body, hash, key } = request;
  const { schema } = body;
  const [known] = await run<{ has_version: boolean; count: number }>(
    client,
    sql`
    select exists (select from durabase.schema_versions v where v.schema_name = s.name and v.version = ${value(body.version, 'bigint')}) as has_version,
      (select count(*)::integer from durabase.rollouts r where r.schema_name = s.name) as count
    from durabase.schemas s where s.name = ${value(schema)} for update`,
  );
  const id = uuidOf(
    key === undefined ? `${schema}/${known?.count ?? 0}/${hash}` : `key/${ctx.actor.kind}/${ctx.actor.keyId ?? ctx.actor.id ?? ''}/${key}`,
  );
  const [same] = await run<{ id: string; request_hash: string; is_open: boolean }>(
    client,
    sql`
    select id, request_hash, id <> ${value(id, 'uuid')} as is_open from durabase.rollouts
    where id = ${value(id, 'uuid')} or schema_name = ${value(schema)} and status in ('planned', 'running', 'paused', 'stopped', 'rolling_back')
    order by id <> ${value(id, 'uuid')} limit 1`,
  );
  if (same !== undefined) return { id: sameAs(same, request), isNew: false };
  if (known?.has_version !== true) throw unknownVersion(body, known !== undefined);
  await insert(client, ctx, { id, request, assignment: await assignmentOf(client, body) });
  return { id, isNew: true };
}

function sameAs(found: { readonly id: string; readonly request_hash: string; readonly is_open: boolean }, { body, hash }: Request): string {
  if (found.request_hash === hash) return found.id;
  if (!found.is_open)
    throw new AppError('IDEMPOTENCY_MISMATCH', 'The Idempotency-Key was used for another rollout.', { hint: 'Send a new key.' });
  throw new AppError('CONFLICT', `A rollout of the schema "${body.schema}" is open already: ${found.id}.`, {
    hint: `POST /api/_platform/rollouts/${found.id}/abort or /rollback ends it.`,
  });
}

function unknownVersion({ schema, version }: RolloutBody, isSchemaKnown: boolean): AppError {
  const [field, message] = isSchemaKnown
    ? ['version', `the schema "${schema}" has no version ${version}`]
    : ['schema', `there is no schema "${schema.slice(0, 100)}"`];
  return new AppError('VALIDATION_FAILED', `The rollout is not valid: ${message}.`, {
    details: [{ field, rule: 'reference', message }],
    hint: 'GET /api/_platform/schemas lists schemas, GET /api/_platform/schemas/:name/versions their versions.',
  });
}

async function assignmentOf(client: pg.PoolClient, body: RolloutBody): Promise<Assignment> {
  const targets = await run<Target & pg.QueryResultRow>(
    client,
    sql`select id, name from durabase.apps where schema_name = ${value(body.schema)} and status = 'active' order by id`,
  );
  if (targets.length > 0) return assignRings(body, targets);
  const message = `no active app has the schema "${body.schema}"`;
  throw new AppError('VALIDATION_FAILED', `The rollout is not valid: ${message}.`, {
    details: [{ field: 'schema', rule: 'reference', message }],
  });
}

interface NewRollout {
  readonly id: string;
  readonly request: Request;
  readonly assignment: Assignment;
}

async function insert(client: pg.PoolClient, ctx: PlatformContext, { id, request, assignment }: NewRollout): Promise<void> {
  const { body, hash } = request;
  await execute(
    client,
    sql`
    insert into durabase.rollouts (id, schema_name, version, request_hash, rings, max_failures, parallel, created_by)
    values (${value(id, 'uuid')}, ${value(body.schema)}, ${value(body.version, 'integer')}, ${value(hash)},
      ${value(JSON.stringify(assignment.rings), 'jsonb')}, ${value(body.max_failures, 'integer')}, ${value(body.parallel, 'integer')},
      ${value(actorText(ctx.actor), 'jsonb')})`,
  );
  await execute(
    client,
    sql`
    insert into durabase.rollout_apps (rollout, app, ring, position)
    select ${value(id, 'uuid')}, r.app, r.ring, r.position
    from jsonb_to_recordset(${value(JSON.stringify(assignment.apps), 'jsonb')}) as r(app text, ring integer, position integer)`,
  );
  await appendSchemaEvent(client, {
    type: 'schema.rollout',
    app: null,
    schemaName: body.schema,
    newVersion: body.version,
    body: { rollout_id: id, status: 'planned', apps: assignment.apps.length },
  });
  const detail = { schema: body.schema, version: body.version, apps: assignment.apps.length };
  await audit(client, ctx.actor, { app: null, action: 'rollout.start', target: id, detail });
}

/** A UUID of version 8: the same text always gives the same one. */
function uuidOf(text: string): string {
  const hex = sha256(`rollout/${text}`);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** One place that knows how a rollout's workflow is started. */
export const startOptions = (
  input: RolloutInput,
): WorkflowOptions & { readonly args: [RolloutInput]; readonly workflowIdConflictPolicy: 'USE_EXISTING' } => ({
  workflowId: rolloutWorkflowId(input.rolloutId),
  taskQueue: CONTROL_QUEUE,
  args: [input],
  workflowIdConflictPolicy: 'USE_EXISTING',
  // A worker that dies inside a local activity is noticed after this long.
  workflowTaskTimeout: '5s',
  staticSummary: `Rollout ${input.rolloutId}`,
  typedSearchAttributes: [{ key: stateAttribute, value: 'running' }],
});

export async function startRolloutWorkflow(
  client: Client,
  input: RolloutInput,
  reuse: 'REJECT_DUPLICATE' | 'ALLOW_DUPLICATE',
): Promise<void> {
  await client.workflow.start('rollout', { ...startOptions(input), workflowIdReusePolicy: reuse });
}

/** Starts, or starts again, the workflow of every rollout with work to do. The worker calls it at start and every 10 s. */
export async function startOpenRollouts(services: Services): Promise<void> {
  const rows = await run<{ id: string }>(
    services.pool,
    sql`
    select r.id from durabase.rollouts r
    where (r.status in ('planned', 'running', 'paused', 'stopped', 'rolling_back')
           or exists (select from durabase.rollout_apps a where a.rollout = r.id and a.status in ('moving', 'rollback_pending', 'rolling_back')))
      and r.updated_at < now() - interval '3 seconds' order by r.updated_at limit 100`,
  );
  if (rows.length === 0) return;
  const client = await services.temporal.client();
  for (const { id } of rows) await startRolloutWorkflow(client, { rolloutId: id }, 'ALLOW_DUPLICATE');
}
