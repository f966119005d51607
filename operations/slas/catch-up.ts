/** After a publish: open clocks whose definition or calendar has another form now are told to look again, many of them in turns. */
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { and, id, or, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppRuntime, Services } from '../context.ts';
import { formsOf } from './forms.ts';
import { queueStarts } from '../starts.ts';
import { clockSignal } from './start-clocks.ts';

/** Told in one transaction; the starter sends them at the pace of the app. */
const BATCH = 500;

/** Sees to one app whose served version its clocks have not been told of; false when there is none. */
export async function tellChangedClocks(services: Services): Promise<boolean> {
  const [due] = await run<{ app: string }>(
    services.pool,
    sql`select a.id as app from durabase.apps a left join durabase.clock_versions v on v.app = a.id
        where a.status = 'active' and (v.version, v.schema_name) is distinct from (a.served_version, a.schema_name)
        limit 1`,
    { prepared: true },
  );
  const known = due === undefined ? undefined : await services.registry.byId(due.app);
  if (known === undefined) return false;
  const app = (await services.registry.newerThan(known)) ?? known;
  await tellClocks(services, app, changed(app));
  return true;
}

/** Open clocks that count under another form than that of today, or whose definition is gone. */
function changed(app: AppRuntime): Sql {
  const current = [...formsOf(app).byKey.values()].map(({ key, hash }) => sql`(c.sla = ${value(key)} and c.form = ${value(hash)})`);
  return current.length === 0 ? sql`true` : sql`not ${or(current)}`;
}

/** A rollout may bring a version back: it is the change that is told of, not the version. */
async function newestChange(db: Db, app: AppRuntime): Promise<string> {
  const [row] = await run<{ last: string }>(
    db,
    sql`select coalesce(max(id), 0) as last from durabase.schema_events where app = ${value(app.id)}`,
  );
  return `v${String(app.version)}.${row?.last ?? '0'}`;
}

async function tellClocks(services: Services, app: AppRuntime, which: Sql): Promise<void> {
  await transaction(services.pool, async (client) => {
    const reason = await newestChange(client, app);
    const rows = await run<{ workflow_id: string }>(
      client,
      sql`select c.workflow_id from ${id(app.storage, '_clocks')} c
          where ${and([sql`c.stopped_at is null`, which])}
            and not exists (select from ${id(app.storage, '_starts')} s where s.workflow_id = c.workflow_id || ${value(`#${reason}`)})
          order by c.due_at nulls last limit ${value(BATCH, 'integer')}`,
    );
    await queueStarts(
      client,
      app,
      rows.map(({ workflow_id }) => clockSignal(app, workflow_id, reason)),
    );
    if (rows.length === BATCH) return;
    await execute(
      client,
      sql`insert into durabase.clock_versions (app, schema_name, version) values (${value(app.id)}, ${value(app.schemaName)}, ${value(app.version, 'integer')})
          on conflict (app) do update set schema_name = excluded.schema_name, version = excluded.version`,
    );
  });
}
