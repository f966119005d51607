/** Signing in with email and password. */
import { hashPassword, isForeignHash, verifyPassword } from '../../adapters/passwords.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import type { Realm, Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import type { Services } from '../context.ts';
import { admit, type Challenge } from './admit.ts';
import { tryPassword } from './attempts.ts';
import type { AccountHome } from './home.ts';
import { payInFull } from './refusal.ts';
import type { AccountRow, ClientInfo, SignIn } from './sessions.ts';

/** One answer for every reason, after the same time: nobody learns which accounts exist. */
const refused = (): AppError => new AppError('UNAUTHORIZED', 'The email or the password is not right.');

/** Checks email and password; tokens, or what is asked for besides. */
export async function login(
  services: Services,
  tokens: Tokens,
  home: AccountHome,
  input: unknown,
  client: ClientInfo,
): Promise<SignIn | Challenge> {
  const { realm } = home;
  const { email, password } = (typeof input === 'object' && input !== null ? input : {}) as { email?: unknown; password?: unknown };
  const isGiven =
    typeof email === 'string' && typeof password === 'string' && email.length <= 320 && password.length <= 1_024 && !email.includes('\0');
  if (!isGiven) throw refused();
  const attempt = await tryPassword(services, realm, email, client.address);
  const [account] = await run<AccountRow>(
    services.pool,
    sql`
    select id, email, password_hash, roles, active, epoch, must_change
    from ${realm.users} where lower(email) = lower(${value(email.trim(), 'text')})`,
    { prepared: true },
  );
  const isRight = await verifyPassword(password, account?.password_hash);
  if (account === undefined || !isRight || !account.active) {
    await payInFull(services, realm, password, account?.password_hash);
    await attempt.failed();
    throw refused();
  }
  await attempt.succeeded();
  if (isForeignHash(account.password_hash)) await replaceHash(services, realm, account, password);
  if (account.must_change && !services.config.isDevelopment) {
    services.log.warn({ realm: realm.key }, 'refused a sign-in with the published development password');
    await payInFull(services, realm, password, account.password_hash);
    throw refused();
  }
  return admit(services, tokens, home, account, client);
}

/** A hash of another product verified once is replaced by ours; a password changed meanwhile stands. */
async function replaceHash(services: Services, realm: Realm, account: AccountRow, password: string): Promise<void> {
  const hash = await hashPassword(password);
  await execute(
    services.pool,
    sql`
    update ${realm.users} set password_hash = ${value(hash, 'text')}
    where id = ${value(account.id, 'uuid')} and password_hash = ${value(account.password_hash, 'text')}`,
  );
}
