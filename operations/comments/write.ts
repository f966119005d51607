/** Writing, editing and deleting comments. What is told of them in the log has no text: that stays where it can be deleted. */
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { MAX_COMMENT, type CommentEvent } from '../../core/comments.ts';
import { AppError } from '../../core/errors.ts';
import { hasUnstorable } from '../../core/model/fields/field-kind.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { hintRelay } from '../hint.ts';
import { writeOnce, type Once } from '../once.ts';
import { readMembers } from '../payload.ts';
import { keyCondition, notFound, versionsOf } from '../records/record-key.ts';
import { badBody, notifyOf, readMentions, whoSees } from './people.ts';
import { findComment, mayDelete, mayEdit, toComment, type Comment, type CommentRow } from './read.ts';
import { isCommentOf, subjectOf, type Subject } from './subject.ts';

/** The record's entity and id or slug. */
export interface CommentPlace {
  readonly entity: string;
  readonly record: string;
}

const MOST_OF_RECORD = 10_000;

export async function createComment(ctx: AppContext, { entity, record }: CommentPlace, body: unknown, once?: Once): Promise<Comment> {
  const text = readText(body);
  const subject = await subjectOf(ctx, entity, record);
  if (!subject.mayWrite) throw new AppError('FORBIDDEN', `You may not comment on "${entity}" records.`);
  const mentions = await readMentions(ctx, text);
  const told = await whoSees(ctx, subject, mentions.users);
  return written(ctx, once, async (client) => {
    await holdRecord(client, subject);
    await refuseTooMany(client, subject);
    const commentId = uuidv7();
    await execute(
      client,
      sql`insert into ${id(subject.app.storage, '_comments')} (id, entity_table, record_id, schema_version, body, author, mentions, created_at)
          values (${value(commentId, 'uuid')}, ${value(subject.entity.table)}, ${value(subject.recordId)}, ${value(subject.app.version, 'integer')},
            ${value(mentions.body)}, ${value(authorOf(ctx), 'jsonb')}, ${value([...mentions.users], 'uuid[]')}, ${value(timeOf(commentId), 'timestamptz')})`,
    );
    await notifyOf(client, ctx, subject, told);
    await tell(client, ctx, subject, 'comment:created', commentId);
    return toComment(ctx, subject, await findComment(client, subject, commentId));
  });
}

export interface CommentWrite extends CommentPlace {
  readonly comment: string;
  readonly ifMatch: string | undefined;
}

export async function updateComment(ctx: AppContext, place: CommentWrite, body: unknown, once?: Once): Promise<Comment> {
  const text = readText(body);
  const subject = await subjectOf(ctx, place.entity, place.record);
  const before = await findComment(ctx.services.pool, subject, place.comment);
  if (!mayEdit(ctx, subject, before)) throw new AppError('FORBIDDEN', 'Only its author may edit a comment.');
  const mentions = await readMentions(ctx, text);
  const told = await whoSees(
    ctx,
    subject,
    mentions.users.filter((user) => !before.mentioned.includes(user)),
  );
  return written(ctx, once, async (client) => {
    const row = await findComment(client, subject, place.comment, sql` for no key update of e`);
    refuseOther(row, place.ifMatch);
    await execute(
      client,
      sql`update ${id(subject.app.storage, '_comments')} set body = ${value(mentions.body)}, mentions = ${value([...mentions.users], 'uuid[]')},
            version = version + 1, edited_at = now() where id = ${value(row.id, 'uuid')}`,
    );
    await notifyOf(client, ctx, subject, told);
    await tell(client, ctx, subject, 'comment:edited', row.id);
    return toComment(ctx, subject, await findComment(client, subject, row.id));
  });
}

export async function deleteComment(ctx: AppContext, place: CommentWrite, once?: Once): Promise<{ id: string }> {
  const subject = await subjectOf(ctx, place.entity, place.record);
  return written(ctx, once, async (client) => {
    const row = await findComment(client, subject, place.comment, sql` for update of e`);
    if (!mayDelete(ctx, subject, row)) throw new AppError('FORBIDDEN', 'Only its author or an admin may delete a comment.');
    refuseOther(row, place.ifMatch);
    await execute(client, sql`delete from ${id(subject.app.storage, '_comments')} where id = ${value(row.id, 'uuid')}`);
    await tell(client, ctx, subject, 'comment:deleted', row.id);
    return { id: row.id };
  });
}

function readText(given: unknown): string {
  const { body } = readMembers(given, '_comments', ['body']);
  if (body === undefined || body === null) throw badBody('required', 'is required');
  if (typeof body !== 'string') throw badBody('type', 'must be text');
  if (body.trim() === '') throw badBody('required', 'must not be blank');
  if (body.length > MAX_COMMENT) throw badBody('max_length', `may have at most ${MAX_COMMENT} characters`);
  if (hasUnstorable(body)) throw badBody('type', 'must not contain the NUL character or half a surrogate pair');
  return body;
}

function refuseOther({ version }: CommentRow, ifMatch: string | undefined): void {
  const wanted = versionsOf(ifMatch);
  if (wanted === undefined || wanted.includes(version)) return;
  throw new AppError('PRECONDITION_FAILED', `The comment is at version ${version}: it was changed.`, { hint: 'Read it again.' });
}

/** The time an id was made with, so that comments have one order by either. */
const timeOf = (commentId: string): string => new Date(parseInt(commentId.replace('-', '').slice(0, 12), 16)).toISOString();

/** Whoever deletes the record waits until the comment is there to be deleted with it. */
async function holdRecord(db: Db, { app, entity, recordId }: Subject): Promise<void> {
  const key = keyCondition(entity, 't', recordId);
  const rows =
    key === undefined
      ? []
      : await run(db, sql`select 1 as found from ${id(app.storage, entity.table)} "t" where ${key} for key share of "t"`);
  if (rows.length === 0) throw notFound(entity, recordId);
}

async function refuseTooMany(db: Db, subject: Subject): Promise<void> {
  const [row] = await run<{ is_full: boolean }>(
    db,
    sql`select count(*) >= ${value(MOST_OF_RECORD, 'integer')} as is_full from (select from ${id(subject.app.storage, '_comments')} e
        where ${isCommentOf(subject)} limit ${value(MOST_OF_RECORD, 'integer')}) x`,
  );
  if (row?.is_full === true) throw new AppError('CONFLICT', `A record has at most ${MOST_OF_RECORD} comments.`);
}

function authorOf({ actor: { kind, id: actorId, keyId, by } }: AppContext): string {
  return JSON.stringify({ kind, id: actorId, ...(keyId === undefined ? {} : { key: keyId }), ...(by === undefined ? {} : { by }) });
}

/** An event like that of `send_event`, without the text. */
async function tell(db: Db, ctx: AppContext, { app, entity, recordId }: Subject, event: CommentEvent, comment: string): Promise<void> {
  const { kind, id: actorId, roles, by } = ctx.actor;
  const actor = JSON.stringify({ kind, id: actorId, roles, ...(by === undefined ? {} : { by }) });
  await execute(
    db,
    sql`insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, cause, depth)
        values (${value(app.id)}, ${value(entity.name)}, ${value(recordId)}, 'custom', 0, ${value(app.version, 'integer')},
          ${value(actor, 'jsonb')}, ${value(JSON.stringify({ event, comment }), 'jsonb')}, ${value(ctx.cause)}, ${value(ctx.depth, 'integer')})`,
  );
}

async function written<T>(ctx: AppContext, once: Once | undefined, work: (client: pg.PoolClient) => Promise<T>): Promise<T> {
  const result = await writeOnce({ services: ctx.services, once }, work);
  hintRelay(ctx.services);
  return result;
}
