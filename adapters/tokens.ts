/**
 * Access tokens: JWTs, a signing key per realm; ES256, or HS256 where an app's settings say so. A *realm* is a set of accounts: the platform's, or one app's. A verified
 * token is remembered until it ends, so that a request costs a map lookup and not a signature check.
 */
import { compactVerify, decodeProtectedHeader, exportJWK, generateKeyPair, importJWK, SignJWT, type CryptoKey, type JWK } from 'jose';
import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import type pg from 'pg';
import { AppError } from '../core/errors.ts';
import { id, raw, sql, value, type Sql } from '../core/sql/sql.ts';
import type { Keyring } from './keys.ts';
import { execute, run, type Db } from './postgres/run.ts';
import { transaction } from './postgres/transaction.ts';
import type { Revocations } from './revocations.ts';

export const ACCESS_SECONDS = 900;
const ISSUER = 'durabase';
const MAX_CACHED = 20_000;
const MAX_TOKEN_LENGTH = 8_192;

export type Algorithm = 'ES256' | 'HS256';

/** Where the accounts of the platform or of one app are. `key` is the app's id, or '' for the platform. */
export interface Realm {
  readonly key: string;
  /** What its access tokens are signed with from now on. */
  readonly algorithm: Algorithm;
  readonly users: Sql;
  readonly sessions: Sql;
  readonly invites: Sql;
  /** One-time tokens of mails. */
  readonly tokens: Sql;
  readonly apiKeys: Sql;
  readonly authProviders: Sql;
  /** Which subject of which issuer is which account. */
  readonly oidcLinks: Sql;
  /** Sign-ins under way at a provider, and their codes. */
  readonly oidcLogins: Sql;
  /** Second factors, and sign-ins that wait for one. */
  readonly factors: Sql;
  readonly challenges: Sql;
}

export const PLATFORM_REALM: Realm = {
  key: '',
  algorithm: 'ES256',
  users: raw('durabase.platform_users'),
  sessions: raw('durabase.platform_sessions'),
  invites: raw('durabase.platform_invites'),
  tokens: raw('durabase.platform_tokens'),
  apiKeys: raw('durabase.platform_api_keys'),
  authProviders: raw('durabase.platform_auth_providers'),
  oidcLinks: raw('durabase.platform_oidc_links'),
  oidcLogins: raw('durabase.platform_oidc_logins'),
  factors: raw('durabase.platform_factors'),
  challenges: raw('durabase.platform_challenges'),
};

export const appRealm = (app: { readonly id: string; readonly storage: string }, algorithm: Algorithm = 'ES256'): Realm => ({
  key: app.id,
  algorithm,
  users: id(app.storage, '_users'),
  sessions: id(app.storage, '_sessions'),
  invites: id(app.storage, '_invites'),
  tokens: id(app.storage, '_tokens'),
  apiKeys: id(app.storage, '_api_keys'),
  authProviders: id(app.storage, '_auth_providers'),
  oidcLinks: id(app.storage, '_oidc_links'),
  oidcLogins: id(app.storage, '_oidc_logins'),
  factors: id(app.storage, '_factors'),
  challenges: id(app.storage, '_challenges'),
});

export interface TokenSubject {
  readonly userId: string;
  readonly email: string;
  readonly roles: readonly string[];
  readonly sessionId: string;
  /** The account's epoch when the token was made; a raised one cuts it. */
  readonly epoch: number;
}

export interface VerifiedToken extends TokenSubject {
  /** The realm's key: '' for a platform token. */
  readonly realm: string;
  /** The signing key it was made with. */
  readonly kid: string;
  readonly expiresAt: number;
}

export interface Tokens {
  issue(realm: Realm, subject: TokenSubject): Promise<string>;
  /** The token's subject, when it is the realm's or the platform's, alive and not cut; else UNAUTHORIZED. */
  verify(token: string, realm: Realm): Promise<VerifiedToken>;
  /** The same without waiting: undefined when the token is not in memory or the feed of cuts is old. */
  recall(token: string, realm: Realm): VerifiedToken | undefined;
  jwks(realm: Realm): Promise<{ keys: JWK[] }>;
  /** The realm's keys are read again when they are needed: for the process that replaced one. */
  forgetKeys(realm: Realm): void;
}

export interface TokenDependencies {
  readonly pool: pg.Pool;
  readonly keyring: Keyring;
  readonly revocations: Revocations;
}

const unauthorized = (message: string): AppError =>
  new AppError('UNAUTHORIZED', message, { hint: 'Sign in again, or refresh the access token.' });

export function createTokens({ pool, keyring, revocations }: TokenDependencies): Tokens {
  const keys = createKeyStore(pool, keyring, revocations);
  const verified = new Map<string, VerifiedToken>();

  const remember = (token: string, subject: VerifiedToken): void => {
    if (verified.size >= MAX_CACHED) {
      const oldest = verified.keys().next().value;
      if (oldest !== undefined) verified.delete(oldest);
    }
    verified.set(token, subject);
  };
  const isCut = ({ realm, userId, sessionId, epoch, kid }: VerifiedToken): boolean =>
    revocations.isCut(realm, userId, sessionId, epoch) || revocations.isKeyCut(kid);
  const recall = (token: string, realm: Realm): VerifiedToken | undefined => {
    const subject = verified.get(token);
    if (subject === undefined) return undefined;
    if (subject.expiresAt <= Date.now()) {
      verified.delete(token);
      return undefined;
    }
    if (!revocations.isFresh() || (subject.realm !== realm.key && subject.realm !== '')) return undefined;
    return isCut(subject) ? undefined : subject;
  };

  return {
    recall,
    async issue(realm, subject) {
      const key = await keys.signer(realm);
      return new SignJWT({
        roles: [...subject.roles],
        email: subject.email,
        app: realmName(realm.key),
        sid: subject.sessionId,
        epoch: subject.epoch,
      })
        .setProtectedHeader({ alg: key.algorithm, kid: key.kid, typ: 'JWT' })
        .setSubject(subject.userId)
        .setIssuer(ISSUER)
        .setAudience(realmName(realm.key))
        .setIssuedAt()
        .setExpirationTime(`${ACCESS_SECONDS}s`)
        .sign(key.secret);
    },
    async verify(token, realm) {
      const known = recall(token, realm);
      if (known !== undefined) return known;
      const subject = await readToken(token, realm, keys);
      if (revocations.isFresh()) {
        if (isCut(subject)) throw unauthorized('The session has ended.');
      } else await askDatabase(pool, subject.realm === '' ? PLATFORM_REALM : realm, subject);
      remember(token, subject);
      return subject;
    },
    jwks: (realm) => keys.publicSet(realm.key),
    forgetKeys: (realm) => keys.forget(realm.key),
  };
}

const realmName = (key: string): string => (key === '' ? '_platform' : key);

/**
 * Checks signature, issuer, audience and times. The kid only chooses among the keys of this realm and of the platform, and the
 * key alone says with which algorithm its signatures are checked: what the token says of it must be the same.
 */
async function readToken(token: string, realm: Realm, keys: KeyStore): Promise<VerifiedToken> {
  if (token.length > MAX_TOKEN_LENGTH) throw unauthorized('The access token is not valid.');
  let kid: string | undefined;
  let algorithm: string | undefined;
  try {
    ({ kid, alg: algorithm } = decodeProtectedHeader(token));
  } catch {
    throw unauthorized('The access token is not valid.');
  }
  const key =
    typeof kid !== 'string'
      ? undefined
      : ((await keys.verifier(realm.key, kid)) ?? (realm.key === '' ? undefined : await keys.verifier('', kid)));
  if (key === undefined || algorithm !== key.algorithm) throw unauthorized('The access token is not valid here.');
  const material = keys.verifyingHalf(key);
  let claims: Record<string, unknown>;
  try {
    const { payload } = await compactVerify(token, material, { algorithms: [key.algorithm] });
    claims = JSON.parse(new TextDecoder().decode(payload)) as Record<string, unknown>;
  } catch {
    throw unauthorized('The access token is not valid.');
  }
  return subjectOf(claims, key);
}

function subjectOf(claims: Record<string, unknown>, { realm, kid }: Verifier): VerifiedToken {
  const { sub, email, roles, sid, epoch, exp, aud, iss } = claims;
  const isWhole =
    typeof sub === 'string' &&
    typeof email === 'string' &&
    Array.isArray(roles) &&
    typeof sid === 'string' &&
    typeof epoch === 'number' &&
    typeof exp === 'number' &&
    iss === ISSUER &&
    aud === realmName(realm);
  if (!isWhole) throw unauthorized('The access token is not valid.');
  if (exp * 1000 <= Date.now()) throw unauthorized('The access token has expired.');
  return { userId: sub, email, roles: roles.map(String), sessionId: sid, epoch, realm, kid, expiresAt: exp * 1000 };
}

/** The feed of cuts is old: the account and its session are read for this one request. */
async function askDatabase(pool: pg.Pool, realm: Realm, subject: VerifiedToken): Promise<void> {
  const rows = await run<{ ok: boolean }>(
    pool,
    sql`
    select u.active and u.epoch = ${value(subject.epoch, 'integer')} and s.revoked_at is null
      and exists (select from durabase.signing_keys k where k.kid = ${value(subject.kid, 'text')} and k.revoked_at is null) as ok
    from ${realm.users} u join ${realm.sessions} s on s.user_id = u.id
    where u.id = ${value(subject.userId, 'uuid')} and s.id = ${value(subject.sessionId, 'uuid')}`,
    { prepared: true },
  );
  if (rows[0]?.ok !== true) throw unauthorized('The session has ended.');
}

interface Verifier {
  readonly kid: string;
  readonly realm: string;
  readonly algorithm: Algorithm;
  /** Undefined with HS256, which has no public half. */
  readonly publicHalf: { readonly key: CryptoKey; readonly jwk: JWK } | undefined;
  readonly sealed: Buffer;
}

interface KeyStore {
  signer(realm: Realm): Promise<{ kid: string; algorithm: Algorithm; secret: CryptoKey | KeyObject }>;
  verifier(realm: string, kid: string): Promise<Verifier | undefined>;
  verifyingHalf(key: Verifier): CryptoKey | KeyObject;
  publicSet(realm: string): Promise<{ keys: JWK[] }>;
  forget(realm: string): void;
}

/** After this long a replaced key signs nowhere any more. */
const SIGNER_MS = 5_000;
/** How old the published keys may be. */
const RELOAD_MS = 2_000;
const MAX_REALMS = 5_000;

/** The keys of each realm as last read. The first signature of a realm makes its key. */
function createKeyStore(pool: pg.Pool, keyring: Keyring, revocations: Revocations): KeyStore {
  const realms = new Map<string, { at: number; keys: Promise<readonly Verifier[]> }>();
  const signers = new Map<string, CryptoKey>();
  const secrets = new Map<string, KeyObject>();

  const load = (realm: string, maxAgeMs: number): Promise<readonly Verifier[]> => {
    const known = realms.get(realm);
    if (known !== undefined && Date.now() - known.at < maxAgeMs) return known.keys;
    if (realms.size >= MAX_REALMS) realms.clear();
    const keys = readKeys(pool, realm);
    realms.set(realm, { at: Date.now(), keys });
    keys.catch(() => realms.delete(realm));
    return keys;
  };
  // A kid made a moment ago by another process must be found at once, and a stranger's random kids may not cost a question
  // each: all who ask while one is under way share the next.
  const waiting = new Map<string, Promise<readonly Verifier[]>>();
  const loadAgain = (realm: string): Promise<readonly Verifier[]> => {
    let next = waiting.get(realm);
    if (next === undefined) {
      const current = realms.get(realm)?.keys ?? Promise.resolve([]);
      next = current
        .catch(() => [])
        .then(() => {
          waiting.delete(realm);
          return load(realm, 0);
        });
      waiting.set(realm, next);
    }
    return next;
  };
  const openSecret = (key: Verifier): KeyObject => {
    let secret = secrets.get(key.kid);
    if (secret === undefined) {
      if (secrets.size >= MAX_REALMS) secrets.clear();
      secrets.set(key.kid, (secret = createSecretKey(keyring.open(key.sealed, signingPurpose(key.kid)))));
    }
    return secret;
  };
  const openPrivate = async (key: Verifier): Promise<CryptoKey> => {
    let privateKey = signers.get(key.kid);
    if (privateKey === undefined) {
      const jwk = JSON.parse(keyring.open(key.sealed, signingPurpose(key.kid)).toString('utf8')) as JWK;
      privateKey = (await importJWK(jwk, 'ES256')) as CryptoKey;
      signers.set(key.kid, privateKey);
    }
    return privateKey;
  };

  return {
    async verifier(realm, kid) {
      const find = (keys: readonly Verifier[]): Verifier | undefined => keys.find((key) => key.kid === kid);
      return find(await load(realm, Infinity)) ?? find(await loadAgain(realm));
    },
    async signer({ key: realm, algorithm }) {
      const isGood = (key: Verifier | undefined): boolean =>
        key !== undefined && key.algorithm === algorithm && !revocations.isKeyCut(key.kid);
      let [key] = await load(realm, SIGNER_MS);
      if (!isGood(key)) [key] = await loadAgain(realm);
      if (!isGood(key)) {
        await transaction(pool, (db) => changeSigningKey(db, keyring, realm, algorithm));
        [key] = await load(realm, 0);
      }
      if (key === undefined) throw new AppError('INTERNAL_ERROR', 'The signing key could not be made.');
      return { kid: key.kid, algorithm: key.algorithm, secret: key.publicHalf === undefined ? openSecret(key) : await openPrivate(key) };
    },
    verifyingHalf: (key) => key.publicHalf?.key ?? openSecret(key),
    forget: (realm) => void realms.delete(realm),
    publicSet: async (realm) => ({ keys: (await load(realm, RELOAD_MS)).flatMap((key) => key.publicHalf?.jwk ?? []) }),
  };
}

async function readKeys(pool: pg.Pool, realm: string): Promise<Verifier[]> {
  const rows = await run<{ kid: string; algorithm: Algorithm; public_jwk: JWK | null; sealed_private: Buffer }>(
    pool,
    sql`
    select kid, algorithm, public_jwk, sealed_private from durabase.signing_keys
    where app = ${value(realm, 'text')} and revoked_at is null and (retired_at is null or retired_at > now() - interval '1 hour')
    order by retired_at nulls first, created_at desc`,
  );
  return Promise.all(
    rows.map(async (row) => ({
      kid: row.kid,
      realm,
      algorithm: row.algorithm,
      publicHalf:
        row.public_jwk === null ? undefined : { jwk: row.public_jwk, key: (await importJWK(row.public_jwk, 'ES256')) as CryptoKey },
      sealed: row.sealed_private,
    })),
  );
}

const signingPurpose = (kid: string): string => `signing-key/${kid}`;

interface NewSigningKey {
  readonly kid: string;
  readonly algorithm: Algorithm;
  readonly publicJwk: JWK | null;
  readonly sealed: Buffer;
}

async function makeSigningKey(keyring: Keyring, algorithm: Algorithm): Promise<NewSigningKey> {
  const kid = randomBytes(12).toString('base64url');
  if (algorithm === 'HS256') return { kid, algorithm, publicJwk: null, sealed: keyring.seal(randomBytes(32), signingPurpose(kid)) };
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  return { kid, algorithm, publicJwk, sealed: keyring.seal(Buffer.from(JSON.stringify(await exportJWK(privateKey))), signingPurpose(kid)) };
}

const insertKey = (realm: string, { kid, algorithm, publicJwk, sealed }: NewSigningKey): Sql => sql`
  insert into durabase.signing_keys (kid, app, algorithm, public_jwk, sealed_private)
  select ${value(kid, 'text')}, ${value(realm, 'text')}, ${value(algorithm, 'text')},
    ${value(publicJwk === null ? null : JSON.stringify(publicJwk), 'jsonb')}, ${value(sealed)}
  where not exists (select from durabase.signing_keys where app = ${value(realm, 'text')} and retired_at is null)`;

/** Makes the realm's signing key when it has none yet; safe to repeat and to race. */
export async function createSigningKey(pool: pg.Pool, keyring: Keyring, realm: string): Promise<void> {
  await execute(pool, insertKey(realm, await makeSigningKey(keyring, 'ES256')));
}

const lockKeys = (db: Db, realm: string): Promise<unknown> =>
  execute(db, sql`select pg_advisory_xact_lock(hashtextextended('durabase.signing_keys/' || ${value(realm, 'text')}, 0))`);

/** A key of this algorithm signs from now on, if none does; what another signed is good until it ends. Safe to repeat and to race. */
async function changeSigningKey(db: Db, keyring: Keyring, realm: string, algorithm: Algorithm): Promise<void> {
  await lockKeys(db, realm);
  await execute(
    db,
    sql`update durabase.signing_keys set retired_at = now()
        where app = ${value(realm, 'text')} and retired_at is null and algorithm <> ${value(algorithm, 'text')}`,
  );
  await execute(db, insertKey(realm, await makeSigningKey(keyring, algorithm)));
}

/** A new key signs from now on. With `isCut`, what the old ones signed is refused everywhere within seconds; else until it ends. */
export async function replaceSigningKey(
  db: pg.PoolClient,
  keyring: Keyring,
  { key: realm, algorithm }: Realm,
  options: { readonly isCut: boolean },
): Promise<{ readonly kid: string; readonly retired: readonly string[] }> {
  const made = await makeSigningKey(keyring, algorithm);
  const ofRealm = value(realm, 'text');
  await lockKeys(db, realm);
  const retired = await run<{ kid: string }>(
    db,
    sql`
    update durabase.signing_keys set retired_at = coalesce(retired_at, now()), revoked_at = case when ${value(options.isCut, 'boolean')} then now() end
    where app = ${ofRealm} and revoked_at is null and (retired_at is null or ${value(options.isCut, 'boolean')}) returning kid`,
  );
  await execute(db, insertKey(realm, made));
  const kids = retired.map((row) => row.kid);
  if (options.isCut)
    await execute(db, sql`insert into durabase.revocations (app, kid) select ${ofRealm}, unnest(${value(kids, 'text[]')})`);
  return { kid: made.kid, retired: kids };
}
