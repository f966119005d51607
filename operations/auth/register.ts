/** Signing up, where an app allows it. */
import { uuidv7 } from '../../adapters/ids.ts';
import { canMail } from '../../adapters/config.ts';
import { hashPassword } from '../../adapters/passwords.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Tokens } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { addressGroup } from '../../core/address.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { systemActor, type Services } from '../context.ts';
import { queueMail } from '../mails/outbox.ts';
import { appOf, audit } from '../platform/audit.ts';
import { admit, type Challenge } from './admit.ts';
import { DOORS, pass } from './attempts.ts';
import type { AccountHome } from './home.ts';
import { newToken, VERIFICATION_LIFE } from './mail-tokens.ts';
import { readPassword } from './password.ts';
import { emailOf, noMail } from './recover.ts';
import type { ClientInfo, SignIn } from './sessions.ts';

/** Makes an account and signs it in; undefined when its address has to be confirmed first. */
export async function register(
  services: Services,
  tokens: Tokens,
  home: AccountHome,
  body: Readonly<Record<string, unknown>>,
  client: ClientInfo,
): Promise<SignIn | Challenge | undefined> {
  const { realm, settings } = home;
  if (!settings.public_signup) throw new AppError('FORBIDDEN', 'Nobody can sign up here.', { hint: 'Ask an admin for an invite.' });
  if (settings.verify_email && !canMail(services.config)) throw noMail();
  await pass(services, DOORS.register, realm, addressGroup(client.address));
  const email = emailOf(body['email']);
  const password = readPassword(body['password'], 'password', settings.password_min_length);
  const roles = settings.default_roles.map((role) => role.trim().toLowerCase());
  const account = { id: uuidv7(), email, roles, epoch: 0, must_change: false };
  const hash = await hashPassword(password);
  const isMade = await transaction(services.pool, async (db) => {
    const made = await execute(
      db,
      sql`insert into ${realm.users} (id, email, password_hash, roles, signed_up, active)
          values (${value(account.id, 'uuid')}, ${value(email, 'text')}, ${value(hash, 'text')}, ${value(roles, 'text[]')}, true, ${value(!settings.verify_email, 'boolean')})
          on conflict do nothing`,
    );
    // For a taken address the same is queued, and the worker finds nobody to write to: the answer tells nothing.
    if (settings.verify_email) await queueMail(db, services, realm, 'verification', { email });
    if (made === 0) return false;
    if (settings.verify_email) {
      const token = newToken();
      await run(
        db,
        sql`insert into ${realm.tokens} (id, user_id, purpose, token_hash, expires_at)
            values (${value(token.id, 'uuid')}, ${value(account.id, 'uuid')}, 'verification', ${value(token.hash, 'text')}, now() + ${VERIFICATION_LIFE})`,
      );
    }
    await audit(db, systemActor(), { app: appOf(realm), action: 'user.register', target: account.id });
    return true;
  });
  if (settings.verify_email) return undefined;
  if (!isMade)
    throw new AppError('CONFLICT', 'There is an account with this email already.', {
      details: [{ field: 'email', rule: 'unique', message: 'is taken' }],
      hint: 'Sign in, or ask for a new password with POST auth/forgot.',
    });
  return admit(services, tokens, home, account, client);
}
