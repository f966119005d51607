/** Clocks of one record, clocks of an app, and what falls due in the next hours. */
import { run } from '../../adapters/postgres/run.ts';
import { visibleRows } from '../../core/filter/compile.ts';
import { ROWS_ALIAS } from '../../core/filter/statements.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { recordIdText } from '../../core/sql/columns.ts';
import { and, id, or, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage, readText } from '../paging.ts';
import { readTime } from '../read-time.ts';
import { bySlug } from '../records/get.ts';
import { readableEntity, readScope } from '../records/read-scope.ts';
import { notFound, recordCondition } from '../records/record-key.ts';
import { workOut } from './assess.ts';
import { servedEntity } from '../served-shape.ts';
import { CLOCK_COLUMNS, type ClockRow } from './rows.ts';
import { asShown, type ClockAnswer, workedOut } from './view.ts';

/** A record's clocks, the newest first, worked out as of now: what happened a moment ago is in them. */
export async function listRecordClocks(ctx: AppContext, entityName: string, recordId: string): Promise<ClockAnswer[]> {
  const { services, app, now } = ctx;
  const scope = readScope(ctx);
  const entity = readableEntity(ctx, scope, entityName);
  const key = recordCondition(bySlug(scope, entity), app.storage, ROWS_ALIAS, recordId);
  if (key === undefined) throw notFound(entity, recordId);
  const [found] = await run<{ record_id: string }>(
    services.pool,
    sql`select ${recordIdText(servedEntity(app, entity) ?? entity, ROWS_ALIAS)} as record_id from ${id(app.storage, entity.rows)} ${id(ROWS_ALIAS)}
        where ${and([key, ...visibleRows(scope, entity, ROWS_ALIAS)])} limit 1`,
  );
  if (found === undefined) throw notFound(entity, recordId);
  const rows = await run<ClockRow>(
    services.pool,
    sql`select ${CLOCK_COLUMNS} from ${id(app.storage, '_clocks')} c
        where c.entity = ${value(servedName(ctx, entity))} and c.record_id = ${value(found.record_id)}
        order by c.started_at desc, c.id limit 200`,
  );
  return Promise.all(
    rows.map(async (row) => {
      const state = await workOut(services.pool, app, row, row.eras, now);
      // A log that does not reach back so far, or a definition that is gone: what the last look found.
      const isKnown = state.state !== 'idle' && !(row.state === 'cancelled' && state.state !== 'cancelled');
      return isKnown ? workedOut(services, row, state) : asShown(services, app, row, now);
    }),
  );
}

/** Clocks are kept under the entity's name in the served version, whichever shape is asked in. */
function servedName({ app }: AppContext, entity: EntityModel): string {
  const served = app.beside?.served.model.entities.values() ?? [];
  return [...served].find((one) => one.id === entity.id)?.name ?? entity.name;
}

export interface ClockPage {
  readonly data: readonly ClockAnswer[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

export const CLOCK_STATES = ['running', 'paused', 'met', 'breached', 'cancelled'] as const;
const PARAMETERS = ['state', 'open', 'entity', 'record_id', 'sla', 'due_before', 'page', 'per_page'];

/** Clocks of records the caller may read, those that are due first before the rest. */
export async function listClocks(ctx: AppContext, query: URLSearchParams): Promise<ClockPage> {
  checkParameters(query, PARAMETERS);
  const { services, app, now } = ctx;
  const { page, perPage, offset } = readPage(query, 100);
  const where = and([visibleClocks(ctx), ...wanted(query)]);
  const [rows, [count]] = await Promise.all([
    run<ClockRow>(
      services.pool,
      sql`select ${CLOCK_COLUMNS} from ${id(app.storage, '_clocks')} c where ${where}
          order by c.stopped_at is not null, c.due_at nulls last, c.started_at desc, c.id
          limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
    ),
    run<{ total: string }>(services.pool, sql`select count(*) as total from ${id(app.storage, '_clocks')} c where ${where}`),
  ]);
  const data = await Promise.all(rows.map((row) => asShown(services, app, row, now)));
  return { data, meta: { page, per_page: perPage, total: Number(count?.total ?? 0) } };
}

/** Per entity: the clock's record is one the caller may read. Admins also see clocks of records that are gone. */
export function visibleClocks(ctx: AppContext): Sql {
  if (ctx.actor.isAdmin && ctx.actor.scopes === undefined) return sql`true`;
  const { app } = ctx;
  const scope = readScope(ctx);
  const names = new Set(app.model.document.slas.map(({ entity }) => entity));
  const conditions = [...names].flatMap((name): Sql[] => {
    const entity = app.model.entities.get(name);
    if (entity === undefined || !scope.access(entity).isGranted) return [];
    const rows = sql`select from ${id(app.storage, entity.rows)} ${id(ROWS_ALIAS)}
      where ${and([sql`${recordIdText(servedEntity(app, entity) ?? entity, ROWS_ALIAS)} = c.record_id`, ...visibleRows(scope, entity, ROWS_ALIAS)])}`;
    return [sql`(c.entity = ${value(name)} and exists (${rows}))`];
  });
  return conditions.length === 0 ? sql`false` : or(conditions);
}

function wanted(query: URLSearchParams): Sql[] {
  const conditions: Sql[] = [];
  const state = query.get('state');
  if (state !== null) {
    if (!(CLOCK_STATES as readonly string[]).includes(state))
      throw new AppError('INVALID_VALUE', `The state must be one of ${CLOCK_STATES.join(', ')}.`);
    conditions.push(sql`c.state = ${value(state)}`);
  }
  const open = query.get('open');
  if (open !== null) {
    if (open !== 'true' && open !== 'false') throw new AppError('INVALID_VALUE', 'open must be true or false.');
    conditions.push(open === 'true' ? sql`c.stopped_at is null` : sql`c.stopped_at is not null`);
  }
  for (const name of ['entity', 'record_id'] as const) {
    const given = readText(query, name);
    if (given !== undefined) conditions.push(sql`${id('c', name)} = ${value(given)}`);
  }
  const sla = readText(query, 'sla');
  if (sla !== undefined) conditions.push(sql`(c.sla = ${value(sla)} or c.sla_name = ${value(sla)})`);
  const before = readTime(query.get('due_before'), 'due_before');
  if (before !== null) conditions.push(sql`c.due_at < ${value(before, 'timestamptz')}`);
  return conditions;
}

export interface Forecast {
  readonly hours: number;
  /** Late already, and still open. */
  readonly breached: number;
  readonly paused: number;
  readonly without_due: number;
  readonly data: readonly { readonly from: string; readonly to: string; readonly due: number; readonly slas: Record<string, number> }[];
}

const MAX_HOURS = 24 * 31;

/** How many open clocks fall due in each of the next hours if nothing happens. */
export async function forecastClocks(ctx: AppContext, query: URLSearchParams): Promise<Forecast> {
  checkParameters(query, ['hours']);
  const text = query.get('hours') ?? '24';
  const hours = /^[1-9]\d{0,4}$/.test(text) ? Number(text) : NaN;
  if (!(hours <= MAX_HOURS)) throw new AppError('INVALID_VALUE', `hours must be a whole number from 1 to ${String(MAX_HOURS)}.`);
  const { services, app, now } = ctx;
  const table = id(app.storage, '_clocks');
  const start = value(now.toISOString(), 'timestamptz');
  const [rows, [open]] = await Promise.all([
    run<{ hour: number; sla: string; due: number }>(
      services.pool,
      sql`select floor(extract(epoch from c.due_at - ${start}) / 3600)::integer as hour, c.sla_name as sla, count(*)::integer as due
          from ${table} c where c.stopped_at is null and not c.is_paused and c.due_at >= ${start}
            and c.due_at < ${start} + ${value(hours, 'integer')} * interval '1 hour'
          group by 1, 2 order by 1, 2`,
    ),
    run<{ breached: number; paused: number; without_due: number }>(
      services.pool,
      sql`select count(*) filter (where c.due_at < ${start})::integer as breached,
            count(*) filter (where c.is_paused and (c.due_at is null or c.due_at >= ${start}))::integer as paused,
            count(*) filter (where c.due_at is null and not c.is_paused)::integer as without_due
          from ${table} c where c.stopped_at is null`,
    ),
  ]);
  const at = (hour: number): string => new Date(now.getTime() + hour * 3_600_000).toISOString();
  const data = Array.from({ length: hours }, (_, hour) => {
    const slas = Object.fromEntries(rows.filter((row) => row.hour === hour).map((row) => [row.sla, row.due]));
    return { from: at(hour), to: at(hour + 1), due: Object.values(slas).reduce((sum, due) => sum + due, 0), slas };
  });
  return { hours, breached: open?.breached ?? 0, paused: open?.paused ?? 0, without_due: open?.without_due ?? 0, data };
}
