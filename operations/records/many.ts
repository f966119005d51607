/**
 * Several writes as one: all or nothing in one transaction, or each for itself. Every mistake of every operation is in one answer.
 * A constraint of the database ends a transaction, so the work is then done once more with a savepoint before each operation:
 * the usual case does not pay for it, and the refused one still names everything.
 */
import { AppError, isAppError, type ErrorCode } from '../../core/errors.ts';
import { run, sqlState } from '../../adapters/postgres/run.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { RecordAction } from '../../core/policy/access.ts';
import { sql } from '../../core/sql/sql.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import type { AppContext } from '../context.ts';
import { hasNested, readBody, requiredError } from './body.ts';
import { explainDatabaseError } from './database-errors.ts';
import { refuseOtherRequest, type Touched } from './idempotency.ts';
import { canInsertMany, insertMany, isPlainCreate, lookingBack } from './insert-many.ts';
import { placed, type Failure, type Operation, type Outcome, type Settled } from './operation.ts';
import { resolved } from './references.ts';
import { restoreOne } from './restore-one.ts';
import { StaleRead } from './update-one.ts';
import { upsertOne } from './upsert-one.ts';
import { runWrite, type WriteOptions } from './write.ts';
import type { Write } from './write-state.ts';

export const MAX_OPERATIONS = 1000;

export interface ManyOptions extends WriteOptions {
  /** True: all or nothing. */
  readonly isAtomic: boolean;
}

/** Runs the operations in their order. Atomic: throws when one fails; else says of each what became of it. */
export async function runOperations(ctx: AppContext, operations: readonly Operation[], options: ManyOptions): Promise<readonly Settled[]> {
  if (operations.length === 0) return [];
  return options.isAtomic ? atomically(ctx, operations, options) : eachForItself(ctx, operations, options);
}

// --- all or nothing --------------------------------------------------------------------------------------------------

async function atomically(ctx: AppContext, operations: readonly Operation[], options: ManyOptions): Promise<readonly Settled[]> {
  const attempt = (hasSavepoints: boolean) => write(ctx, operations, options, (one) => runAll(one, operations, hasSavepoints));
  let outcomes: readonly Outcome[];
  try {
    outcomes = await attempt(false);
  } catch (error) {
    if (!isAppError(error) || sqlState(error.cause) === undefined) throw error;
    outcomes = await attempt(true);
  }
  return operations.map((operation, index) => ({ operation, outcome: outcomes[index] as Outcome }));
}

/** One write of one or of all operations. */
function write(
  ctx: AppContext,
  operations: readonly Operation[],
  options: WriteOptions,
  work: (write: Write) => Promise<readonly Outcome[]>,
): Promise<readonly Outcome[]> {
  const [first, ...others] = [...new Set(operations.map(({ entity }) => entity))] as [EntityModel, ...EntityModel[]];
  return runWrite<readonly Outcome[]>({
    ctx,
    entity: first,
    others,
    options,
    isWide: operations.some(({ kind, entity, body }) => kind === 'delete' || hasNested(entity, body)),
    needsTransaction: true,
    touched: (outcomes) => outcomes.flatMap((outcome, index) => touchedBy(operations[index], outcome)),
    work,
  });
}

function touchedBy(operation: Operation | undefined, { id, text, isCreated }: Outcome): Touched[] {
  if (operation === undefined) return [];
  const { kind, entity } = operation;
  const action: RecordAction = kind === 'upsert' ? (isCreated ? 'create' : 'update') : kind === 'restore' ? 'delete' : kind;
  return [kind === 'delete' ? { entity, action, id } : { entity, action, id, text }];
}

async function runAll(write: Write, operations: readonly Operation[], hasSavepoints: boolean): Promise<readonly Outcome[]> {
  const outcomes = new Map<Operation, Outcome>();
  const named = new Map<string, Outcome>();
  const failures: Failure[] = [];
  for (let index = 0; index < operations.length;) {
    const group = hasSavepoints ? [] : plainCreatesFrom(write, operations, index);
    if (group.length > 1) {
      const many = await insertMany(write, (group[0] as Operation).entity, group);
      for (const [operation, outcome] of many.outcomes) outcomes.set(operation, outcome);
      failures.push(...many.failures);
      index += group.length;
      continue;
    }
    const operation = operations[index++] as Operation;
    // Its own mistakes would only follow from those of what it refers to.
    if (operation.needs.some((name) => !named.has(name))) continue;
    const done = await attempt(write, operation, named, hasSavepoints);
    if ('error' in done) failures.push(done);
    else {
      outcomes.set(operation, done);
      if (operation.ref !== undefined) named.set(operation.ref, done);
    }
  }
  if (failures.length > 0) throw refusalOf(failures, operations.length);
  return operations.map((operation) => outcomes.get(operation) as Outcome);
}

/** The run of creates of one entity that begins here and can be one statement. */
function plainCreatesFrom(write: Write, operations: readonly Operation[], start: number): readonly Operation[] {
  const first = operations[start];
  if (first?.kind !== 'create' || !canInsertMany(write, first.entity)) return [];
  const back = lookingBack(write, first.entity);
  let end = start;
  for (let next = operations[end]; next !== undefined && next.entity === first.entity && isPlainCreate(next, back);) {
    next = operations[++end];
  }
  return operations.slice(start, end);
}

/** One operation of several. With savepoints nothing of one that failed is left; without, the transaction must not be committed then. */
export async function attempt(
  write: Write,
  operation: Operation,
  named: ReadonlyMap<string, Outcome>,
  hasSavepoints: boolean,
): Promise<Outcome | Failure> {
  if (hasSavepoints) await run(write.db, sql`savepoint operation`);
  try {
    const outcome = await perform(write, resolved(write, operation, named));
    if (hasSavepoints) await run(write.db, sql`release savepoint operation`);
    return outcome;
  } catch (thrown) {
    if (thrown instanceof StaleRead) throw thrown;
    const error = explainDatabaseError(thrown, write);
    const isOver = sqlState(isAppError(error) ? error.cause : thrown) !== undefined;
    if (!isAppError(error) || error.status >= 500 || (isOver && !hasSavepoints)) throw thrown;
    if (hasSavepoints) await run(write.db, sql`rollback to savepoint operation`);
    return { operation, error };
  }
}

async function perform(write: Write, operation: Operation): Promise<Outcome> {
  const { kind, entity, body, ifMatch } = operation;
  const precondition = ifMatch === undefined ? {} : { ifMatch };
  switch (kind) {
    case 'create': {
      const draft = readBody({ write, entity, action: 'create', body });
      return { ...(await write.steps.create(write, entity, { draft, isTop: true })), isCreated: true };
    }
    case 'update': {
      const recordId = idOf(operation);
      const draft = readBody({ write, entity, action: 'update', body });
      return { ...(await write.steps.update(write, entity, { recordId, draft, isTop: true, ...precondition })), isCreated: false };
    }
    case 'upsert':
      return upsertOne(write, entity, { body, on: operation.on ?? entity.key, ...precondition });
    case 'delete': {
      const id = await write.steps.delete(write, entity, { recordId: idOf(operation), ...precondition });
      return { id, text: JSON.stringify({ id }), isCreated: false };
    }
    case 'restore':
      return { ...(await restoreOne(write, entity, { recordId: idOf(operation), ...precondition })), isCreated: false };
  }
}

function idOf({ id, entity, path }: Operation): string {
  const key = entity.key[0];
  if (key !== undefined && (isEmpty(id) || typeof id === 'object' || typeof id === 'boolean')) {
    const error = { ...requiredError(key), field: 'id', message: 'the id of the record is required', path: `${path}.id` };
    throw new AppError('VALIDATION_FAILED', `The ${entity.name} is not named: an id is required.`, { details: [error] });
  }
  return String(id);
}

/** One answer for every failed operation; its code is theirs where they agree. */
function refusalOf(failures: readonly Failure[], count: number): AppError {
  const codes = new Set(failures.map(({ error }) => error.code));
  const [first] = failures as [Failure];
  const code: ErrorCode = codes.size === 1 ? first.error.code : codes.has('VALIDATION_FAILED') ? 'VALIDATION_FAILED' : first.error.code;
  const what = count === 1 ? '' : `${String(failures.length)} of ${String(count)} operations failed; `;
  return new AppError(code, `Nothing was written. ${what}${first.operation.path}: ${first.error.message}`, {
    details: failures.flatMap(placed),
    cause: first.error.cause,
    ...(first.error.hint === undefined ? {} : { hint: first.error.hint }),
    ...(first.error.retryAfter === undefined ? {} : { retryAfter: first.error.retryAfter }),
  });
}

// --- each for itself -------------------------------------------------------------------------------------------------

async function eachForItself(ctx: AppContext, operations: readonly Operation[], options: ManyOptions): Promise<readonly Settled[]> {
  const { idempotency } = options;
  if (idempotency !== undefined) await refuseOtherRequest(ctx, idempotency);
  const settled: Settled[] = [];
  const named = new Map<string, Outcome>();
  for (const [part, operation] of operations.entries()) {
    const lost = operation.needs.find((name) => !named.has(name));
    if (lost !== undefined) {
      settled.push({ operation, skipped: `"${lost}", which it refers to, was not written` });
      continue;
    }
    const own = idempotency === undefined ? undefined : { ...idempotency, part };
    const one = await settle(ctx, operation, named, { ...options, idempotency: own });
    if (idempotency !== undefined && own !== undefined) idempotency.isReplayed = (part === 0 || idempotency.isReplayed) && own.isReplayed;
    settled.push(one);
    if (operation.ref !== undefined && one.outcome !== undefined) named.set(operation.ref, one.outcome);
  }
  return settled;
}

async function settle(ctx: AppContext, operation: Operation, named: ReadonlyMap<string, Outcome>, options: WriteOptions): Promise<Settled> {
  try {
    const ready = resolved({ ctx, authority: ctx.actor }, operation, named);
    const [outcome] = await write(ctx, [ready], options, async (one) => [await perform(one, ready)]);
    return { operation, outcome: outcome as Outcome };
  } catch (error) {
    // What is no mistake of the row ends the whole: the rest would meet the same.
    if (!isAppError(error) || error.code === 'INTERNAL_ERROR') throw error;
    const { hint, retryAfter, cause } = error;
    return {
      operation,
      error: new AppError(error.code, error.message, {
        details: placed({ operation, error }),
        cause,
        ...(hint === undefined ? {} : { hint }),
        ...(retryAfter === undefined ? {} : { retryAfter }),
      }),
    };
  }
}
