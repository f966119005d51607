/**
 * The platform's own tables name records by entity and key. When these become others, what is under way goes on under the new names: what
 * follows from later events must find it, and its effects the record. Nothing in it says what was renamed: entities are told by the two
 * versions (ADR 36), records by the event or the run that a row began with (ADR 32), so doing this again changes nothing.
 */
import { type Db, execute, run } from '../../adapters/postgres/run.ts';
import type { Change } from '../../core/change/change.ts';
import { changesKey } from '../../core/change/key/key-change.ts';
import { OlderNames } from '../../core/change/older-shape/names.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { keyFieldAt, type AppModel, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { fromStore } from '../../core/model/stored.ts';
import { and, id, literal, sql, value, type Sql } from '../../core/sql/sql.ts';

interface App {
  readonly id: string;
  readonly schemaName: string;
  readonly storage: string;
  readonly version: number;
  readonly model: AppModel;
}

interface Named {
  readonly table: '_clocks' | '_runs' | '_waits' | '_deliveries';
  /** Which rows `x`. */
  readonly which: Sql;
}

const ALL = sql`true`;
const CLOCKS: Named = { table: '_clocks', which: sql`x.stopped_at is null` };
/** What has ended keeps the name that was sent. */
const DELIVERIES: Named = { table: '_deliveries', which: sql`x.status in ('pending', 'sending', 'retrying')` };

const BY_ENTITY: readonly Named[] = [
  { table: '_clocks', which: ALL },
  { table: '_runs', which: ALL },
  { table: '_waits', which: ALL },
  DELIVERIES,
];
const BY_KEY: readonly Named[] = [CLOCKS, DELIVERIES, { table: '_waits', which: sql`x.record_id is not null` }];

/** In the transaction of the switch. `app` is the version that is served from then on. */
export async function renameWork(
  client: Db,
  app: App,
  { previous, next }: { readonly previous: SchemaDocument | null; readonly next: SchemaDocument },
): Promise<void> {
  if (previous === null) return;
  await renameEntities(client, app, previous, next);
  await renameRecords(client, app);
}

/** What a process with an older version stored a moment after the switch; inside the caller's transaction. */
export async function renameLate(client: Db, app: App): Promise<void> {
  const [migration] = await run<{ changes: Change[] }>(
    client,
    sql`select plan->'changes' as changes from durabase.migrations
        where app = ${value(app.id)} and to_version = ${value(app.version, 'integer')} order by created_at desc limit 1`,
  );
  const isRenamed = migration?.changes.some(({ kind }) => kind === 'rename_entity') === true;
  if (isRenamed) await renameEntitiesByEvent(client, app);
  await renameRecords(client, app);
}

/** Clocks that have ended, so many at a time. */
export async function renameEnded(client: Db, app: App, changes: readonly Change[]): Promise<void> {
  if (!changes.some(changesKey)) return;
  const ended: Named = { table: '_clocks', which: sql`x.stopped_at is not null` };
  for (const entity of keyed(app)) while ((await rename(client, app, entity, ended, BATCH)) > 0);
}

const BATCH = 20_000;

// --- entities --------------------------------------------------------------------------------------------------------

async function renameEntities(client: Db, app: App, previous: SchemaDocument, next: SchemaDocument): Promise<void> {
  const names = new OlderNames(fromStore(previous), fromStore(next));
  const renamed = [...names.served.entities.keys()].flatMap((before) => {
    const now = names.entity(before)?.name;
    return now === undefined || now === before ? [] : [{ before, now }];
  });
  if (renamed.length === 0) return;
  for (const { table, which } of BY_ENTITY) {
    // One statement: two entities may have changed their names with each other.
    await execute(
      client,
      sql`update ${id(app.storage, table)} x set entity = r.now
          from jsonb_to_recordset(${value(JSON.stringify(renamed), 'jsonb')}) as r(before text, now text)
          where x.entity = r.before and ${which}`,
    );
  }
}

/** The event with which a row began was written under a version, whose document says which entity it is. */
async function renameEntitiesByEvent(client: Db, app: App): Promise<void> {
  const today = [...app.model.entities.values()].map(({ name, definition }) => ({ id: definition.id, now: name }));
  for (const { table, which } of [CLOCKS, DELIVERIES]) {
    await execute(
      client,
      sql`with names as (
            select v.version, e->>'name' as name, t.now
            from durabase.schema_versions v cross join lateral jsonb_array_elements(v.document->'entities') e
            join jsonb_to_recordset(${value(JSON.stringify(today), 'jsonb')}) as t(id text, now text) on t.id = e->>'id'
            where v.schema_name = ${value(app.schemaName)}
          )
          update ${id(app.storage, table)} x set entity = n.now
          from durabase.events s join names n on n.version = s.schema_version and n.name = s.entity
          where ${which} and s.seq = ${seqOf(table)} and s.app = ${value(app.id)} and x.entity <> n.now`,
    );
  }
}

// --- records ---------------------------------------------------------------------------------------------------------

const keyed = ({ model }: App): EntityModel[] => [...model.entities.values()].filter(({ formerKeys }) => formerKeys.length > 0);

/** What is open, of entities that have got another key at some time. */
async function renameRecords(client: Db, app: App): Promise<void> {
  const entities = keyed(app);
  if (entities.length === 0) return;
  for (const entity of entities) for (const named of BY_KEY) await rename(client, app, entity, named);
  await settleClocks(client, app);
}

/** Of two open clocks none has the name of the other for an instant: a new name may be the old one of another record. */
const MARK = '\u0001';

const settleClocks = (client: Db, app: App): Promise<number> =>
  execute(
    client,
    sql`update ${id(app.storage, '_clocks')} set record_id = substr(record_id, 2) where left(record_id, 1) = ${literal(MARK)}`,
  );

async function rename(client: Db, app: App, entity: EntityModel, { table, which }: Named, limit?: number): Promise<number> {
  const [now] = entity.key;
  if (now === undefined) return 0;
  const mark = table === '_clocks' && limit === undefined ? sql`${literal(MARK)} || ` : sql``;
  let changed = 0;
  for (const [from, until, then] of periods(entity)) {
    if (then === undefined || then === now) continue;
    const source = table === '_waits' ? runOf(app, entity) : eventOf(app, table);
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

const seqOf = (table: Named['table']): Sql => (table === '_clocks' ? sql`x.started_seq` : sql`x.event_seq`);

/** The event with which a row began; its entity may have had another name. */
const eventOf = (app: App, table: Named['table']): Sql =>
  sql`join durabase.events s on s.seq = ${seqOf(table)} and s.app = ${value(app.id)}`;

const runOf = (app: App, entity: EntityModel): Sql =>
  sql`join ${id(app.storage, '_runs')} s on s.id = x.run_id and s.entity = ${value(entity.name)}`;
