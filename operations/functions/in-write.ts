/**
 * Functions and scripts inside a write: they complete or change the candidate record, or refuse it, before the rules look at it.
 * An entity without attachments pays one look into its plan.
 */
import { runScript, type ScriptAnswer } from '../../adapters/sandbox/script.ts';
import { nearestNames, type ErrorDetail } from '../../core/errors.ts';
import type { ExpressionScope } from '../../core/expression/expression.ts';
import { isTrue } from '../../core/expression/expression.ts';
import type { CompiledAttachment } from '../../core/functions/attachment.ts';
import { FunctionError } from '../../core/functions/function.ts';
import { resolveCompiled } from '../../core/functions/values.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import { evaluate, putMade, scopeOf } from '../rules/chain.ts';
import { requiredError } from '../records/body.ts';
import type { FieldValue } from '../records/draft.ts';
import { uniqueSlug } from '../records/initial-values.ts';
import { rulesOf, type Write } from '../records/write-state.ts';
import { toldKey } from '../served-shape.ts';
import { scriptKey, type ScriptCall } from './desk.ts';
import { redactedInput } from './redact.ts';
import { toolsFor } from './tools.ts';

type Action = 'create' | 'update' | 'delete';

export interface Candidate {
  readonly record: Record<string, unknown>;
  readonly old: Readonly<Record<string, unknown>> | null;
  /** What will be bound; results are put there too. */
  readonly values?: Map<string, FieldValue>;
  /** Fields whose value was refused already. */
  readonly bad: ReadonlySet<string>;
}

const NONE: readonly ErrorDetail[] = [];

/** Runs what is attached to this action; answers what is wrong with the record then. */
export async function applyFunctions(
  write: Write,
  entity: EntityModel,
  action: Action,
  candidate: Candidate,
): Promise<readonly ErrorDetail[]> {
  const attached = rulesOf(write.ctx, entity).functions[action];
  if (attached.length === 0 || write.options.asSampleData === true) return NONE;
  const errors: ErrorDetail[] = [];
  for (const one of attached) {
    const scope = scopeOf({ ctx: write.ctx, record: candidate.record, old: candidate.old, action });
    if (!(await isDue(one, action, candidate, scope))) continue;
    const found =
      one.spec === undefined
        ? await applyScript(write, entity, one, action, candidate)
        : await applyOne(write, entity, one, candidate, scope);
    errors.push(...found);
  }
  return errors;
}

async function isDue(one: CompiledAttachment, action: Action, { record, old, bad }: Candidate, scope: ExpressionScope): Promise<boolean> {
  const { field, when } = one;
  if (field !== undefined && (bad.has(field.name) || (action === 'update' && isSame(record[field.name], old?.[field.name])))) return false;
  return when === undefined || isTrue(await evaluate(when, scope));
}

const isSame = (a: unknown, b: unknown): boolean => JSON.stringify(a ?? null) === JSON.stringify(b ?? null);

// --- functions -------------------------------------------------------------------------------------------------------

async function applyOne(
  write: Write,
  entity: EntityModel,
  one: CompiledAttachment,
  candidate: Candidate,
  scope: ExpressionScope,
): Promise<readonly ErrorDetail[]> {
  const began = performance.now();
  const params: Record<string, unknown> = {};
  try {
    for (const [name, value] of one.params) params[name] = await resolveCompiled(value, scope, evaluate);
    const result = await one.spec?.run?.(params, toolsFor(write.ctx.services, write.ctx.app, write.ctx.now));
    const { into } = one;
    const made =
      into !== undefined && one.isUnique && typeof result === 'string'
        ? await uniqueSlug(write, entity, into, result, candidate.old)
        : result;
    const errors = into === undefined ? NONE : take(into, made, candidate);
    if (one.definition.log) note(write, entity, one, candidate, { began, input: params, output: made ?? null, failure: null });
    return errors;
  } catch (error) {
    if (!(error instanceof FunctionError)) throw error;
    note(write, entity, one, candidate, { began, input: params, output: null, failure: error });
    return [refusal(one, error)];
  }
}

/** Puts a result into the candidate; a required field that is empty then is the client's to fill. */
function take(field: FieldModel, made: unknown, { record, values }: Candidate): readonly ErrorDetail[] {
  const error = putMade(record, field, made);
  if (error !== undefined)
    return [
      { ...error, rule: 'function', message: `${field.name} is filled by a function, and the result does not fit: ${error.message}` },
    ];
  const plain = record[field.name];
  if (field.required && isEmpty(plain)) return [requiredError(field)];
  const coerced = coerceValue(field, plain);
  if (coerced.ok) values?.set(field.name, { field, value: coerced.value, plain: coerced.plain });
  return NONE;
}

function refusal(one: CompiledAttachment, error: FunctionError): ErrorDetail {
  const field = one.field ?? valueField(one) ?? one.into?.name;
  const name = typeof field === 'string' ? field : field?.name;
  const isAbout = name !== undefined && one.spec?.kind !== 'hook' && !error.message.includes(': ');
  return {
    ...(name === undefined ? {} : { field: name }),
    rule: 'function',
    message: one.definition.message ?? (isAbout ? `${name} ${error.message}` : error.message),
    function: one.definition.function,
    kind: error.kind,
  };
}

/** The field a value is read from, when it is nothing but that. */
function valueField({ params }: CompiledAttachment): string | undefined {
  const value = params.find(([name]) => name === 'value')?.[1];
  return value?.kind === 'path' && value.path[0] === 'record' ? value.path[1] : undefined;
}

// --- scripts ---------------------------------------------------------------------------------------------------------

/** Both the app and the server have to want scripts. */
export const scriptsRun = ({ ctx }: Pick<Write, 'ctx'>): boolean => ctx.app.model.settings.scripts && ctx.services.config.scriptsEnabled;

async function applyScript(
  write: Write,
  entity: EntityModel,
  one: CompiledAttachment,
  action: Action,
  candidate: Candidate,
): Promise<readonly ErrorDetail[]> {
  if (!scriptsRun(write)) return NONE;
  const began = performance.now();
  const call = callOf(write, entity, one, action, candidate);
  const answer = await answerOf(write, call);
  if (answer === undefined) return NONE;
  if (!answer.ok) {
    const message = answer.isRefusal ? answer.message : `The script ${one.definition.name} ${answer.message}`;
    note(write, entity, one, candidate, {
      began,
      input: call.input.record,
      output: null,
      failure: new FunctionError('BusinessLogic', message),
    });
    return [{ rule: 'script', message, function: one.definition.name, kind: 'BusinessLogic' }];
  }
  if (one.definition.log) note(write, entity, one, candidate, { began, input: call.input.record, output: answer.record, failure: null });
  return action === 'delete' ? NONE : takeRecord(entity, one, call.input.record, answer.record, candidate);
}

function callOf({ ctx }: Write, entity: EntityModel, one: CompiledAttachment, action: Action, { record, old }: Candidate): ScriptCall {
  // A generated key is another one in every try, and says nothing before it is written.
  const made = action === 'create' ? [...entity.fields.values()].filter((field) => field.isGenerated) : [];
  const hidden = new Set(made.map((field) => field.name));
  const { id, email, roles } = ctx.actor;
  return {
    source: one.definition.script ?? '',
    input: {
      record: Object.fromEntries(Object.entries(record).filter(([name]) => !hidden.has(name))),
      old,
      user: { id, email, roles },
      now: ctx.now.toISOString(),
    },
  };
}

/** Undefined inside a transaction that the answer has to be looked for without. */
async function answerOf(write: Write, call: ScriptCall): Promise<ScriptAnswer | undefined> {
  const key = scriptKey(call);
  const known = write.functions.answers.get(key);
  if (known !== undefined) return known;
  if (write.inTransaction) {
    write.functions.wanted.set(key, call);
    return undefined;
  }
  const answer = await runScript(write.ctx.app.id, call.source, call.input);
  write.functions.answers.set(key, answer);
  return answer;
}

function takeRecord(
  entity: EntityModel,
  one: CompiledAttachment,
  given: Readonly<Record<string, unknown>>,
  returned: Readonly<Record<string, unknown>>,
  candidate: Candidate,
): readonly ErrorDetail[] {
  return Object.entries(returned).flatMap(([name, value]): readonly ErrorDetail[] => {
    if (Object.hasOwn(given, name) && isSame(value, given[name])) return NONE;
    const field = entity.fields.get(name);
    const message =
      field === undefined
        ? `${entity.name} has no field "${name.slice(0, 100)}". Near: ${nearestNames(name, entity.fields.keys()).join(', ')}.`
        : `${name} is the key of the record and cannot be changed.`;
    if (field === undefined || field.isKey || (field.isFixed && candidate.old !== null))
      return [
        { field: name.slice(0, 100), rule: 'script', message: `The script ${one.definition.name} set a field that it may not: ${message}` },
      ];
    return take(field, value, candidate);
  });
}

// --- the log ---------------------------------------------------------------------------------------------------------

/** More of one write say nothing new. */
const MAX_NOTED = 20;

interface Noted {
  readonly began: number;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output: unknown;
  readonly failure: FunctionError | null;
}

function note(write: Write, entity: EntityModel, one: CompiledAttachment, { record, old }: Candidate, noted: Noted): void {
  const { runs } = write.functions;
  if (runs.length >= MAX_NOTED || one.definition.id === undefined) return;
  const key = toldKey(write.ctx.app, entity)?.name ?? '';
  const recordId = old?.[key] ?? (noted.failure === null ? record[key] : null);
  const { failure } = noted;
  runs.push({
    attachment: one.definition.id,
    function: one.definition.function ?? 'script',
    entity: entity.name,
    recordId: recordId === null || recordId === undefined ? null : String(recordId),
    ms: Math.round(performance.now() - noted.began),
    input: redactedInput(one, entity, noted.input),
    output: one.spec?.secrets === undefined ? noted.output : null,
    failure: failure === null ? null : { kind: failure.kind, message: failure.message },
  });
}
