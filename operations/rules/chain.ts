/**
 * The chain every written record passes: field rules, expression rules, computed fields, state machines. It reads and fills in
 * a plain JSON record and answers what is wrong with it; it writes nothing.
 */
import type { ErrorDetail } from '../../core/errors.ts';
import type { CompiledExpression, ExpressionScope } from '../../core/expression/expression.ts';
import { compileExpression, isTrue } from '../../core/expression/expression.ts';
import { decideMove, type TransitionAction } from '../../core/machine/machine.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { checkFieldRule, isEmpty } from '../../core/rules/field-rule.ts';
import type { Check, CompiledMachine, ComputedField, RelatedLoads, RulePlan } from '../../core/rules/plan.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { and, empty, id, sql, value } from '../../core/sql/sql.ts';
import { run, type Db } from '../../adapters/postgres/run.ts';
import type { AppContext } from '../context.ts';
import { isLive } from '../records/record-key.ts';
import { loadRelated } from './related.ts';

export interface ChainInput {
  readonly ctx: AppContext;
  readonly db: Db;
  readonly entity: EntityModel;
  readonly plan: RulePlan;
  readonly action: 'create' | 'update' | 'delete';
  /** The merged record; computed fields and transition actions are written into it. */
  readonly record: Record<string, unknown>;
  readonly old: Readonly<Record<string, unknown>> | null;
  /** Fields whose value was refused already. */
  readonly bad: ReadonlySet<string>;
}

export interface ChainResult {
  readonly errors: readonly ErrorDetail[];
  /** A transition the caller has no role for. */
  readonly forbidden: ErrorDetail | undefined;
  /** Fields the engine set: computed, or by a transition. */
  readonly set: ReadonlySet<string>;
  /** `create_record` actions of the transitions taken. */
  readonly creations: readonly Extract<TransitionAction, { type: 'create_record' }>[];
}

export async function runChain(input: ChainInput, earlier: readonly ErrorDetail[] = []): Promise<ChainResult> {
  const set = new Set<string>();
  const found = await runChecks(input, input.plan.beforeWrite);
  const errors = [...found.errors];
  if (found.stopped) return { errors, forbidden: undefined, set, creations: [] };
  const isClean = errors.length === 0 && earlier.length === 0;
  if (isClean) errors.push(...(await compute(input, set)));
  const moves = await moveMachines(input, errors.length === 0 && earlier.length === 0, set);
  errors.push(...moves.errors);
  // A transition may have set what a computed field is made of.
  if (moves.hasSet && errors.length === 0) errors.push(...(await compute(input, set)));
  return { errors, forbidden: moves.forbidden, set, creations: moves.creations };
}

// --- checks ----------------------------------------------------------------------------------------------------------

/** Runs checks in order and keeps every violation; a violated check with `stop_on_fail` ends the list. */
export async function runChecks(input: ChainInput, checks: readonly Check[]): Promise<{ errors: ErrorDetail[]; stopped: boolean }> {
  const errors: ErrorDetail[] = [];
  for (const check of checks) {
    const error = check.kind === 'field' ? await runFieldCheck(input, check) : await runExpressionCheck(input, check);
    if (error === undefined) continue;
    errors.push(error);
    if (check.stopOnFail) return { errors, stopped: true };
  }
  return { errors, stopped: false };
}

/** Why a check is not asked about this record; undefined when it is. */
export async function skipReason(input: ChainInput, check: Check): Promise<string | undefined> {
  if (check.kind === 'expression') {
    // Over a refused value the rule would only repeat, or invent, a mistake.
    const bad = check.expression.recordPaths.find((path) => input.bad.has(path[0] ?? ''))?.[0];
    return bad === undefined ? undefined : `the value of ${bad} was refused already`;
  }
  if (input.bad.has(check.field.name)) return `the value of ${check.field.name} was refused already`;
  if (check.condition === undefined || check.rule.definition.operator === 'required_if') return undefined;
  return (await holdsCondition(input, check)) ? undefined : 'its condition does not hold';
}

const holdsCondition = async (input: ChainInput, { condition }: Extract<Check, { kind: 'field' }>): Promise<boolean> =>
  condition === undefined || isTrue(await evaluate(condition, scopeOf(input)));

async function runFieldCheck(input: ChainInput, check: Extract<Check, { kind: 'field' }>): Promise<ErrorDetail | undefined> {
  const { rule, field } = check;
  if ((await skipReason(input, check)) !== undefined) return undefined;
  const holds = rule.definition.operator !== 'required_if' || (await holdsCondition(input, check));
  if (rule.definition.operator === 'unique') return checkUnique(input, check);
  return checkFieldRule(rule, field, input.record, input.ctx.now.toISOString(), holds);
}

async function runExpressionCheck(input: ChainInput, check: Extract<Check, { kind: 'expression' }>): Promise<ErrorDetail | undefined> {
  if ((await skipReason(input, check)) !== undefined) return undefined;
  const { definition } = check.rule;
  const related = await relatedOf(input, check.loads);
  if (!isTrue(await evaluate(check.expression, { ...scopeOf(input), related }))) return undefined;
  const message = definition.message ?? check.rule.name ?? 'a rule of this record is violated';
  return { ...(definition.field === undefined ? {} : { field: definition.field }), rule: 'expression', message };
}

/** Uniqueness among live records, alone or together with other fields; nulls are distinct. */
async function checkUnique(input: ChainInput, { rule, field }: Extract<Check, { kind: 'field' }>): Promise<ErrorDetail | undefined> {
  const { ctx, db, entity, record, old } = input;
  const fields = [field.name, ...(rule.definition.fields ?? []).filter((name) => name !== field.name)].flatMap(
    (name) => entity.fields.get(name) ?? [],
  );
  if (fields.some((part) => isEmpty(record[part.name]))) return undefined;
  const same = fields.map((part) => sql`${id('t', part.column)} = ${bindPlain(part, record[part.name])}`);
  const live = isLive(entity, 't');
  const self =
    old === null ? empty : sql` and not ${and(entity.key.map((key) => sql`${id('t', key.column)} = ${bindPlain(key, old[key.name])}`))}`;
  const rows = await run(
    db,
    sql`select 1 from ${id(ctx.app.storage, entity.rows)} "t" where ${and([...same, ...(live === undefined ? [] : [live])])}${self} limit 1`,
    { prepared: true, generation: ctx.app.generation },
  );
  if (rows.length === 0) return undefined;
  const names = fields.map((part) => part.name);
  return {
    field: field.name,
    rule: 'unique',
    message: rule.definition.message ?? `${names.join(', ')} must be unique`,
    ...(names.length > 1 ? { fields: names } : {}),
  };
}

const bindPlain = (field: FieldModel, plain: unknown) => {
  const coerced = coerceValue(field, plain);
  return value(coerced.ok ? coerced.value : plain, COLUMN_TYPES[field.type]);
};

// --- expressions -----------------------------------------------------------------------------------------------------

export function scopeOf(input: Pick<ChainInput, 'ctx' | 'record' | 'old' | 'action'>): ExpressionScope {
  const { actor, now } = input.ctx;
  return {
    record: input.record,
    old: input.old,
    action: input.action,
    now: now.toISOString(),
    user: { id: actor.id, email: actor.email, roles: actor.roles },
  };
}

/** The common subset runs at once; whole JSONata in a thread that is ended at its limit, loaded by the first who needs it. */
export async function evaluate(expression: CompiledExpression, scope: ExpressionScope): Promise<unknown> {
  if (expression.isCommon) return expression.evaluate(scope);
  const { evaluateInSandbox } = await import('../../adapters/sandbox/jsonata.ts');
  return evaluateInSandbox(expression.source, scope);
}

const relatedOf = async ({ db, ctx, entity, record }: ChainInput, loads: RelatedLoads): Promise<unknown> =>
  loads.length === 0 ? {} : loadRelated(db, ctx, entity, record, loads);

// --- computed fields -------------------------------------------------------------------------------------------------

async function compute(input: ChainInput, set: Set<string>): Promise<ErrorDetail[]> {
  const errors: ErrorDetail[] = [];
  for (const computed of input.plan.computed) {
    const error = await computeOne(input, computed);
    if (error === undefined) set.add(computed.field.name);
    else errors.push(error);
  }
  return errors;
}

/** Evaluates one computed field into the record. */
export async function computeOne(input: ChainInput, { field, expression, loads }: ComputedField): Promise<ErrorDetail | undefined> {
  const related = await relatedOf(input, loads);
  const result = await evaluate(expression, { ...scopeOf(input), related });
  const error = putMade(input.record, field, result);
  return error === undefined
    ? undefined
    : { ...error, rule: 'computed', message: `${field.name} is computed, and the result does not fit: ${error.message}` };
}

/** Puts a value the engine made into the record; numbers are brought to the field's type first. */
export function putMade(record: Record<string, unknown>, field: FieldModel, made: unknown): ErrorDetail | undefined {
  const coerced = coerceValue(field, fitted(field, made));
  if (!coerced.ok) return { field: field.name, rule: coerced.rule, message: coerced.message };
  record[field.name] = coerced.plain;
  return undefined;
}

function fitted(field: FieldModel, made: unknown): unknown {
  if (made === undefined || made === null || made === '') return field.type === 'string' || field.type === 'text' ? made : null;
  if (field.type === 'decimal' && typeof made === 'string' && made.trim() !== '' && Number.isFinite(Number(made)))
    return roundable(field, made);
  if ((field.type === 'int' || field.type === 'float') && typeof made === 'string' && made.trim() !== '') return Number(made);
  const isTextual = field.type === 'string' || field.type === 'text';
  if (isTextual && (typeof made === 'number' || typeof made === 'boolean')) return String(made);
  return made;
}

/** Digits given as text are kept or refused, numbers are rounded: a computed value with too many digits is rounded. */
function roundable(field: FieldModel, text: string): unknown {
  const fraction = text.split('.')[1] ?? '';
  return fraction.length > (field.definition.precision ?? 2) ? Number(text) : text;
}

// --- state machines --------------------------------------------------------------------------------------------------

interface Moves {
  readonly errors: ErrorDetail[];
  forbidden: ErrorDetail | undefined;
  hasSet: boolean;
  readonly creations: Extract<TransitionAction, { type: 'create_record' }>[];
}

async function moveMachines(input: ChainInput, actsToo: boolean, set: Set<string>): Promise<Moves> {
  const moves: Moves = { errors: [], forbidden: undefined, hasSet: false, creations: [] };
  for (const machine of input.plan.machines) {
    if (input.bad.has(machine.field.name)) continue;
    const move = await decideMachine(input, machine);
    if (move.kind === 'refused') moves.errors.push(move.detail);
    else if (move.kind === 'forbidden') moves.forbidden ??= move.detail;
    else if (move.kind === 'allowed' && actsToo) for (const action of move.actions) await act(input, action, moves, set);
  }
  return moves;
}

/** What a machine says to the change of its field from `old` to `record`. */
export async function decideMachine(input: ChainInput, machine: CompiledMachine) {
  const { actor, strict } = input.ctx;
  const stored = input.old?.[machine.field.name];
  const from = input.action === 'create' ? undefined : isEmpty(stored) ? null : String(stored);
  const given = input.record[machine.field.name];
  const open = new Set<string>();
  if (machine.guards.size > 0 && from !== undefined && from !== given) {
    for (const transition of machine.definition.definition.transitions) {
      const guard = transition.to === given && typeof transition.guard === 'string' ? machine.guards.get(transition.guard) : undefined;
      if (guard !== undefined && isTrue(await evaluate(guard, scopeOf(input)))) open.add(transition.guard ?? '');
    }
  }
  const isFreeSystem = actor.kind === 'system' && strict !== true;
  return decideMove(machine.definition, {
    from,
    to: isEmpty(given) ? null : String(given),
    roles: actor.roles,
    passesRoles: isFreeSystem || (actor.isAdmin && actor.kind !== 'system'),
    passesMissing: isFreeSystem,
    isGuardTrue: (guard) => open.has(guard),
  });
}

/** Does the `set_field` actions of a transition on the record. */
export async function setFields(
  input: ChainInput,
  actions: readonly TransitionAction[],
): Promise<{ set: readonly string[]; errors: readonly ErrorDetail[] }> {
  const moves: Moves = { errors: [], forbidden: undefined, hasSet: false, creations: [] };
  const set = new Set<string>();
  for (const action of actions) await act(input, action, moves, set);
  return { set: [...set], errors: moves.errors };
}

async function act(input: ChainInput, action: TransitionAction, moves: Moves, set: Set<string>): Promise<void> {
  if (action.type === 'create_record') {
    moves.creations.push(action);
    return;
  }
  const field = input.entity.fields.get(action.field);
  if (field === undefined) return;
  const made =
    action.expression === undefined
      ? resolveValue(input, field, action.value)
      : await evaluate(compileExpression(action.expression), scopeOf(input));
  const error = putMade(input.record, field, made);
  if (error === undefined) {
    set.add(field.name);
    moves.hasSet = true;
  } else {
    moves.errors.push({ ...error, rule: 'state_machine' });
  }
}

const TEMPORAL: ReadonlySet<FieldModel['type']> = new Set<FieldModel['type']>(['timestamp', 'date', 'time']);

/** A literal, `now`, or a path like `record.total`, `old.status`, `user.id`. */
export function resolveValue(input: Pick<ChainInput, 'ctx' | 'record' | 'old' | 'action'>, field: FieldModel, given: unknown): unknown {
  if (typeof given !== 'string') return given ?? null;
  if (/^\$?now(\(\))?$/.test(given)) return TEMPORAL.has(field.type) ? moment(field, input.ctx.now) : given;
  const path = /^\$?(record|old|user)((?:\.[A-Za-z_][A-Za-z0-9_]*)+)$/.exec(given);
  if (path === null) return given;
  const scope = scopeOf(input) as Readonly<Record<string, unknown>>;
  let found: unknown = scope[path[1] ?? ''];
  for (const name of (path[2] ?? '').slice(1).split('.')) {
    found = typeof found === 'object' && found !== null && Object.hasOwn(found, name) ? (found as Record<string, unknown>)[name] : null;
  }
  return found ?? null;
}

/** The moment of the write as a value of the field's type. */
export function moment(field: FieldModel, now: Date): string {
  const iso = now.toISOString();
  if (field.type === 'date') return iso.slice(0, 10);
  return field.type === 'time' ? iso.slice(11, 23) : iso;
}
