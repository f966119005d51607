/** Records that rows name: those they change, and those they refer to. Found as the caller may see them, many at a time. */
import { run } from '../../adapters/postgres/run.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import { columnToJson, recordIdText, recordJson } from '../../core/sql/columns.ts';
import { and, id, join, raw, sql, type Sql } from '../../core/sql/sql.ts';
import { isLive } from '../records/record-key.ts';
import { accessOf, prepared, type Write } from '../records/write-state.ts';
import type { Lookup } from './draft-row.ts';
import { valuesMatch, valuesTable } from './unique-keys.ts';

export interface FoundRecord {
  readonly id: string;
  readonly version: string;
  /** The fields the file fills, as JSON shows them. */
  readonly old: string;
}

/** Live, in the caller's sight, and the fields that name it too: anything else is as absent. */
function visible(write: Write, entity: EntityModel, fields: readonly FieldModel[]): Sql[] {
  const read = accessOf(write, entity, 'read');
  if (!read.isGranted) return [raw('false')];
  const live = isLive(entity, 't');
  const scope = read.where('t');
  const conditions = fields.flatMap((field) => {
    const { mode, when } = read.field(field.name);
    if (mode === 'never') return [raw('false')];
    return mode === 'conditional' && when !== undefined ? [when('t')] : [];
  });
  return [...(live === undefined ? [] : [live]), ...(scope === undefined ? [] : [sql`coalesce(${scope}, false)`]), ...conditions];
}

/** The records that have these values, by their place in the list; locked, since they are about to be changed. */
export async function findRecords(
  write: Write,
  entity: EntityModel,
  on: readonly FieldModel[],
  values: readonly (readonly unknown[])[],
  filled: readonly string[],
): Promise<ReadonlyMap<number, FoundRecord>> {
  if (values.length === 0) return new Map();
  const { app } = write.ctx;
  const json = recordJson(entity, app.storage, 't', app.model.settings, { fields: filled });
  const rows = await run<{ nth: number; id: string; version: string; old: string }>(
    write.db,
    sql`select "v"."nth"::integer as nth, ${recordIdText(entity, 't')} as id, "t"."_version"::text as version, (${json})::text as old
        from ${valuesTable(on, values)} join ${id(app.storage, entity.rows)} "t" on ${and([valuesMatch(on, 't'), ...visible(write, entity, on)])}
        order by ${join(entity.key.map((field) => id('t', field.column)))} for update of "t"`,
    prepared(write),
  );
  return new Map(rows.map(({ nth, ...found }) => [nth - 1, found]));
}

/** What the own field gets for each of these lookups of one column; no entry where no record has the value. */
export async function findTargets(write: Write, lookups: readonly Lookup[]): Promise<ReadonlyMap<number, unknown>> {
  const [first] = lookups;
  if (first === undefined) return new Map();
  const { app } = write.ctx;
  const { entity, field, end } = first.by;
  const key = entity.fields.get(end.targetField);
  if (key === undefined) return new Map();
  const rows = await run<{ nth: number; found: unknown }>(
    write.db,
    sql`select "v"."nth"::integer as nth, to_json(${columnToJson(key, app.storage, 't', app.model.settings)}) as found
        from ${valuesTable(
          [field],
          lookups.map((one) => [one.value]),
        )} join ${id(app.storage, entity.rows)} "t" on ${and([valuesMatch([field], 't'), ...visible(write, entity, [field])])}`,
    prepared(write),
  );
  return new Map(rows.map(({ nth, found }) => [nth - 1, found]));
}
