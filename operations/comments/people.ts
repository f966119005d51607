/** Who is named in comments, and telling them. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { MAX_MENTIONS, mentionsIn, withIds } from '../../core/comments.ts';
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { userActor } from '../auth/act-as.ts';
import type { AppContext } from '../context.ts';
import { subjectOf, type Subject } from './subject.ts';

export interface Mentions {
  /** The text as it is stored. */
  readonly body: string;
  readonly users: readonly string[];
}

/** Users by id or address, active ones; VALIDATION_FAILED names those that are none. */
export async function readMentions(ctx: AppContext, text: string): Promise<Mentions> {
  const named = mentionsIn(text);
  if (named.length === 0) return { body: text, users: [] };
  if (named.length > MAX_MENTIONS) throw badBody('limit', `mentions more than ${MAX_MENTIONS} users`);
  const rows = await run<{ id: string; email: string }>(
    ctx.services.pool,
    sql`select id::text as id, lower(email) as email from ${id(ctx.app.storage, '_users')}
        where active and (id = any(${value(
          named.filter((name) => isUuid(name)),
          'uuid[]',
        )}) or lower(email) = any(${value(named, 'text[]')}))`,
  );
  const ids = new Map(rows.flatMap((row) => [[row.id, row.id] as const, [row.email, row.id] as const]));
  const unknown = named.filter((name) => !ids.has(name));
  if (unknown.length > 0) throw badBody('unknown_user', `mentions ${unknown.map((name) => `"${name}"`).join(', ')}, no active user`);
  const body = withIds(text, (name) => ids.get(name) ?? name);
  return { body, users: [...new Set(named.map((name) => ids.get(name) ?? name))] };
}

export const badBody = (rule: string, message: string): AppError => {
  const details: ErrorDetail[] = [{ field: 'body', rule, message }];
  return new AppError('VALIDATION_FAILED', `"body" ${message}.`, { details });
};

/** Of these users those who see the comments of the record themselves: nobody else may hear that there are any. */
export async function whoSees(ctx: AppContext, { app, entity, recordId }: Subject, users: readonly string[]): Promise<string[]> {
  const others = users.filter((user) => user !== ctx.actor.id);
  const seeing = await Promise.all(
    others.map(async (user): Promise<string[]> => {
      try {
        await subjectOf({ ...ctx, app, actor: await userActor({ ...ctx, app }, user) }, entity.name, recordId);
        return [user];
      } catch (error) {
        if (isAppError(error, 'NOT_FOUND') || isAppError(error, 'FORBIDDEN')) return [];
        throw error;
      }
    }),
  );
  return seeing.flat();
}

export async function notifyOf(db: Db, ctx: AppContext, { app, entity, recordId }: Subject, users: readonly string[]): Promise<void> {
  if (users.length === 0) return;
  const label = entity.definition.label ?? entity.name.replaceAll('_', ' ');
  const message = `${nameOf(ctx.actor.email) ?? 'Somebody'} mentioned you in a comment on ${label} ${recordId}`.slice(0, 500);
  const rows = users.map((user) => ({ id: uuidv7(), user }));
  await execute(
    db,
    sql`insert into ${id(app.storage, '_notifications')} (id, user_id, message, link)
        select n.id, n.user, ${value(message)}, ${value(`/admin/t/${app.name}/${entity.name}/${encodeURIComponent(recordId)}/show`)}
        from jsonb_to_recordset(${value(JSON.stringify(rows), 'jsonb')}) as n(id uuid, "user" uuid)`,
  );
}

/** An account as others may see it: not its whole address. */
export const nameOf = (email: string | null): string | null => email?.split('@')[0] ?? null;
