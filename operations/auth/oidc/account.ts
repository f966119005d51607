/** Which account a provider's subject is: by an earlier link, by a proved address, or a new one. */
import type pg from 'pg';
import { uuidv7 } from '../../../adapters/ids.ts';
import type { OidcIdentity } from '../../../adapters/oidc.ts';
import { OidcError } from '../../../adapters/oidc.ts';
import { execute, run } from '../../../adapters/postgres/run.ts';
import { transaction } from '../../../adapters/postgres/transaction.ts';
import type { Realm } from '../../../adapters/tokens.ts';
import { sql, value } from '../../../core/sql/sql.ts';
import { systemActor, type Services } from '../../context.ts';
import { appOf, audit } from '../../platform/audit.ts';
import { readEmail } from '../../users/input.ts';
import { announceEpoch, cutSessions } from '../cut.ts';
import { dropFactor } from '../factors.ts';
import type { Provider } from './providers.ts';

export type RefusalReason = 'email_not_verified' | 'signup_disabled' | 'account_inactive';

/** Why somebody whom the provider knows may not come in here. Said only to whoever has proved the address. */
export class RefusedSignIn extends Error {
  override readonly name = 'RefusedSignIn';
  readonly reason: RefusalReason;
  constructor(reason: RefusalReason, message: string) {
    super(message);
    this.reason = reason;
  }
}

const inactive = (): RefusedSignIn => new RefusedSignIn('account_inactive', 'The account is not active.');

/** The account's id. */
export async function accountOf(services: Services, realm: Realm, provider: Provider, identity: OidcIdentity): Promise<string> {
  if (identity.subject.includes('\0')) throw new OidcError('invalid', new Error('a subject with NUL'));
  return transaction(services.pool, async (db) => {
    // Two first sign-ins of one subject at once: the second finds what the first made.
    await execute(
      db,
      sql`select pg_advisory_xact_lock(hashtextextended(${value(`oidc ${identity.issuer} ${identity.subject}`, 'text')}, 0))`,
    );
    const [linked] = await run<{ id: string; active: boolean }>(
      db,
      sql`with used as (
            update ${realm.oidcLinks} set used_at = now()
            where issuer = ${value(identity.issuer, 'text')} and subject = ${value(identity.subject, 'text')} returning user_id
          )
          select u.id, u.active from ${realm.users} u join used on used.user_id = u.id`,
    );
    if (linked !== undefined) {
      if (!linked.active) throw inactive();
      return linked.id;
    }
    const email = provedEmail(identity);
    const userId = (await byEmail(db, realm, email)) ?? (await signUp(db, realm, provider, email));
    await execute(
      db,
      sql`insert into ${realm.oidcLinks} (issuer, subject, user_id, provider, email)
          values (${value(identity.issuer, 'text')}, ${value(identity.subject, 'text')}, ${value(userId, 'uuid')},
            ${value(provider.name, 'text')}, ${value(email, 'text')})`,
    );
    await note(db, realm, 'oidc.link', userId, { provider: provider.name, issuer: identity.issuer });
    return userId;
  });
}

function provedEmail(identity: OidcIdentity): string {
  const email = readEmail(identity.email, 'create', () => undefined);
  if (!identity.isEmailVerified || email === undefined || email.includes('\0'))
    throw new RefusedSignIn('email_not_verified', 'The provider does not vouch for your email address.');
  return email;
}

interface Found {
  readonly id: string;
  readonly active: boolean;
  readonly is_waiting: boolean;
  readonly is_unproved: boolean;
}

async function byEmail(db: pg.PoolClient, realm: Realm, email: string): Promise<string | undefined> {
  const [found] = await run<Found>(
    db,
    sql`select u.id, u.active, u.signed_up and u.verified_at is null as is_unproved,
          exists (select from ${realm.tokens} t where t.user_id = u.id and t.purpose = 'verification') as is_waiting
        from ${realm.users} u where lower(u.email) = lower(${value(email, 'text')}) for update of u`,
  );
  if (found === undefined) return undefined;
  if (!found.active && !found.is_waiting) throw inactive();
  if (found.is_unproved || found.is_waiting) await takeOver(db, realm, found.id);
  return found.id;
}

/**
 * Somebody signed up with this address and never proved it; now its owner has come. Whoever it was loses the password, the
 * second factor, the sessions and the keys: otherwise a stranger could sign up with an address and wait for its owner.
 */
async function takeOver(db: pg.PoolClient, realm: Realm, userId: string): Promise<void> {
  const user = value(userId, 'uuid');
  await execute(db, sql`delete from ${realm.tokens} where user_id = ${user}`);
  await dropFactor(db, realm, userId);
  const keys = await run<{ id: string; epoch: number }>(
    db,
    sql`update ${realm.apiKeys} set revoked_at = now(), epoch = epoch + 1, updated_at = now()
        where user_id = ${user} and revoked_at is null returning id, epoch`,
  );
  for (const key of keys) await announceEpoch(db, realm, key.id, key.epoch);
  const [account] = await run<{ epoch: number }>(
    db,
    sql`update ${realm.users} set active = true, password_hash = null, verified_at = now(), epoch = epoch + 1, updated_at = now()
        where id = ${user} returning epoch`,
  );
  await announceEpoch(db, realm, userId, account?.epoch ?? 0);
  await cutSessions(db, realm, userId);
  await note(db, realm, 'user.verify', userId, { by: 'oidc' });
}

async function signUp(db: pg.PoolClient, realm: Realm, provider: Provider, email: string): Promise<string> {
  if (!provider.allow_signup)
    throw new RefusedSignIn('signup_disabled', 'There is no account with your email address. Ask an admin for an invite.');
  const userId = uuidv7();
  const made = await execute(
    db,
    sql`insert into ${realm.users} (id, email, password_hash, roles, active, signed_up, verified_at)
        values (${value(userId, 'uuid')}, ${value(email, 'text')}, null, ${value([...provider.default_roles], 'text[]')}, true, true, now())
        on conflict do nothing`,
  );
  if (made === 0) {
    // Made between the look and the insert: it is looked at like any other.
    const other = await byEmail(db, realm, email);
    if (other === undefined) throw inactive();
    return other;
  }
  await note(db, realm, 'user.register', userId, { provider: provider.name });
  return userId;
}

const note = (db: pg.PoolClient, realm: Realm, action: string, target: string, detail: Readonly<Record<string, unknown>>): Promise<void> =>
  audit(db, systemActor(), { app: appOf(realm), action, target, detail });
