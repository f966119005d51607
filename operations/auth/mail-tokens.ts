/** Tokens that come by mail or with an invite: an id that finds the row, and a secret of which only the hash is kept. */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import { digestOf } from '../../adapters/digest.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { execute, run, type Db } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { raw, sql, value } from '../../core/sql/sql.ts';

export interface OneTimeToken {
  readonly id: string;
  readonly hash: string;
  readonly text: string;
}

export function newToken(): OneTimeToken {
  const [id, secret] = [uuidv7(), randomBytes(32).toString('base64url')];
  return { id, hash: digestOf(secret), text: `${id}.${secret}` };
}

const TOKEN = /^([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\.([\w-]{43})$/;

/** The two parts of such a token; undefined for what none looks like. */
export function splitToken(given: unknown): { readonly id: string; readonly secret: string } | undefined {
  const match = typeof given === 'string' ? TOKEN.exec(given) : null;
  return match === null ? undefined : { id: match[1] ?? '', secret: match[2] ?? '' };
}

/** Undefined for what no token looks like. */
export function parseToken(given: unknown): Omit<OneTimeToken, 'text'> | undefined {
  const parts = splitToken(given);
  return parts === undefined ? undefined : { id: parts.id, hash: digestOf(parts.secret) };
}

export const isSameHash = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

const RESET_LIFE = raw("interval '1 hour'");
export const VERIFICATION_LIFE = raw("interval '24 hours'");

/** A token to set a password with, in place of an earlier one; undefined when nobody here has the address. */
export async function openResetToken(db: Db, realm: Realm, email: string): Promise<string | undefined> {
  const token = newToken();
  const rows = await run(
    db,
    sql`insert into ${realm.tokens} (id, user_id, purpose, token_hash, expires_at)
        select ${value(token.id, 'uuid')}, u.id, 'reset', ${value(token.hash, 'text')}, now() + ${RESET_LIFE}
        from ${realm.users} u where lower(u.email) = lower(${value(email, 'text')})
          and (u.active or exists (select from ${realm.tokens} t where t.user_id = u.id and t.purpose = 'verification'))
        on conflict (user_id, purpose) do update set id = excluded.id, token_hash = excluded.token_hash, expires_at = excluded.expires_at
        returning id`,
  );
  return rows.length === 0 ? undefined : token.text;
}

/** A fresh token for an account that waits for its address to be confirmed; undefined when none does. */
export async function renewVerificationToken(db: Db, realm: Realm, email: string): Promise<string | undefined> {
  const token = newToken();
  const rows = await run(
    db,
    sql`update ${realm.tokens} t set id = ${value(token.id, 'uuid')}, token_hash = ${value(token.hash, 'text')}, expires_at = now() + ${VERIFICATION_LIFE}
        from ${realm.users} u
        where t.user_id = u.id and t.purpose = 'verification' and lower(u.email) = lower(${value(email, 'text')}) and not u.active
        returning t.id`,
  );
  return rows.length === 0 ? undefined : token.text;
}

/** Links of this purpose that are under way are dead. */
export async function dropTokens(db: Db, realm: Realm, userId: string, purpose: 'reset' | 'verification'): Promise<void> {
  await execute(db, sql`delete from ${realm.tokens} where user_id = ${value(userId, 'uuid')} and purpose = ${value(purpose, 'text')}`);
}
