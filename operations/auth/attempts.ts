/**
 * Limits on what can be guessed. A sign-in counts against the pair of account and address, so that whoever guesses locks out
 * only himself: five tries, then a lock of one minute that doubles to fifteen. Failures also count per address (many accounts
 * from one place) and per account (one account from many places); the latter spares addresses the account is known at.
 */
import { digestOf } from '../../adapters/digest.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { Rule } from '../../adapters/rate-limit/rule.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { addressGroup } from '../../core/address.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { systemActor, type Services } from '../context.ts';
import { appOf, audit } from '../platform/audit.ts';

const QUARTER = 15 * 60;
const PAIR: Rule = { name: 'sign-in', points: 5, seconds: QUARTER };
const LOCKS: Rule = { name: 'sign-in-locks', points: 1_000, seconds: 24 * 3600 };
const ADDRESS: Rule = { name: 'sign-in-address', points: 100, seconds: QUARTER };
const ACCOUNT: Rule = { name: 'sign-in-account', points: 50, seconds: QUARTER };
const FIRST_LOCK_SECONDS = 60;

/** Other doors of the accounts, with the figures of docs/limits.md. */
export const DOORS = {
  refresh: { name: 'refresh', points: 30, seconds: 60 },
  register: { name: 'register', points: 3, seconds: 60 },
  /** Asking for a mail: per address it is meant for, and per address it comes from. */
  mail: { name: 'mail', points: 3, seconds: 300 },
  mailFrom: { name: 'mail-from', points: 20, seconds: 300 },
  /** Redeeming the token of a mail or an invite. */
  redeem: { name: 'redeem', points: 20, seconds: 300 },
  /** Each step of a sign-in at a provider, per address. */
  oidc: { name: 'oidc', points: 60, seconds: 300 },
  /** Codes of a second factor, per account; a right one starts anew. */
  code: { name: 'code', points: 10, seconds: QUARTER },
} as const satisfies Record<string, Rule>;

/** RATE_LIMITED when this was one too many. */
export async function pass(services: Services, rule: Rule, realm: Realm, key: string): Promise<void> {
  const taken = await services.limiter.take(rule, `${realm.key}/${key}`);
  if (!taken.isAllowed) throw tooMany(taken.resetMs);
}

/** How an account stands in a counter: no address of a person is kept in the clear. */
export const keyOfEmail = (email: string): string => digestOf(email.trim().toLowerCase());

export interface Attempt {
  succeeded(): Promise<void>;
  failed(): Promise<void>;
}

/** Counts one try at a password before it is checked, so that many at once are no way around; RATE_LIMITED when locked. */
export async function tryPassword(services: Services, realm: Realm, email: string, address: string | null): Promise<Attempt> {
  const { limiter } = services;
  const from = `${realm.key}/${addressGroup(address)}`;
  const account = `${realm.key}/${keyOfEmail(email)}`;
  const pair = `${account}/${addressGroup(address)}`;
  const [own, fromAddress, onAccount] = await Promise.all([
    limiter.take(PAIR, pair),
    limiter.look(ADDRESS, from),
    limiter.look(ACCOUNT, account),
  ]);
  if (!own.isAllowed) throw tooMany(own.count === PAIR.points + 1 ? await lock(services, realm, pair) : own.resetMs);
  if (!fromAddress.isAllowed) throw tooMany(fromAddress.resetMs);
  if (!onAccount.isAllowed && !(await isKnownAt(services, realm, email, address))) throw tooMany(onAccount.resetMs);
  return {
    succeeded: async () => {
      await Promise.all([limiter.forget(PAIR, pair), limiter.forget(LOCKS, pair)]);
    },
    failed: async () => {
      await Promise.all([limiter.take(ADDRESS, from), limiter.take(ACCOUNT, account)]);
    },
  };
}

/** Each lock within a day is twice as long as the one before. Answers its length. */
async function lock(services: Services, realm: Realm, pair: string): Promise<number> {
  const { count } = await services.limiter.take(LOCKS, pair);
  const seconds = Math.min(QUARTER, FIRST_LOCK_SECONDS * 2 ** (count - 1));
  await services.limiter.block(PAIR, pair, seconds);
  await audit(services.pool, systemActor(), {
    app: appOf(realm),
    action: 'auth.locked',
    target: null,
    detail: { failures: PAIR.points, seconds, account: pair.slice(realm.key.length + 1).split('/')[0], address: pair.split('/').at(-1) },
  });
  return seconds * 1_000;
}

/** True when the account has been signed in from this address before, as far as its sessions tell. */
async function isKnownAt(services: Services, realm: Realm, email: string, address: string | null): Promise<boolean> {
  const [row] = await run<{ known: boolean }>(
    services.pool,
    sql`
    select exists (
      select from ${realm.users} u join ${realm.sessions} s on s.user_id = u.id
      where lower(u.email) = lower(${value(email.trim(), 'text')}) and s.address = ${value(address, 'text')}) as known`,
  );
  return row?.known === true;
}

const tooMany = (resetMs: number): AppError =>
  new AppError('RATE_LIMITED', 'Too many tries.', { hint: 'Wait, then try again.', retryAfter: resetMs / 1_000 });
