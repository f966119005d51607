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
import { keyCondition, recordCondition } from './record-key.ts';

type JsonRow = Readonly<Record<string, unknown>>;

type Happened = Pick<EventRow, 'record_id' | 'schema_version' | 'action' | 'record' | 'old'>;

/** Today's id of the record that an event is about; `nameOf` says what a field of the event is called now. */
export async function idToday(
  db: Db,
  app: AppRuntime,
  entity: EntityModel,
  event: Happened,
  nameOf: (name: string) => string | undefined,
): Promise<string> {
  const [now] = entity.key;
  if (now === undefined || keyFieldAt(entity, event.schema_version) === now) return event.record_id;
  // The data of a custom event are no record.
  if (event.action === 'custom') return idNow(db, app, entity, event.record_id, event.schema_version);
  const told = Object.entries(event.record ?? event.old ?? {}).find(([name]) => nameOf(name) === now.name);
  return textOf(told?.[1]) ?? event.record_id;
}

const textOf = (member: unknown): string | undefined =>
  typeof member === 'string' || typeof member === 'number' ? String(member) : undefined;

/** Today's id of the record that a version calls `recordId`; unchanged where there is no such record. */
export async function idNow(db: Db, app: AppRuntime, entity: EntityModel, recordId: string, version: number): Promise<string> {
  const [now] = entity.key;
  const then = keyFieldAt(entity, version);
  if (now === undefined || then === undefined || then === now) return recordId;
  const condition = keyCondition({ ...entity, key: [then] }, 't', recordId);
  if (condition === undefined) return recordId;
  const [row] = await run<{ id: string }>(
    db,
    sql`select ${id('t', now.column)}::text as id from ${id(app.storage, entity.table)} "t" where ${condition}`,
  );
  return row?.id ?? recordId;
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
  if (entity.formerKeys.length === 0) return [{ id: recordId, from: 0, until: null }];
  const values = (await storedKeys(db, app, entity, recordId)) ?? (await toldKeys(db, app, entity, recordId, names));
  let from = 0;
  const periods = [...entity.formerKeys, { field: entity.key[0], until: null }].flatMap(({ field, until }): PastId[] => {
    const period = { id: values.get(field) ?? '', from, until };
    from = until ?? from;
    return period.id === '' ? [] : [period];
  });
  return periods;
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
