/** Functions tried by an admin, and the tests that stand in the document. Nothing is written, and nobody is called unless asked to. */
import { uuidv7 } from '../../adapters/ids.ts';
import { runScript } from '../../adapters/sandbox/script.ts';
import { AppError, isAppError, nearestNames } from '../../core/errors.ts';
import { isTrue, type ExpressionScope } from '../../core/expression/expression.ts';
import { compileAttachment, type CompiledAttachment } from '../../core/functions/attachment.ts';
import { FunctionError, readParameters, type ErrorKind, type FunctionSpec } from '../../core/functions/function.ts';
import { FUNCTIONS } from '../../core/functions/registry.ts';
import { compileValue, resolveCompiled } from '../../core/functions/values.ts';
import type { FunctionAttachment, SchemaDocument } from '../../core/model/document.ts';
import { canonicalJson } from '../../core/model/identity.ts';
import { buildModel } from '../../core/model/model.ts';
import type { Finding } from '../../core/model/review.ts';
import { functionTrial } from '../../core/payloads/functions.ts';
import { systemActor, type AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { evaluate } from '../rules/chain.ts';
import { Budget } from './budget.ts';
import { asFunctionError, perform } from './reach.ts';
import { redactedParams } from './redact.ts';
import { toolsFor } from './tools.ts';

export interface TriedFunction {
  readonly result: unknown;
  readonly error: { readonly kind: ErrorKind; readonly message: string } | null;
  /** What an integration would be given; null when it ran. */
  readonly would_run_with: unknown;
  readonly ms: number;
}

type Tried = Omit<TriedFunction, 'ms'>;

export async function tryFunction(ctx: AppContext, given: unknown): Promise<TriedFunction> {
  const body = readPayload(functionTrial, given, 'functions/try');
  const began = performance.now();
  const { id, email, roles } = ctx.actor;
  const scope: ExpressionScope = {
    record: body.record ?? {},
    old: body.old ?? null,
    now: ctx.now.toISOString(),
    user: { id, email, roles },
  };
  const tried = await settled(async () => {
    if (body.script !== undefined) return { result: await tryScript(ctx, body.script, scope), would_run_with: null };
    return call(ctx, body.function ?? '', body.params ?? {}, scope, body.execute === true);
  });
  return { ...tried, ms: Math.round(performance.now() - began) };
}

async function settled(work: () => Promise<Omit<Tried, 'error'>>): Promise<Tried> {
  try {
    return { ...(await work()), error: null };
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    return { result: null, would_run_with: null, error: { kind: error.kind, message: error.message } };
  }
}

async function call(
  ctx: AppContext,
  name: string,
  given: Readonly<Record<string, unknown>>,
  scope: ExpressionScope,
  executes: boolean,
): Promise<Omit<Tried, 'error'>> {
  const spec = specNamed(name);
  const params: Record<string, unknown> = {};
  for (const [key, one] of Object.entries(given)) params[key] = await resolveCompiled(compileValue(one), scope, evaluate);
  if (spec.run !== undefined)
    return { result: (await spec.run(params, toolsFor(ctx.services, ctx.app, ctx.now))) ?? null, would_run_with: null };
  readParameters(spec.name, spec.parameters, params);
  if (!executes) return { result: null, would_run_with: redactedParams(spec, params) };
  return { result: await callFunction(ctx, { function: name, params }, `try/${uuidv7()}`), would_run_with: null };
}

function specNamed(name: string): FunctionSpec {
  const spec = FUNCTIONS.get(name);
  if (spec !== undefined) return spec;
  const near = nearestNames(name, FUNCTIONS.keys());
  throw new AppError('INVALID_PAYLOAD', `There is no function "${name.slice(0, 100)}".`, {
    details: [{ field: 'function', path: 'function', rule: 'unknown', message: 'no such function', near }],
    ...(near.length === 0 ? {} : { hint: `Nearest: ${near.join(', ')}.` }),
  });
}

async function tryScript(ctx: AppContext, source: string, { record, old, user, now }: ExpressionScope): Promise<unknown> {
  if (!ctx.services.config.scriptsEnabled)
    throw new FunctionError('Authorization', 'This server runs no scripts: SCRIPTS_ENABLED is not true.');
  const answer = await runScript(ctx.app.id, source, {
    record: record as Readonly<Record<string, unknown>>,
    old: (old ?? null) as Readonly<Record<string, unknown>> | null,
    user: (user ?? {}) as Readonly<Record<string, unknown>>,
    now: typeof now === 'string' ? now : ctx.now.toISOString(),
  });
  if (answer.ok) return answer.record;
  throw new FunctionError('BusinessLogic', answer.isRefusal ? answer.message : `The script ${answer.message}`);
}

/**
 * A function as a step of a workflow calls it: its parameters are values already. Of one key every effect stands once; other
 * servers see the key as idempotency-key. Throws FunctionError.
 */
export async function callFunction(
  ctx: AppContext,
  { function: name, params }: { readonly function: string; readonly params: Readonly<Record<string, unknown>> },
  key: string,
): Promise<unknown> {
  const spec = FUNCTIONS.get(name);
  if (spec === undefined) throw new FunctionError('Validation', `There is no function "${name.slice(0, 100)}".`);
  if (spec.run !== undefined) return (await spec.run(params, toolsFor(ctx.services, ctx.app, ctx.now))) ?? null;
  const asSystem: AppContext = { ...ctx, actor: ctx.actor.kind === 'system' ? ctx.actor : systemActor(ctx.actor.id), effectKey: key };
  return perform({ ctx: asSystem, key, budget: new Budget(), payload: null }, spec, params);
}

// --- tests -----------------------------------------------------------------------------------------------------------

export interface TestResult {
  readonly attachment: string;
  readonly entity: string;
  readonly name: string;
  readonly outcome: 'passed' | 'failed' | 'skipped';
  readonly message: string | null;
}

/** The tests of every attachment of a document, one by one. */
export async function runFunctionTests(ctx: AppContext, document: SchemaDocument): Promise<TestResult[]> {
  const tested = document.functions.filter((one) => one.tests.length > 0);
  if (tested.length === 0) return [];
  const model = buildModel(document);
  const results: TestResult[] = [];
  for (const definition of tested) {
    const entity = model.entities.get(definition.entity);
    if (entity === undefined) continue;
    const one = compileAttachment(definition, entity);
    for (const test of definition.tests) {
      const about = { attachment: definition.name, entity: definition.entity, name: test.name };
      results.push({ ...about, ...(await runTest(ctx, one, test)) });
    }
  }
  return results;
}

type Test = FunctionAttachment['tests'][number];
type Outcome = Pick<TestResult, 'outcome' | 'message'>;

async function runTest(ctx: AppContext, one: CompiledAttachment, { input, expect }: Test): Promise<Outcome> {
  if (one.spec !== undefined && one.spec.run === undefined)
    return { outcome: 'skipped', message: 'it reaches out; try it with functions/try' };
  if (one.spec === undefined && !ctx.services.config.scriptsEnabled) return { outcome: 'skipped', message: 'this server runs no scripts' };
  const scope: ExpressionScope = {
    record: input.record,
    old: input.old ?? null,
    now: input.now ?? ctx.now.toISOString(),
    user: input.user ?? { id: null, email: null, roles: [] },
  };
  try {
    const { result, record } = await outcomeOf(ctx, one, scope);
    if (expect.error !== undefined) return failed(`it was expected to refuse with "${expect.error}", and did not`);
    if (expect.result !== undefined && !isSame(result, expect.result))
      return failed(`the result is ${canonicalJson(result)}, not ${canonicalJson(expect.result)}`);
    const wrong = Object.entries(expect.record ?? {}).find(([name, wanted]) => !isSame(record[name], wanted));
    if (wrong !== undefined) return failed(`${wrong[0]} is ${canonicalJson(record[wrong[0]] ?? null)}, not ${canonicalJson(wrong[1])}`);
    return { outcome: 'passed', message: null };
  } catch (error) {
    const message = error instanceof FunctionError ? error.message : isAppError(error) ? asFunctionError(error).message : undefined;
    if (message === undefined) throw error;
    const words = one.definition.message ?? message;
    return expect.error !== undefined && words.includes(expect.error)
      ? { outcome: 'passed', message: null }
      : failed(`it refused: ${words}`);
  }
}

const failed = (message: string): Outcome => ({ outcome: 'failed', message: message.slice(0, 500) });
const isSame = (a: unknown, b: unknown): boolean => canonicalJson(a ?? null) === canonicalJson(b ?? null);

async function outcomeOf(ctx: AppContext, one: CompiledAttachment, scope: ExpressionScope) {
  const record = scope.record as Readonly<Record<string, unknown>>;
  if (one.when !== undefined && !isTrue(await evaluate(one.when, scope))) return { result: null, record };
  if (one.spec === undefined) {
    const result = (await tryScript(ctx, one.definition.script ?? '', scope)) as Readonly<Record<string, unknown>>;
    return { result, record: result };
  }
  const params: Record<string, unknown> = {};
  for (const [name, value] of one.params) params[name] = await resolveCompiled(value, scope, evaluate);
  const result =
    (await one.spec.run?.(params, toolsFor(ctx.services, ctx.app, typeof scope.now === 'string' ? new Date(scope.now) : ctx.now))) ?? null;
  return { result, record: one.into === undefined ? record : { ...record, [one.into.name]: result } };
}

/** What a publish, or the dry run of one, says of tests that fail. */
export async function functionTestFindings(ctx: AppContext, document: SchemaDocument): Promise<Finding[]> {
  const results = await runFunctionTests(ctx, document);
  return results
    .filter(({ outcome }) => outcome === 'failed')
    .map(({ attachment, entity, name, message }) => ({
      id: `function-test:${entity}:${attachment}:${name}`,
      level: 'error',
      path: `functions.${String(document.functions.findIndex((one) => one.name === attachment && one.entity === entity))}.tests`,
      message: `The test "${name}" of the function ${attachment} of ${entity} fails: ${message ?? ''}`,
      consequence: 'The function does not do what its author expects.',
      fix: 'Change the function, or the test.',
    }));
}
