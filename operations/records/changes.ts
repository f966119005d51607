/**
 * The changes of all records of an app, the newest first, for its admins: what the history tells of one record, across entities. A page
 * looks at a bounded stretch of the log, so that a filter which nothing matches costs no more than one that everything does.
 */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { columnOf } from '../../core/filter/scope.ts';
import { and, sql, value, type Sql } from '../../core/sql/sql.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { nameSql } from '../comments/read.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural, readText } from '../paging.ts';
import { readTime } from '../read-time.ts';
import { idsOverTime, idToday, isEventOf } from './former-keys.ts';
import { entryOf, type HistoryEntry, type HistoryRow } from './history.ts';
import { isNamedAs, namesOverTime, pastNames, type PastNames } from './past-names.ts';
import { readableEntity, readScope } from './read-scope.ts';

export interface RecordChange extends HistoryEntry {
  readonly entity: string;
  readonly record_id: string;
  readonly actor: HistoryEntry['actor'] & { readonly name: string | null };
}

const PARAMETERS = ['entity', 'record', 'action', 'actor', 'from', 'to', 'limit', 'cursor'];
const ACTIONS = ['create', 'update', 'delete', 'restore'];
const USUAL = 50;
const MOST = 200;
/** How many events of the app one page looks at. */
const STRETCH = 50_000;

type ChangeRow = HistoryRow & { readonly record_id: string; readonly name: string | null; readonly moment: string };

/** A page: `{data, page: {limit, next_cursor}}`. With a cursor there may be more, also behind a page that is short or empty. */
export async function listChanges(ctx: AppContext, query: URLSearchParams): Promise<object> {
  checkParameters(query, PARAMETERS);
  refuseOlderShape(ctx);
  const limit = Math.min(readNatural(query, 'limit') ?? USUAL, MOST);
  const subject = await subjectOf(ctx, query.get('entity'), readText(query, 'record'));
  // The changes of one record have an index of their own, however far back they are.
  const [near, far] = query.has('record') ? [subject, []] : [[], subject];
  const stretch = and([...stretchOf(ctx, query), ...near]);
  const rows = await readRows(ctx, stretch, and([...conditionsOf(query), ...far]), limit + 1);
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const next = rows.length > limit && last !== undefined ? `${last.moment}_${last.seq}` : await endOf(ctx, stretch);
  return { data: await entriesOf(ctx, shown), page: { limit, next_cursor: next } };
}

const MOMENT = sql`to_char(e.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
const CURSOR = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)_([1-9]\d{0,17})$/;

/** Events `e` of the app behind the cursor, within the time that is asked for: an index has them in this order. */
function stretchOf({ app }: AppContext, query: URLSearchParams): Sql[] {
  const [from, to] = [readTime(query.get('from'), 'from'), readTime(query.get('to'), 'to')];
  const cursor = query.get('cursor') || null;
  const [, moment, seq] = cursor === null ? [] : (CURSOR.exec(cursor) ?? []);
  if (cursor !== null && (moment === undefined || readTime(moment, 'cursor') === null))
    throw badParameter('cursor', 'The cursor is none of these changes.');
  return [
    sql`e.app = ${value(app.id)}`,
    ...(from === null ? [] : [sql`e.at >= ${value(from, 'timestamptz')}`]),
    ...(to === null ? [] : [sql`e.at < ${value(to, 'timestamptz')}`]),
    ...(moment === undefined ? [] : [sql`(e.at, e.seq) < (${value(moment, 'timestamptz')}, ${value(seq, 'bigint')})`]),
  ];
}

/** Where the next page goes on when this one looked at all it may; null at the end of the log. */
async function endOf({ services }: AppContext, stretch: Sql): Promise<string | null> {
  const [row] = await run<{ moment: string; seq: string }>(
    services.pool,
    sql`select ${MOMENT} as moment, e.seq from durabase.events e where ${stretch}
      order by e.at desc, e.seq desc offset ${value(STRETCH - 1, 'integer')} limit 1`,
  );
  return row === undefined ? null : `${row.moment}_${row.seq}`;
}

function conditionsOf(query: URLSearchParams): Sql[] {
  const action = query.get('action');
  if (action !== null && !ACTIONS.includes(action)) throw badParameter('action', `"action" must be one of ${ACTIONS.join(', ')}.`);
  const actor = readText(query, 'actor');
  return [
    sql`e.action <> 'custom'`,
    ...(action === null ? [] : [sql`e.action = ${value(action)}`]),
    ...(actor === undefined ? [] : [sql`e.actor->>'id' = ${value(actor)}`]),
  ];
}

/** The entity under every name it has had, and the record under every key. */
async function subjectOf(ctx: AppContext, name: string | null, record: string | undefined): Promise<Sql[]> {
  const { app, services } = ctx;
  if (name === null) {
    if (record !== undefined) throw badParameter('record', '"record" needs "entity": keys are those of an entity.');
    return [];
  }
  const entity = readableEntity(ctx, readScope(ctx), name);
  const past = await namesOverTime(services.pool, app, entity);
  const isThen = sql`exists (select from unnest(${value([...past.versions], 'integer[]')}, ${value([...past.names], 'text[]')}) n(version, name)
    where n.version = e.schema_version and n.name = e.entity)`;
  if (record === undefined) return [isNamedAs(past), isThen];
  return [isNamedAs(past), isThen, isEventOf(await idsOverTime(services.pool, app, entity, record, past.names))];
}

const readRows = ({ app, services }: AppContext, stretch: Sql, wanted: Sql, limit: number): Promise<ChangeRow[]> =>
  run<ChangeRow & pg.QueryResultRow>(
    services.pool,
    sql`
    select e.*, ${MOMENT} as moment, ${nameSql(app.storage, sql`e.actor->>'id'`)} as name from (
      select e.* from (
        select e.seq, e.at, e.entity, e.record_id, e.action, e.record_version, e.schema_version, e.actor, e.record, e.old, e.cause
        from durabase.events e where ${stretch} order by e.at desc, e.seq desc limit ${value(STRETCH, 'integer')}) e
      where ${wanted} order by e.at desc, e.seq desc limit ${value(limit, 'integer')}) e
    order by e.at desc, e.seq desc`,
  );

/** What the caller may read of them: an API key reads the entities it has a scope for. */
async function entriesOf(ctx: AppContext, rows: readonly ChangeRow[]): Promise<readonly RecordChange[]> {
  const { app, services } = ctx;
  const scope = readScope(ctx);
  const names = await pastNames(
    services.pool,
    app,
    rows.map((row) => row.schema_version),
  );
  const told = await Promise.all(
    rows.map(async (row): Promise<readonly RecordChange[]> => {
      const entity = names.entityOf(row.schema_version, row.entity);
      if (entity === undefined ? ctx.actor.keyId !== undefined : !scope.access(entity).isGranted) return [];
      const maySee = (field: string): boolean => entity !== undefined && columnOf(scope, entity, field) !== undefined;
      const entry = entryOf(ctx, { maySee }, names, row);
      const recordId = entity === undefined ? row.record_id : await idNowOf(ctx, entity, names, row);
      return [{ ...entry, entity: entity?.name ?? row.entity, record_id: recordId, actor: { ...entry.actor, name: row.name } }];
    }),
  );
  return told.flat();
}

const idNowOf = ({ app, services }: AppContext, entity: EntityModel, names: PastNames, row: ChangeRow): Promise<string> =>
  entity.formerKeys.length === 0
    ? Promise.resolve(row.record_id)
    : idToday(services.pool, app, entity, row, (name) => names.fieldOf(row.schema_version, row.entity, name)?.name);

function refuseOlderShape({ app }: AppContext): void {
  if (app.beside === undefined) return;
  throw new AppError('UNSUPPORTED', 'Changes are told in the shape that is served now.', {
    hint: `Ask without Schema-Version, or with ${String(app.beside.served.version)}.`,
  });
}

const badParameter = (field: string, message: string): AppError =>
  new AppError('INVALID_VALUE', message, { details: [{ field, rule: 'value', message }] });
