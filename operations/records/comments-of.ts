/** The comments of records that go for good: they go in the same transaction, so that a record made anew under the same key has none. */
import { keyFieldAt, type EntityModel } from '../../core/model/model.ts';
import { recordIdText } from '../../core/sql/columns.ts';
import { and, id, literal, or, sql, type Sql } from '../../core/sql/sql.ts';

/** Deletes what is said of `rows`, which have all columns of the served entity under `alias`; also what was said under former keys. */
export function commentsOf(storage: string, entity: EntityModel, rows: Sql, alias: string): Sql {
  let from = 0;
  const former = entity.formerKeys.flatMap(({ until }): Sql[] => {
    const key = keyFieldAt(entity, from);
    const period = between(from, until);
    from = until;
    return key === undefined ? [] : [and([sql`c.record_id = ${id(alias, key.column)}::text`, period])];
  });
  const today = sql`c.record_id = ${recordIdText(entity, alias)}`;
  const names = or([...former, from === 0 ? today : and([today, sql`c.schema_version >= ${literal(String(from))}::integer`])]);
  return sql`delete from ${id(storage, '_comments')} c using ${rows} where c.entity_table = ${literal(entity.table)} and ${names}`;
}

const between = (from: number, until: number): Sql =>
  sql`c.schema_version >= ${literal(String(from))}::integer and c.schema_version < ${literal(String(until))}::integer`;
