/** Comments of a record as callers read them. */
import { run, type Db } from '../../adapters/postgres/run.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readNatural } from '../paging.ts';
import { isCommentOf, subjectOf, type Subject } from './subject.ts';

export interface CommentRow {
  readonly id: string;
  readonly body: string;
  readonly author: { readonly kind: string; readonly id: string | null; readonly by?: unknown };
  readonly author_name: string | null;
  readonly mentions: readonly { readonly id: string; readonly name: string }[];
  readonly mentioned: readonly string[];
  readonly version: string;
  readonly created_at: Date;
  readonly edited_at: Date | null;
}

export interface Comment {
  readonly id: string;
  /** Plain text; `@[<id>]` is a mention. */
  readonly body: string;
  readonly author: { readonly kind: string; readonly id: string | null; readonly name: string | null; readonly by?: unknown };
  readonly mentions: readonly { readonly id: string; readonly name: string }[];
  readonly version: number;
  readonly created_at: string;
  readonly edited_at: string | null;
  readonly may_edit: boolean;
  readonly may_delete: boolean;
}

const USUAL = 25;
const MOST = 100;

/** An account's name by its id as text: what stands before the @ of its address. Null for one that is gone, and for what is no account. */
export const nameSql = (storage: string, actor: Sql): Sql => sql`(select split_part(u.email, '@', 1) from ${id(storage, '_users')} u
  where u.id = case when ${actor} ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then (${actor})::uuid end)`;

export const commentColumns = (
  storage: string,
): Sql => sql`e.id, e.body, e.author, e.mentions::text[] as mentioned, e.version, e.created_at, e.edited_at,
  ${nameSql(storage, sql`e.author->>'id'`)} as author_name,
  coalesce((select jsonb_agg(jsonb_build_object('id', u.id, 'name', split_part(u.email, '@', 1)) order by u.email)
    from ${id(storage, '_users')} u where u.id = any(e.mentions)), '[]'::jsonb) as mentions`;

/** The newest first. A cursor is the last one shown. */
export async function listComments(ctx: AppContext, entity: string, record: string, query: URLSearchParams): Promise<object> {
  checkParameters(query, ['limit', 'cursor']);
  const limit = Math.min(readNatural(query, 'limit') ?? USUAL, MOST);
  const cursor = query.get('cursor') ?? '';
  if (cursor !== '' && !isUuid(cursor))
    throw new AppError('INVALID_VALUE', 'The cursor is none of these comments.', {
      details: [{ field: 'cursor', rule: 'value', message: 'is none of these comments' }],
    });
  const subject = await subjectOf(ctx, entity, record);
  const table = id(subject.app.storage, '_comments');
  const [rows, [count]] = await Promise.all([
    run<CommentRow>(
      ctx.services.pool,
      sql`select ${commentColumns(subject.app.storage)} from ${table} e
          where ${isCommentOf(subject)}${cursor === '' ? sql`` : sql` and e.id < ${value(cursor, 'uuid')}`}
          order by e.id desc limit ${value(limit + 1, 'integer')}`,
    ),
    run<{ total: string }>(ctx.services.pool, sql`select count(*) as total from ${table} e where ${isCommentOf(subject)}`),
  ]);
  const shown = rows.slice(0, limit);
  return {
    data: shown.map((row) => toComment(ctx, subject, row)),
    page: { limit, next_cursor: rows.length > limit ? (shown.at(-1)?.id ?? null) : null },
    meta: { total: Number(count?.total ?? 0), may_write: subject.mayWrite },
  };
}

export async function findComment(db: Db, subject: Subject, commentId: string, lock: Sql = sql``): Promise<CommentRow> {
  const [row] = isUuid(commentId)
    ? await run<CommentRow>(
        db,
        sql`select ${commentColumns(subject.app.storage)} from ${id(subject.app.storage, '_comments')} e
            where e.id = ${value(commentId, 'uuid')} and ${isCommentOf(subject)}${lock}`,
      )
    : [];
  if (row === undefined) throw new AppError('NOT_FOUND', `The record has no comment "${commentId.slice(0, 100)}".`);
  return row;
}

export async function getComment(ctx: AppContext, entity: string, record: string, commentId: string): Promise<Comment> {
  const subject = await subjectOf(ctx, entity, record);
  return toComment(ctx, subject, await findComment(ctx.services.pool, subject, commentId));
}

const isAuthor = ({ actor }: AppContext, { author }: Pick<CommentRow, 'author'>): boolean => author.id !== null && author.id === actor.id;

/** Authors, as long as they may write at all. */
export const mayEdit = (ctx: AppContext, subject: Pick<Subject, 'mayWrite'>, row: Pick<CommentRow, 'author'>): boolean =>
  subject.mayWrite && isAuthor(ctx, row);
export const mayDelete = (ctx: AppContext, subject: Pick<Subject, 'mayWrite'>, row: Pick<CommentRow, 'author'>): boolean =>
  subject.mayWrite && (ctx.actor.isAdmin || isAuthor(ctx, row));

export const toComment = (ctx: AppContext, subject: Pick<Subject, 'mayWrite'>, row: CommentRow): Comment => ({
  id: row.id,
  body: row.body,
  author: {
    kind: row.author.kind,
    id: row.author.id,
    name: row.author_name,
    ...(row.author.by === undefined ? {} : { by: row.author.by }),
  },
  mentions: row.mentions,
  version: Number(row.version),
  created_at: row.created_at.toISOString(),
  edited_at: row.edited_at?.toISOString() ?? null,
  may_edit: mayEdit(ctx, subject, row),
  may_delete: mayDelete(ctx, subject, row),
});
