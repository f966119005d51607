/**
 * A connection of its own for the DDL of one app. The lock that keeps two workers apart belongs to this session, outside any
 * transaction, and ends with it; statements take their table locks in short tries, so that writers never queue behind us.
 */
import type pg from 'pg';
import { BRIEF_STATEMENT_MS, LOCK_TRY_MS } from '../../core/change/step.ts';
import { literal, sql, value, type Sql } from '../../core/sql/sql.ts';
import { connectDirect } from './pool.ts';
import { run, sqlState } from './run.ts';

/** Raised when tries are used up; the caller's retry goes on later. */
export class LockNotTaken extends Error {
  override readonly name = 'LockNotTaken';
}

export interface DdlSession {
  /** One short transaction with lock tries until the deadline. */
  brief(statements: readonly Sql[], lockedTable?: { readonly storage: string; readonly table: string }): Promise<void>;
  /** One statement outside a transaction, as CONCURRENTLY and VALIDATE want it. */
  alone(statement: Sql): Promise<void>;
  ask<Row extends pg.QueryResultRow>(question: Sql): Promise<Row[]>;
}

export interface DdlSessionOptions {
  readonly url: string;
  readonly app: string;
  /** Shown in pg_stat_activity: which migration this is. */
  readonly name: string;
  readonly deadlineMs: number;
  /** Called now and then while waiting. */
  readonly onWait?: () => void;
  /** Called after each try that found a table's lock taken. */
  readonly onBusy?: () => void;
}

export async function withDdlSession<T>(options: DdlSessionOptions, work: (session: DdlSession) => Promise<T>): Promise<T> {
  const client = await connectDirect(options.url, options.name.slice(0, 63));
  const deadline = Date.now() + options.deadlineMs;
  try {
    await takeLock(client, options, deadline);
    return await work({
      brief: (statements, lockedTable) => brief(client, statements, lockedTable, deadline, options),
      async alone(statement) {
        await run(client, statement);
      },
      ask: (question) => run(client, question),
    });
  } finally {
    await client.end();
  }
}

async function takeLock(client: pg.Client, options: DdlSessionOptions, deadline: number): Promise<void> {
  for (;;) {
    const [row] = await run<{ taken: boolean }>(
      client,
      sql`select pg_try_advisory_lock(hashtextextended(${value(`durabase.ddl/${options.app}`)}, 0)) as taken`,
    );
    if (row?.taken === true) return;
    // The session of a worker that died may live until the server notices; its work is ours to find finished.
    await waitOrGiveUp(deadline, 50, options.onWait);
  }
}

async function brief(
  client: pg.Client,
  statements: readonly Sql[],
  lockedTable: { readonly storage: string; readonly table: string } | undefined,
  deadline: number,
  { onWait, onBusy }: Pick<DdlSessionOptions, 'onWait' | 'onBusy'>,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const lockMs = Math.min(LOCK_TRY_MS.first * Math.ceil(attempt / TRIES_OF_A_LENGTH), LOCK_TRY_MS.longest);
    try {
      await run(client, sql`begin`);
      await run(client, sql`set local lock_timeout = ${literal(`${lockMs}ms`)}`);
      await run(client, sql`set local statement_timeout = ${literal(`${BRIEF_STATEMENT_MS}ms`)}`);
      for (const statement of statements) await run(client, statement);
      await run(client, sql`commit`);
      return;
    } catch (error) {
      await run(client, sql`rollback`);
      const state = sqlState(error);
      if (state !== '55P03' && state !== '40P01') throw error;
      onBusy?.();
      if (attempt > 1 && lockedTable !== undefined) await cancelAutovacuum(client, lockedTable);
      await waitOrGiveUp(deadline, Math.min(20 * attempt, 100), onWait);
    }
  }
}

/**
 * Whoever waits for a lock makes every writer wait behind himself, so tries are short and grow only where none succeeds for long. They
 * are many: one that is waiting in the moment in which a long reader ends is the next in line, whoever comes after.
 */
const TRIES_OF_A_LENGTH = 40;

async function waitOrGiveUp(deadline: number, ms: number, onWait: (() => void) | undefined): Promise<void> {
  if (Date.now() + ms > deadline) throw new LockNotTaken('A lock was not free; trying again later.');
  onWait?.();
  await new Promise((resolve) => setTimeout(resolve, ms * (0.5 + Math.random())));
}

/** Lock tries this short never make an autovacuum give way by itself. One that prevents wraparound is left alone. */
async function cancelAutovacuum(client: pg.Client, at: { readonly storage: string; readonly table: string }): Promise<void> {
  await run(
    client,
    sql`
    select pg_cancel_backend(a.pid) from pg_stat_activity a
    join pg_locks l on l.pid = a.pid join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
    where a.backend_type = 'autovacuum worker' and a.query not like '%wraparound%'
      and n.nspname = ${value(at.storage)} and c.relname = ${value(at.table)}`,
  ).catch(() => undefined);
}
