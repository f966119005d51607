/**
 * Values that a conversion could not carry over, one row each in the app's `_quarantine`: the value stays on its own side, the other
 * side is null, and the migration goes neither on nor back while a row is there. A later write of the field takes it away.
 * Rows of the direction `conflict` only tell what was overwritten when one statement assigned both sides differently.
 */
import type { FieldModel } from '../../model/model.ts';
import { and, id, join, literal, raw, sql, type Sql } from '../../sql/sql.ts';
import { errorVariable, type Side } from './side.ts';

export const QUARANTINE = '_quarantine';

export interface QuarantineOf {
  readonly storage: string;
  readonly version: number;
  readonly entity: string;
  readonly key: readonly FieldModel[];
  /** All that the conversion reads and writes. */
  readonly fields: readonly FieldModel[];
}

const table = ({ storage }: QuarantineOf): Sql => id(storage, QUARANTINE);
const versionOf = ({ version }: QuarantineOf): Sql => raw(String(version));

/** As paths and events name the record. */
export const recordId = ({ key }: QuarantineOf, row: string): Sql =>
  join(
    key.map((field) => sql`${id(row, field.column)}::text`),
    ` || ',' || `,
  );

const ofRecord = (of: QuarantineOf, row: string): Sql =>
  sql`q.version = ${versionOf(of)} and q.entity = ${literal(of.entity)} and q.record_id = ${recordId(of, row)}
    and q.field in (${join(of.fields.map((field) => literal(field.name)))}) and q.direction <> 'conflict'`;

export const isQuarantined = (of: QuarantineOf, row: string): Sql => sql`exists (select from ${table(of)} q where ${ofRecord(of, row)})`;

/** Some of the fields lack a value because it could not be worked out, and the write did not give it either. */
export function lacksValue(of: QuarantineOf, row: string, fields: readonly FieldModel[]): Sql {
  const lacking = join(
    fields.map((field) => sql`(q.field = ${literal(field.name)} and ${id(row, field.column)} is null)`),
    ' or ',
  );
  return sql`exists (select from ${table(of)} q where ${ofRecord(of, row)} and (${lacking}))`;
}

export const clear = (of: QuarantineOf, row: string): Sql => sql`delete from ${table(of)} q where ${ofRecord(of, row)};`;

/** After `workOut`: the failed values of the side, each with what it was to be made of. */
export function report(of: QuarantineOf, side: Side, row: string): Sql {
  const value = valueOf(side.reads, row);
  return join(
    side.targets.map(
      ({ field }, n) => sql`
    if ${errorVariable(n)} is not null then
      ${put(of, row, field.name, side.direction, value, errorVariable(n))}
    end if;`,
    ),
    '',
  );
}

export const reportConflict = (of: QuarantineOf, fields: readonly FieldModel[], row: string): Sql =>
  put(
    of,
    row,
    fields.map((field) => field.name).join(','),
    'conflict',
    valueOf(fields, row),
    literal('Both shapes were written in one statement and disagreed; the newer one was kept.'),
  );

function put(of: QuarantineOf, row: string, field: string, direction: string, value: Sql, error: Sql): Sql {
  return sql`insert into ${table(of)} (version, entity, record_id, field, direction, value, error)
      values (${versionOf(of)}, ${literal(of.entity)}, ${recordId(of, row)}, ${literal(field)}, ${literal(direction)}, ${value}, ${error})
      on conflict (version, entity, record_id, field, direction) do update set value = excluded.value, error = excluded.error;`;
}

/** One value as it is; several as an object by name. */
export function valueOf(fields: readonly FieldModel[], row: string): Sql {
  const [first, ...rest] = fields;
  if (first === undefined) return raw('null');
  if (rest.length === 0) return sql`${id(row, first.column)}::text`;
  return sql`jsonb_build_object(${join(fields.map((field) => sql`${literal(field.name)}, ${id(row, field.column)}`))})::text`;
}

/** Whatever is noted of the conversion, when it is undone or over. */
export const forget = (of: QuarantineOf): Sql =>
  sql`delete from ${table(of)} where ${and([sql`version = ${versionOf(of)}`, sql`entity = ${literal(of.entity)}`])}`;
