/**
 * What a record is called in different versions. The log says of a record what it was called when something happened; an entity whose
 * key became another field keeps the former one, by which the record is found again (ADR 32).
 */
import type pg from 'pg';
import { type Db, run } from '../../adapters/postgres/run.ts';
import { keyFieldAt, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { id, join, or, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext, AppRuntime } from '../context.ts';
import type { EventRow } from '../events.ts';
import { toldKey } from '../served-shape.ts';
import { namesOverTime, pastNames } from './past-names.ts';
import { keyCondition, recordCondition } from './record-key.ts';

type JsonRow = Readonly<Record<string, unknown>>;

type Happened = Pick<EventRow, 'record_id' | 'schema_version' | 'action' | 'record' | 'old'>;

/** What a field of an event is called now. */
type NameOf = (name: string) => string | undefined;

/** Today's id of the record that an event is about; what it was called then where nobody knows. */
export async function idToday(db: Db, app: AppRuntime, entity: EntityModel, event: Happened, nameOf: NameOf): Promise<string> {
  const [now] = entity.key;
  if (now === undefined || keyFieldAt(entity, event.schema_version) === now) return event.record_id;
  const told = toldId(now, event, nameOf);
  return told ?? (await idNow(db, app, entity, event.record_id, event.schema_version)) ?? event.record_id;
}

function toldId(key: FieldModel, { action, record, old }: Happened, nameOf: NameOf): string | undefined {
  // The data of a custom event are no record.
  if (action === 'custom') return undefined;
  const told = Object.entries(record ?? old ?? {}).find(([name]) => nameOf(name) === key.name);
  return textOf(told?.[1]);
}

const textOf = (member: unknown): string | undefined =>
  typeof member === 'string' || typeof member === 'number' ? String(member) : undefined;

/**
 * Today's id of the record that a version calls `recordId`. Undefined where another field was its key and there is no such record:
 * what it was called may be the name of another one now.
 */
export async function idNow(db: Db, app: AppRuntime, entity: EntityModel, recordId: string, version: number): Promise<string | undefined> {
  const [now] = entity.key;
  const then = keyFieldAt(entity, version);
  if (now === undefined || then === now) return recordId;
  return then === undefined ? lastTold(db, app, entity, recordId, version) : keyOf(db, app, entity, { of: recordId, by: then, asked: now });
}

/** What a version calls the record of today's id; today's id where that field is gone. */
export async function idThen(db: Db, app: AppRuntime, entity: EntityModel, recordId: string, version: number): Promise<string> {
  const [now] = entity.key;
  const then = keyFieldAt(entity, version);
  if (now === undefined || then === undefined || then === now) return recordId;
  return (await keyOf(db, app, entity, { of: recordId, by: now, asked: then })) ?? recordId;
}

/** The same of the record that an event is about, in today's names. */
export function toldIdThen(entity: EntityModel, event: Happened, version: number): string {
  const then = keyFieldAt(entity, version);
  return then === undefined || then === entity.key[0] ? event.record_id : (toldId(then, event, (name) => name) ?? event.record_id);
}

async function keyOf(
  db: Db,
  app: AppRuntime,
  entity: EntityModel,
  { of: recordId, by, asked }: { readonly of: string; readonly by: FieldModel; readonly asked: FieldModel },
): Promise<string | undefined> {
  const condition = keyCondition({ ...entity, key: [by] }, 't', recordId);
  if (condition === undefined) return undefined;
  const [row] = await run<{ id: string }>(
    db,
    sql`select ${id('t', asked.column)}::text as id from ${id(app.storage, entity.table)} "t" where ${condition}`,
  );
  return row?.id;
}

/** The field that was the key is gone: the last event of that time says what the record has for the key of today, which it keeps. */
async function lastTold(db: Db, app: AppRuntime, entity: EntityModel, recordId: string, version: number): Promise<string | undefined> {
  const [now] = entity.key;
  const former = entity.formerKeys.findIndex(({ until }) => version < until);
  const { versions, names } = await namesOverTime(db, app, entity);
  const [event] = await run<Happened & { entity: string }>(
    db,
    sql`select e.entity, e.record_id, e.schema_version, e.action, e.record, e.old from durabase.events e
        where e.app = ${value(app.id)} and e.entity = any(${value([...new Set(names)], 'text[]')}) and e.record_id = ${value(recordId)}
          and e.action <> 'custom' and e.schema_version < ${value(entity.formerKeys[former]?.until ?? 0, 'integer')}
          and e.schema_version >= ${value(entity.formerKeys[former - 1]?.until ?? 0, 'integer')}
          and exists (select from unnest(${value([...versions], 'integer[]')}, ${value([...names], 'text[]')}) n(version, name)
            where n.version = e.schema_version and n.name = e.entity)
        order by e.seq desc limit 1`,
  );
  if (event === undefined || now === undefined) return undefined;
  const past = await pastNames(db, app, [event.schema_version]);
  return toldId(now, event, (name) => past.fieldOf(event.schema_version, event.entity, name)?.name);
}

/** A name of the record, from one version on and before another. */
export interface PastId {
  readonly id: string;
  readonly from: number;
  readonly until: number | null;
}

/** All names that the record of this name has had; it may be gone, then the log tells them. `names` are those its entity has had. */
export async function idsOverTime(
  db: Db,
  app: AppRuntime,
  entity: EntityModel,
  recordId: string,
  names: readonly string[],
): Promise<readonly PastId[]> {
  const { formerKeys, key } = entity;
  if (formerKeys.length === 0) return [{ id: recordId, from: 0, until: null }];
  const values = (await storedKeys(db, app, entity, recordId)) ?? (await toldKeys(db, app, entity, recordId, names));
  const now = values.get(key[0]) ?? '';
  let periods: PastId[] = now === '' ? [] : [{ id: now, from: formerKeys.at(-1)?.until ?? 0, until: null }];
  for (const [index, { field, column, until }] of [...formerKeys.entries()].reverse()) {
    const then = field === undefined ? await toldSince(db, app, periods, names, column) : values.get(field);
    const from = formerKeys[index - 1]?.until ?? 0;
    if (then !== undefined && then !== '') periods = [{ id: then, from, until }, ...periods];
  }
  return periods;
}

/** What a later event of the record tells of a field that was its key, and is gone. */
async function toldSince(
  db: Db,
  app: AppRuntime,
  later: readonly PastId[],
  names: readonly string[],
  column: string,
): Promise<string | undefined> {
  const [row] = await run<{ id: string | null }>(
    db,
    sql`select coalesce(e.record, e.old)->>(f->>'name') as id from durabase.events e
        join durabase.schema_versions v on v.schema_name = ${value(app.schemaName)} and v.version = e.schema_version
        cross join lateral jsonb_array_elements(v.document->'entities') n cross join lateral jsonb_array_elements(n->'fields') f
        where e.app = ${value(app.id)} and e.entity = any(${value([...new Set(names)], 'text[]')}) and ${isEventOf(later)} and e.action <> 'custom'
          and n->>'name' = e.entity and coalesce(f->>'column', f->>'name') = ${value(column)}
        order by e.seq desc limit 1`,
  );
  return row?.id ?? undefined;
}

type Keys = ReadonlyMap<FieldModel | undefined, string>;

const keyFields = ({ key, formerKeys }: EntityModel): FieldModel[] => [
  ...new Set([...key, ...formerKeys.flatMap(({ field }) => field ?? [])]),
];

async function storedKeys(db: Db, app: AppRuntime, entity: EntityModel, recordId: string): Promise<Keys | undefined> {
  const condition = keyCondition(entity, 't', recordId);
  if (condition === undefined) return undefined;
  const fields = keyFields(entity);
  const columns = fields.map((field, index) => sql`${id('t', field.column)}::text as ${id(`k${String(index)}`)}`);
  const [row] = await run<Record<string, string | null> & pg.QueryResultRow>(
    db,
    sql`select ${join(columns)} from ${id(app.storage, entity.table)} "t" where ${condition}`,
  );
  return row === undefined ? undefined : new Map(fields.map((field, index) => [field, row[`k${String(index)}`] ?? '']));
}

/** The last that was told of it, by its name of today or by one from before. */
async function toldKeys(db: Db, app: AppRuntime, entity: EntityModel, recordId: string, names: readonly string[]): Promise<Keys> {
  const [event] = await run<{ row: JsonRow | null; schema_version: number }>(
    db,
    sql`select case when action = 'update' then record else coalesce(record, old) end as row, schema_version from durabase.events
        where app = ${value(app.id)} and entity = any(${value([...new Set(names)], 'text[]')}) and record_id = ${value(recordId)}
          and action <> 'custom' order by seq desc limit 1`,
  );
  const told = keyFields(entity).map((field): [FieldModel, string] => [field, textOf(event?.row?.[field.name]) ?? '']);
  const then = event === undefined ? entity.key[0] : keyFieldAt(entity, event.schema_version);
  return new Map([...told, ...(then === undefined ? [] : [[then, recordId] as const])]);
}

/** Events of the record, as rows `e` of the log. */
export const isEventOf = (ids: readonly PastId[]): Sql =>
  ids.length === 0
    ? raw('false')
    : sql`(${or(
        ids.map(
          ({ id: recordId, from, until }) =>
            sql`(e.record_id = ${value(recordId)} and e.schema_version >= ${value(from, 'integer')}${until === null ? sql`` : sql` and e.schema_version < ${value(until, 'integer')}`})`,
        ),
      )})`;

/** What the served shape calls the record that is named in the shape of the request. */
export async function idServed({ app, services }: AppContext, entity: EntityModel, recordId: string): Promise<string> {
  const key = toldKey(app, entity);
  const condition = recordCondition(entity, app.storage, 't', recordId);
  if (app.beside === undefined || key === undefined || key === entity.key[0] || condition === undefined) return recordId;
  const [row] = await run<{ id: string }>(
    services.pool,
    sql`select ${id('t', key.column)}::text as id from ${id(app.storage, entity.table)} "t" where ${condition} limit 1`,
  );
  return row?.id ?? recordId;
}
