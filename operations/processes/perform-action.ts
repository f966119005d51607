/** One action of a step, with its effect exactly once: its key and result commit together with it. */
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { OutboundError, type OutboundResponse } from '../../adapters/outbound.ts';
import { AppError } from '../../core/errors.ts';
import { FunctionError } from '../../core/functions/function.ts';
import type { ProcessAction } from '../../core/model/document.ts';
import { entityOf } from '../../core/model/model.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { type AppContext, type AppRuntime, type Services, systemActor } from '../context.ts';
import { findEffect, saveEffect } from '../effects.ts';
import { MAX_DEPTH } from '../events.ts';
import { TryAgain } from '../functions/reach.ts';
import { callFunction } from '../functions/try.ts';
import { hintRelay } from '../hint.ts';
import { createRecord } from '../records/create.ts';
import { deleteRecord } from '../records/delete.ts';
import { idThen } from '../records/former-keys.ts';
import { notFound } from '../records/record-key.ts';
import { updateRecord } from '../records/update.ts';
import { MissingSecretError, resolveSecrets } from '../webhooks/secrets.ts';
import { runShape } from './run-shape.ts';
import { evaluateFor, loadScope, resolveFor, type StepScope } from './scope.ts';
import { GONE, recordNow } from './step-now.ts';
import { type ActionStep, deliverNow, notify, sendMail, startOther } from './tell.ts';
import { placeholdersOf, recordPathsOf, resolveValue, valueForField } from './values.ts';

export interface ActionResult {
  /** What later steps find in the context. */
  readonly saved?: Record<string, unknown>;
}

type Action<T extends ProcessAction['type']> = Extract<ProcessAction, { type: T }>;

type Step = ActionStep;

/** Performs `action` as the system, on behalf of the run; a repetition under the same key returns the first result. */
export async function performAction(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  action: ProcessAction,
  key: string,
): Promise<ActionResult> {
  const origin = `${step.origin ?? 'process'}/${step.runId}`;
  const ctx: AppContext = {
    services,
    app,
    actor: systemActor(step.runId),
    now: new Date(step.now),
    requestId: origin,
    cause: origin,
    depth: Math.min(step.trigger.depth + 1, MAX_DEPTH + 1),
    effectKey: key,
    strict: 'strict' in action && action.strict,
  };
  const shape = await runShape(services.pool, app, step.schemaVersion);
  shape.check(step.trigger.entity, recordPathsOf(placeholdersOf(JSON.stringify(action))));
  const scope = await loadScope(services, app, step, recordPathsOf(action));
  crashPoint('process.before_effect');
  const result = await perform({ ctx, scope, step, shape, key }, action);
  crashPoint('process.after_effect');
  return result;
}

async function perform(step: Step, action: ProcessAction): Promise<ActionResult> {
  switch (action.type) {
    case 'set_field':
      return setField(step, action);
    case 'create_record':
      return createOne(step, action);
    case 'update_record': {
      const { entity, recordId } = await subject(step, action);
      await updateRecord(step.ctx, step.shape.entityNow(entity), recordId, await bodyFor(step, entity, action.fields));
      return {};
    }
    case 'delete_record': {
      const { entity, recordId } = await subject(step, action);
      await deleteRecord(step.ctx, step.shape.entityNow(entity), recordId);
      return {};
    }
    case 'http':
      return callHttp(step, action);
    case 'call_function':
      return callStep(step, action);
    case 'send_event':
      return sendEvent(step, action);
    case 'email':
      return sendMail(step, action);
    case 'notify':
      return notify(step, action);
    case 'webhook':
      return deliverNow(step, action);
    case 'start_workflow':
      return startOther(step, action);
  }
}

/** Later steps name the record as the run's version does. */
async function createOne(step: Step, action: Action<'create_record'>): Promise<ActionResult> {
  const { ctx, shape, step: of } = step;
  const entity = entityOf(ctx.app.model, shape.entityNow(action.entity));
  const record = await createRecord(ctx, entity.name, await bodyFor(step, action.entity, action.fields));
  if (action.save_as === undefined) return {};
  const id = of.schemaVersion === undefined ? record.id : await idThen(ctx.services.pool, ctx.app, entity, record.id, of.schemaVersion);
  return { saved: { [action.save_as]: { id } } };
}

/** The record an action is about: its own, or the run's; under the entity's name in the run's version. */
async function subject(
  { ctx, scope, step, shape }: Step,
  action: { readonly entity?: string | undefined; readonly record_id?: string | undefined },
): Promise<{ entity: string; recordId: string }> {
  const entity = action.entity ?? step.trigger.entity;
  const resolved = action.record_id === undefined ? step.trigger.recordId : resolveValue(action.record_id, scope);
  if (entity === null || entity === undefined)
    throw new AppError('INVALID_STATE', 'The action names no entity, and the run has no record.');
  if (typeof resolved !== 'string' && typeof resolved !== 'number') {
    throw new AppError('INVALID_STATE', `The action finds no record: ${action.record_id ?? 'the run has none'}.`);
  }
  if (action.record_id === undefined) {
    const { calledId } = step.trigger;
    if (resolved === GONE && calledId !== undefined) await refuseGone(ctx, shape.entityNow(entity), calledId);
    return { entity, recordId: String(resolved) };
  }
  const named = { entity: shape.entityNow(entity), recordId: String(resolved), version: step.schemaVersion };
  const now = await recordNow(ctx.services.pool, ctx.app, named);
  if (now === undefined) await refuseGone(ctx, named.entity, named.recordId);
  return { entity, recordId: now ?? GONE };
}

/** Unless this very action was done before: it may be what took the record away. */
async function refuseGone({ services, app, effectKey = '' }: AppContext, entity: string, calledId: string): Promise<void> {
  if ((await findEffect(services.pool, app.storage, effectKey)) === undefined) throw notFound(entityOf(app.model, entity), calledId);
}

async function bodyFor(
  { ctx, scope, step, shape }: Step,
  entityName: string,
  fields: Readonly<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  const entity = entityOf(ctx.app.model, shape.entityNow(entityName));
  const resolved = (await resolveFor(ctx.services, ctx.app, step, scope, fields)) as Record<string, unknown>;
  return Object.fromEntries(
    Object.entries(shape.bodyNow(entityName, resolved)).map(([field, found]) => [
      field,
      valueForField(entity.fields.get(field), found, scope.now),
    ]),
  );
}

async function setField(step: Step, action: Action<'set_field'>): Promise<ActionResult> {
  const { entity, recordId } = await subject(step, action);
  const body =
    action.expression === undefined
      ? await bodyFor(step, entity, { [action.field]: action.value ?? null })
      : step.shape.bodyNow(entity, {
          [action.field]: (await evaluateFor(step.ctx.services, step.ctx.app, step.step, action.expression)) ?? null,
        });
  await updateRecord(step.ctx, step.shape.entityNow(entity), recordId, body);
  return {};
}

/** The answer kept for later steps; a page of HTML has no business in a run's history. */
const MAX_SAVED_BYTES = 16 * 1024;

async function callHttp({ ctx, scope, step, key }: Step, action: Action<'http'>): Promise<ActionResult> {
  const { services, app } = ctx;
  const done = await findEffect(services.pool, app.storage, key);
  if (done !== undefined) return done as ActionResult;
  const body = action.body === undefined ? undefined : JSON.stringify(await resolveFor(services, app, step, scope, action.body));
  const response = await answered(async () =>
    services.outbound.send({
      url: String(resolveValue(action.url, scope)),
      method: action.method,
      headers: {
        'user-agent': 'Durabase-Workflow/1',
        ...(body === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) }),
        ...(await resolveSecrets(services, app, action.headers)).headers,
        'idempotency-key': key,
      },
      ...(body === undefined ? {} : { body }),
    }),
  );
  checkStatus(response);
  const result: ActionResult =
    action.save_as === undefined ? {} : { saved: { [action.save_as]: { status: response.status, body: bodyOf(response) } } };
  await saveEffect(services.pool, app.storage, key, result);
  return result;
}

/** The function's own effects stand once under the key; what it answered is kept beside them for a repetition. */
async function callStep({ ctx, scope, key }: Step, action: Action<'call_function'>): Promise<ActionResult> {
  const { services, app } = ctx;
  const done = await findEffect(services.pool, app.storage, `${key}/answer`);
  if (done !== undefined) return done as ActionResult;
  const params = resolveValue(action.params, scope) as Record<string, unknown>;
  const answer = await callFunction(ctx, { function: action.function, params }, key).catch((error: unknown) => {
    throw error instanceof FunctionError ? asAppError(error) : error;
  });
  const isKept = action.save_as !== undefined && Buffer.byteLength(JSON.stringify(answer)) <= MAX_SAVED_BYTES;
  const result: ActionResult = action.save_as === undefined ? {} : { saved: { [action.save_as]: isKept ? answer : null } };
  await saveEffect(services.pool, app.storage, `${key}/answer`, result);
  return result;
}

/** As a step fails: what another server may let succeed later is tried again. */
function asAppError(error: FunctionError): AppError {
  if (error instanceof TryAgain)
    return new AppError('WEBHOOK_UNAVAILABLE', error.message, error.afterMs === null ? {} : { retryAfter: error.afterMs / 1_000 });
  const codes = {
    Validation: 'VALIDATION_FAILED',
    Authorization: 'FORBIDDEN',
    BusinessLogic: 'INVALID_STATE',
    ExternalService: 'WEBHOOK_REJECTED',
  } as const;
  return new AppError(codes[error.kind], error.message, { cause: error });
}

async function answered(call: () => Promise<OutboundResponse>): Promise<OutboundResponse> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof MissingSecretError || (error instanceof OutboundError && error.kind === 'denied')) {
      throw new AppError('FORBIDDEN', error.message, { cause: error });
    }
    if (error instanceof OutboundError) throw new AppError('WEBHOOK_UNAVAILABLE', error.message, { cause: error });
    throw error;
  }
}

function checkStatus(response: OutboundResponse): void {
  if (response.status >= 200 && response.status < 300) return;
  const message = `The server answered ${response.status}.`;
  const isWorthRepeating = response.status >= 500 || [408, 425, 429].includes(response.status);
  if (!isWorthRepeating) throw new AppError('WEBHOOK_REJECTED', message);
  const seconds = Number(response.headers['retry-after']);
  throw new AppError(
    'WEBHOOK_UNAVAILABLE',
    message,
    Number.isFinite(seconds) && seconds > 0 ? { retryAfter: Math.min(seconds, 86_400) } : {},
  );
}

function bodyOf(response: OutboundResponse): unknown {
  if (Buffer.byteLength(response.body) > MAX_SAVED_BYTES) return null;
  try {
    return JSON.parse(response.body);
  } catch {
    return response.body;
  }
}

async function sendEvent({ ctx, scope, step, shape, key }: Step, action: Action<'send_event'>): Promise<ActionResult> {
  const data = { event: action.event, ...((await resolveFor(ctx.services, ctx.app, step, scope, action.data)) as Record<string, unknown>) };
  await transaction(ctx.services.pool, async (client) => {
    if (!(await saveEffect(client, ctx.app.storage, key, {}))) return;
    await execute(
      client,
      sql`
      insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, cause, depth)
      values (${value(ctx.app.id)}, ${value(step.trigger.entity === null ? '' : shape.entityNow(step.trigger.entity))}, ${value(step.trigger.recordId ?? '')}, 'custom', 0, ${value(ctx.app.version)},
              ${value(JSON.stringify({ kind: 'system', id: step.runId, roles: [] }), 'jsonb')}, ${value(JSON.stringify(data), 'jsonb')}, ${value(ctx.cause)}, ${value(ctx.depth)})`,
    );
  });
  hintRelay(ctx.services);
  return {};
}
