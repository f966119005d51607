/**
 * `Idempotency-Key`: the answer of a write is kept under the caller's key, in the transaction of the write. Who comes second
 * waits on the unique index; a crash leaves both, the record and the answer, or neither. A refused write keeps nothing.
 */
import { digestOf } from '../../adapters/digest.ts';
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run, sqlState, type Db } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { RecordAction } from '../../core/policy/access.ts';
import { id, raw, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { forbidden } from './body.ts';
import { keyCondition } from './record-key.ts';
import { accessOf, type Idempotency } from './write-state.ts';

/** A record an answer tells of: what must still be allowed for the answer to be given once more. */
export interface Touched {
  readonly entity: EntityModel;
  readonly action: RecordAction;
  readonly id: string;
  /** The record's JSON in the answer; undefined when only its id is told. */
  readonly text?: string;
}

/** The longest a request waits for another one with the same key. */
export const KEY_WAIT_MS = 10_000;
const KEPT = sql`interval '24 hours'`;
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Reads the header. `asked` is everything that makes the request what it is: method, path, query, precondition, body. Where a
 * password may be in it, `digest` must be one that nobody can try guesses at.
 */
export function idempotencyOf(
  key: string | undefined,
  asked: () => readonly unknown[],
  digest: (text: string) => string = digestOf,
): Idempotency | undefined {
  if (key === undefined) return undefined;
  if (!KEY.test(key)) {
    throw new AppError('INVALID_VALUE', 'Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.', {
      hint: 'Send a random UUID per intended write, and the same one when you repeat it.',
    });
  }
  return { key, hash: digest(JSON.stringify(asked())), part: 0, isReplayed: false };
}

const table = (ctx: AppContext) => id(ctx.app.storage, '_idempotency');

/** Who sent a key: two API keys of one account are two callers, and so is an admin who acts as somebody. */
function callerOf({ actor: { kind, id: account, keyId, by } }: AppContext): string {
  const own = `${kind}:${keyId ?? account ?? ''}`;
  return by === undefined ? own : `${own} by ${by.kind}:${by.id ?? ''}`;
}

/** What receivers of synchronous webhooks see of a key: the same for every try of one write, another for every caller. */
export const callKeyOf = (ctx: AppContext, { key, part }: Idempotency): string =>
  digestOf(JSON.stringify([ctx.app.id, callerOf(ctx), key, part]));

interface StoredAnswer {
  readonly hash: string;
  readonly answer: string | null;
  readonly schema_version: number;
  readonly roles: readonly string[];
}

/** Runs `work` unless the key has an answer; call it inside the transaction of the write. */
export async function answeredOnce<T>(
  ctx: AppContext,
  db: Db,
  once: Idempotency,
  steps: { work(): Promise<T>; touched(result: T): readonly Touched[] },
): Promise<T> {
  once.isReplayed = false;
  if (!(await claim(ctx, db, once))) {
    const result = await storedAnswer<T>(ctx, db, once);
    await checkStillAllowed(ctx, db, result, steps.touched(result.value));
    once.isReplayed = true;
    return result.value;
  }
  const result = await steps.work();
  await execute(
    db,
    sql`update ${table(ctx)} set answer = ${value(JSON.stringify(result), 'text')} where ${keyIs(ctx, once)}`,
    prepared(ctx),
  );
  crashPoint('write.answer_kept');
  return result;
}

const prepared = (ctx: AppContext) => ({ prepared: true, generation: ctx.app.generation });

const keyIs = (ctx: AppContext, { key, part }: Idempotency) =>
  sql`caller = ${value(callerOf(ctx), 'text')} and key = ${value(key, 'text')} and part = ${value(part, 'integer')}`;

/** True when the key is ours now. Waits for a transaction that holds it; an expired answer is no answer. */
async function claim(ctx: AppContext, db: Db, { key, part, hash }: Idempotency): Promise<boolean> {
  try {
    const claimed = await run(
      db,
      sql`insert into ${table(ctx)} as "i" (caller, key, part, hash, schema_version, roles)
        values (${value(callerOf(ctx), 'text')}, ${value(key, 'text')}, ${value(part, 'integer')}, ${value(hash, 'text')},
          ${value(ctx.app.version, 'integer')}, ${value(ctx.actor.roles, 'text[]')})
        on conflict (caller, key, part) do update set hash = excluded.hash, answer = null, schema_version = excluded.schema_version,
          roles = excluded.roles, at = excluded.at where "i".at < now() - ${KEPT}
        returning 1`,
      prepared(ctx),
    );
    return claimed.length > 0;
  } catch (error) {
    if (sqlState(error) !== '55P03') throw error;
    throw new AppError('CONFLICT', 'Another request with this Idempotency-Key is still being worked on.', {
      hint: 'Repeat the request with the same key; it will be answered with the result of the first.',
      retryAfter: 1,
    });
  }
}

interface Replay<T> {
  readonly value: T;
  /** The same schema and the same roles as then: the fields of the answer are those the caller may read. */
  readonly isSameCaller: boolean;
}

async function storedAnswer<T>(ctx: AppContext, db: Db, once: Idempotency): Promise<Replay<T>> {
  const [stored] = await run<StoredAnswer & Record<string, unknown>>(
    db,
    sql`select hash, answer, schema_version, roles from ${table(ctx)} where ${keyIs(ctx, once)}`,
    prepared(ctx),
  );
  if (stored === undefined || stored.hash !== once.hash) throw mismatch();
  const isSameCaller = stored.schema_version === ctx.app.version && [...stored.roles].sort().join() === [...ctx.actor.roles].sort().join();
  return { value: JSON.parse(stored.answer ?? 'null') as T, isSameCaller };
}

const mismatch = (): AppError =>
  new AppError('IDEMPOTENCY_MISMATCH', 'This Idempotency-Key was used for another request.', {
    hint: 'Use a new key for a new request; repeat a request with the very same method, path, headers and body.',
  });

/** Rows of one write that is not atomic belong together: refused before any of them is written. */
export async function refuseOtherRequest(ctx: AppContext, { key, hash }: Idempotency): Promise<void> {
  const rows = await run(
    ctx.services.pool,
    sql`select 1 from ${table(ctx)} where caller = ${value(callerOf(ctx), 'text')} and key = ${value(key, 'text')}
      and hash <> ${value(hash, 'text')} and at >= now() - ${KEPT} limit 1`,
    prepared(ctx),
  );
  if (rows.length > 0) throw mismatch();
}

// --- policy of a stored answer ---------------------------------------------------------------------------------------

/** A right that was taken away since then holds for the stored answer as for the records themselves. */
async function checkStillAllowed(ctx: AppContext, db: Db, replay: Replay<unknown>, touched: readonly Touched[]): Promise<void> {
  if (ctx.actor.isAdmin && ctx.actor.scopes === undefined) return;
  const caller = { ctx, authority: ctx.actor };
  const shown = new Map<EntityModel, Touched[]>();
  for (const one of touched) {
    if (!accessOf(caller, one.entity, one.action).isGranted) throw forbidden(one.entity, one.action);
    if (one.text === undefined) continue;
    const names = Object.keys(JSON.parse(one.text) as object);
    // The key alone is what the creator of a record outside their own sight is told.
    if (names.every((name) => one.entity.key.some((field) => field.name === name))) continue;
    checkFields(caller, one.entity, names, replay.isSameCaller);
    shown.set(one.entity, [...(shown.get(one.entity) ?? []), one]);
  }
  for (const [entity, ones] of shown) await checkRows(ctx, db, entity, ones);
}

function checkFields(caller: Parameters<typeof accessOf>[0], entity: EntityModel, names: readonly string[], isSame: boolean): void {
  const read = accessOf(caller, entity, 'read');
  const isOpen = (name: string): boolean => {
    const { mode } = read.field(name);
    return mode === 'always' || (mode === 'conditional' && isSame);
  };
  if (!read.isGranted || !names.every((name) => !entity.fields.has(name) || isOpen(name))) throw noLongerReadable();
}

async function checkRows(ctx: AppContext, db: Db, entity: EntityModel, ones: readonly Touched[]): Promise<void> {
  const scope = accessOf({ ctx, authority: ctx.actor }, entity, 'read').where('t');
  if (scope === undefined) return;
  for (const one of ones) {
    const key = keyCondition(entity, 't', one.id) ?? raw('false');
    const hidden = await run(
      db,
      sql`select 1 from ${id(ctx.app.storage, entity.rows)} "t" where ${key} and not coalesce(${scope}, false)`,
      prepared(ctx),
    );
    if (hidden.length > 0) throw noLongerReadable();
  }
}

const noLongerReadable = (): AppError =>
  new AppError('FORBIDDEN', 'The write with this Idempotency-Key was done, but you may no longer read what it answered.');

// --- pruning ---------------------------------------------------------------------------------------------------------

const PRUNE_EVERY = 200;
let uses = 0;

/** Every few hundred uses the expired answers of the app go, a thousand at a time; outside the write, which does not wait. */
export function pruneNowAndThen(ctx: AppContext): void {
  if (++uses % PRUNE_EVERY !== 0) return;
  pruneAnswers(ctx).catch((error: unknown) => {
    ctx.services.log.debug({ error: (error as Error).message }, 'expired idempotency keys stay for now');
  });
}

/** Removes expired answers; says how many. */
export function pruneAnswers(ctx: AppContext): Promise<number> {
  const expired = sql`select ctid from ${table(ctx)} where at < now() - ${KEPT} limit 1000 for update skip locked`;
  return execute(ctx.services.pool, sql`delete from ${table(ctx)} where ctid = any(array(${expired}))`);
}
