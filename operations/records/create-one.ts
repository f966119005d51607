/** Creating one record, alone or as a row of a larger write. */
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel, StoredType } from '../../core/model/model.ts';
import { FULL_ACCESS } from '../../core/policy/access.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import { run } from '../../adapters/postgres/run.ts';
import { applyFunctions } from '../functions/in-write.ts';
import { runChain, type ChainInput, type ChainResult } from '../rules/chain.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { afterWrite } from './after-write.ts';
import { forbidden, requiredError } from './body.ts';
import type { Draft, FieldValue } from './draft.ts';
import { fillSlug, initialValues, plainRecord } from './initial-values.ts';
import { isInvalid, refusalOfAll, withoutRelated } from './judge-nested.ts';
import { writeNested } from './nested.ts';
import { keyCondition } from './record-key.ts';
import {
  createdEventStatement,
  insertStatement,
  readStatement,
  updateStatement,
  type Assignment,
  type StatementResult,
} from './statements.ts';
import { checkWritten, refuseInvalid, writtenRecord } from './write-result.ts';
import { accessOf, prepared, rulesOf, statementOptions, type CreateStep, type Write, type WrittenRecord } from './write-state.ts';

export const NO_CHAIN: ChainResult = { errors: [], forbidden: undefined, set: new Set(), creations: [] };

export async function createOne(write: Write, entity: EntityModel, step: CreateStep): Promise<WrittenRecord> {
  const { draft, link, isTop = false } = step;
  const access = accessOf(write, entity, 'create');
  if (!access.isGranted) throw forbidden(entity, 'create');
  const plan = rulesOf(write.ctx, entity);
  const { values, errors: fillErrors } = initialValues(write, draft, access, link);
  await fillSlug(write, entity, values, null);
  const record = plainRecord(entity, values);
  const made = await applyFunctions(write, entity, 'create', { record, old: null, values, bad: draft.bad });
  const errors = [...draft.errors, ...fillErrors, ...made];
  const isChained = write.options.asSampleData !== true;
  const isDeferred = isChained && plan.needsRelated && draft.nested.length > 0;
  const input: ChainInput = { ctx: write.ctx, db: write.db, entity, plan, action: 'create', record, old: null, bad: draft.bad };
  let chain = NO_CHAIN;
  if (isChained && !isDeferred) chain = await runChain(input, errors);
  // What waits for nested rows is preceded by what does not, so that a refusal names both sides.
  const early = isDeferred
    ? (await runChain({ ...input, record: { ...record }, plan: withoutRelated(plan) }, errors)).errors
    : chain.errors;
  const mistakes = [...errors, ...early, ...missingComputed(entity, chain, record, errors)];
  if (isInvalid(draft, mistakes, isTop)) throw await refusalOfAll(write, draft, mistakes);
  refuseForbidden(chain);
  if (isDeferred)
    provisional(
      entity,
      plan.computed.map((computed) => computed.field),
      record,
      values,
    );
  noteCall(write, entity, record);

  const needsRecord = draft.nested.length > 0 || plan.afterWrite.length > 0 || chain.creations.length > 0;
  const options = statementOptions(write, entity, 'create', { record: needsRecord || isDeferred, event: !isDeferred });
  const assigned = assignments(draft, values, chain, record);
  const [row] = await run<Row>(write.db, insertStatement(options, assigned), prepared(write));
  if (row === undefined) throw new AppError('INTERNAL_ERROR', 'The record was not written.');
  checkWritten(row, entity, 'create');
  if (!needsRecord && !isDeferred) return writtenRecord(row);

  const stored = JSON.parse(row.record ?? '{}') as Record<string, unknown>;
  await writeNested(write, entity, stored, draft, true);
  const final = isDeferred ? await finishDeferred(write, entity, { ...input, record: stored }, row) : { row, chain, stored };
  await afterWrite(write, entity, { action: 'create', record: final.stored, old: null, creations: final.chain.creations });
  return writtenRecord(final.row);
}

/** Rules over related records waited for the nested rows; now they see them. The event comes last, with the final values. */
async function finishDeferred(write: Write, entity: EntityModel, input: ChainInput, row: StatementResult) {
  const chain = await runChain(input);
  if (chain.errors.length > 0) refuseInvalid({ ...EMPTY_DRAFT, entity }, chain.errors, false);
  refuseForbidden(chain);
  const options = statementOptions(write, entity, 'create', { record: true, event: false });
  const condition = keyCondition(entity, 't', row.id ?? '');
  if (condition === undefined) throw new AppError('INTERNAL_ERROR', 'The record just written has no key.');
  const assigned = [...chain.set].flatMap((name) => assignment(entity.fields.get(name), input.record[name]));
  // The record may be outside what its creator can read; only the answer asks for that.
  const update = updateStatement(
    { ...options, read: FULL_ACCESS },
    { condition, assigned, stamps: [], versions: undefined, raisesVersion: false },
  );
  const [updated] = await run<Row>(write.db, update, prepared(write));
  if (updated === undefined) throw new AppError('INTERNAL_ERROR', 'The record just written is gone.');
  checkWritten(updated, entity, 'create');
  const events = statementOptions(write, entity, 'create', { record: false });
  if (events.hasEvent) await run(write.db, createdEventStatement(events, condition), prepared(write));
  const [shown] = await run<Row>(
    write.db,
    readStatement(options, { condition, assigned: [], versions: undefined }, 'none'),
    prepared(write),
  );
  return { row: shown ?? updated, chain, stored: JSON.parse(updated.record ?? '{}') as Record<string, unknown> };
}

type Row = StatementResult & Record<string, unknown>;

const EMPTY_DRAFT: Omit<Draft, 'entity'> = {
  action: 'create',
  given: new Map(),
  bad: new Set(),
  nested: [],
  errors: [],
  claimedKey: new Map(),
};

/** A transition needs a role the caller does not have. */
export function refuseForbidden(chain: ChainResult): void {
  if (chain.forbidden !== undefined) throw new AppError('FORBIDDEN', `${chain.forbidden.message}.`, { details: [chain.forbidden] });
}

/** A required field that the engine computes must come out with a value. */
export function missingComputed(
  entity: EntityModel,
  chain: ChainResult,
  record: Readonly<Record<string, unknown>>,
  earlier: readonly ErrorDetail[],
): ErrorDetail[] {
  if (chain.errors.length > 0 || earlier.length > 0) return [];
  return [...chain.set].flatMap((name) => {
    const field = entity.fields.get(name);
    return field?.required === true && isEmpty(record[name]) ? [requiredError(field)] : [];
  });
}

const ZERO: Partial<Record<StoredType, unknown>> = {
  int: 0,
  bigint: '0',
  float: 0,
  decimal: '0',
  boolean: false,
  string: '',
  text: '',
  json: {},
};

/** Computed fields that wait for nested rows still need something where the column must not be null. */
function provisional(
  entity: EntityModel,
  computed: readonly FieldModel[],
  record: Record<string, unknown>,
  values: Map<string, FieldValue>,
): void {
  for (const { name } of computed) {
    const field = entity.fields.get(name);
    const zero = field === undefined ? undefined : ZERO[field.type];
    if (field?.required !== true || zero === undefined) continue;
    const coerced = coerceValue(field, zero);
    record[name] = zero;
    values.set(name, { field, plain: zero, value: coerced.ok ? coerced.value : zero });
  }
}

function noteCall(write: Write, entity: EntityModel, record: Record<string, unknown>): void {
  if (!hasSyncWebhooks(entity, 'create')) return;
  write.calls.push({ entity, action: 'create', record: { ...record }, old: null, fingerprint: `create ${entity.name}` });
}

/** What is bound: the client's and the engine's values, and over them what rules and transitions set. */
export function assignments(
  draft: Draft,
  values: ReadonlyMap<string, FieldValue>,
  chain: ChainResult,
  record: Readonly<Record<string, unknown>>,
): Assignment[] {
  const { entity, given } = draft;
  const assigned = new Map<string, Assignment>(
    [...values].map(([name, made]) => [name, { field: made.field, value: made.value, byEngine: given.get(name) !== made }]),
  );
  for (const name of chain.set) {
    for (const made of assignment(entity.fields.get(name), record[name])) assigned.set(name, made);
  }
  return inOrder(entity, assigned);
}

/** As the entity has its fields, not as the body does: bodies with the same keys share a statement. */
export const inOrder = (entity: EntityModel, assigned: ReadonlyMap<string, Assignment>): Assignment[] =>
  assigned.size < 2 ? [...assigned.values()] : [...entity.fields.keys()].flatMap((name) => assigned.get(name) ?? []);

export function assignment(field: FieldModel | undefined, plain: unknown): Assignment[] {
  if (field === undefined) return [];
  const coerced = coerceValue(field, plain);
  return coerced.ok ? [{ field, value: coerced.value, byEngine: true }] : [];
}
