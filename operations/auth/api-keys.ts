/**
 * API keys of a realm. An admin sees and makes all of them; an account its own, which act as the account. Every change raises
 * the key's epoch and is announced, so that no process goes on with a remembered copy.
 */
import { makeKey } from '../../adapters/api-keys.ts';
import { uuidv7 } from '../../adapters/ids.ts';
import { run, runText, type Db } from '../../adapters/postgres/run.ts';
import { transaction } from '../../adapters/postgres/transaction.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { AppError } from '../../core/errors.ts';
import { changedKey, newKey, newKeyOfAdmin, type NewKey } from '../../core/payloads/api-key.ts';
import { and, id as identifier, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import type { Actor, Services } from '../context.ts';
import { checkParameters, readPage } from '../paging.ts';
import { invalidDescribed, readDescribed } from '../payload.ts';
import { appOf, audit } from '../platform/audit.ts';
import { announceEpoch } from './cut.ts';

export interface KeyScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly realm: Realm;
  /** Only the keys of this account; undefined: all of the realm, for its admins. */
  readonly owner: string | undefined;
}

const MAX_KEYS_OF_ACCOUNT = 50;
const MAX_PER_PAGE = 100;

const WHAT = 'an API key';
const invalid = (field: string, message: string): AppError => invalidDescribed(WHAT, field, message);

const keyJson = (alias: string): Sql => {
  const column = (name: string): Sql => identifier(alias, name);
  return sql`json_build_object(
    'id', ${column('id')}, 'name', ${column('name')}, 'prefix', ${column('prefix')}, 'scopes', ${column('scopes')},
    'roles', ${column('roles')}, 'user_id', ${column('user_id')}, 'expires_at', ${column('expires_at')},
    'revoked', ${column('revoked_at')} is not null, 'revoked_at', ${column('revoked_at')}, 'last_used_at', ${column('last_used_at')},
    'created_by', ${column('created_by')}, 'created_at', ${column('created_at')}, 'updated_at', ${column('updated_at')})`;
};

const ofOwner = (scope: KeyScope): Sql[] => (scope.owner === undefined ? [] : [sql`k.user_id = ${value(scope.owner, 'uuid')}`]);

/** The JSON of `{data, meta}`, newest first. */
export async function listKeys(scope: KeyScope, query: URLSearchParams): Promise<string> {
  checkParameters(query, ['page', 'per_page']);
  const { page, perPage, offset } = readPage(query, MAX_PER_PAGE);
  const where = and([sql`true`, ...ofOwner(scope)]);
  const text = await runText(
    scope.services.pool,
    sql`
    with found as (
      select * from ${scope.realm.apiKeys} k where ${where} order by id desc
      limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}
    )
    select json_build_object('data', coalesce((select json_agg(${keyJson('found')} order by id desc) from found), '[]'::json),
      'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')},
        'total', (select count(*) from ${scope.realm.apiKeys} k where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}

export async function getKey(scope: KeyScope, keyId: string): Promise<string> {
  const text = isUuid(keyId)
    ? await runText(
        scope.services.pool,
        sql`select ${keyJson('k')}::text from ${scope.realm.apiKeys} k where ${and([sql`k.id = ${value(keyId, 'uuid')}`, ...ofOwner(scope)])}`,
      )
    : null;
  if (text === null) throw noSuchKey();
  return text;
}

const noSuchKey = (): AppError => new AppError('NOT_FOUND', 'There is no such API key.');

/** The JSON of the new key, with `key`: its text, shown this once. */
export async function createKey(scope: KeyScope, body: unknown): Promise<string> {
  const input = readDescribed<NewKey>(scope.owner === undefined ? newKeyOfAdmin : newKey, body, WHAT);
  const expiresAt = futureOf(scope, input.expires_at);
  const target = await targetOf(scope, input);
  const made = makeKey(scope.realm);
  const keyId = uuidv7();
  return transaction(scope.services.pool, async (client) => {
    if (target.userId !== null) await lockOwner(client, scope, target.userId);
    const text = await runText(
      client,
      sql`
      insert into ${scope.realm.apiKeys} as k (id, name, prefix, hash, scopes, roles, user_id, expires_at, created_by)
      values (${value(keyId, 'uuid')}, ${value(input.name, 'text')}, ${value(made.prefix, 'text')}, ${value(made.hash, 'text')},
        ${value(input.scopes, 'text[]')}, ${value(target.roles, 'text[]')}, ${value(target.userId, 'uuid')},
        ${value(expiresAt, 'timestamptz')}, ${value(creatorOf(scope), 'uuid')})
      returning ${keyJson('k')}::text`,
    );
    await note(client, scope, 'create', keyId, { name: input.name, scopes: input.scopes, roles: target.roles, user_id: target.userId });
    return withKey(text, made.text);
  });
}

const withKey = (json: string | null, key: string): string => `{"key":${JSON.stringify(key)},${(json ?? '{}').slice(1)}`;

const creatorOf = ({ actor }: KeyScope): string | null => (actor.id !== null && isUuid(actor.id) ? actor.id : null);

function futureOf({ services }: KeyScope, given: string | null | undefined): string | null {
  if (given === undefined || given === null) return null;
  if (new Date(given).getTime() <= services.clock().getTime()) throw invalid('expires_at', '"expires_at" must be in the future.');
  return given;
}

interface Target {
  readonly roles: string[] | null;
  readonly userId: string | null;
}

/** Without roles or an account named, a key can do what its maker can. */
async function targetOf(scope: KeyScope, input: Pick<NewKey, 'roles' | 'user_id'>): Promise<Target> {
  if (scope.owner !== undefined) return { roles: null, userId: scope.owner };
  if (input.roles !== undefined && input.user_id !== undefined)
    throw invalid('user_id', 'A key has "roles" of its own or acts as "user_id", not both.');
  if (input.roles !== undefined) return { roles: [...new Set(input.roles)], userId: null };
  const userId = input.user_id ?? scope.actor.id;
  const isHere = userId !== null && isUuid(userId) && (await hasAccount(scope, userId));
  if (isHere) return { roles: null, userId };
  if (input.user_id !== undefined) throw invalid('user_id', 'There is no such user.');
  return { roles: ['admin'], userId: null };
}

async function hasAccount({ services, realm }: KeyScope, userId: string): Promise<boolean> {
  const [row] = await run<{ found: boolean }>(
    services.pool,
    sql`select exists (select from ${realm.users} where id = ${value(userId, 'uuid')}) as found`,
  );
  return row?.found === true;
}

/** One account makes its keys one after the other, so that the number of them can be bounded. */
async function lockOwner(client: Db, { realm }: KeyScope, userId: string): Promise<void> {
  await run(client, sql`select from ${realm.users} where id = ${value(userId, 'uuid')} for no key update`);
  const [row] = await run<{ count: number }>(
    client,
    sql`
    select count(*)::int as count from ${realm.apiKeys}
    where user_id = ${value(userId, 'uuid')} and revoked_at is null and (expires_at is null or expires_at > now())`,
  );
  if ((row?.count ?? 0) >= MAX_KEYS_OF_ACCOUNT)
    throw new AppError('CONFLICT', `An account has at most ${MAX_KEYS_OF_ACCOUNT} keys in use.`, {
      hint: 'Revoke one that is not needed.',
    });
}

/** Changes name, scopes or expiry; the key itself stays. */
export async function updateKey(scope: KeyScope, keyId: string, body: unknown): Promise<string> {
  const input = readDescribed(changedKey, body, WHAT);
  const set: Sql[] = [];
  if (input.name !== undefined) set.push(sql`name = ${value(input.name, 'text')}`);
  if (input.scopes !== undefined) set.push(sql`scopes = ${value(input.scopes, 'text[]')}`);
  if (input.expires_at !== undefined) set.push(sql`expires_at = ${value(futureOf(scope, input.expires_at), 'timestamptz')}`);
  return changeKey(scope, keyId, 'update', set, { changed: Object.keys(input) });
}

/** The key is dead: here at once, in other processes within two seconds. The row stays, so that the record of its use can be read. */
export const revokeKey = (scope: KeyScope, keyId: string): Promise<string> =>
  changeKey(scope, keyId, 'revoke', [sql`revoked_at = coalesce(k.revoked_at, now())`]);

/** A new text for the same key; the old one is dead. */
export async function rotateKey(scope: KeyScope, keyId: string): Promise<string> {
  const made = makeKey(scope.realm);
  const set = [sql`hash = ${value(made.hash, 'text')}`, sql`prefix = ${value(made.prefix, 'text')}`, sql`last_used_at = null`];
  return withKey(await changeKey(scope, keyId, 'rotate', set), made.text);
}

type Verb = 'create' | 'update' | 'revoke' | 'rotate';

async function changeKey(
  scope: KeyScope,
  keyId: string,
  verb: Exclude<Verb, 'create'>,
  set: readonly Sql[],
  detail: Readonly<Record<string, unknown>> = {},
): Promise<string> {
  if (!isUuid(keyId)) throw noSuchKey();
  return transaction(scope.services.pool, async (client) => {
    const [row] = await run<{ epoch: number; text: string }>(
      client,
      sql`
      update ${scope.realm.apiKeys} k set ${join([sql`updated_at = now()`, sql`epoch = k.epoch + 1`, ...set])}
      where ${and([sql`k.id = ${value(keyId, 'uuid')}`, ...ofOwner(scope), ...(verb === 'revoke' ? [] : [raw('k.revoked_at is null')])])}
      returning k.epoch, ${keyJson('k')}::text as text`,
    );
    if (row === undefined) {
      await getKey(scope, keyId);
      throw new AppError('CONFLICT', 'This API key is revoked and cannot be changed.', { hint: 'Make a new one.' });
    }
    await announceEpoch(client, scope.realm, keyId, row.epoch);
    await note(client, scope, verb, keyId, detail);
    return row.text;
  });
}

const note = (db: Db, scope: KeyScope, verb: Verb, keyId: string, detail: Readonly<Record<string, unknown>>): Promise<void> =>
  audit(db, scope.actor, { app: appOf(scope.realm), action: `api_key.${verb}`, target: keyId, detail });
