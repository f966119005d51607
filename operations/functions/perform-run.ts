/**
 * One run after the commit. Its row is the queue and the log: claimed under a lease, performed, and told of. A run that was cut
 * off is performed again under the same key, so that what it writes stands once and other servers can tell the repetition.
 */
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute } from '../../adapters/postgres/run.ts';
import { runScript } from '../../adapters/sandbox/script.ts';
import { isAppError } from '../../core/errors.ts';
import { isTrue } from '../../core/expression/expression.ts';
import type { CompiledAttachment } from '../../core/functions/attachment.ts';
import { FunctionError, type ErrorKind } from '../../core/functions/function.ts';
import { resolveCompiled } from '../../core/functions/values.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { delayAfter } from '../../core/webhook/backoff.ts';
import { systemActor, type AppContext, type AppRuntime, type Services } from '../context.ts';
import { MAX_DEPTH } from '../events.ts';
import { idNow } from '../records/former-keys.ts';
import { notFound } from '../records/record-key.ts';
import { updateRecord } from '../records/update.ts';
import { evaluate } from '../rules/chain.ts';
import { entityIn, rowIn, versionNames } from '../version-names.ts';
import { Budget, overtime, RUN_LIMITS } from './budget.ts';
import { attachedAfter, markFunctionWork, scopeOfChange, type RunChange } from './match.ts';
import { asFunctionError, perform, TryAgain } from './reach.ts';
import { cut, redactedInput } from './redact.ts';
import { toolsFor } from './tools.ts';

export interface ClaimedRun {
  readonly id: string;
  readonly attachment: string;
  readonly entity: string;
  readonly record_id: string;
  readonly attempt: number;
  readonly change: RunChange;
}

interface NamedRun extends ClaimedRun {
  /** Undefined when records have got another key since and this one is gone. */
  readonly recordNow: string | undefined;
}

interface Ended {
  readonly input: unknown;
  readonly output: unknown;
  readonly failure: FunctionError | null;
}

export async function performRun(services: Services, app: AppRuntime, claimed: ClaimedRun): Promise<void> {
  const began = performance.now();
  const named = await runNow(services, app, claimed);
  const one = attachedAfter(app, named.entity).find(({ definition }) => definition.id === claimed.attachment);
  const entity = app.model.entities.get(named.entity);
  if (one === undefined || entity === undefined) {
    const failure = new FunctionError('BusinessLogic', 'The attachment was deleted or switched off.');
    return finish(services, app, claimed, undefined, { input: null, output: null, failure }, began);
  }
  const ended = await inTime(attempt(contextOf(services, app, claimed), one, entity, named));
  crashPoint('function.performed');
  await finish(services, app, claimed, one, ended, began);
}

/** The run with the names of today: it may have waited, or have failed, under an older version. */
async function runNow(services: Services, app: AppRuntime, claimed: ClaimedRun): Promise<NamedRun> {
  const { change, entity: called } = claimed;
  const version = change.schema_version ?? app.version;
  const names = await versionNames(services.pool, app, version, app.version);
  const name = entityIn(names, called);
  const entity = app.model.entities.get(name);
  return {
    ...claimed,
    entity: name,
    recordNow: entity && (await idNow(services.pool, app, entity, claimed.record_id, version)),
    change: { ...change, record: rowIn(names, called, change.record), old: rowIn(names, called, change.old) },
  };
}

const contextOf = (services: Services, app: AppRuntime, { id: runId, attachment, change }: ClaimedRun): AppContext => ({
  services,
  app,
  actor: systemActor(attachment),
  now: new Date(change.at),
  requestId: `function/${runId}`,
  cause: `function/${attachment}`,
  depth: Math.min(change.depth + 1, MAX_DEPTH + 1),
  effectKey: `function/${runId}`,
});

/** The work goes on behind a run that is given up, but under the key of the next attempt its effects stand once. */
async function inTime(work: Promise<Ended>): Promise<Ended> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<Ended>((resolve) => {
    timer = setTimeout(() => resolve({ input: null, output: null, failure: overtime() }), RUN_LIMITS.ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function attempt(ctx: AppContext, one: CompiledAttachment, entity: EntityModel, claimed: NamedRun): Promise<Ended> {
  const { change } = claimed;
  const scope = scopeOfChange(change);
  const params: Record<string, unknown> = {};
  const input = (): unknown => redactedInput(one, entity, one.spec === undefined ? (change.record ?? change.old ?? {}) : params);
  try {
    if (one.when !== undefined && !one.when.isCommon && !isTrue(await evaluate(one.when, scope)))
      return { input: null, output: { skipped: 'its condition does not hold' }, failure: null };
    for (const [name, given] of one.params) params[name] = await resolveCompiled(given, scope, evaluate);
    const output = one.spec === undefined ? await script(ctx, one, entity, claimed) : await call(ctx, one, entity, claimed, params);
    return { input: input(), output: one.spec?.secrets?.includes('value') === true ? null : output, failure: null };
  } catch (error) {
    if (error instanceof FunctionError) return { input: input(), output: null, failure: error };
    if (isAppError(error)) return { input: input(), output: null, failure: asFunctionError(error) };
    ctx.services.log.error({ run: claimed.id, error: String(error) }, 'a function failed');
    return { input: input(), output: null, failure: new TryAgain('It failed inside; the log of the server says why.') };
  }
}

async function call(
  ctx: AppContext,
  one: CompiledAttachment,
  entity: EntityModel,
  claimed: NamedRun,
  params: Readonly<Record<string, unknown>>,
): Promise<unknown> {
  const { spec, into } = one;
  if (spec === undefined) return null;
  const { change } = claimed;
  const shown = (record: RunChange['record']): RunChange['record'] =>
    record === null
      ? null
      : Object.fromEntries(Object.entries(record).filter(([name]) => entity.fields.get(name)?.definition.hidden === false));
  const payload = { event: `record.${change.action}d`, entity: claimed.entity, record: shown(change.record), old: shown(change.old) };
  const result =
    spec.run === undefined
      ? await perform({ ctx, key: ctx.effectKey ?? '', budget: new Budget(), payload }, spec, params)
      : await spec.run(params, toolsFor(ctx.services, ctx.app, ctx.now));
  if (into !== undefined) await write(ctx, claimed, { [into.name]: result ?? null });
  return result ?? null;
}

async function script(ctx: AppContext, one: CompiledAttachment, entity: EntityModel, claimed: NamedRun): Promise<unknown> {
  const { change } = claimed;
  if (!ctx.app.model.settings.scripts || !ctx.services.config.scriptsEnabled)
    throw new FunctionError('Authorization', 'Scripts are off: settings.scripts and SCRIPTS_ENABLED must both be true.');
  const given = change.record ?? change.old ?? {};
  const { id: userId, roles } = change.actor;
  const answer = await runScript(ctx.app.id, one.definition.script ?? '', {
    record: given,
    old: change.old,
    user: { id: userId, roles },
    now: change.at,
  });
  if (!answer.ok)
    throw new FunctionError('BusinessLogic', `The script ${one.definition.name} ${answer.isRefusal ? 'refused: ' : ''}${answer.message}`);
  if (change.action === 'delete') return null;
  const changed = Object.entries(answer.record).filter(([name, now]) => JSON.stringify(now) !== JSON.stringify(given[name]));
  const unknown = changed.find(([name]) => entity.fields.get(name)?.isFixed !== false);
  if (unknown !== undefined)
    throw new FunctionError('Validation', `The script ${one.definition.name} set "${unknown[0].slice(0, 100)}", which it may not.`);
  await write(ctx, claimed, Object.fromEntries(changed));
  return Object.fromEntries(changed);
}

/** What is there already is not written again: else a function that runs on changes would never end. */
async function write(
  ctx: AppContext,
  { entity, record_id: called, recordNow, change }: NamedRun,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const isNew = Object.entries(body).some(([name, now]) => JSON.stringify(now) !== JSON.stringify(change.record?.[name] ?? null));
  if (!isNew) return;
  if (recordNow === undefined) throw notFound(entityOf(ctx.app.model, entity), called);
  await updateRecord(ctx, entity, recordNow, body);
}

async function finish(
  services: Services,
  app: AppRuntime,
  { id: runId, attempt: number }: ClaimedRun,
  one: CompiledAttachment | undefined,
  { input, output, failure }: Ended,
  began: number,
): Promise<void> {
  const delayMs = failure instanceof TryAgain && one !== undefined ? delayAfter(one.definition.retry, number, failure.afterMs) : null;
  const status = failure === null ? 'succeeded' : delayMs === null ? 'failed' : 'pending';
  const kind: ErrorKind | null = failure?.kind ?? null;
  const table = id(app.storage, '_function_runs');
  await execute(
    services.pool,
    sql`update ${table} set status = ${value(status)}, input = ${value(JSON.stringify(input ?? null), 'jsonb')},
          output = ${value(JSON.stringify(cut(output)), 'jsonb')}, error = ${value(failure?.message.slice(0, 1_000) ?? null)}, error_kind = ${value(kind)},
          ms = ${value(Math.round(performance.now() - began), 'integer')},
          due_at = now() + ${value(delayMs ?? 0, 'double precision')} * interval '1 millisecond',
          finished_at = ${status === 'pending' ? sql`null` : sql`now()`}
        where id = ${value(runId, 'uuid')} and attempt = ${value(number, 'integer')}`,
    { prepared: true },
  );
  if (status === 'pending') await execute(services.pool, markFunctionWork(app));
}
