/** Absences: who decides for whom, from when until when. One's own by oneself, others' by admins. */
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';
import { readMembers } from '../payload.ts';
import { audit } from '../platform/audit.ts';
import { parseTime } from '../read-time.ts';
import { findUsers } from './find-users.ts';

export interface AbsenceAnswer {
  readonly id: string;
  readonly user: string;
  readonly substitute: string;
  readonly from: string;
  readonly until: string;
  readonly is_current: boolean;
  readonly created_at: string;
}

interface AbsenceRow {
  readonly id: string;
  readonly user_id: string;
  readonly substitute: string;
  readonly starts_at: Date;
  readonly ends_at: Date;
  readonly created_at: Date;
}

const COLUMNS = sql`a.id, a.user_id, a.substitute, a.starts_at, a.ends_at, a.created_at`;

/** Those of the caller, and those in which the caller is the substitute; admins see all. Newest first. */
export async function listAbsences(ctx: AppContext, query: URLSearchParams): Promise<{ data: AbsenceAnswer[]; meta: object }> {
  checkParameters(query, ['user', 'page', 'per_page']);
  const { page, perPage, offset } = readPage(query, 100, 20);
  const where = and(conditionsOf(ctx, query.get('user')));
  const table = id(ctx.app.storage, '_absences');
  const [rows, [count]] = await Promise.all([
    run<AbsenceRow>(
      ctx.services.pool,
      sql`select ${COLUMNS} from ${table} a where ${where} order by a.starts_at desc, a.id desc limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}`,
    ),
    run<{ total: string }>(ctx.services.pool, sql`select count(*) as total from ${table} a where ${where}`),
  ]);
  return { data: rows.map((row) => toAnswer(row, ctx.now)), meta: { page, per_page: perPage, total: Number(count?.total ?? 0) } };
}

function conditionsOf(ctx: AppContext, user: string | null): Sql[] {
  const self = ctx.actor.id ?? ctx.actor.kind;
  const own = sql`${value(self, 'text')} in (a.user_id::text, a.substitute::text)`;
  return [
    ...(ctx.actor.isAdmin ? [] : [own]),
    ...(user === null ? [] : [sql`a.user_id::text = ${value(user === 'me' ? self : user.replaceAll('\0', ''), 'text')}`]),
  ];
}

const toAnswer = (row: AbsenceRow, now: Date): AbsenceAnswer => ({
  id: row.id,
  user: row.user_id,
  substitute: row.substitute,
  from: row.starts_at.toISOString(),
  until: row.ends_at.toISOString(),
  is_current: row.starts_at <= now && row.ends_at > now,
  created_at: row.created_at.toISOString(),
});

export async function createAbsence(ctx: AppContext, body: unknown): Promise<AbsenceAnswer> {
  const { user, substitute, from, until } = readMembers(body, '_absences', ['user', 'from', 'until', 'substitute']);
  const absent = await absentOf(ctx, user);
  const other = await userNamed(ctx, 'substitute', substitute);
  if (other === absent) throw invalid('substitute', 'other', 'must be somebody else');
  const startsAt = from === undefined || from === null ? ctx.now.toISOString() : timeOf('from', from);
  const endsAt = timeOf('until', until);
  if (Date.parse(endsAt) <= Math.max(Date.parse(startsAt), ctx.now.getTime()))
    throw invalid('until', 'range', 'must be after "from" and after now');
  return transaction(ctx.services.pool, async (client) => {
    await refuseOverlap(client, ctx, absent, startsAt, endsAt);
    const [row] = await run<AbsenceRow>(
      client,
      sql`insert into ${id(ctx.app.storage, '_absences')} as a (id, user_id, substitute, starts_at, ends_at, created_by)
          values (${value(uuidv7(), 'uuid')}, ${value(absent, 'uuid')}, ${value(other, 'uuid')}, ${value(startsAt, 'timestamptz')},
            ${value(endsAt, 'timestamptz')}, ${value(JSON.stringify({ kind: ctx.actor.kind, id: ctx.actor.id }), 'jsonb')})
          returning ${COLUMNS}`,
    );
    if (row === undefined) throw new AppError('INTERNAL_ERROR', 'The absence was not stored.');
    const detail = { user: absent, substitute: other, from: startsAt, until: endsAt };
    await audit(client, ctx.actor, { app: ctx.app.id, action: 'absence.create', target: row.id, detail });
    return toAnswer(row, ctx.now);
  });
}

/** One person has one substitute at a time. */
async function refuseOverlap(db: Db, ctx: AppContext, absent: string, from: string, until: string): Promise<void> {
  await run(db, sql`select from ${id(ctx.app.storage, '_users')} where id = ${value(absent, 'uuid')} for no key update`);
  const [other] = await run<{ starts_at: Date; ends_at: Date }>(
    db,
    sql`select starts_at, ends_at from ${id(ctx.app.storage, '_absences')} where user_id = ${value(absent, 'uuid')}
          and starts_at < ${value(until, 'timestamptz')} and ends_at > ${value(from, 'timestamptz')} limit 1`,
  );
  if (other === undefined) return;
  const when = `${other.starts_at.toISOString()} to ${other.ends_at.toISOString()}`;
  throw new AppError('CONFLICT', `There is an absence from ${when} already.`, { hint: 'Delete it first, or choose dates beside it.' });
}

/** Ends or calls off an absence. */
export async function deleteAbsence(ctx: AppContext, absenceId: string): Promise<{ id: string }> {
  const table = id(ctx.app.storage, '_absences');
  return transaction(ctx.services.pool, async (client) => {
    const [row] = isUuid(absenceId)
      ? await run<{ user_id: string; substitute: string }>(
          client,
          sql`select user_id, substitute from ${table} where id = ${value(absenceId, 'uuid')} for update`,
        )
      : [];
    const isVisible = row !== undefined && (ctx.actor.isAdmin || row.user_id === ctx.actor.id || row.substitute === ctx.actor.id);
    if (!isVisible) throw new AppError('NOT_FOUND', `There is no absence "${absenceId.slice(0, 100)}".`);
    if (!ctx.actor.isAdmin && row.user_id !== ctx.actor.id)
      throw new AppError('FORBIDDEN', 'Only who is absent, or an admin, may end an absence.');
    await execute(client, sql`delete from ${table} where id = ${value(absenceId, 'uuid')}`);
    await audit(client, ctx.actor, { app: ctx.app.id, action: 'absence.delete', target: absenceId, detail: { user: row.user_id } });
    return { id: absenceId };
  });
}

async function absentOf(ctx: AppContext, given: unknown): Promise<string> {
  const isOwn = given === undefined || given === null || given === 'me';
  const absent = isOwn ? undefined : await userNamed(ctx, 'user', given);
  if (!ctx.actor.isAdmin && absent !== undefined && absent !== ctx.actor.id)
    throw new AppError('FORBIDDEN', 'Only an admin may enter the absence of somebody else.');
  if (absent !== undefined) return absent;
  if (ctx.actor.kind === 'user' && ctx.actor.id !== null) return ctx.actor.id;
  throw invalid('user', 'required', 'is required: you have no account of this app yourself');
}

async function userNamed(ctx: AppContext, field: string, given: unknown): Promise<string> {
  const [found] = typeof given === 'string' ? await findUsers(ctx.services.pool, ctx.app, [given]) : [];
  if (found === undefined)
    throw invalid(field, given === undefined ? 'required' : 'unknown_user', 'must be the id or email of an active user');
  return found;
}

/** An instant as ISO 8601. */
export function timeOf(field: string, given: unknown): string {
  const at = parseTime(given);
  if (at === undefined)
    throw invalid(field, given === undefined ? 'required' : 'type', 'must be a time like 2026-08-01T09:00:00Z, or a date');
  return at.toISOString();
}

const invalid = (field: string, rule: string, message: string): AppError =>
  new AppError('VALIDATION_FAILED', `"${field}" ${message}.`, { details: [{ field, rule, message }] });
