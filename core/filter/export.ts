/** Whole lists as files: the parameters of an export, and the statement whose rows are its lines. */
import { DELETED_COLUMN, type EntityModel, type StoredType } from '../model/model.ts';
import type { JsonSettings } from '../sql/columns.ts';
import { id, join, sql, value, type Sql } from '../sql/sql.ts';
import { checkSort } from './check.ts';
import { JoinedPaths } from './joined-paths.ts';
import { TEXT_TYPES, type Bindings } from './operand.ts';
import { orderSql, sortKeys } from './order.ts';
import { parseListQuery } from './parse.ts';
import { unknownParameter } from './parse-lists.ts';
import { checkProjection, projectionColumns, rowJson, type Projection } from './projection.ts';
import { invalidValue, type ListQuery } from './query.ts';
import type { Hop, ReadScope } from './scope.ts';
import { checkSearch } from './search.ts';
import { ROWS_ALIAS, selectedRows } from './statements.ts';

export type ExportFormat = 'csv' | 'ndjson';

const SHARED = ['filter', 'q', 'sort', 'fields', 'include', 'with_deleted'] as const;
export const EXPORT_PARAMETERS: Readonly<Record<ExportFormat, readonly string[]>> = {
  csv: [...SHARED, 'limit', 'formulas'],
  ndjson: [...SHARED, 'limit'],
};

export interface ExportQuery {
  readonly list: ListQuery;
  readonly limit: number | undefined;
  /** Leave texts as they are, though a spreadsheet would run them. */
  readonly keepsFormulas: boolean;
}

/** The parameters of a list without its pages: an export is all of it, or the first `limit` records. */
export function parseExportQuery(query: URLSearchParams, format: ExportFormat): ExportQuery {
  const shared = new URLSearchParams();
  let limit: number | undefined;
  let formulas = 'escape';
  for (const [key, text] of query) {
    if (key === 'limit') limit = readLimit(text);
    else if (key === 'formulas' && format === 'csv') formulas = text;
    else if ((SHARED as readonly string[]).includes(key) || /^(filter|include)\[/.test(key)) shared.append(key, text);
    else throw unknownParameter(key, EXPORT_PARAMETERS[format]);
  }
  if (formulas !== 'escape' && formulas !== 'keep') throw invalidValue('formulas', 'The parameter "formulas" must be "escape" or "keep".');
  const list = parseListQuery(shared);
  if (format === 'csv') refuseOptions(list);
  return { list, limit, keepsFormulas: formulas === 'keep' };
}

/** The one related record of a line has nothing to choose from, to sort or to cut. */
function refuseOptions({ include }: ListQuery): void {
  const chosen = include.find(({ filter, sort, limit }) => filter !== undefined || sort !== undefined || limit !== undefined);
  if (chosen === undefined) return;
  throw invalidValue('include', `CSV takes no filter, sort or limit of "${chosen.path.join('.')}".`, 'Export it as ndjson.');
}

function readLimit(text: string): number {
  const limit = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (limit < 1) throw invalidValue('limit', 'The parameter "limit" must be a whole number from 1.', 'Leave it out for all records.');
  return limit;
}

/** One column of a CSV file. */
export interface CsvColumn {
  readonly name: string;
  /** What a person may have typed, and a spreadsheet may take for a formula. */
  readonly isText: boolean;
}

export interface ExportStatement {
  /** ndjson: rows of one text, the record as a list shows it. CSV: a text per column. */
  readonly statement: Sql;
  readonly columns: readonly CsvColumn[];
}

export function exportStatement(
  scope: ReadScope,
  entity: EntityModel,
  query: ExportQuery,
  format: ExportFormat,
  bindings: Bindings,
  settings: JsonSettings,
): ExportStatement {
  const { list } = query;
  const projection = checkProjection(scope, entity, list, bindings);
  const rank = list.search === undefined ? undefined : checkSearch(scope, entity, list.search).rank(ROWS_ALIAS);
  const order = orderSql(sortKeys(scope, entity, checkSort(scope, entity, list.sort), ROWS_ALIAS, rank));
  const limit = query.limit === undefined ? sql`` : sql` limit ${value(query.limit, 'bigint')}`;
  const joined = new JoinedPaths(scope);
  const columns = format === 'csv' ? flatColumns(scope, dropEager(projection, list), joined, [], '') : [];
  const rows = selectedRows(scope, entity, list, bindings, joined.joins);
  if (format === 'csv') {
    const cells = join(columns.map((column, index) => sql`${column.sql} as ${id(`c${index}`)}`));
    return { statement: sql`select ${cells} ${rows} order by ${order}${limit}`, columns };
  }
  const line = rowJson(projection, ROW);
  const records = sql`select ${projectionColumns(scope, projection, ROWS_ALIAS, settings)} ${rows} order by ${order}${limit}`;
  return { statement: sql`select ${line}::text as line from (${records}) ${id(ROW)}`, columns };
}

const ROW = 'x';

/** Relations to many that come unasked are left out of CSV, which has no place for them; asked for, they are refused. */
function dropEager(projection: Projection, list: ListQuery): Projection {
  const asked = new Set(
    [...list.include.map((item) => item.path), ...(list.fields ?? []).filter((path) => path.length > 1)].map((path) => path[0]),
  );
  return { ...projection, includes: projection.includes.filter(({ name, hop }) => hop.end.cardinality === 'one' || asked.has(name)) };
}

/** Fields, then those of relations to one under dotted names. */
function flatColumns(
  scope: ReadScope,
  projection: Projection,
  joined: JoinedPaths,
  hops: readonly Hop[],
  prefix: string,
): (CsvColumn & { readonly sql: Sql })[] {
  const { entity } = projection;
  const own = projection.columns.map((column) => {
    const { name, type } = column.field;
    return { name: prefix + name, isText: TEXT_TYPES.has(type), sql: cellSql(type, joined.columnSql(hops, column)) };
  });
  if (scope.withDeleted && entity.hasSoftDelete && !entity.fields.has(DELETED_COLUMN) && hops.length === 0) {
    own.push({ name: DELETED_COLUMN, isText: false, sql: cellSql('timestamp', id(ROWS_ALIAS, DELETED_COLUMN)) });
  }
  const included = projection.includes.flatMap(({ name, hop, projection: inner }) => {
    if (hop.end.cardinality === 'many') {
      throw invalidValue('include', `"${prefix}${name}" leads to many records, which one line of CSV cannot hold.`, 'Export it as ndjson.');
    }
    return flatColumns(scope, inner, joined, [...hops, hop], `${prefix}${name}.`);
  });
  return [...own, ...included];
}

/** A value as the text that JSON shows; of a file its id. */
const cellSql = (type: StoredType, stored: Sql): Sql => (type === 'timestamp' ? sql`(to_json(${stored}) #>> '{}')` : sql`${stored}::text`);
