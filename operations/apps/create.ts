import { WorkflowExecutionAlreadyStartedError, type Client, type WorkflowHandle } from '@temporalio/client';
import { appId } from '../../adapters/ids.ts';
import { execute, sqlState } from '../../adapters/postgres/run.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { provisionWorkflowId } from '../../workflows/contracts/ids.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { appIdAttribute } from '../../workflows/contracts/search-attributes.ts';
import type { ProvisionInput } from '../../workflows/contracts/types.ts';
import type { PlatformContext } from '../context.ts';
import { audit } from '../platform/audit.ts';
import { checkAppName } from './names.ts';
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
  let run: WorkflowHandle;
  try {
    run = await startProvision(temporal, app);
  } catch (error) {
    // Nothing was begun: the name is free again.
    await execute(services.pool, sql`delete from durabase.apps where id = ${value(app, 'text')} and status = 'provisioning'`);
    throw error;
  }
  await audit(services.pool, ctx.actor, { app, action: 'app.create', target: input.name });
  const isDone = await within(run.result(), WAIT_MS);
  if (isDone) await services.registry.refresh();
  return { text: await getApp(ctx, input.name), isUsable: isDone };
}

interface AppInput {
  readonly name: string;
  readonly displayName: string;
}

const KNOWN = new Set(['name', 'display_name', 'isolation', 'db_driver', 'schema', 'version']);

async function readInput(ctx: PlatformContext, body: unknown): Promise<AppInput> {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  const given = body as Record<string, unknown>;
  const details: ErrorDetail[] = Object.keys(given).filter((key) => !KNOWN.has(key))
    .map((key) => ({ field: key, rule: 'unknown', message: `An app has no field "${key}".` }));
  const displayName = given['display_name'] ?? '';
  if (typeof displayName !== 'string' || displayName.length > 200) {
    details.push({ field: 'display_name', rule: 'type', message: '"display_name" must be text of at most 200 characters.' });
  }
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The app is not valid.', { details });
  refuseUnbuilt(given);
  const name = await checkAppName(ctx.services, given['name']);
  return { name, displayName: displayName === '' ? name : String(displayName) };
}

function refuseUnbuilt(given: Record<string, unknown>): void {
  const unsupported = (field: string, message: string): AppError =>
    new AppError('UNSUPPORTED', message, { details: [{ field, rule: 'unsupported', message, path: field }] });
  const { isolation = 'schema', db_driver: driver = 'postgres', schema = given['name'], version } = given;
  if (isolation !== 'schema') throw unsupported('isolation', 'Only "schema" isolation is available in this version.');
  if (driver !== 'postgres') throw unsupported('db_driver', 'Only "postgres" is available in this version.');
  if (schema !== given['name'] || version !== undefined) throw unsupported('schema', 'An app cannot follow the schema of another one in this version.');
}

async function insertApp(ctx: PlatformContext, app: string, input: AppInput): Promise<void> {
  try {
    // A schema keeps its name for good, so the successor of a retired app gets one of its own.
    await execute(ctx.services.pool, sql`
      insert into durabase.apps (id, name, display_name, storage, schema_name, created_by)
      select ${value(app, 'text')}, ${value(input.name, 'text')}, ${value(input.displayName, 'text')}, ${value(`app_${app}`, 'text')},
        case when exists (select from durabase.schemas where name = ${value(input.name, 'text')})
          then ${value(`${input.name.slice(0, 50)}-${app}`, 'text')} else ${value(input.name, 'text')} end,
        ${value(ctx.actor.id, 'text')}`);
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', `There is an app "${input.name}" already.`, {
      details: [{ field: 'name', rule: 'unique', message: 'is taken' }], cause: error,
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
      typedSearchAttributes: [{ key: appIdAttribute, value: app }],
    });
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return temporal.workflow.getHandle(workflowId);
    throw new AppError('UNAVAILABLE', 'The workflow engine (Temporal) did not take the order to make the app.', {
      hint: 'Nothing was changed. Try again.', retryAfter: 5, cause: error,
    });
  }
}
