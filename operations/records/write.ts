/**
 * The shared frame of every write: one statement where that is all, else one transaction; synchronous webhooks before it opens;
 * the effect of a durable step once; constraints of the database turned into answers.
 */
import { uuidv7 } from '../../adapters/ids.ts';
import { run, runText, sqlState, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { answerScripts, newDesk, ScriptsWanted, unlessScriptsWanted, type FunctionDesk } from '../functions/desk.ts';
import { logRuns } from '../functions/log.ts';
import { hintRelay } from '../hint.ts';
import { callSyncWebhooks, hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { createOne } from './create-one.ts';
import { crashPoint } from '../../adapters/crash-points.ts';
import { columnsOf, explainDatabaseError } from './database-errors.ts';
import { deleteOne } from './delete-one.ts';
import { answeredOnce, callKeyOf, KEY_WAIT_MS, pruneNowAndThen, type Touched } from './idempotency.ts';
import { heldBack, refuseInMaintenance } from './maintenance.ts';
import { StaleRead, updateOne } from './update-one.ts';
import type { PendingCall, Write, WriteOptions, WriteSteps } from './write-state.ts';
import pg from 'pg';

export type { WriteOptions, WrittenRecord } from './write-state.ts';

const STEPS: WriteSteps = { create: createOne, update: updateOne, delete: deleteOne };
const MAX_TRIES = 5;

export function newWrite(
  ctx: AppContext,
  options: WriteOptions,
  db: Db,
  inTransaction: boolean,
  functions: FunctionDesk = newDesk(),
): Write {
  return {
    ctx,
    options,
    db,
    inTransaction,
    authority: ctx.actor,
    calls: [],
    deleting: new Set(),
    deletes: { count: 0 },
    derivedSlugs: new Set(),
    functions,
    steps: ctx.app.maintenance.size === 0 ? STEPS : heldBack(ctx.app, STEPS),
  };
}

export interface WriteRequest<T> {
  readonly ctx: AppContext;
  readonly entity: EntityModel;
  readonly options: WriteOptions;
  /** False: `work` is one statement, or reads first and requires the version it has read. */
  readonly needsTransaction: boolean;
  /** Rows of related entities may be written too: nested ones, or by a cascade. */
  readonly isWide: boolean;
  /** Further entities that are written. */
  readonly others?: readonly EntityModel[];
  /** The records the result tells of; asked only when it is kept under an Idempotency-Key. */
  touched(result: T): readonly Touched[];
  work(write: Write): Promise<T>;
}

/** Runs a write until it stands, or until it is clear why it does not; then tells the relay, when anybody may follow this app's events. */
export async function runWrite<T>(request: WriteRequest<T>): Promise<T> {
  refuseInMaintenance(request.ctx.app, [request.entity, ...(request.others ?? [])]);
  const desk = newDesk();
  if (request.options.isTrial === true) return untilItStands(request, desk);
  const result = await untilItStands(request, desk).finally(() => logRuns(request.ctx, desk.runs));
  const { services } = request.ctx;
  const { model } = request.ctx.app.beside?.served ?? request.ctx.app;
  if (request.options.idempotency !== undefined) {
    crashPoint('write.committed');
    pruneNowAndThen(request.ctx);
    if (request.options.idempotency.isReplayed) return result;
  }
  const { webhooks, slas, functions } = model.document;
  const isFollowed = model.workflows.length + webhooks.length + slas.length + functions.length > 0 || services.registry.hasStreams;
  if (request.options.events !== 'none' && isFollowed) hintRelay(services);
  return result;
}

async function untilItStands<T>(request: WriteRequest<T>, desk: FunctionDesk): Promise<T> {
  const { ctx, options } = request;
  const asksWebhooks =
    options.isTrial !== true && [request.entity, ...(request.others ?? [])].some((entity) => needsWebhooks(ctx, entity, request.isWide));
  let usesTransaction = ctx.effectKey !== undefined || options.idempotency !== undefined || asksWebhooks || request.needsTransaction;
  let rounds = 0;
  for (let attempt = 1; ; attempt++) {
    const write = newWrite(ctx, options, ctx.services.pool, false, desk);
    try {
      if (!usesTransaction) return await unlessScriptsWanted(desk, () => request.work(write));
      if (asksWebhooks) return await withWebhooks(request, desk);
      return await inTransaction(request, desk, undefined, (found) => write.derivedSlugs.add(found));
    } catch (error) {
      if (error instanceof ScriptsWanted) {
        await answerScripts(ctx.app.id, desk, ++rounds);
        attempt--;
        continue;
      }
      if (attempt < MAX_TRIES && error instanceof StaleRead) {
        // Whoever keeps losing the race takes the lock.
        usesTransaction = attempt >= 3;
        continue;
      }
      if (attempt < MAX_TRIES && isSlugClash(error, write)) continue;
      // A transaction has repeated itself already; a lone statement can be a deadlock's victim as well.
      if (attempt <= 3 && !usesTransaction && RETRYABLE.has(sqlState(error) ?? '')) {
        await new Promise((resolve) => setTimeout(resolve, 5 * attempt * (1 + Math.random())));
        continue;
      }
      throw explainDatabaseError(error, write);
    }
  }
}

const RETRYABLE = new Set(['40001', '40P01']);
const ACTIONS = ['create', 'update', 'delete'] as const;
const WEBHOOKS = {};

/** Whether anybody has to be asked before this write: about the record, or about what may be written along with it. */
function needsWebhooks(ctx: AppContext, entity: EntityModel, isWide: boolean): boolean {
  const known = ctx.app.memo(WEBHOOKS, () => new Map<string, boolean>());
  const key = `${entity.name} ${String(isWide)}`;
  let answer = known.get(key);
  if (answer === undefined)
    known.set(key, (answer = concerned(ctx, entity, isWide).some((one) => ACTIONS.some((action) => hasSyncWebhooks(one, action)))));
  return answer;
}

/** The entities a write of this one can reach: by `create_record` actions always, by nesting and cascades when it is wide. */
function concerned({ app }: AppContext, entity: EntityModel, isWide: boolean): EntityModel[] {
  const found = new Set([entity]);
  for (const one of found) {
    const names = one.machines
      .flatMap((machine) => machine.definition.transitions)
      .flatMap((transition) => transition.actions.flatMap((action) => (action.type === 'create_record' ? [action.entity] : [])));
    if (isWide) names.push(...one.relations.flatMap((end) => (end.direction === 'forward' ? [] : [end.target])));
    for (const name of names) {
      const target = app.model.entities.get(name);
      if (target !== undefined) found.add(target);
    }
  }
  return [...found];
}

async function inTransaction<T>(
  request: WriteRequest<T>,
  desk: FunctionDesk,
  expected: readonly PendingCall[] | undefined,
  onSlug: (entity: string) => void = () => undefined,
): Promise<T> {
  const { ctx, options } = request;
  const work = async (client: pg.PoolClient): Promise<T> => {
    const write = newWrite(ctx, options, client, true, desk);
    try {
      return await unlessScriptsWanted(desk, () => onlyOnce(request, client, () => checked(request, write, expected)));
    } finally {
      for (const entity of write.derivedSlugs) onSlug(entity);
    }
  };
  return options.isTrial === true ? takenBack(ctx, work) : transaction(ctx.services.pool, work, waits(options));
}

/** What came of it, and nothing of it is left. */
async function takenBack<T>({ services }: AppContext, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  let results: readonly T[] = [];
  try {
    await transaction(services.pool, async (client) => {
      results = [await work(client)];
      throw new TrialOver('rolled back on purpose');
    });
  } catch (error) {
    if (!(error instanceof TrialOver)) throw error;
  }
  return results[0] as T;
}

const waits = (options: WriteOptions) => (options.idempotency === undefined ? {} : { waitsUpToMs: KEY_WAIT_MS });

/** A durable step and a request with an Idempotency-Key have an effect once; everything else has it each time. */
function onlyOnce<T>({ ctx, options, touched }: WriteRequest<T>, db: Db, work: () => Promise<T>): Promise<T> {
  if (ctx.effectKey !== undefined) return once(ctx, db, ctx.effectKey, work);
  return options.idempotency === undefined ? work() : answeredOnce(ctx, db, options.idempotency, { work, touched });
}

async function checked<T>(request: WriteRequest<T>, write: Write, expected: readonly PendingCall[] | undefined): Promise<T> {
  const result = await request.work(write);
  if (expected !== undefined && fingerprint(write.calls) !== fingerprint(expected))
    throw new ChangedMeanwhile('not what the webhooks were shown');
  return result;
}

const fingerprint = (calls: readonly PendingCall[]): string => calls.map((call) => call.fingerprint).join('\n');

/** The effect of a durable step and its result commit together; a repeat finds the result and does nothing. */
async function once<T>(ctx: AppContext, db: Db, key: string, work: () => Promise<T>): Promise<T> {
  const effects = id(ctx.app.storage, '_effects');
  const claimed = await run(
    db,
    sql`insert into ${effects} (key, result) values (${value(key, 'text')}, 'null'::jsonb) on conflict (key) do nothing returning key`,
  );
  if (claimed.length === 0) {
    const stored = await runText(db, sql`select result::text from ${effects} where key = ${value(key, 'text')}`);
    return JSON.parse(stored ?? 'null') as T;
  }
  const result = await work();
  await run(db, sql`update ${effects} set result = ${value(JSON.stringify(result), 'jsonb')} where key = ${value(key, 'text')}`);
  return result;
}

// --- synchronous webhooks --------------------------------------------------------------------------------------------

class ChangedMeanwhile extends Error {
  override readonly name = 'ChangedMeanwhile';
}

class TrialOver extends Error {
  override readonly name = 'TrialOver';
}

/**
 * A trial run that is rolled back finds the candidates, as rules and machines leave them; then the receivers are asked with no
 * transaction open; then the write runs for real and must meet the versions the receivers were shown. One more try, then 409.
 */
async function withWebhooks<T>(request: WriteRequest<T>, desk: FunctionDesk): Promise<T> {
  const { ctx, options } = request;
  const callKey = options.idempotency === undefined ? uuidv7() : callKeyOf(ctx, options.idempotency);
  for (let attempt = 1; ; attempt++) {
    const calls = await trial(request, desk);
    for (const [index, call] of calls.entries()) {
      await callSyncWebhooks(ctx, call.entity, call.action, call.record, call.old, index === 0 ? callKey : `${callKey}-${String(index)}`);
    }
    try {
      return await inTransaction(request, desk, calls);
    } catch (error) {
      if (!(error instanceof ChangedMeanwhile)) throw error;
      if (attempt === 2)
        throw new AppError('CONFLICT', 'The record keeps being changed by others while its webhooks are asked.', { hint: 'Try again.' });
    }
  }
}

async function trial<T>(request: WriteRequest<T>, desk: FunctionDesk): Promise<readonly PendingCall[]> {
  const { ctx, options } = request;
  let calls: readonly PendingCall[] = [];
  try {
    await transaction(
      ctx.services.pool,
      async (client) => {
        const write = newWrite(ctx, options, client, true, desk);
        await unlessScriptsWanted(desk, () => onlyOnce(request, client, () => request.work(write)));
        calls = [...write.calls];
        throw new TrialOver('rolled back on purpose');
      },
      waits(options),
    );
  } catch (error) {
    if (!(error instanceof TrialOver)) throw error;
  }
  return calls;
}

// --- slugs -----------------------------------------------------------------------------------------------------------

/** Two writes made up the same slug at the same moment; the next try sees the other's. */
function isSlugClash(error: unknown, write: Write): boolean {
  const cause = error instanceof pg.DatabaseError ? error : isAppError(error) ? error.cause : undefined;
  if (!(cause instanceof pg.DatabaseError) || cause.code !== '23505') return false;
  return columnsOf(cause).some((column) => write.derivedSlugs.has(`${cause.table ?? ''} ${column}`));
}
