import type pg from 'pg';
import { run, runText } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { PlatformContext } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';

/** An app's row, as commands on it need it. */
export interface AppRow extends pg.QueryResultRow {
  readonly id: string;
  readonly name: string;
  readonly storage: string;
  readonly status: string;
  readonly schema_name: string;
  readonly served_version: number;
  readonly pinned_version: number | null;
  readonly retire_at: Date | null;
}

/** The JSON of one app as the API shows it. */
export const appJson = (alias: string): Sql => sql`json_build_object(
  'id', ${id(alias, 'id')}, 'name', ${id(alias, 'name')}, 'display_name', ${id(alias, 'display_name')},
  'db_name', ${id(alias, 'storage')}, 'db_driver', 'postgres', 'isolation', 'schema', 'status', ${id(alias, 'status')},
  'schema', ${id(alias, 'schema_name')}, 'schema_version', ${id(alias, 'served_version')},
  'pinned_version', case when ${id(alias, 'status')} in ('provisioning', 'failed') then null else ${id(alias, 'pinned_version')} end,
  'maintenance', case when ${id(alias, 'maintenance')} is null then 'false'::json when '*' = any(${id(alias, 'maintenance')}) then 'true'::json
    else (select json_agg(e->>'name') from durabase.schema_versions v, jsonb_array_elements(v.document->'entities') e
      where v.schema_name = ${id(alias, 'schema_name')} and v.version = ${id(alias, 'served_version')} and e->>'id' = any(${id(alias, 'maintenance')})) end,
  'retire_at', ${id(alias, 'retire_at')}, 'created_at', ${id(alias, 'created_at')}, 'updated_at', ${id(alias, 'updated_at')})`;

const SORTABLE = ['name', 'display_name', 'status', 'created_at', 'updated_at'];

/** The JSON of `{data, meta}`. Apps that are gone for good are not listed. */
export async function listApps(ctx: PlatformContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['page', 'per_page', 'sort', 'q']);
  const { page, perPage, offset } = readPage(query, 1_000, 100);
  const search = query.get('q') ?? '';
  const where = sql`a.status <> 'retired' and (${value(search, 'text')} = '' or position(lower(${value(search, 'text')}) in lower(a.name || ' ' || a.display_name)) > 0)`;
  const order = orderOf(query.get('sort'));
  const text = await runText(
    ctx.services.pool,
    sql`
    select json_build_object(
      'data', coalesce((select json_agg(${appJson('f')} order by ${order}, name) from (
        select * from durabase.apps a where ${where} order by ${order}, name
        limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}) f), '[]'::json),
      'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')},
        'total', (select count(*) from durabase.apps a where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}

function orderOf(sort: string | null): Sql {
  const [field = 'name', direction = ''] = sort === null ? ['name'] : sort.startsWith('-') ? [sort.slice(1), 'desc'] : sort.split(':');
  if (!SORTABLE.includes(field))
    throw new AppError('UNKNOWN_FIELD', `Apps cannot be sorted by "${field}".`, { hint: `Use one of ${SORTABLE.join(', ')}.` });
  return sql`${id(field)} ${direction.toLowerCase() === 'desc' ? raw('desc') : raw('asc')}`;
}

/** The JSON of one app; APP_NOT_FOUND when there is none. */
export async function getApp(ctx: PlatformContext, name: string): Promise<string> {
  const text = await runText(
    ctx.services.pool,
    sql`
    select ${appJson('a')}::text from durabase.apps a where a.name = ${value(name, 'text')} and a.status <> 'retired'`,
  );
  if (text === null) throw noSuchApp(name);
  return text;
}

/** The row of an app that is not gone; APP_NOT_FOUND when there is none. */
export async function findApp(ctx: PlatformContext, name: string): Promise<AppRow> {
  const [row] = await run<AppRow>(
    ctx.services.pool,
    sql`
    select id, name, storage, status, schema_name, served_version, pinned_version, retire_at from durabase.apps where name = ${value(name, 'text')} and status <> 'retired'`,
  );
  if (row === undefined) throw noSuchApp(name);
  return row;
}

export const noSuchApp = (name: string): AppError => new AppError('APP_NOT_FOUND', `There is no app "${name.slice(0, 100)}".`);
