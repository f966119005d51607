/**
 * The last door of every sign-in. Whoever has proved the first factor is let in, or gets a token that is good for one thing:
 * to send a code, or to set up the second factor that the app asks for.
 */
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Realm, Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { systemActor, type Services } from '../context.ts';
import { appOf, audit } from '../platform/audit.ts';
import { DOORS, pass } from './attempts.ts';
import { factorState, requiresFactor, spendCode, type FactorOwner } from './factors.ts';
import type { AccountHome } from './home.ts';
import { isSameHash, newToken, parseToken } from './mail-tokens.ts';
import { openSession, type ClientInfo, type SessionAccount, type SignIn } from './sessions.ts';

const SECONDS = { code: 300, enrol: 900 } as const;
/** Wrong codes after which the token is dead. */
const MAX_TRIES = 5;

export type ChallengeKind = keyof typeof SECONDS;

/** What a sign-in answers in place of tokens. */
export type Challenge = { readonly mfa_token: string; readonly expires_in: number } & (
  { readonly mfa_required: true } | { readonly mfa_enrol_required: true }
);

/** An account that may prove more with a token, until the token ends. */
export interface Challenged {
  readonly challengeId: string;
  readonly account: SessionAccount;
}

/** Tokens, or what is still asked of an account that has proved its first factor. */
export async function admit(
  services: Services,
  tokens: Tokens,
  home: AccountHome,
  account: SessionAccount,
  client: ClientInfo,
): Promise<SignIn | Challenge> {
  const { enabled } = await factorState(services.pool, home.realm, account.id);
  if (enabled) return { mfa_required: true, ...(await open(services, home.realm, account, 'code')) };
  if (requiresFactor(home, account.roles)) return { mfa_enrol_required: true, ...(await open(services, home.realm, account, 'enrol')) };
  return openSession(services, tokens, home.realm, account, client);
}

async function open(
  services: Services,
  realm: Realm,
  account: SessionAccount,
  kind: ChallengeKind,
): Promise<{ readonly mfa_token: string; readonly expires_in: number }> {
  const token = newToken();
  const now = services.clock();
  const expires = new Date(now.getTime() + SECONDS[kind] * 1_000);
  await execute(
    services.pool,
    sql`with ended as (
          delete from ${realm.challenges} where user_id = ${value(account.id, 'uuid')} and expires_at <= ${value(now, 'timestamptz')}
        )
        insert into ${realm.challenges} (id, user_id, kind, token_hash, epoch, expires_at)
        values (${value(token.id, 'uuid')}, ${value(account.id, 'uuid')}, ${value(kind, 'text')}, ${value(token.hash, 'text')},
          ${value(account.epoch, 'integer')}, ${value(expires, 'timestamptz')})`,
  );
  return { mfa_token: token.text, expires_in: SECONDS[kind] };
}

/** The account that waits behind a token of this kind; UNAUTHORIZED when none does any more. */
export async function findChallenge(services: Services, realm: Realm, kind: ChallengeKind, given: unknown): Promise<Challenged> {
  const wanted = parseToken(given);
  if (wanted === undefined) throw deadToken();
  const [row] = await run<SessionAccount & { token_hash: string }>(
    services.pool,
    sql`select c.token_hash, u.id, u.email, u.roles, u.epoch, u.must_change
        from ${realm.challenges} c join ${realm.users} u on u.id = c.user_id and u.epoch = c.epoch and u.active
        where c.id = ${value(wanted.id, 'uuid')} and c.kind = ${value(kind, 'text')} and c.tries < ${value(MAX_TRIES, 'integer')}
          and c.expires_at > ${value(services.clock(), 'timestamptz')}`,
  );
  if (row === undefined || !isSameHash(row.token_hash, wanted.hash)) throw deadToken();
  const { token_hash: _, ...account } = row;
  return { challengeId: wanted.id, account };
}

/** Signs in with a code of the second factor, or a recovery code, and the token of the first half. */
export async function loginWithCode(
  services: Services,
  tokens: Tokens,
  realm: Realm,
  input: { readonly token: unknown; readonly code: unknown },
  client: ClientInfo,
): Promise<SignIn> {
  const challenged = await findChallenge(services, realm, 'code', input.token);
  const owner: FactorOwner = { services, realm, userId: challenged.account.id };
  await redeem(owner, challenged, async (db) => {
    const kind = await spendCode(db, owner, input.code);
    if (kind === 'recovery') await audit(db, systemActor(), { app: appOf(realm), action: 'totp.recovery', target: owner.userId });
    return kind;
  });
  return openSession(services, tokens, realm, challenged.account, client);
}

/** Spends a token on one right code. Each try counts before the code is looked at, so that many at once are no way around. */
export async function redeem<T>(owner: FactorOwner, { challengeId }: Challenged, take: (db: Db) => Promise<T | undefined>): Promise<T> {
  const { services, realm, userId } = owner;
  await pass(services, DOORS.code, realm, userId);
  const [counted] = await run<{ tries: number }>(
    services.pool,
    sql`update ${realm.challenges} set tries = tries + 1
        where id = ${value(challengeId, 'uuid')} and tries < ${value(MAX_TRIES, 'integer')} returning tries`,
  );
  if (counted === undefined) throw deadToken();
  const taken = await transaction(services.pool, async (db) => {
    const result = await take(db);
    if (result === undefined) return undefined;
    const spent = await execute(db, sql`delete from ${realm.challenges} where id = ${value(challengeId, 'uuid')}`);
    if (spent === 0) throw deadToken();
    return result;
  });
  if (taken === undefined) {
    if (counted.tries === MAX_TRIES) await tellOfGuessing(owner);
    throw wrongCode();
  }
  await services.limiter.forget(DOORS.code, `${realm.key}/${userId}`);
  return taken;
}

/** Whoever sends wrong codes knows the password already. */
async function tellOfGuessing({ services, realm, userId }: FactorOwner): Promise<void> {
  await audit(services.pool, systemActor(), {
    app: appOf(realm),
    action: 'totp.refused',
    target: userId,
    detail: { wrong_codes: MAX_TRIES },
  });
}

export const wrongCode = (): AppError =>
  new AppError('UNAUTHORIZED', 'The code is not right, or was used before.', {
    hint: 'Send the six digits your authenticator app shows now, or a recovery code.',
  });

const deadToken = (): AppError =>
  new AppError('UNAUTHORIZED', 'The mfa_token is not valid, was used or has expired.', { hint: 'Sign in again.' });
