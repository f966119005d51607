/** Changing one's own password. */
import { hashPassword, verifyPassword } from '../../adapters/passwords.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import { AppError } from '../../core/errors.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { appOf, audit } from '../platform/audit.ts';
import { tryPassword } from './attempts.ts';
import { cutSessions } from './cut.ts';
import { dropTokens } from './mail-tokens.ts';
import type { SessionScope } from './own-sessions.ts';

export const DEFAULT_MIN_LENGTH = 8;
const MAX_LENGTH = 1_024;

/** A password people choose for themselves; VALIDATION_FAILED when it may not be one. */
export function readPassword(given: unknown, field: string, minLength = DEFAULT_MIN_LENGTH): string {
  const fail = (rule: string, message: string): AppError =>
    new AppError('VALIDATION_FAILED', 'The password is not valid.', { details: [{ field, rule, message }] });
  if (given === undefined || given === null || given === '') throw fail('required', `"${field}" is required.`);
  if (typeof given !== 'string' || given.length > MAX_LENGTH) throw fail('type', `"${field}" must be text of at most 1,024 characters.`);
  if ([...given].length < minLength) throw fail('min_length', `"${field}" must have at least ${minLength} characters.`);
  return given;
}

export interface PasswordChange {
  readonly current: unknown;
  readonly next: unknown;
  readonly minLength: number | undefined;
  readonly address: string | null;
}

/** A new password for the caller. Every other session of the account ends; the caller's goes on. */
export async function changePassword(scope: SessionScope, change: PasswordChange): Promise<{ readonly ended: number }> {
  const { services, realm, userId, actor } = scope;
  const next = readPassword(change.next, 'new', change.minLength);
  const stored = await provePassword(scope, change.current, change.address);
  const hash = await hashPassword(next);
  return transaction(services.pool, async (client) => {
    const changed = await execute(
      client,
      sql`update ${realm.users} set password_hash = ${value(hash, 'text')}, must_change = false, updated_at = now()
          where id = ${value(userId, 'uuid')} and password_hash = ${value(stored, 'text')} and active`,
    );
    if (changed === 0) throw new AppError('CONFLICT', 'The password was changed by somebody else meanwhile.', { hint: 'Try again.' });
    const ended = await cutSessions(client, realm, userId, actor.sessionId);
    await dropTokens(client, realm, userId, 'reset');
    await execute(client, sql`delete from ${realm.challenges} where user_id = ${value(userId, 'uuid')}`);
    await audit(client, actor, { app: appOf(realm), action: 'password.change', target: userId, detail: { ended } });
    return { ended };
  });
}

/** UNAUTHORIZED unless this is the caller's password; guesses count. Answers the hash it was checked against. */
export async function provePassword(scope: SessionScope, given: unknown, address: string | null): Promise<string | null> {
  const { services, realm, userId, actor } = scope;
  const password = typeof given === 'string' && given.length <= MAX_LENGTH ? given : '';
  const attempt = await tryPassword(services, realm, actor.email ?? userId, address);
  const stored = await storedHash(scope);
  if (!(await verifyPassword(password, stored))) {
    await attempt.failed();
    throw new AppError('UNAUTHORIZED', 'The current password is not right.');
  }
  await attempt.succeeded();
  return stored;
}

async function storedHash(scope: SessionScope): Promise<string | null> {
  const [row] = await run<{ password_hash: string | null }>(
    scope.services.pool,
    sql`select password_hash from ${scope.realm.users} where id = ${value(scope.userId, 'uuid')} and active`,
  );
  return row?.password_hash ?? null;
}
