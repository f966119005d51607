/** What the api processes say with their leases: how far each is, and how long its clients wait. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';

const LEASE_SECONDS = 5;
const SLOWEST_PROCESS_MS = 8_000;
/** True when every live api process has seen the event; one that stopped renewing answers 503 by itself. */
export async function leasesConfirm(pool: pg.Pool, event: number, waitsMs: number = SLOWEST_PROCESS_MS): Promise<void> {
  const deadline = Date.now() + waitsMs;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 100)) {
    const [row] = await run<{ behind: number }>(
      pool,
      sql`
      select count(*)::integer as behind from durabase.api_leases
      where renewed_at > now() - make_interval(secs => ${value(LEASE_SECONDS, 'integer')}) and seen_event < ${value(event, 'bigint')}`,
      { prepared: true },
    );
    if (row?.behind === 0) return;
    if (Date.now() > deadline) throw new AppError('UNAVAILABLE', 'An api process has not confirmed the new version yet.');
    await new Promise((resolve) => setTimeout(resolve, waitMs));
  }
}

/** What the api process says whose clients wait longest. */
export async function slowestWrites(pool: pg.Pool): Promise<number | null> {
  const [row] = await run<{ ms: number | null }>(
    pool,
    sql`
    select max(write_ms) as ms from durabase.api_leases
    where renewed_at > now() - make_interval(secs => ${value(LEASE_SECONDS, 'integer')})`,
  );
  return row?.ms ?? null;
}
