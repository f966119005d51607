/**
 * The batches of one step: every record of a table, a few at a time, while clients write to it. How far it has come is written in
 * the transaction of each batch, so any worker goes on where another one died, and two at once only take turns.
 */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { connectDirect } from '../../adapters/postgres/pool.ts';
import { execute, run, sqlState } from '../../adapters/postgres/run.ts';
import { LOCK_TRY_MS, type Step } from '../../core/change/step.ts';
import { AppError } from '../../core/errors.ts';
import { literal, render, sql, value } from '../../core/sql/sql.ts';

export interface BatchTask {
  /** Of the owner of the tables. */
  readonly url: string;
  readonly migrationId: string;
  readonly step: Step;
  /** After every batch and every wait: a heartbeat. */
  onBatch(progress: BatchProgress): void;
  /** After a try that found rows of a batch taken. */
  onBusy?(): void;
  isCancelled(): boolean;
  /** How long clients waited lately for their writes, in milliseconds; null where nobody knows. */
  clientsWait?(): number | null;
}

export interface BatchProgress {
  readonly done: number;
  readonly total: number;
  /** Rows a second, lately. */
  readonly rate: number | null;
  readonly eta_seconds: number | null;
}

/** A batch is a stall for whoever wants one of its rows, so it is kept this short. */
const TARGET_MS = 20;
const SIZE = { first: 100, least: 50, most: 1000 } as const;
const STATEMENT_MS = 5_000;
const LONGEST_WAIT_MS = 1_000;
/** Below this nobody calls a write slow. */
const SLOW_MS = 50;

/** `done` when no row is left. Throws CONFLICT when a verification finds rows that are not as they must be. */
export async function runBatches(task: BatchTask): Promise<'done' | 'cancelled'> {
  const client = await connectDirect(task.url, `durabase-backfill/${task.migrationId}`.slice(0, 63));
  const pace = new Pace();
  try {
    for (;;) {
      if (task.isCancelled()) return 'cancelled';
      pace.clientsWait(task.clientsWait?.() ?? null);
      const batch = await oneBatch(client, task, pace);
      if (batch === undefined) task.onBusy?.();
      else task.onBatch(batch.progress);
      if (batch?.isLast === true) return 'done';
      await new Promise((resolve) => setTimeout(resolve, pace.waitMs));
    }
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** How many rows at once, and how long to leave the table to others between two batches. */
class Pace {
  size: number = SIZE.first;
  waitMs = 0;
  rate: number | null = null;
  #last = Date.now();
  #usual: number | null = null;
  #isSlow = false;

  /** What was told first, before or in the first moments of the backfill, is usual; twice as much is slow. */
  clientsWait(ms: number | null): void {
    this.#usual ??= ms;
    this.#isSlow = ms !== null && ms > Math.max(2 * (this.#usual ?? 0), SLOW_MS);
  }

  took(rows: number, ms: number, waiting: number): void {
    const now = Date.now();
    const current = (rows * 1000) / Math.max(now - this.#last, 1);
    this.rate = this.rate === null ? current : this.rate * 0.9 + current * 0.1;
    this.#last = now;
    if (waiting > 0) return this.yieldTo();
    const fitting = (this.size * TARGET_MS) / Math.max(ms, 1);
    this.size = clamp(Math.min(fitting, this.size * 2));
    // A fifth of the time is the clients', three quarters when they are slow. Never all: it may not be the backfill that slows them.
    this.waitMs = this.#isSlow ? Math.max(ms * 3, TARGET_MS) : Math.min(ms / 4, TARGET_MS);
  }

  /** Somebody waits for our rows, or we for theirs. */
  yieldTo(): void {
    this.size = clamp(this.size / 2);
    this.waitMs = Math.min(Math.max(this.waitMs, TARGET_MS) * (1 + Math.random()), LONGEST_WAIT_MS);
  }
}

const clamp = (size: number): number => Math.round(Math.min(Math.max(size, SIZE.least), SIZE.most));

interface StepRow extends pg.QueryResultRow {
  readonly state: string;
  readonly cursor: string | null;
  readonly rows_done: string;
  readonly rows_total: string | null;
}

interface Answer extends pg.QueryResultRow {
  readonly cursor: string | null;
  readonly done: number;
  readonly wrong?: number;
  readonly sample?: string | null;
}

interface Batched {
  readonly progress: BatchProgress;
  readonly isLast: boolean;
}

/** Undefined when a lock was not free: then it is tried again, smaller and later. */
async function oneBatch(client: pg.Client, task: BatchTask, pace: Pace): Promise<Batched | undefined> {
  try {
    await run(client, sql`begin`);
    const batched = await inTransaction(client, task, pace);
    await run(client, sql`commit`);
    crashPoint('backfill.after_batch');
    return batched;
  } catch (error) {
    await run(client, sql`rollback`).catch(() => undefined);
    if (!WAITED_TOO_LONG.has(sqlState(error) ?? '')) throw error;
    pace.yieldTo();
    return undefined;
  }
}

/** A lock, a deadlock, the time of a statement. */
const WAITED_TOO_LONG = new Set(['55P03', '40P01', '57014']);

async function inTransaction(client: pg.Client, { migrationId, step }: BatchTask, pace: Pace): Promise<Batched> {
  await run(client, sql`set local lock_timeout = ${literal(`${LOCK_TRY_MS.longest}ms`)}`);
  await run(client, sql`set local statement_timeout = ${literal(`${STATEMENT_MS}ms`)}`);
  // The rows and the cursor are lost together or not at all, so a crash may take the last moments of both.
  await run(client, sql`set local synchronous_commit = off`);
  const own = sql`migration = ${value(migrationId, 'uuid')} and key = ${value(step.key)}`;
  const [row] = await run<StepRow>(
    client,
    sql`select state, cursor, rows_done, rows_total from durabase.migration_steps where ${own} for no key update`,
  );
  if (row === undefined) throw new AppError('NOT_FOUND', `The migration has no step "${step.key}".`);
  const total = Number(row.rows_total ?? (await estimate(client, step)));
  if (row.state === 'done') return { isLast: true, progress: progressOf(Number(row.rows_done), total, pace.rate) };
  const began = performance.now();
  const answer = await nextRows(client, step, row.cursor, pace.size);
  refuseWrong(answer, step);
  const isLast = answer.done === 0;
  pace.took(answer.done, performance.now() - began, await waitingForUs(client));
  const done = Number(row.rows_done) + answer.done;
  // The end is told to others, so it and all before it must be on disk when it is.
  if (isLast) await run(client, sql`set local synchronous_commit = on`);
  await execute(
    client,
    sql`update durabase.migration_steps set cursor = ${value(answer.cursor ?? row.cursor, 'text')}, rows_done = ${value(done, 'bigint')},
      rows_total = ${value(total, 'bigint')}, rate = ${value(pace.rate, 'double precision')}, started_at = coalesce(started_at, now())
      ${isLast ? sql`, state = 'done', finished_at = now()` : sql``} where ${own}`,
  );
  return { isLast, progress: progressOf(done, total, pace.rate) };
}

async function nextRows(client: pg.Client, step: Step, cursor: string | null, size: number): Promise<Answer> {
  const [statement] = step.statements;
  if (statement === undefined) return { cursor: null, done: 0 };
  const { rows } = await client.query<Answer>(render(statement).text, [cursor ?? 'null', size]);
  return rows[0] ?? { cursor: null, done: 0 };
}

async function estimate(client: pg.Client, step: Step): Promise<number> {
  if (step.batch === undefined) return 0;
  const [row] = await run<{ total: string }>(client, step.batch.total);
  return Number(row?.total ?? 0);
}

function refuseWrong(answer: Answer, step: Step): void {
  if ((answer.wrong ?? 0) === 0) return;
  const sample = answer.sample ?? '?';
  const { message, hint } = step.batch?.refusal ?? PAST_TRIGGERS;
  throw new AppError('CONFLICT', `${message(sample)} (${step.key})`, { hint });
}

const PAST_TRIGGERS = {
  message: (sample: string): string => `Records do not hold the same values in both shapes, for instance the one with the key ${sample}.`,
  hint: 'Something wrote to the table past its triggers. Abort the migration and publish again.',
};

/** Sessions that wait for a row of this very batch. */
async function waitingForUs(client: pg.Client): Promise<number> {
  const [row] = await run<{ waiting: number }>(
    client,
    sql`select count(*)::integer as waiting from pg_locks l where not l.granted and pg_backend_pid() = any(pg_blocking_pids(l.pid))`,
  );
  return row?.waiting ?? 0;
}

function progressOf(done: number, estimated: number, rate: number | null): BatchProgress {
  const total = Math.max(done, estimated);
  return { done, total, rate: rate === null ? null : Math.round(rate), eta_seconds: rate ? Math.ceil((total - done) / rate) : null };
}
