/** What the action `notify` has told somebody, read by that person alone. */
import { execute, run } from '../../adapters/postgres/run.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError } from '../../core/errors.ts';
import { and, id, raw, sql, type Sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';

export interface NotificationAnswer {
  readonly id: string;
  readonly message: string;
  readonly link: string | null;
  readonly run_id: string | null;
  readonly created_at: string;
  readonly read_at: string | null;
}

interface Row {
  readonly id: string;
  readonly message: string;
  readonly link: string | null;
  readonly run_id: string | null;
  readonly created_at: Date;
  readonly read_at: Date | null;
}

/** The caller's own; whoever is no account of the app has none. */
function own(ctx: AppContext): Sql {
  if (ctx.actor.id === null) throw new AppError('UNAUTHORIZED', 'Sign in to read your notifications.');
  return sql`user_id::text = ${value(ctx.actor.id)}`;
}

const table = (ctx: AppContext): Sql => id(ctx.app.storage, '_notifications');

const toAnswer = ({ created_at, read_at, ...row }: Row): NotificationAnswer => ({
  ...row,
  created_at: created_at.toISOString(),
  read_at: read_at?.toISOString() ?? null,
});

/** Newest first; with `unread=true` only those that were not read. */
export async function listNotifications(
  ctx: AppContext,
  query: URLSearchParams,
): Promise<{ data: NotificationAnswer[]; meta: { page: number; per_page: number; total: number; unread: number } }> {
  checkParameters(query, ['unread', 'page', 'per_page']);
  const unread = query.get('unread');
  if (unread !== null && unread !== 'true' && unread !== 'false') throw new AppError('INVALID_VALUE', 'unread is true or false.');
  const { page, perPage, offset } = readPage(query, 100, 20);
  const where = and([own(ctx), ...(unread === 'true' ? [raw('read_at is null')] : [])]);
  const { pool } = ctx.services;
  const [rows, counts] = await Promise.all([
    run<Row>(
      pool,
      sql`select id, message, link, run_id, created_at, read_at from ${table(ctx)} where ${where}
          order by created_at desc, id desc limit ${value(perPage)} offset ${value(offset)}`,
    ),
    run<{ total: string; unread: string }>(
      pool,
      sql`select count(*) filter (where ${where}) as total, count(*) filter (where read_at is null) as unread from ${table(ctx)} where ${own(ctx)}`,
    ),
  ]);
  const total = Number(counts[0]?.total ?? 0);
  return { data: rows.map(toAnswer), meta: { page, per_page: perPage, total, unread: Number(counts[0]?.unread ?? 0) } };
}

export async function readNotification(ctx: AppContext, notification: string): Promise<NotificationAnswer> {
  const rows = isUuid(notification)
    ? await run<Row>(
        ctx.services.pool,
        sql`update ${table(ctx)} set read_at = coalesce(read_at, now()) where id = ${value(notification, 'uuid')} and ${own(ctx)}
            returning id, message, link, run_id, created_at, read_at`,
      )
    : [];
  const [row] = rows;
  if (row === undefined) throw new AppError('NOT_FOUND', 'You have no such notification.');
  return toAnswer(row);
}

export async function readAllNotifications(ctx: AppContext): Promise<{ read: number }> {
  const read = await execute(ctx.services.pool, sql`update ${table(ctx)} set read_at = now() where read_at is null and ${own(ctx)}`);
  return { read };
}
