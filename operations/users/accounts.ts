/**
 * The accounts of one realm: an app's users, or the platform's. Changes of password, roles or activity raise the account's
 * epoch, so that tokens made before are refused within seconds; the last active admin cannot be lost.
 */
import type pg from 'pg';
import { uuidv7 } from '../../adapters/ids.ts';
import { hashPassword } from '../../adapters/passwords.ts';
import { execute, run, runText, sqlState } from '../../adapters/postgres/run.ts';
import type { Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { isUuid } from '../../core/model/fields/uuid.ts';
import { and, empty, id as identifier, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { announceEpoch } from '../auth/cut.ts';
import { dropTokens } from '../auth/mail-tokens.ts';
import type { Actor, Services } from '../context.ts';
import { writeOnce, type Once } from '../once.ts';
import { checkParameters, readPage } from '../paging.ts';
import { appOf, audit } from '../platform/audit.ts';
import { readAccount, type AccountInput } from './input.ts';
import { findManager, hasManagers, managerJson } from './manager.ts';

/** Whose accounts, and who is asking: always an admin of the realm. */
export interface AccountScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly realm: Realm;
  /** With an Idempotency-Key. */
  readonly once?: Once | undefined;
}

const SORTABLE = ['email', 'active', 'created_at', 'updated_at', 'id'];
const MAX_PER_PAGE = 100;
const FILTERS = ['email', 'role', 'roles', 'active', 'id', 'id.in'].map((name) => `filter[${name}]`);
const PARAMETERS = ['page', 'per_page', 'sort', 'q', ...FILTERS];

const accountJson = (realm: Realm, alias: string): Sql => sql`json_build_object(
  'id', ${identifier(alias, 'id')}, 'email', ${identifier(alias, 'email')}, 'roles', ${identifier(alias, 'roles')},
  'active', ${identifier(alias, 'active')}, ${managerJson(realm, alias)} 'must_change', ${identifier(alias, 'must_change')},
  'created_at', ${identifier(alias, 'created_at')}, 'updated_at', ${identifier(alias, 'updated_at')})`;

/** The JSON of `{data, meta}`: `q` looks in the email, `filter[role]` and `filter[active]` narrow. */
export async function listAccounts(scope: AccountScope, query: URLSearchParams): Promise<string> {
  checkParameters(query, PARAMETERS);
  const { page, perPage, offset } = readPage(query, MAX_PER_PAGE);
  const where = and(conditionsOf(query));
  const text = await runText(
    scope.services.pool,
    sql`
    with found as (
      select * from ${scope.realm.users} u where ${where} order by ${orderOf(query.get('sort'))}, id
      limit ${value(perPage, 'integer')} offset ${value(offset, 'bigint')}
    )
    select json_build_object(
      'data', coalesce((select json_agg(${accountJson(scope.realm, 'found')} order by ${orderOf(query.get('sort'))}, id) from found), '[]'::json),
      'meta', json_build_object('page', ${value(page, 'integer')}, 'per_page', ${value(perPage, 'integer')},
        'total', (select count(*) from ${scope.realm.users} u where ${where})))::text`,
  );
  return text ?? '{"data":[]}';
}

function conditionsOf(query: URLSearchParams): Sql[] {
  const conditions: Sql[] = [];
  const search = query.get('q');
  if (search !== null && search !== '') conditions.push(sql`position(lower(${value(search, 'text')}) in lower(u.email)) > 0`);
  const email = query.get('filter[email]');
  if (email !== null) conditions.push(sql`lower(u.email) = lower(${value(email, 'text')})`);
  const role = query.get('filter[role]') ?? query.get('filter[roles]');
  if (role !== null) conditions.push(sql`${value(role.toLowerCase(), 'text')} = any(u.roles)`);
  const active = query.get('filter[active]');
  if (active !== null) {
    if (active !== 'true' && active !== 'false')
      throw new AppError('INVALID_VALUE', '"filter[active]" must be true or false.', {
        details: [{ field: 'filter[active]', rule: 'type', message: 'must be true or false' }],
      });
    conditions.push(sql`u.active = ${value(active === 'true', 'boolean')}`);
  }
  const ids = query.get('filter[id]') ?? query.get('filter[id.in]');
  if (ids !== null)
    conditions.push(
      sql`u.id = any(${value(
        ids.split(',').filter((one) => isUuid(one)),
        'uuid[]',
      )})`,
    );
  return conditions;
}

function orderOf(sort: string | null): Sql {
  const [field, direction] = sort === null ? ['created_at', ''] : sort.startsWith('-') ? [sort.slice(1), 'desc'] : sort.split(':');
  if (field === undefined || !SORTABLE.includes(field)) {
    throw new AppError('UNKNOWN_FIELD', `Users cannot be sorted by "${field ?? ''}".`, { hint: `Use one of ${SORTABLE.join(', ')}.` });
  }
  return sql`${identifier(field)} ${direction?.toLowerCase() === 'desc' ? raw('desc') : raw('asc')}`;
}

/** The JSON of one account. */
export async function getAccount(scope: AccountScope, userId: string): Promise<string> {
  const text = isUuid(userId)
    ? await runText(
        scope.services.pool,
        sql`select ${accountJson(scope.realm, 'u')}::text from ${scope.realm.users} u where id = ${value(userId, 'uuid')}`,
      )
    : null;
  if (text === null) throw noSuchUser(userId);
  return text;
}

export async function createAccount(scope: AccountScope, body: unknown): Promise<{ id: string; text: string }> {
  const input = readAccount(body, 'create', hasManagers(scope.realm));
  const hash = input.passwordHash ?? (await hashPassword(input.password ?? ''));
  const userId = uuidv7();
  return translateTaken(input.email, () =>
    writeOnce(scope, async (client) => {
      const manager =
        input.manager === undefined ? undefined : value(await findManager(client, scope.realm, input.manager, userId), 'uuid');
      const text = await runText(
        client,
        sql`
      insert into ${scope.realm.users} as u (id, email, password_hash, roles, active${manager === undefined ? empty : sql`, manager`})
      values (${join([
        value(userId, 'uuid'),
        value(input.email, 'text'),
        value(hash, 'text'),
        value([...(input.roles ?? [])], 'text[]'),
        value(input.active ?? true, 'boolean'),
        ...(manager === undefined ? [] : [manager]),
      ])})
      returning ${accountJson(scope.realm, 'u')}::text`,
      );
      await audit(client, scope.actor, {
        app: appOf(scope.realm),
        action: 'user.create',
        target: userId,
        detail: { roles: input.roles ?? [] },
      });
      return { id: userId, text: text ?? '' };
    }),
  );
}

/** Changes what is given and nothing else. */
export async function updateAccount(scope: AccountScope, userId: string, body: unknown): Promise<string> {
  const input = readAccount(body, 'update', hasManagers(scope.realm));
  const hash = input.passwordHash ?? (input.password === undefined ? undefined : await hashPassword(input.password));
  return translateTaken(input.email, () =>
    writeOnce(scope, async (client) => {
      const before = await lockAccount(client, scope, userId);
      const stays = (input.active ?? before.active) && (input.roles ?? before.roles).includes('admin');
      if (isActiveAdmin(before) && !stays) await refuseLastAdmin(client, scope, userId);
      const isCut = hash !== undefined || hasOtherRoles(input, before) || (input.active === false && before.active);
      const epoch = before.epoch + (isCut ? 1 : 0);
      const manager = input.manager === undefined ? undefined : await findManager(client, scope.realm, input.manager, userId);
      const text = await runText(
        client,
        sql`
      update ${scope.realm.users} as u set ${join(assignmentsOf({ ...input, manager }, hash, epoch))} where id = ${value(userId, 'uuid')}
      returning ${accountJson(scope.realm, 'u')}::text`,
      );
      // Whoever an admin opened or closed is not opened by a mail any more.
      if (input.active !== undefined) await dropTokens(client, scope.realm, userId, 'verification');
      if (hash !== undefined) await dropTokens(client, scope.realm, userId, 'reset');
      if (isCut) await announceEpoch(client, scope.realm, userId, epoch);
      if (hash !== undefined || input.active === false) await endSessions(client, scope, userId);
      const detail = { changed: Object.keys(input), ...(input.roles === undefined ? {} : { roles: input.roles }) };
      await audit(client, scope.actor, { app: appOf(scope.realm), action: 'user.update', target: userId, detail });
      return text ?? '';
    }),
  );
}

export async function deleteAccount(scope: AccountScope, userId: string): Promise<{ id: string }> {
  return writeOnce(scope, async (client) => {
    const before = await lockAccount(client, scope, userId);
    if (isActiveAdmin(before)) await refuseLastAdmin(client, scope, userId);
    await execute(client, sql`delete from ${scope.realm.users} where id = ${value(userId, 'uuid')}`);
    await announceEpoch(client, scope.realm, userId, before.epoch + 1);
    await audit(client, scope.actor, { app: appOf(scope.realm), action: 'user.delete', target: userId });
    return { id: userId };
  });
}

interface Account {
  readonly roles: string[];
  readonly active: boolean;
  readonly epoch: number;
}

/** Every active admin's row is locked too, in one order, so that two admins cannot remove each other at the same moment. */
async function lockAccount(client: pg.PoolClient, scope: AccountScope, userId: string): Promise<Account> {
  if (!isUuid(userId)) throw noSuchUser(userId);
  const rows = await run<Account & { id: string } & pg.QueryResultRow>(
    client,
    sql`
    select id, roles, active, epoch from ${scope.realm.users}
    where id = ${value(userId, 'uuid')} or (active and 'admin' = any(roles)) order by id for update`,
  );
  const account = rows.find((row) => row.id === userId.toLowerCase());
  if (account === undefined) throw noSuchUser(userId);
  return account;
}

async function refuseLastAdmin(client: pg.PoolClient, scope: AccountScope, userId: string): Promise<void> {
  const [row] = await run<{ others: boolean }>(
    client,
    sql`
    select exists (select from ${scope.realm.users} where active and 'admin' = any(roles) and id <> ${value(userId, 'uuid')}) as others`,
  );
  if (row?.others === true) return;
  throw new AppError('CONFLICT', 'The last active admin cannot be removed, demoted or deactivated.', {
    hint: 'Make another user an admin first.',
  });
}

async function endSessions(client: pg.PoolClient, scope: AccountScope, userId: string): Promise<void> {
  await execute(
    client,
    sql`
    update ${scope.realm.sessions} set revoked_at = now() where user_id = ${value(userId, 'uuid')} and revoked_at is null`,
  );
}

type Assigned = Omit<AccountInput, 'manager'> & { readonly manager: string | null | undefined };

function assignmentsOf(input: Assigned, hash: string | undefined, epoch: number): Sql[] {
  const set = [sql`updated_at = now()`, sql`epoch = ${value(epoch, 'integer')}`];
  if (input.email !== undefined) set.push(sql`email = ${value(input.email, 'text')}`);
  if (hash !== undefined) set.push(sql`password_hash = ${value(hash, 'text')}`, sql`must_change = false`);
  if (input.roles !== undefined) set.push(sql`roles = ${value([...input.roles], 'text[]')}`);
  if (input.active !== undefined) set.push(sql`active = ${value(input.active, 'boolean')}`);
  if (input.manager !== undefined) set.push(sql`manager = ${value(input.manager, 'uuid')}`);
  return set;
}

const isActiveAdmin = (account: Account): boolean => account.active && account.roles.includes('admin');

const hasOtherRoles = (input: AccountInput, before: Account): boolean =>
  input.roles !== undefined && [...input.roles].sort().join('\n') !== [...before.roles].sort().join('\n');

const noSuchUser = (userId: string): AppError => new AppError('NOT_FOUND', `There is no user "${userId.slice(0, 100)}".`);

async function translateTaken<T>(email: string | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', `There is a user with the email "${email ?? ''}" already.`, {
      details: [{ field: 'email', rule: 'unique', message: 'is taken' }],
      cause: error,
    });
  }
}
