/** Turns between apps: `durabase.work` has one row per app and kind of due work, and whoever locks it serves that app next. */
import type pg from 'pg';
import { execute, run } from '../adapters/postgres/run.ts';
import { transaction } from '../adapters/postgres/transaction.ts';
import { sql, value, type Sql } from '../core/sql/sql.ts';
import type { AppRuntime, Services } from '../operations/context.ts';

export interface Turn<Row> {
  readonly app: AppRuntime;
  readonly rows: readonly Row[];
}

export interface Claim<Row> {
  readonly rows: readonly Row[];
  /** `min(due_at) as at` over what is still to be done for this app; no row left ends its turns. */
  readonly nextDue: Sql;
  /** The app's next turn comes no sooner than this Postgres interval from now. */
  readonly pause: string;
}

/** The longest waiting app with due work of this kind: `claim` takes rows under a lease, all in one short transaction. */
export async function takeTurn<Row>(
  services: Services,
  kind: 'starts' | 'deliveries' | 'replays' | 'functions' | 'operations',
  claim: (client: pg.PoolClient, app: AppRuntime) => Promise<Claim<Row>>,
): Promise<Turn<Row> | undefined> {
  // Most look in vain: for them one statement is enough.
  const isDue = sql`select from durabase.work where kind = ${value(kind)} and due_at <= now() limit 1`;
  if ((await execute(services.pool, isDue, { prepared: true })) === 0) return undefined;
  return transaction(services.pool, async (client) => {
    const due = await run<{ app: string }>(
      client,
      sql`select app from durabase.work where kind = ${value(kind)} and due_at <= now() order by due_at limit 1 for update skip locked`,
      { prepared: true },
    );
    const appId = due[0]?.app;
    if (appId === undefined) return undefined;
    const app = await services.registry.byId(appId);
    if (app === undefined) {
      await execute(client, sql`delete from durabase.work where app = ${value(appId)} and kind = ${value(kind)}`);
      return undefined;
    }
    const { rows, nextDue, pause } = await claim(client, app);
    await execute(
      client,
      sql`with next as (${nextDue}),
            gone as (delete from durabase.work using next where app = ${value(app.id)} and kind = ${value(kind)} and next.at is null)
          update durabase.work set due_at = greatest(next.at, now() + ${value(pause, 'interval')}) from next
          where app = ${value(app.id)} and kind = ${value(kind)} and next.at is not null`,
      { prepared: true },
    );
    return { app, rows };
  });
}
