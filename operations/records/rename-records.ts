/**
 * The platform's own tables name records by their key. When that becomes another field, what is open goes on under the new name: what
 * follows from later events must find it, and its effects the record. Each row tells where its name comes from, the event or the run
 * that it began with, so doing this again changes nothing (ADR 32).
 */
import { type Db, execute } from '../../adapters/postgres/run.ts';
import { and, id, literal, sql, value, type Sql } from '../../core/sql/sql.ts';
import { keyFieldAt, type AppModel, type EntityModel, type FieldModel } from '../../core/model/model.ts';

interface App {
  readonly id: string;
  readonly storage: string;
  readonly model: AppModel;
}

interface Named {
  readonly table: '_clocks' | '_function_runs' | '_deliveries' | '_waits';
  /** Which rows `x` go on. */
  readonly isOpen: Sql;
}

const CLOCKS: Named = { table: '_clocks', isOpen: sql`x.stopped_at is null` };
const OPEN: readonly Named[] = [
  CLOCKS,
  { table: '_function_runs', isOpen: sql`x.status in ('pending', 'running')` },
  { table: '_deliveries', isOpen: sql`x.status in ('pending', 'sending', 'retrying')` },
  { table: '_waits', isOpen: sql`x.record_id is not null` },
];

const keyed = ({ model }: App): EntityModel[] => [...model.entities.values()].filter(({ formerKeys }) => formerKeys.length > 0);

export const hasRenamed = (app: App): boolean => keyed(app).length > 0;

/** Inside the caller's transaction. `app` is the version that is served from then on. */
export async function renameOpen(client: Db, app: App): Promise<void> {
  if (!hasRenamed(app)) return;
  for (const entity of keyed(app)) for (const named of OPEN) await rename(client, app, entity, named, named.isOpen);
  await settleClocks(client, app);
}

const BATCH = 20_000;

/** Clocks that have ended, so many at a time. */
export async function renameEnded(client: Db, app: App): Promise<void> {
  for (const entity of keyed(app)) {
    const limited = sql`x.stopped_at is not null`;
    while ((await rename(client, app, entity, CLOCKS, limited, BATCH)) > 0);
  }
}

/** Of two open clocks none has the name of the other for an instant: a new name may be the old one of another record. */
const MARK = '\u0001';

const settleClocks = (client: Db, app: App): Promise<number> =>
  execute(
    client,
    sql`update ${id(app.storage, '_clocks')} set record_id = substr(record_id, 2) where left(record_id, 1) = ${literal(MARK)}`,
  );

async function rename(client: Db, app: App, entity: EntityModel, { table }: Named, which: Sql, limit?: number): Promise<number> {
  const [now] = entity.key;
  if (now === undefined) return 0;
  const mark = table === '_clocks' && limit === undefined ? sql`${literal(MARK)} || ` : sql``;
  let changed = 0;
  for (const [from, until, then] of periods(entity)) {
    if (then === undefined || then === now) continue;
    const source = table === '_waits' ? runOf(app, entity) : eventOf(app, entity, table);
    const row = sql`select x.id, ${id('t', now.column)}::text as name
      from ${id(app.storage, table)} x ${source} join ${id(app.storage, entity.table)} "t" on ${id('t', then.column)} = ${asKey(then, sql`s.record_id`)}
      where ${and([
        sql`x.entity = ${value(entity.name)}`,
        which,
        sql`s.schema_version >= ${value(from, 'integer')} and s.schema_version < ${value(until, 'integer')}`,
        sql`x.record_id <> ${id('t', now.column)}::text`,
      ])}${limit === undefined ? sql`` : sql` limit ${value(limit, 'integer')}`}`;
    changed += await execute(
      client,
      sql`update ${id(app.storage, table)} y set record_id = ${mark}found.name from (${row}) found where y.id = found.id`,
    );
  }
  return changed;
}

function periods(entity: EntityModel): [from: number, until: number, then: FieldModel | undefined][] {
  return entity.formerKeys.map(({ until }, index) => {
    const from = entity.formerKeys[index - 1]?.until ?? 0;
    return [from, until, keyFieldAt(entity, from)];
  });
}

/** A record's name as the column holds it, for whose index it is asked; null where it is no such value. */
function asKey({ type }: FieldModel, name: Sql): Sql {
  switch (type) {
    case 'uuid':
      return sql`case when ${name} ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then ${name}::uuid end`;
    case 'int':
    case 'bigint':
      return sql`case when ${name} ~ '^-?[0-9]{1,18}$' then ${name}::bigint end`;
    default:
      return name;
  }
}

/** The event with which a row began. */
const eventOf = (app: App, entity: EntityModel, table: Named['table']): Sql => {
  const seq = table === '_clocks' ? sql`x.started_seq` : sql`x.event_seq`;
  return sql`join durabase.events s on s.seq = ${seq} and s.app = ${value(app.id)} and s.entity = ${value(entity.name)}`;
};

const runOf = (app: App, entity: EntityModel): Sql =>
  sql`join ${id(app.storage, '_runs')} s on s.id = x.run_id and s.entity = ${value(entity.name)}`;
