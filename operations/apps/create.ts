import type { Client, WorkflowHandle } from '@temporalio/client';
import { appId } from '../../adapters/ids.ts';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { isTemporalError } from '../../adapters/temporal/errors.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { provisionWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { appIdAttribute, stateAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { ProvisionInput } from '../../workflows/contracts/types.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { finishOpenMigration } from '../schemas/run-migration.ts';
import { checkAppName, checkEntityNames } from './names.ts';
import { getApp } from './read.ts';
import { within } from './within.ts';

/** How long the caller waits for a usable app before the answer is "still working on it". */
const WAIT_MS = 10_000;

export interface CreatedApp {
  readonly text: string;
  /** False: the `provision` workflow still runs. */
  readonly isUsable: boolean;
}

/** Enters the app in the catalog and starts its `provision` workflow. */
export async function createApp(ctx: PlatformContext, body: unknown): Promise<CreatedApp> {
  const input = await readInput(ctx, body);
  const { services } = ctx;
  const temporal = await services.temporal.client();
  const app = appId();
  await insertApp(ctx, app, input);
  let provisioning: WorkflowHandle;
  try {
    provisioning = await startProvision(temporal, app);
  } catch (error) {
    // Nothing was begun: the name is free again.
    await execute(services.pool, sql`delete from durabase.apps where id = ${value(app, 'text')} and status = 'provisioning'`);
    throw error;
  }
  await audit(services.pool, ctx.actor, { app, action: 'app.create', target: input.name });
  const isDone = (await within(provisioning.result(), WAIT_MS)) && (await finishOpenMigration(services, app));
  if (isDone) await services.registry.refresh();
  return { text: await getApp(ctx, input.name), isUsable: isDone };
}

interface AppInput {
  readonly name: string;
  readonly displayName: string;
  /** The schema of others that the app follows; undefined for one of its own. */
  readonly follows: string | undefined;
  /** The version of it to begin with; null for the one its owner serves. */
  readonly version: number | null;
}

const KNOWN = new Set(['name', 'display_name', 'isolation', 'db_driver', 'schema', 'version']);

async function readInput(ctx: PlatformContext, body: unknown): Promise<AppInput> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  const given = body as Record<string, unknown>;
  const details: ErrorDetail[] = Object.keys(given)
    .filter((key) => !KNOWN.has(key))
    .map((key) => ({ field: key, rule: 'unknown', message: `An app has no field "${key}".` }));
  const displayName = given['display_name'] ?? '';
  if (typeof displayName !== 'string' || displayName.length > 200) {
    details.push({ field: 'display_name', rule: 'type', message: '"display_name" must be text of at most 200 characters.' });
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The app is not valid.', { details });
  refuseUnbuilt(given);
  const name = await checkAppName(ctx.services, given['name']);
  return { name, displayName: displayName === '' ? name : String(displayName), ...(await readSchema(ctx, name, given)) };
}

/** `schema` names one that exists, or the app itself; `version` one of its versions. */
async function readSchema(
  ctx: PlatformContext,
  name: string,
  given: Record<string, unknown>,
): Promise<Pick<AppInput, 'follows' | 'version'>> {
  const { schema = name, version = null } = given;
  const refuse = (field: string, message: string): AppError =>
    new AppError('VALIDATION_FAILED', `The app is not valid: ${message}.`, {
      details: [{ field, rule: 'reference', message }],
      hint: 'GET /api/_platform/schemas lists schemas.',
    });
  if (typeof schema !== 'string') throw refuse('schema', '"schema" must be the name of a schema');
  if (version !== null && (typeof version !== 'number' || !Number.isInteger(version) || version < 1))
    throw refuse('version', '"version" must be a whole number from 1');
  if (given['schema'] === undefined && version === null) return { follows: undefined, version };
  const [found] = await run<{ has_version: boolean; entities: string[] }>(
    ctx.services.pool,
    sql`
    select ${value(version, 'integer')} is null or v.version is not null as has_version,
           array(select jsonb_path_query(v.document, '$.entities[*].name') #>> '{}') as entities
    from durabase.schemas s left join durabase.schema_versions v
      on v.schema_name = s.name and v.version = coalesce(${value(version, 'integer')}, s.latest_version)
    where s.name = ${value(schema)}`,
  );
  if (found === undefined && schema === name && version === null) return { follows: undefined, version };
  if (found === undefined) throw refuse('schema', `there is no schema "${schema.slice(0, 100)}"`);
  if (!found.has_version) throw refuse('version', `the schema "${schema}" has no version ${String(version)}`);
  await checkEntityNames(ctx.services, { name }, found.entities);
  return { follows: schema, version };
}

function refuseUnbuilt(given: Record<string, unknown>): void {
  const unsupported = (field: string, message: string): AppError =>
    new AppError('UNSUPPORTED', message, { details: [{ field, rule: 'unsupported', message, path: field }] });
  const { isolation = 'schema', db_driver: driver = 'postgres' } = given;
  if (isolation !== 'schema') throw unsupported('isolation', 'Only "schema" isolation is available in this version.');
  if (driver !== 'postgres') throw unsupported('db_driver', 'Only "postgres" is available in this version.');
}

async function insertApp(ctx: PlatformContext, app: string, input: AppInput): Promise<void> {
  try {
    // A schema keeps its name for good, so the successor of a retired app gets one of its own.
    await execute(
      ctx.services.pool,
      sql`
      insert into durabase.apps (id, name, display_name, storage, pinned_version, schema_name, created_by)
      select ${value(app, 'text')}, ${value(input.name, 'text')}, ${value(input.displayName, 'text')}, ${value(`app_${app}`, 'text')},
        ${value(input.version, 'integer')},
        case when ${value(input.follows ?? null, 'text')} is not null then ${value(input.follows ?? null, 'text')}
          when exists (select from durabase.schemas where name = ${value(input.name, 'text')})
          then ${value(`${input.name.slice(0, 50)}-${app}`, 'text')} else ${value(input.name, 'text')} end,
        ${value(ctx.actor.id, 'text')}`,
    );
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', `There is an app "${input.name}" already.`, {
      details: [{ field: 'name', rule: 'unique', message: 'is taken' }],
      cause: error,
    });
  }
}

async function startProvision(temporal: Client, app: string): Promise<WorkflowHandle> {
  const workflowId = provisionWorkflowId(app);
  const input: ProvisionInput = { app };
  try {
    return await temporal.workflow.start('provision', {
      workflowId,
      taskQueue: CONTROL_QUEUE,
      args: [input],
      workflowIdConflictPolicy: 'USE_EXISTING',
      workflowIdReusePolicy: 'REJECT_DUPLICATE',
      staticSummary: `Provisioning of ${app}`,
      typedSearchAttributes: [
        { key: appIdAttribute, value: app },
        { key: stateAttribute, value: 'running' },
      ],
    });
  } catch (error) {
    if (isTemporalError(error, 'WorkflowExecutionAlreadyStartedError')) return temporal.workflow.getHandle(workflowId);
    throw new AppError('UNAVAILABLE', 'The workflow engine (Temporal) did not take the order to make the app.', {
      hint: 'Nothing was changed. Try again.',
      retryAfter: 5,
      cause: error,
    });
  }
}
