/**
 * What a migration waits for while it tries to take a lock. Its tries are too short to be caught by looking, so they are counted, and
 * written down now and then, for those who watch it.
 */
import type pg from 'pg';
import type { Logger } from 'pino';
import { execute, run } from '../../adapters/postgres/run.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { loadMigration, planOf } from './migration-row.ts';

const WRITE_EVERY_MS = 500;

export class LockWaits {
  readonly #pool: pg.Pool;
  readonly #log: Logger;
  readonly #migration: string;
  #writing: Promise<void> = Promise.resolve();
  #writtenAt = 0;
  /** Since the last write. */
  #tries = 0;
  #isNoted = false;

  constructor({ pool, log }: { readonly pool: pg.Pool; readonly log: Logger }, migration: string) {
    this.#pool = pool;
    this.#log = log;
    this.#migration = migration;
  }

  /** A try of this step was in vain. */
  tried(step: string): void {
    this.#tries++;
    if (Date.now() - this.#writtenAt < WRITE_EVERY_MS) return;
    const tries = this.#tries;
    this.#writtenAt = Date.now();
    this.#tries = 0;
    this.#isNoted = true;
    this.#write(noted(this.#pool, this.#migration, step, tries));
  }

  /** A lock was taken. Resolves when nothing is noted any more. */
  over(): Promise<void> {
    this.#tries = 0;
    if (!this.#isNoted) return this.#writing;
    this.#isNoted = false;
    this.#writtenAt = 0;
    // In order: a note that is still on its way would stay.
    this.#writing = this.#writing.then(() =>
      this.#quietly(
        execute(this.#pool, sql`update durabase.migrations set progress = progress - 'waits' where id = ${value(this.#migration, 'uuid')}`),
      ),
    );
    return this.#writing;
  }

  #write(work: Promise<unknown>): void {
    const written = this.#quietly(work);
    this.#writing = this.#writing.then(() => written);
  }

  /** It is for those who watch: no migration fails for it. */
  #quietly(work: Promise<unknown>): Promise<void> {
    return work.then(
      () => undefined,
      (error: unknown) => this.#log.warn({ err: error, migration: this.#migration }, 'what a migration waits for could not be noted'),
    );
  }
}

/** Tries of a step that was begun again after a crash count on. */
const noted = (pool: pg.Pool, migration: string, step: string, tries: number): Promise<number> =>
  execute(
    pool,
    sql`
    update durabase.migrations set progress = progress || jsonb_build_object('waits', jsonb_build_object(
      'step', ${value(step, 'text')},
      'tries', ${value(tries, 'integer')} + case when progress->'waits'->>'step' = ${value(step, 'text')} then (progress->'waits'->>'tries')::integer else 0 end,
      'since', case when progress->'waits'->>'step' = ${value(step, 'text')} then progress->'waits'->'since' else to_jsonb(now()) end))
    where id = ${value(migration, 'uuid')}`,
  );

export interface LockWait {
  readonly step: string;
  /** In vain so far. */
  readonly tries: number;
  readonly since: string;
  /** Who uses the table for longer than a moment, the oldest transaction first: one of them has the lock. */
  readonly sessions: readonly TableSession[];
}

export interface TableSession extends pg.QueryResultRow {
  readonly pid: number;
  /** As the session names itself; empty where the database does not tell us of it. */
  readonly application: string;
  readonly state: string | null;
  readonly since: string | null;
}

/** A transaction that is younger is not worth telling of. */
const MOMENT = '300 milliseconds';
const MOST_SESSIONS = 5;

export async function sessionsInTheWay(pool: pg.Pool, migration: string, step: string): Promise<TableSession[]> {
  const row = await loadMigration(pool, migration);
  const table = planOf(row).steps.find((one) => one.key === step)?.table;
  if (table === undefined) return [];
  return run<TableSession>(
    pool,
    sql`
    select a.pid, coalesce(a.application_name, '') as application, a.state, to_json(min(a.xact_start))#>>'{}' as since
    from pg_locks l join pg_stat_activity a on a.pid = l.pid
    join pg_class c on c.oid = l.relation join pg_namespace n on n.oid = c.relnamespace
    where l.granted and l.database = (select oid from pg_database where datname = current_database())
      and n.nspname = ${value(row.storage)} and c.relname = ${value(table)}
      and a.application_name not in (${value(`durabase-ddl/${migration}`.slice(0, 63))}, ${value(`durabase-backfill/${migration}`.slice(0, 63))})
      and coalesce(a.xact_start, '-infinity') < now() - ${value(MOMENT, 'interval')}
    group by a.pid, a.application_name, a.state order by min(a.xact_start) nulls first limit ${value(MOST_SESSIONS, 'integer')}`,
  );
}
