/** What happened on the platform, newest first. */
import { runText } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { PlatformContext } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';

/** The JSON of `{data, meta}` of the audit entries; `app` and `action` narrow. */
export async function listAudit(ctx: PlatformContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['app', 'action', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, 200);
  const app = value(query.get('app'), 'text');
  const action = value(query.get('action'), 'text');
  const where = sql`(${app} is null or p.name = ${app}) and (${action} is null or a.action = ${action})`;
  const text = await runText(
    ctx.services.pool,
    sql`
    select json_build_object(
      'data', coalesce((select json_agg(row_to_json(f) order by f.id desc) from (
        select a.id, p.name as app, a.action, a.actor, a.target, a.detail, a.at
        from durabase.audit a left join durabase.apps p on p.id = a.app where ${where}
        order by a.id desc limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}) f), '[]'::json),
      'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')},
        'total', (select count(*) from durabase.audit a left join durabase.apps p on p.id = a.app where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}

const MOST_EVENTS = 500;
const EVENTS = 100;

/**
 * The JSON of `{data, meta}`: the registry's events after a number, oldest first. `meta.next_after` goes on from here, also from an
 * empty page: numbers become visible in their order, so none is ever passed over.
 */
export async function listSchemaEvents(ctx: PlatformContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['after', 'limit']);
  const after = query.get('after') ?? '0';
  if (!/^\d{1,18}$/.test(after)) throw new AppError('INVALID_VALUE', '"after" must be the number of an event.');
  const limit = query.get('limit') ?? String(EVENTS);
  if (!/^[1-9]\d{0,2}$/.test(limit) || Number(limit) > MOST_EVENTS)
    throw new AppError('INVALID_VALUE', `"limit" must be a whole number from 1 to ${MOST_EVENTS}.`);
  const text = await runText(
    ctx.services.pool,
    sql`
    select json_build_object('data', coalesce(json_agg(row_to_json(f) order by f.id), '[]'::json),
      'meta', json_build_object('limit', ${value(Number(limit), 'integer')}, 'next_after', coalesce(max(f.id), ${value(after, 'bigint')}),
        'last', (select coalesce(max(id), 0) from durabase.schema_events)))::text from (
      select e.id, e.type, p.name as app, e.schema_name as schema, e.old_version, e.new_version, e.body, e.at
      from durabase.schema_events e left join durabase.apps p on p.id = e.app
      where e.id > ${value(after, 'bigint')} order by e.id limit ${value(Number(limit), 'integer')}) f`,
  );
  return text ?? '';
}

/** The JSON of `{data, meta}`: migrations of every app, newest first. */
export async function listMigrations(ctx: PlatformContext, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['app', 'status', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, 200);
  const app = value(query.get('app'), 'text');
  const status = value(query.get('status'), 'text');
  const where = sql`(${app} is null or p.name = ${app}) and (${status} is null or m.status = ${status})`;
  const text = await runText(
    ctx.services.pool,
    sql`
    select json_build_object(
      'data', coalesce((select json_agg(row_to_json(f) order by f.created_at desc) from (
        select m.id, p.name as app, m.number, m.from_version, m.to_version, m.status, m.phase, m.error, m.workflow_id, m.created_at, m.updated_at
        from durabase.migrations m join durabase.apps p on p.id = m.app where ${where}
        order by m.created_at desc limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}) f), '[]'::json),
      'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')},
        'total', (select count(*) from durabase.migrations m join durabase.apps p on p.id = m.app where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}
