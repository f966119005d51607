/** What a mail leads to: a new password, or an address confirmed. */
import { hashPassword, verifyPassword } from '../../adapters/passwords.ts';
import { canMail } from '../../adapters/config.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Realm, Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { addressGroup } from '../../core/address.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { systemActor, type Services } from '../context.ts';
import { queueMail } from '../mails/outbox.ts';
import { appOf, audit } from '../platform/audit.ts';
import { readEmail } from '../users/input.ts';
import { admit, type Challenge } from './admit.ts';
import { DOORS, keyOfEmail, pass } from './attempts.ts';
import { announceEpoch, cutSessions } from './cut.ts';
import type { AccountHome } from './home.ts';
import { isSameHash, parseToken } from './mail-tokens.ts';
import { readPassword } from './password.ts';
import type { ClientInfo, SessionAccount, SignIn } from './sessions.ts';

/** Queues a mail for the address; whether anybody has it is found out later, by the worker, so that this tells nothing. */
export async function askForMail(
  services: Services,
  home: AccountHome,
  kind: 'reset' | 'verification',
  given: unknown,
  address: string | null,
): Promise<void> {
  const email = emailOf(given);
  if (!canMail(services.config)) throw noMail();
  await pass(services, DOORS.mailFrom, home.realm, addressGroup(address));
  await pass(services, DOORS.mail, home.realm, `${kind}/${keyOfEmail(email)}`);
  await queueMail(services.pool, services, home.realm, kind, { email });
}

/** What says that this installation sends no mail. */
export const noMail = (): AppError =>
  new AppError('UNSUPPORTED', 'This installation sends no mail.', {
    hint: 'An operator sets SMTP_URL. Until then an admin sets passwords.',
  });

/** The address of a body; VALIDATION_FAILED when it is none. */
export function emailOf(given: unknown): string {
  let mistake: AppError | undefined;
  const email = readEmail(given, 'create', (field, rule, message) => {
    mistake = new AppError('VALIDATION_FAILED', 'The request is not valid.', { details: [{ field, rule, message }] });
    return undefined;
  });
  if (email === undefined) throw mistake ?? new AppError('INTERNAL_ERROR', 'An address was neither read nor refused.');
  return email;
}

interface Redeemer {
  readonly services: Services;
  readonly home: AccountHome;
  readonly client: ClientInfo;
}

/** Sets a password with the token of a mail, once. Every session ends; a waiting account is opened, as its address is proved. */
export async function resetPassword(
  { services, home, client: { address } }: Redeemer,
  body: Readonly<Record<string, unknown>>,
): Promise<void> {
  const { realm } = home;
  await pass(services, DOORS.redeem, realm, addressGroup(address));
  const password = readPassword(body['password'], 'password', home.settings.password_min_length);
  const token = await findToken(services, realm, 'reset', body['token']);
  const hash = await hashPassword(password);
  await transaction(services.pool, async (db) => {
    const spent = await execute(
      db,
      sql`delete from ${realm.tokens} where id = ${value(token.id, 'uuid')} and token_hash = ${value(token.token_hash, 'text')} and expires_at > now()`,
    );
    if (spent === 0) throw deadToken();
    const [account] = await run<{ epoch: number }>(
      db,
      sql`with proved as (delete from ${realm.tokens} where user_id = ${value(token.user_id, 'uuid')} and purpose = 'verification' returning user_id)
          update ${realm.users} set password_hash = ${value(hash, 'text')}, must_change = false, epoch = epoch + 1, updated_at = now(),
            verified_at = coalesce(verified_at, now()), active = active or exists (select from proved)
          where id = ${value(token.user_id, 'uuid')} and (active or exists (select from proved)) returning epoch`,
    );
    if (account === undefined) throw deadToken();
    await announceEpoch(db, realm, token.user_id, account.epoch);
    await cutSessions(db, realm, token.user_id);
    await audit(db, systemActor(), { app: appOf(realm), action: 'password.reset', target: token.user_id });
  });
}

/**
 * Opens an account whose address is confirmed, for whoever also knows its password: a link alone would open what a stranger
 * registered with somebody else's address.
 */
export async function verifyAddress(
  redeemer: Redeemer,
  tokens: Tokens,
  body: Readonly<Record<string, unknown>>,
): Promise<SignIn | Challenge> {
  const { services, home, client } = redeemer;
  const { realm } = home;
  await pass(services, DOORS.redeem, realm, addressGroup(client.address));
  const token = await findToken(services, realm, 'verification', body['token']);
  const [stored] = await run<{ password_hash: string | null }>(
    services.pool,
    sql`select password_hash from ${realm.users} where id = ${value(token.user_id, 'uuid')}`,
  );
  const password = typeof body['password'] === 'string' && body['password'].length <= 1_024 ? body['password'] : '';
  if (!(await verifyPassword(password, stored?.password_hash)))
    throw new AppError('UNAUTHORIZED', 'The password is not the one the account was made with.', {
      hint: 'Was it not you? Ask for a new password with POST auth/forgot.',
    });
  const account = await transaction(services.pool, async (db) => {
    const [opened] = await run<SessionAccount & { active: boolean; password_hash: null }>(
      db,
      sql`with spent as (
            delete from ${realm.tokens} where id = ${value(token.id, 'uuid')} and token_hash = ${value(token.token_hash, 'text')} and expires_at > now()
            returning user_id
          )
          update ${realm.users} u set active = true, verified_at = now(), updated_at = now() from spent
          where u.id = spent.user_id returning u.id, u.email, u.roles, u.epoch, u.must_change`,
    );
    if (opened === undefined) throw deadToken();
    await audit(db, systemActor(), { app: appOf(realm), action: 'user.verify', target: opened.id });
    return opened;
  });
  return admit(services, tokens, home, account, client);
}

interface TokenRow {
  readonly id: string;
  readonly user_id: string;
  readonly token_hash: string;
}

async function findToken(services: Services, realm: Realm, purpose: 'reset' | 'verification', given: unknown): Promise<TokenRow> {
  const wanted = parseToken(given);
  if (wanted === undefined) throw deadToken();
  const [row] = await run<TokenRow & { alive: boolean }>(
    services.pool,
    sql`select id, user_id, token_hash, expires_at > now() as alive from ${realm.tokens}
        where id = ${value(wanted.id, 'uuid')} and purpose = ${value(purpose, 'text')}`,
  );
  if (row === undefined || !row.alive || !isSameHash(row.token_hash, wanted.hash)) throw deadToken();
  return row;
}

const deadToken = (): AppError =>
  new AppError('INVALID_VALUE', 'The token is not valid, was used or has expired.', { hint: 'Ask for another mail.' });
