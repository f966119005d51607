import { indexedDocument } from '../../filter/search.ts';
import { id, join, sql, type Sql } from '../../sql/sql.ts';
import { DELETED_COLUMN } from '../../model/model.ts';
import type { IndexShape } from '../shape.ts';

/** CREATE INDEX of a shape. Uniqueness of soft-deleted entities is a partial index: deleted records do not count. */
export function indexSql(storage: string, table: string, index: IndexShape, isConcurrent: boolean): Sql {
  const head = sql`create${index.isUnique ? sql` unique` : sql``} index${isConcurrent ? sql` concurrently` : sql``}`;
  if (index.isFulltext) return sql`${head} ${id(index.name)} on ${id(storage, table)} using gin ((${indexedDocument(index.columns)}))`;
  const live = index.isUnique && index.liveOnly ? sql` where ${id(DELETED_COLUMN)} is null` : sql``;
  return sql`${head} ${id(index.name)} on ${id(storage, table)} (${join(index.columns.map((column) => id(column)))})${live}`;
}
