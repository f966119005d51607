/**
 * API keys: `dbk_…` of an app, `dbp_…` of the platform. The last six characters are a checksum, so that a typing mistake costs
 * no question to the database and a secret scanner knows one when it sees it. Stored is only the SHA-256 of the whole key; a
 * verified key is remembered like a token, so that a request costs a map lookup.
 */
import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import type pg from 'pg';
import { AppError } from '../core/errors.ts';
import type { Scopes } from '../core/policy/access.ts';
import { compileScopes } from '../core/policy/scopes.ts';
import { raw, sql, value } from '../core/sql/sql.ts';
import { digestOf } from './digest.ts';
import { execute, run } from './postgres/run.ts';
import type { Revocations } from './revocations.ts';
import { PLATFORM_REALM, type Realm } from './tokens.ts';

/** Half as long as cuts are remembered, so that no remembered key can outlive the memory of its cut. */
const REMEMBER_MS = 10 * 60_000;
const TOUCH_MS = 60_000;
const MAX_CACHED = 20_000;
const SECRET_LENGTH = 43;
const KEY = /^db[kp]_([\w-]{43})([0-9a-z]{7})$/;
const PREFIX_LENGTH = 12;

export interface VerifiedKey {
  readonly keyId: string;
  readonly name: string;
  /** The realm's key: '' for a key of the platform. */
  readonly realm: string;
  /** The account it acts as; null for a key with roles of its own. */
  readonly userId: string | null;
  readonly email: string | null;
  /** Lower case. */
  readonly roles: readonly string[];
  readonly scopes: Scopes;
}

interface Remembered {
  readonly key: VerifiedKey;
  readonly keyEpoch: number;
  readonly userEpoch: number;
  readonly until: number;
  readonly home: Realm;
  touchedAt: number;
}

export interface ApiKeys {
  /** The key, when it is one of the realm or of the platform, alive and not cut; else UNAUTHORIZED. */
  verify(text: string, realm: Realm): Promise<VerifiedKey>;
  /** The same without waiting: undefined when the key is not in memory or the feed of cuts is old. */
  recall(text: string, realm: Realm): VerifiedKey | undefined;
}

export interface NewKey {
  /** Shown once. */
  readonly text: string;
  readonly prefix: string;
  readonly hash: string;
}

const checksum = (body: string): string => crc32(body).toString(36).padStart(7, '0');

export function makeKey(realm: Realm): NewKey {
  const body = `${realm.key === '' ? 'dbp' : 'dbk'}_${randomBytes(32).toString('base64url').slice(0, SECRET_LENGTH)}`;
  const text = body + checksum(body);
  return { text, prefix: text.slice(0, PREFIX_LENGTH), hash: digestOf(text) };
}

/** True for what means to be an API key, whether it is a valid one or not. */
export const looksLikeKey = (text: string): boolean => text.startsWith('dbk_') || text.startsWith('dbp_');

const isWellFormed = (text: string): boolean => {
  const match = KEY.exec(text);
  return match !== null && checksum(text.slice(0, -7)) === match[2];
};

const refused = (message: string): AppError =>
  new AppError('UNAUTHORIZED', message, { hint: 'Make a new key with POST _admin/api-keys or auth/api-keys.' });

export function createApiKeys(pool: pg.Pool, revocations: Revocations, onError: (error: unknown) => void): ApiKeys {
  const remembered = new Map<string, Remembered>();

  const touch = (entry: Remembered, now: number): void => {
    if (now - entry.touchedAt < TOUCH_MS) return;
    entry.touchedAt = now;
    touchRow(pool, entry).catch(onError);
  };
  const isCut = ({ key, keyEpoch, userEpoch }: Remembered): boolean =>
    revocations.isCut(key.realm, key.keyId, '', keyEpoch) ||
    (key.userId !== null && revocations.isCut(key.realm, key.userId, '', userEpoch));
  // A key of the platform works in every app; one of an app nowhere else.
  const recall = (text: string, realm: Realm): VerifiedKey | undefined => {
    const entry = remembered.get(text);
    if (entry === undefined || !revocations.isFresh()) return undefined;
    if (entry.key.realm !== realm.key && entry.key.realm !== '') return undefined;
    const now = Date.now();
    if (entry.until <= now || isCut(entry)) {
      remembered.delete(text);
      return undefined;
    }
    touch(entry, now);
    return entry.key;
  };

  return {
    recall,
    async verify(text, realm) {
      const known = recall(text, realm);
      if (known !== undefined) return known;
      if (!isWellFormed(text)) throw refused('The API key is not valid: it is mistyped or cut short.');
      const home = text.startsWith('dbp_') ? PLATFORM_REALM : realm;
      const entry = home.key === '' && text.startsWith('dbk_') ? undefined : await readKey(pool, home, text);
      if (entry === undefined) throw refused('The API key is not valid here.');
      if (remembered.size >= MAX_CACHED) remembered.delete(remembered.keys().next().value ?? '');
      remembered.set(text, entry);
      touch(entry, Date.now());
      return entry.key;
    },
  };
}

interface KeyRow extends pg.QueryResultRow {
  readonly id: string;
  readonly name: string;
  readonly scopes: string[];
  readonly roles: string[];
  readonly epoch: number;
  readonly expires_at: Date | null;
  readonly last_used_at: Date | null;
  readonly user_id: string | null;
  readonly email: string | null;
  readonly user_epoch: number | null;
}

async function readKey(pool: pg.Pool, realm: Realm, text: string): Promise<Remembered | undefined> {
  const [row] = await run<KeyRow>(
    pool,
    sql`
    select k.id, k.name, k.scopes, coalesce(k.roles, u.roles) as roles, k.epoch, k.expires_at, k.last_used_at, k.user_id, u.email, u.epoch as user_epoch
    from ${realm.apiKeys} k left join ${realm.users} u on u.id = k.user_id
    where k.hash = ${value(digestOf(text), 'text')} and k.revoked_at is null and (k.expires_at is null or k.expires_at > now())
      and (k.user_id is null or u.active)`,
    { prepared: true },
  );
  if (row === undefined) return undefined;
  const key: VerifiedKey = Object.freeze({
    keyId: row.id,
    name: row.name,
    realm: realm.key,
    userId: row.user_id,
    email: row.email,
    roles: Object.freeze(row.roles.map((role) => role.toLowerCase())),
    scopes: compileScopes(row.scopes),
  });
  const until = Math.min(Date.now() + REMEMBER_MS, row.expires_at?.getTime() ?? Infinity);
  return { key, home: realm, keyEpoch: row.epoch, userEpoch: row.user_epoch ?? 0, until, touchedAt: row.last_used_at?.getTime() ?? 0 };
}

/** When the key was used last, to the minute. */
async function touchRow(pool: pg.Pool, { home, key }: Remembered): Promise<void> {
  await execute(
    pool,
    sql`
    update ${home.apiKeys} set last_used_at = now()
    where id = ${value(key.keyId, 'uuid')} and (last_used_at is null or last_used_at < now() - ${raw("interval '55 seconds'")})`,
  );
}
