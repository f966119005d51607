import { run } from '../adapters/postgres/run.ts';
import { sql } from '../core/sql/sql.ts';
import type { Services } from './context.ts';

/** The age, in seconds, of the first committed event that the relay has not handled; 0 when there is none. Any process may ask. */
export async function relayLag({ pool }: Pick<Services, 'pool'>): Promise<number> {
  const [row] = await run<{ seconds: number | null }>(
    pool,
    sql`select extract(epoch from clock_timestamp() - e.at)::float8 as seconds from durabase.relay_cursor c cross join lateral (
          select at from durabase.events where xid >= pg_snapshot_xmin(c.snapshot) and not pg_visible_in_snapshot(xid, c.snapshot)
          order by xid, seq limit 1
        ) e where c.id = 1`,
    { prepared: true },
  );
  return Math.max(0, row?.seconds ?? 0);
}
