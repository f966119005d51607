/**
 * Signing in and staying signed in. A session is one refresh family: each use of the refresh token replaces it, and the use of
 * a replaced one ends the whole family, because then somebody holds a copy.
 */
import { randomBytes } from 'node:crypto';
import { digestOf } from '../../adapters/digest.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { ACCESS_SECONDS, type Realm, type Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { raw, sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { DOORS, pass } from './attempts.ts';
import { cutSession } from './cut.ts';
import { isSameHash, splitToken } from './mail-tokens.ts';
import { factorState, requiresFactor } from './factors.ts';
import type { AccountHome } from './home.ts';

const REFRESH_LIFE = raw("interval '7 days'");
/** Replaced tokens that are still recognised as such; a refresh every 15 minutes for a week makes 672. */
const REMEMBERED_TOKENS = 700;

export interface SignIn {
  readonly access_token: string;
  readonly refresh_token: string;
  readonly token_type: 'Bearer';
  readonly expires_in: number;
  readonly user: SignedInUser;
}

export interface SignedInUser {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
  /** True while the account has the published development password. */
  readonly must_change: boolean;
}

export interface ClientInfo {
  readonly userAgent: string | null;
  readonly address: string | null;
}

export interface AccountRow {
  readonly id: string;
  readonly email: string;
  readonly password_hash: string | null;
  readonly roles: string[];
  readonly active: boolean;
  readonly epoch: number;
  readonly must_change: boolean;
}

/** What a session is opened for. */
export type SessionAccount = Omit<AccountRow, 'password_hash' | 'active'>;

/** A new session of an account that has proved who it is. */
export async function openSession(
  services: Services,
  tokens: Tokens,
  realm: Realm,
  account: SessionAccount,
  client: ClientInfo,
): Promise<SignIn> {
  const sessionId = uuidv7();
  const secret = randomBytes(32).toString('base64url');
  await execute(
    services.pool,
    sql`
    with ended as (delete from ${realm.sessions} where user_id = ${value(account.id, 'uuid')} and expires_at < now())
    insert into ${realm.sessions} (id, user_id, refresh_hash, expires_at, user_agent, address)
    values (${value(sessionId, 'uuid')}, ${value(account.id, 'uuid')}, ${value(digestOf(secret), 'text')}, now() + ${REFRESH_LIFE},
      ${value(client.userAgent?.slice(0, 500) ?? null, 'text')}, ${value(client.address, 'text')})`,
    { prepared: true },
  );
  return signIn(tokens, realm, account, sessionId, secret);
}

/**
 * A new pair for the refresh token; the one given is dead from now on. The new token is derived from the old one, so that two
 * that race with the same get the same, and the session does not fork.
 */
export async function refresh(services: Services, tokens: Tokens, home: AccountHome, refreshToken: unknown): Promise<SignIn> {
  const { realm } = home;
  const given = parseRefreshToken(refreshToken);
  if (given === undefined) throw new AppError('UNAUTHORIZED', 'The refresh token is not valid.', { hint: 'Sign in again.' });
  await pass(services, DOORS.refresh, realm, given.sessionId);
  const secret = successorOf(services, given);
  const [account] = await run<AccountRow>(
    services.pool,
    sql`
    with rotated as (
      update ${realm.sessions} set
        refresh_hash = ${value(digestOf(secret), 'text')}, used_at = now(), expires_at = now() + ${REFRESH_LIFE},
        previous_hashes = (array_prepend(refresh_hash, previous_hashes))[1:${value(REMEMBERED_TOKENS, 'integer')}]
      where id = ${value(given.sessionId, 'uuid')} and refresh_hash = ${value(digestOf(given.secret), 'text')}
        and revoked_at is null and expires_at > now()
      returning user_id
    )
    select u.id, u.email, u.roles, u.active, u.epoch, u.must_change, null::text as password_hash
    from ${realm.users} u join rotated on rotated.user_id = u.id`,
    { prepared: true },
  );
  if (account === undefined) {
    const twin = await twinOf(services, realm, given, secret);
    if (twin !== undefined) return signIn(tokens, realm, twin, given.sessionId, secret);
    await endIfReused(services, realm, given);
    throw new AppError('UNAUTHORIZED', 'The refresh token is not valid any more.', { hint: 'Sign in again.' });
  }
  if (requiresFactor(home, account.roles) && !(await factorState(services.pool, realm, account.id)).enabled) {
    await cutSession(services.pool, realm, given.sessionId);
    throw new AppError('UNAUTHORIZED', 'The account needs a second factor now.', { hint: 'Sign in again to set it up.' });
  }
  if (!account.active) {
    await cutSession(services.pool, realm, given.sessionId);
    throw new AppError('UNAUTHORIZED', 'The account is not active.', { hint: 'Ask an admin of the app.' });
  }
  return signIn(tokens, realm, account, given.sessionId, secret);
}

/** Ends the session of the refresh token. A token that is unknown or already dead is not an error: the caller is signed out. */
export async function logout(services: Services, realm: Realm, refreshToken: unknown): Promise<void> {
  const given = parseRefreshToken(refreshToken);
  if (given === undefined) return;
  const hash = value(digestOf(given.secret), 'text');
  const [session] = await run<{ id: string }>(
    services.pool,
    sql`
    select id from ${realm.sessions} where id = ${value(given.sessionId, 'uuid')}
      and (refresh_hash = ${hash} or ${hash} = any(previous_hashes))`,
  );
  if (session !== undefined) await cutSession(services.pool, realm, session.id);
}

/** The account behind a verified token, as it is now. */
export async function me(services: Services, realm: Realm, userId: string): Promise<SignedInUser> {
  const [account] = await run<AccountRow>(
    services.pool,
    sql`
    select id, email, roles, must_change from ${realm.users} where id = ${value(userId, 'uuid')} and active`,
    { prepared: true },
  );
  if (account === undefined) throw new AppError('UNAUTHORIZED', 'The account is not active.');
  return userOf(account);
}

/** A token replaced this recently was sent twice by one client (two tabs, a lost answer), not by a thief. */
const TWIN_GRACE = raw("interval '10 seconds'");

/** The account of a session whose token of now is the one this request would have made: its twin was faster. */
async function twinOf(services: Services, realm: Realm, given: RefreshToken, successor: string): Promise<AccountRow | undefined> {
  const [account] = await run<AccountRow>(
    services.pool,
    sql`
    select u.id, u.email, u.roles, u.active, u.epoch, u.must_change, null::text as password_hash
    from ${realm.users} u join ${realm.sessions} s on s.user_id = u.id
    where s.id = ${value(given.sessionId, 'uuid')} and s.refresh_hash = ${value(digestOf(successor), 'text')}
      and s.revoked_at is null and s.expires_at > now() and s.used_at > now() - ${TWIN_GRACE} and u.active`,
  );
  return account;
}

/** Somebody used a replaced token: whoever holds the newer one may be a thief, so the family ends. */
async function endIfReused(services: Services, realm: Realm, given: RefreshToken): Promise<void> {
  const [session] = await run<{ previous_hashes: string[] }>(
    services.pool,
    sql`
    select previous_hashes from ${realm.sessions} where id = ${value(given.sessionId, 'uuid')} and revoked_at is null`,
  );
  const wanted = digestOf(given.secret);
  const isReused = session?.previous_hashes.some((hash) => isSameHash(hash, wanted));
  if (isReused !== true) return;
  services.log.warn({ realm: realm.key, session: given.sessionId }, 'a replaced refresh token was used again: the session is ended');
  await cutSession(services.pool, realm, given.sessionId);
}

async function signIn(tokens: Tokens, realm: Realm, account: SessionAccount, sessionId: string, secret: string): Promise<SignIn> {
  const roles = account.roles.map((role) => role.toLowerCase());
  const subject = { userId: account.id, email: account.email, roles, sessionId, epoch: account.epoch };
  return {
    access_token: await tokens.issue(realm, subject),
    refresh_token: `${sessionId}.${secret}`,
    token_type: 'Bearer',
    expires_in: ACCESS_SECONDS,
    user: userOf(account),
  };
}

const userOf = (account: SessionAccount): SignedInUser => ({
  id: account.id,
  email: account.email,
  roles: account.roles.map((role) => role.toLowerCase()),
  must_change: account.must_change,
});

interface RefreshToken {
  readonly sessionId: string;
  readonly secret: string;
}

/** Only a holder of SECRET_KEY can tell the next token from this one. */
const successorOf = (services: Services, given: RefreshToken): string =>
  services.keyring.derive(`${given.sessionId}.${given.secret}`, 'refresh');

function parseRefreshToken(token: unknown): RefreshToken | undefined {
  const parts = splitToken(token);
  return parts === undefined ? undefined : { sessionId: parts.id, secret: parts.secret };
}
