/** Invites: an address may make its own account, with roles chosen by an admin, for 72 hours. */
import { canMail } from '../../adapters/config.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { hashPassword } from '../../adapters/passwords.ts';
import { execute, run, runText, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Tokens } from '../../adapters/tokens.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { addressGroup } from '../../core/address.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { admit, type Challenge } from '../auth/admit.ts';
import { DOORS, pass } from '../auth/attempts.ts';
import type { AccountHome } from '../auth/home.ts';
import { isSameHash, newToken, parseToken } from '../auth/mail-tokens.ts';
import { readPassword } from '../auth/password.ts';
import type { ClientInfo, SessionAccount, SignIn } from '../auth/sessions.ts';
import { systemActor, type Actor, type Services } from '../context.ts';
import { queueMail } from '../mails/outbox.ts';
import { appOf, audit } from '../platform/audit.ts';
import { readEmail, readRoles } from './input.ts';

/** Invites into which realm, and who is asking: always an admin of it. */
export interface InviteScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly home: AccountHome;
}

const LIFE = raw("interval '72 hours'");
const MAX_BULK = 500;
const SHOWN = 1_000;

export interface Invite {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** Shown this once; only its hash is kept. */
  readonly token: string;
  readonly expires_at: string;
  /** Whether a mail is on its way; `GET invites` says what became of it. */
  readonly mailed: boolean;
}

/** The JSON of all invites, the newest first, with what became of each and of its mail. */
export async function listInvites({ services, home }: InviteScope): Promise<string> {
  const text = await runText(
    services.pool,
    sql`select coalesce(json_agg(${inviteJson} order by i.created_at desc, i.id desc), '[]'::json)::text
        from (select * from ${home.realm.invites} order by created_at desc, id desc limit ${value(SHOWN, 'integer')}) i
        left join durabase.mails m on m.id = i.mail`,
  );
  return text ?? '[]';
}

const inviteJson: Sql = sql`json_build_object('id', i.id, 'email', i.email, 'roles', i.roles, 'created_at', i.created_at,
  'expires_at', i.expires_at, 'accepted_at', i.accepted_at,
  'status', case when i.accepted_at is not null then 'accepted' when i.expires_at <= now() then 'expired' else 'pending' end,
  'mail', case when m.id is null then null else json_build_object('status', m.status, 'tries', m.tries, 'error', m.error) end)`;

/** One invite; CONFLICT when the address has an account or a pending invite. */
export async function invite(scope: InviteScope, body: Readonly<Record<string, unknown>>): Promise<Invite> {
  const { emails, roles } = readInvite(body, 'email');
  const outcome = await transaction(scope.services.pool, (db) => open(db, scope, emails[0] ?? '', roles));
  if ('reason' in outcome)
    throw new AppError(
      'CONFLICT',
      outcome.reason === 'user_exists' ? 'There is a user with this email.' : 'There is a pending invite for this email.',
      {
        details: [{ field: 'email', rule: outcome.reason, message: outcome.reason === 'user_exists' ? 'is taken' : 'is invited' }],
        hint: outcome.reason === 'user_exists' ? 'Change the user instead.' : 'Send it again with POST invites/:id/resend, or delete it.',
      },
    );
  return outcome;
}

interface Skipped {
  readonly email: string;
  readonly reason: 'user_exists' | 'pending_invite' | 'invalid_email' | 'repeated';
}

export interface BulkInvites {
  readonly created: readonly Invite[];
  readonly skipped: readonly Skipped[];
  readonly summary: { readonly total: number; readonly created: number; readonly skipped: number };
}

/** Many invites with the same roles; what cannot be invited is skipped with its reason. */
export async function inviteMany(scope: InviteScope, body: Readonly<Record<string, unknown>>): Promise<BulkInvites> {
  const { emails, roles } = readInvite(body, 'emails');
  const created: Invite[] = [];
  const skipped: Skipped[] = [];
  const seen = new Set<string>();
  await transaction(scope.services.pool, async (db) => {
    for (const given of emails) {
      const email = readEmail(given, 'create', () => undefined);
      if (email === undefined) skipped.push({ email: given.slice(0, 320), reason: 'invalid_email' });
      else if (seen.has(email.toLowerCase())) skipped.push({ email, reason: 'repeated' });
      else {
        seen.add(email.toLowerCase());
        const outcome = await open(db, scope, email, roles);
        if ('reason' in outcome) skipped.push(outcome);
        else created.push(outcome);
      }
    }
  });
  return { created, skipped, summary: { total: emails.length, created: created.length, skipped: skipped.length } };
}

function readInvite(body: Readonly<Record<string, unknown>>, key: 'email' | 'emails'): { emails: string[]; roles: readonly string[] } {
  const details: ErrorDetail[] = [];
  const fail = (field: string, rule: string, message: string): undefined => void details.push({ field, rule, message });
  for (const name of Object.keys(body))
    if (name !== key && name !== 'roles') fail(name, 'unknown', `An invite has no field "${name.slice(0, 100)}".`);
  const given = body[key];
  let emails: string[] = [];
  if (key === 'email') emails = [readEmail(given, 'create', fail) ?? ''];
  else if (Array.isArray(given) && given.length > 0 && given.every((one) => typeof one === 'string')) emails = given;
  else fail('emails', 'type', '"emails" must be a list of addresses.');
  if (emails.length > MAX_BULK) throw new AppError('TOO_LARGE', `At most ${MAX_BULK} addresses are invited at once.`);
  const roles = readRoles(body['roles'], fail) ?? [];
  if (details.length > 0) throw new AppError('VALIDATION_FAILED', 'The invite is not valid.', { details });
  return { emails, roles };
}

async function open(db: Db, scope: InviteScope, email: string, roles: readonly string[]): Promise<Invite | Skipped> {
  const { services, home } = scope;
  const { realm } = home;
  const token = newToken();
  const inviteId = token.id;
  const [row] = await run<{ taken: boolean; expires_at: Date | null }>(
    db,
    sql`with expired as (
          delete from ${realm.invites} where lower(email) = lower(${value(email, 'text')}) and accepted_at is null and expires_at <= now()
        )
        select exists (select from ${realm.users} where lower(email) = lower(${value(email, 'text')})) as taken, null::timestamptz as expires_at`,
  );
  if (row?.taken === true) return { email, reason: 'user_exists' };
  const mail = canMail(services.config) ? await queueMail(db, services, realm, 'invite', { email, token: token.text }) : null;
  const [made] = await run<{ expires_at: Date }>(
    db,
    sql`insert into ${realm.invites} (id, email, roles, token_hash, mail, expires_at, created_by)
        values (${value(inviteId, 'uuid')}, ${value(email, 'text')}, ${value([...roles], 'text[]')}, ${value(token.hash, 'text')},
          ${value(mail, 'uuid')}, now() + ${LIFE}, ${value(JSON.stringify({ id: scope.actor.id, email: scope.actor.email }), 'jsonb')})
        on conflict do nothing returning expires_at`,
  );
  if (made === undefined) {
    if (mail !== null) await execute(db, sql`delete from durabase.mails where id = ${value(mail, 'uuid')}`);
    return { email, reason: 'pending_invite' };
  }
  await audit(db, scope.actor, { app: appOf(scope.home.realm), action: 'invite.create', target: inviteId, detail: { roles } });
  return { id: inviteId, email, roles, token: token.text, expires_at: made.expires_at.toISOString(), mailed: mail !== null };
}

/** A new token for an invite that was not accepted, for another 72 hours; the earlier token is dead. */
export async function resendInvite(scope: InviteScope, inviteId: string): Promise<Invite> {
  const { services, home, actor } = scope;
  const token = newToken();
  return transaction(services.pool, async (db) => {
    const [row] = isUuid(inviteId)
      ? await run<{ email: string; roles: string[]; accepted_at: Date | null }>(
          db,
          sql`select email, roles, accepted_at from ${home.realm.invites} where id = ${value(inviteId, 'uuid')} for update`,
        )
      : [];
    if (row === undefined) throw noSuchInvite(inviteId);
    if (row.accepted_at !== null) throw new AppError('CONFLICT', 'The invite has been accepted.');
    await execute(
      db,
      sql`delete from durabase.mails where id = (select mail from ${home.realm.invites} where id = ${value(inviteId, 'uuid')}) and status = 'queued'`,
    );
    const text = `${inviteId.toLowerCase()}.${token.text.split('.')[1] ?? ''}`;
    const mail = canMail(services.config) ? await queueMail(db, services, home.realm, 'invite', { email: row.email, token: text }) : null;
    const [renewed] = await run<{ expires_at: Date }>(
      db,
      sql`update ${home.realm.invites} set token_hash = ${value(token.hash, 'text')}, expires_at = now() + ${LIFE}, mail = ${value(mail, 'uuid')}
          where id = ${value(inviteId, 'uuid')} returning expires_at`,
    );
    await audit(db, actor, { app: appOf(home.realm), action: 'invite.resend', target: inviteId });
    const expires = renewed?.expires_at.toISOString() ?? '';
    return { id: inviteId, email: row.email, roles: row.roles, token: text, expires_at: expires, mailed: mail !== null };
  });
}

/** Withdraws an invite; its token is dead. */
export async function deleteInvite({ services, home, actor }: InviteScope, inviteId: string): Promise<{ readonly id: string }> {
  if (!isUuid(inviteId)) throw noSuchInvite(inviteId);
  await transaction(services.pool, async (db) => {
    const [row] = await run<{ mail: string | null }>(
      db,
      sql`delete from ${home.realm.invites} where id = ${value(inviteId, 'uuid')} returning mail`,
    );
    if (row === undefined) throw noSuchInvite(inviteId);
    await execute(db, sql`delete from durabase.mails where id = ${value(row.mail, 'uuid')} and status = 'queued'`);
    await audit(db, actor, { app: appOf(home.realm), action: 'invite.delete', target: inviteId });
  });
  return { id: inviteId };
}

/** Makes the invited account and signs it in. */
export async function acceptInvite(
  services: Services,
  tokens: Tokens,
  home: AccountHome,
  body: Readonly<Record<string, unknown>>,
  client: ClientInfo,
): Promise<SignIn | Challenge> {
  const { realm } = home;
  await pass(services, DOORS.redeem, realm, addressGroup(client.address));
  const wanted = parseToken(body['token']);
  if (wanted === undefined) throw unknownToken();
  await findInvite(services.pool, home, wanted);
  const hash = await hashPassword(readPassword(body['password'], 'password', home.settings.password_min_length));
  const account = await transaction(services.pool, async (db) => {
    const { email, roles } = await findInvite(db, home, wanted, sql`for update`);
    const userId = uuidv7();
    const made = await execute(
      db,
      sql`insert into ${realm.users} (id, email, password_hash, roles, verified_at)
          values (${value(userId, 'uuid')}, ${value(email, 'text')}, ${value(hash, 'text')}, ${value(roles, 'text[]')}, now()) on conflict do nothing`,
    );
    if (made === 0) throw new AppError('CONFLICT', 'There is an account with this email already.', { hint: 'Sign in.' });
    await execute(db, sql`update ${realm.invites} set accepted_at = now() where id = ${value(wanted.id, 'uuid')}`);
    await audit(db, systemActor(), {
      app: appOf(home.realm),
      action: 'invite.accept',
      target: userId,
      detail: { invite: wanted.id, roles },
    });
    return { id: userId, email, roles, epoch: 0, must_change: false } satisfies SessionAccount;
  });
  return admit(services, tokens, home, account, client);
}

async function findInvite(
  db: Db,
  home: AccountHome,
  wanted: { readonly id: string; readonly hash: string },
  lock: Sql = sql``,
): Promise<{ readonly email: string; readonly roles: string[] }> {
  const [row] = await run<{ email: string; roles: string[]; token_hash: string; accepted_at: Date | null; expired: boolean }>(
    db,
    sql`select email, roles, token_hash, accepted_at, expires_at <= now() as expired from ${home.realm.invites}
        where id = ${value(wanted.id, 'uuid')} ${lock}`,
  );
  if (row === undefined || !isSameHash(row.token_hash, wanted.hash)) throw unknownToken();
  if (row.accepted_at !== null) throw new AppError('INVALID_VALUE', 'The invite has been accepted already.', { hint: 'Sign in.' });
  if (row.expired) throw new AppError('INVALID_VALUE', 'The invite has expired.', { hint: 'Ask for another one.' });
  return row;
}

const unknownToken = (): AppError => new AppError('NOT_FOUND', 'There is no such invite.');
const noSuchInvite = (inviteId: string): AppError => new AppError('NOT_FOUND', `There is no invite "${inviteId.slice(0, 100)}".`);
