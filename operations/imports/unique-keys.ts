/** What may be there once: within the file, where the next row with the same is told the line of the first, and among the records. */
import { digestOf } from '../../adapters/digest.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import { DELETED_COLUMN, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { LIST_TYPES } from '../../core/sql/columns.ts';
import { and, empty, id, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { uniquesOf } from '../records/upsert-one.ts';
import type { AppRuntime } from '../context.ts';
import type { DraftRow, RowError, RowReader } from './draft-row.ts';

/** Fields that name one record together. */
export interface UniqueSet {
  readonly fields: readonly FieldModel[];
  readonly name: string;
}

/** A row's values in one set, as they are bound. */
export interface RowKey {
  readonly set: UniqueSet;
  readonly values: readonly unknown[];
  readonly digest: string;
}

/** The sets whose fields the file fills. Rows that only change records are told apart by what finds them. */
export function uniqueSets({ plan }: RowReader): readonly UniqueSet[] {
  const { entity, on, options, targets } = plan;
  const filled = new Set([...targets.values()].map((target) => target.field.name));
  const names = new Map<string, readonly string[]>();
  const sets = options.mode === 'update' ? [] : uniquesOf(entity);
  for (const set of [...(on.length === 0 ? [] : [on.map((field) => field.name)]), ...sets]) {
    if (set.every((name) => filled.has(name))) names.set([...set].sort().join(), set);
  }
  return [...names].map(([name, set]) => ({ name, fields: set.flatMap((one) => entity.fields.get(one) ?? []) }));
}

export function keysOf(sets: readonly UniqueSet[], { body }: DraftRow): RowKey[] {
  return sets.flatMap((set) => {
    const values = set.fields.map((field) => boundValue(field, body[field.name]));
    return values.some((one) => one === undefined) ? [] : [{ set, values, digest: keyDigest(set.name, values) }];
  });
}

/** Undefined for what is empty or no value of the field. */
export function boundValue(field: FieldModel, given: unknown): unknown {
  if (given === null || given === undefined || given === '') return undefined;
  const coerced = coerceValue(field, given);
  return coerced.ok ? (coerced.value ?? undefined) : undefined;
}

export const keyDigest = (set: string, values: readonly unknown[]): string => digestOf(`${set} ${JSON.stringify(values.map(String))}`);

export const sameAs = (reader: RowReader, { set }: RowKey, line: number): RowError => {
  const [first] = set.fields;
  const names = set.fields.map((field) => field.name).join(', ');
  return {
    column: reader.columnOf.get(first?.name ?? '') ?? null,
    field: first?.name ?? null,
    code: 'CONFLICT',
    rule: 'unique',
    message: `${names} is the same as in line ${String(line)}`,
  };
};

/** The lines of earlier batches that have these already. */
export async function knownKeys(
  db: Db,
  app: AppRuntime,
  importId: string,
  digests: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  if (digests.length === 0) return new Map();
  const rows = await run<{ key: string; line: number }>(
    db,
    sql`select key, line from ${id(app.storage, '_import_keys')} where import_id = ${value(importId, 'uuid')} and key = any(${value(digests, 'text[]')})`,
    { prepared: true },
  );
  return new Map(rows.map(({ key, line }) => [key, line]));
}

export async function rememberKeys(db: Db, app: AppRuntime, importId: string, keys: ReadonlyMap<string, number>): Promise<void> {
  if (keys.size === 0) return;
  await execute(
    db,
    sql`insert into ${id(app.storage, '_import_keys')} (import_id, key, line)
        select ${value(importId, 'uuid')}, k.key, k.line from unnest(${value([...keys.keys()], 'text[]')}, ${value([...keys.values()], 'integer[]')}) as k(key, line)
        on conflict do nothing`,
    { prepared: true },
  );
}

/** `v` with one column for each field and `nth`, from 1. */
export function valuesTable(fields: readonly FieldModel[], rows: readonly (readonly unknown[])[]): Sql {
  const lists = fields.map((field, index) =>
    value(
      rows.map((row) => row[index] ?? null),
      LIST_TYPES[field.type],
    ),
  );
  const names = fields.map((_, index) => id(`v${String(index)}`));
  return sql`unnest(${join(lists)}) with ordinality as "v"(${join([...names, raw('"nth"')])})`;
}

export const valuesMatch = (fields: readonly FieldModel[], alias: string): Sql =>
  and(fields.map((field, index) => sql`${id(alias, field.column)} = ${id('v', `v${String(index)}`)}`));

/** Which of these values records have already: the rows that would clash go alone. */
export async function takenValues(
  db: Db,
  app: AppRuntime,
  entity: EntityModel,
  set: UniqueSet,
  rows: readonly RowKey[],
): Promise<ReadonlySet<number>> {
  const table = valuesTable(
    set.fields,
    rows.map((row) => row.values),
  );
  const found = await run<{ nth: number }>(
    db,
    sql`select "v"."nth"::integer as nth from ${table} where exists (select from ${id(app.storage, entity.table)} "t" where ${valuesMatch(set.fields, 't')})`,
    { prepared: true, generation: app.generation },
  );
  return new Set(found.map(({ nth }) => nth - 1));
}

/** Which of these keys no live record of the target has. */
export async function missingKeys(
  db: Db,
  app: AppRuntime,
  target: EntityModel,
  field: FieldModel,
  values: readonly unknown[],
): Promise<ReadonlySet<number>> {
  const live = target.hasSoftDelete ? sql` and ${id('t', DELETED_COLUMN)} is null` : empty;
  const table = valuesTable(
    [field],
    values.map((one) => [one]),
  );
  const found = await run<{ nth: number }>(
    db,
    sql`select "v"."nth"::integer as nth from ${table}
        where not exists (select from ${id(app.storage, target.rows)} "t" where ${valuesMatch([field], 't')}${live})`,
    { prepared: true, generation: app.generation },
  );
  return new Set(found.map(({ nth }) => nth - 1));
}
