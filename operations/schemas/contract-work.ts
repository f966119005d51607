/**
 * What is left of a migration that broke clients: the grace in which its older shape is served, the contract, the retention in
 * which what was dropped can be brought back, the purge. Times are the workflow's.
 */
import type pg from 'pg';
import { crashPoint } from '../../adapters/crash-points.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { appendSchemaEvent } from '../../adapters/schema-events/postgres.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { openQuarantine } from './quarantine.ts';

interface Row extends pg.QueryResultRow {
  readonly app: string;
  readonly status: string;
  readonly phase: string;
  readonly from_version: number;
  readonly to_version: number;
  readonly grace_ms: string;
  readonly retention_ms: string;
  readonly grace_until: Date | null;
  readonly retention_until: Date | null;
  readonly ended_event: string | null;
  readonly storage: string;
}

async function lock(client: pg.PoolClient, migration: string): Promise<Row | undefined> {
  const [row] = await run<Row>(
    client,
    sql`
    select m.app, m.status, m.phase, m.from_version, m.to_version, m.grace_ms, m.retention_ms, m.grace_until, m.retention_until,
           m.progress->>'grace_event' as ended_event, a.storage
    from durabase.migrations m join durabase.apps a on a.id = m.app where m.id = ${value(migration, 'uuid')} for update of m`,
  );
  return row;
}

const tell = (client: pg.PoolClient, migration: string, row: Row, body: Readonly<Record<string, unknown>>): Promise<number> =>
  appendSchemaEvent(client, {
    type: 'schema.migration.phase',
    app: row.app,
    oldVersion: row.from_version,
    newVersion: row.to_version,
    body: { migration_id: migration, ...body },
  });

/** ISO time at which the grace is over; it begins once. */
export const openGrace = (services: Services, migration: string, now: string): Promise<string> =>
  transaction(services.pool, async (client) => {
    const row = await lock(client, migration);
    if (row?.status !== 'ready') return now;
    if (row.grace_until !== null) return row.grace_until.toISOString();
    const until = new Date(Date.parse(now) + Number(row.grace_ms)).toISOString();
    await execute(
      client,
      sql`
      update durabase.migrations set phase = 'grace', grace_until = ${value(until, 'timestamptz')}, updated_at = now()
      where id = ${value(migration, 'uuid')}`,
    );
    await tell(client, migration, row, { phase: 'grace', grace_until: until });
    return until;
  });

export type GraceEnd =
  /** Every api process has to see this event before anything is narrowed. */
  | { readonly kind: 'ended'; readonly event: number }
  | { readonly kind: 'waiting'; readonly forMs: number; readonly reason: string }
  /** Nothing is left to do: the migration was undone, or its app is gone. */
  | { readonly kind: 'closed' };

export interface EndGrace {
  readonly migrationId: string;
  readonly now: string;
  /** Asked for by somebody, so neither time nor clients are waited for. */
  readonly isForced: boolean;
}

/** A window without a request in the older shape before it is given up: a tenth of the grace, an hour at most. */
const QUIET_MS = 3_600_000;

export const endGrace = (services: Services, { migrationId, now, isForced }: EndGrace): Promise<GraceEnd> =>
  transaction(services.pool, async (client): Promise<GraceEnd> => {
    const row = await lock(client, migrationId);
    if (row?.status !== 'ready' || !(await isServing(client, row.app))) return { kind: 'closed' };
    if (row.ended_event !== null) return { kind: 'ended', event: Number(row.ended_event) };
    const wait =
      (await valuesToRepair(client, row, migrationId)) ?? (isForced ? undefined : await reasonToWait(client, row, Date.parse(now)));
    if (wait !== undefined) {
      await execute(
        client,
        sql`update durabase.migrations set waiting_for = ${value(wait.reason)} where id = ${value(migrationId, 'uuid')}`,
      );
      return { kind: 'waiting', ...wait };
    }
    crashPoint('migration.before_grace_end');
    await execute(
      client,
      sql`
      update durabase.migrations
      set phase = 'contract', grace_ended_at = ${value(now, 'timestamptz')}, waiting_for = null, updated_at = now()
      where id = ${value(migrationId, 'uuid')}`,
    );
    await execute(
      client,
      sql`delete from durabase.shape_clients where app = ${value(row.app)} and version = ${value(row.from_version, 'integer')}`,
    );
    const event = await tell(client, migrationId, row, { phase: 'contract' });
    await execute(
      client,
      sql`
      update durabase.migrations set progress = progress || jsonb_build_object('grace_event', ${value(event, 'bigint')})
      where id = ${value(migrationId, 'uuid')}`,
    );
    return { kind: 'ended', event };
  });

/** How soon it is looked again whether quarantined values were repaired. */
const REPAIR_MS = 600_000;

/** Even by request: what only one shape holds would be lost with it. */
async function valuesToRepair(client: pg.PoolClient, row: Row, migration: string): Promise<{ forMs: number; reason: string } | undefined> {
  const open = await openQuarantine(client, row.storage, migration);
  return open === 0 ? undefined : { forMs: REPAIR_MS, reason: `the repair of ${open} quarantined value${open === 1 ? '' : 's'}` };
}

async function isServing(client: pg.PoolClient, app: string): Promise<boolean> {
  const rows = await run(client, sql`select from durabase.apps where id = ${value(app)} and status in ('active', 'suspended')`);
  return rows.length > 0;
}

async function reasonToWait(client: pg.PoolClient, row: Row, now: number): Promise<{ forMs: number; reason: string } | undefined> {
  const until = row.grace_until?.getTime() ?? now;
  if (now < until) return { forMs: until - now, reason: `the end of the grace at ${new Date(until).toISOString()}` };
  const quietMs = Math.min(QUIET_MS, Number(row.grace_ms) / 10);
  const [use] = await run<{ last_used_at: Date }>(
    client,
    sql`
    select max(last_used_at) as last_used_at from durabase.shape_uses
    where app = ${value(row.app)} and version <= ${value(row.from_version, 'integer')}`,
  );
  const last = use?.last_used_at?.getTime();
  if (last === undefined || last + quietMs <= now) return undefined;
  return { forMs: last + quietMs - now, reason: `clients of version ${row.from_version}, last seen at ${new Date(last).toISOString()}` };
}

/** ISO time at which what was dropped may go. */
export const openRetention = (services: Services, migration: string, now: string): Promise<string> =>
  transaction(services.pool, async (client) => {
    const row = await lock(client, migration);
    if (row?.status !== 'ready') return now;
    if (row.retention_until !== null) return row.retention_until.toISOString();
    const until = new Date(Date.parse(now) + Number(row.retention_ms)).toISOString();
    await execute(
      client,
      sql`
      update durabase.migrations set retention_until = ${value(until, 'timestamptz')}, waiting_for = ${value(`the end of the retention at ${until}`)}, updated_at = now()
      where id = ${value(migration, 'uuid')}`,
    );
    await tell(client, migration, row, { phase: 'contract', retention_until: until });
    return until;
  });
