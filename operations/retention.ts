/** Forgets what ended long ago: every served app's, table by table, a batch at a time, so that nothing grows for ever. */
import type { Config } from '../adapters/config.ts';
import { execute, run } from '../adapters/postgres/run.ts';
import { id, sql, type Sql, value } from '../core/sql/sql.ts';
import type { Services } from './context.ts';

const AT_ONCE = 2_000;
/** With a run go its tasks, votes and history. */
const RUNS_AT_ONCE = 500;
/** With an import go its rows. */
const IMPORTS_AT_ONCE = 5;

/** Rows of one app that go together: `where` and `order` speak of `t`, and are what an index of the table answers. */
interface Forgotten {
  readonly table: string;
  readonly where: Sql;
  readonly order: Sql;
  readonly atOnce?: number;
}

/** Every served app's; answers how many rows went of each table. */
export async function forgetOld(services: Services, isEnding: () => boolean = () => false): Promise<Readonly<Record<string, number>>> {
  const apps = await run<{ storage: string }>(
    services.pool,
    sql`select storage from durabase.apps where status in ('active', 'suspended') order by storage`,
  );
  const gone: Record<string, number> = {};
  for (const { storage } of apps) {
    for (const forgotten of forgottenOf(storage, services.config)) {
      const { table, atOnce = AT_ONCE } = forgotten;
      for (let batch = atOnce; batch === atOnce && !isEnding(); gone[table] = (gone[table] ?? 0) + batch) {
        batch = await execute(services.pool, deletion(storage, forgotten, atOnce));
      }
    }
  }
  return gone;
}

const deletion = (storage: string, { table, where, order }: Forgotten, atOnce: number): Sql => sql`
  delete from ${id(storage, table)} where ctid = any(array(
    select t.ctid from ${id(storage, table)} t where ${where} order by ${order} limit ${value(atOnce, 'integer')} for update skip locked))`;

const ago = (days: number): Sql => sql`make_interval(days => ${value(days, 'integer')})`;
const before = (column: string, days: number): Sql => sql`${id('t', column)} < now() - ${ago(days)}`;
const at = (column: string): Sql => id('t', column);
/** Ids are made in the order of time: what may be old enough is the beginning of the primary key. */
const madeBefore = (days: number): Sql => sql`t.id < uuidv7(-${ago(days)})`;

/** Comments of entities whose table was taken away. The few tables there are, by steps through the index. */
const isOfGoneTable = (storage: string): Sql => {
  const table = id(storage, '_comments');
  return sql`t.entity_table = any(array(
    with recursive known as (
      select min(c.entity_table) as name from ${table} c
      union all
      select (select min(c.entity_table) from ${table} c where c.entity_table > known.name) from known where known.name is not null
    )
    select k.name from known k where k.name is not null
      and not exists (select from pg_catalog.pg_tables p where p.schemaname = ${value(storage)} and p.tablename = k.name)))`;
};

function forgottenOf(storage: string, { daysKept }: Config): readonly Forgotten[] {
  const { deliveries, deadDeliveries, runs, clocks, notifications, functionRuns, operating, imports } = daysKept;
  const isRunning = (workflowId: Sql): Sql =>
    sql`exists (select from ${id(storage, '_runs')} r where r.workflow_id = ${workflowId} and r.status = 'running')`;
  return [
    { table: '_deliveries', where: sql`t.status = 'delivered' and ${before('updated_at', deliveries)}`, order: at('updated_at') },
    { table: '_deliveries', where: sql`t.status = 'dead' and ${before('updated_at', deadDeliveries)}`, order: at('updated_at') },
    { table: '_runs', where: sql`t.status <> 'running' and ${before('updated_at', runs)}`, order: at('updated_at'), atOnce: RUNS_AT_ONCE },
    { table: '_clocks', where: before('stopped_at', clocks), order: at('stopped_at') },
    { table: '_comments', where: isOfGoneTable(storage), order: at('id') },
    { table: '_notifications', where: madeBefore(notifications), order: at('id') },
    {
      table: '_function_runs',
      where: sql`${before('finished_at', functionRuns)} and t.status in ('succeeded', 'failed')`,
      order: at('finished_at'),
    },
    { table: '_replays', where: sql`${madeBefore(operating)} and t.state <> 'running'`, order: at('id') },
    {
      table: '_operations',
      where: sql`${madeBefore(operating)}
        and not exists (select from ${id(storage, '_operated_runs')} x where x.operation_id = t.id and x.state = 'pending')`,
      order: at('id'),
    },
    // With an import go its rows, mistakes and journal. One whose file never came to its end is nothing.
    {
      table: '_imports',
      where: sql`(${madeBefore(imports)} and t.state not in ('checking', 'running', 'undoing'))
        or (t.state = 'uploading' and t.created_at < now() - interval '1 hour')`,
      order: at('id'),
      atOnce: IMPORTS_AT_ONCE,
    },
    // What is open is kept with what it was started with.
    {
      table: '_starts',
      where: sql`t.state <> 'pending' and ${before('created_at', operating)} and not ${isRunning(at('workflow_id'))}`,
      order: at('created_at'),
    },
    // A step that is under way finds what it has done already.
    {
      table: '_effects',
      where: sql`${before('at', operating)} and not exists (select from ${id(storage, '_runs')} r where r.status = 'running'
        and r.id = case when t.key ~ '^process/[^/]+/[0-9a-f-]{36}/' then split_part(t.key, '/', 3)::uuid end)`,
      order: at('at'),
    },
  ];
}
