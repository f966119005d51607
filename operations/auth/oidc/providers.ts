/** The OpenID Connect providers of a realm: records that its admins keep; the client's secret is written and never read back. */
import type { z } from 'zod';
import { uuidv7 } from '../../../adapters/ids.ts';
import { isLoopback } from '../../../adapters/config.ts';
import { OidcError, type IssuerFacts, type Oidc, type OidcClient } from '../../../adapters/oidc.ts';
import { run, runText, sqlState, type Db } from '../../../adapters/postgres/run.ts';
import { transaction } from '../../../adapters/postgres/transaction.ts';
import type { Realm } from '../../../adapters/tokens.ts';
import { AppError } from '../../../core/errors.ts';
import { changedProvider, checkedIssuer, newProvider } from '../../../core/payloads/provider.ts';
import { id as identifier, join, sql, value, type Sql } from '../../../core/sql/sql.ts';
import type { Actor, Services } from '../../context.ts';
import { invalidDescribed, readDescribed } from '../../payload.ts';
import { appOf, audit } from '../../platform/audit.ts';
import type { AccountHome } from '../home.ts';

export interface ProviderScope {
  readonly services: Services;
  readonly actor: Actor;
  readonly realm: Realm;
  /** The realm's part of addresses. */
  readonly name: string;
}

export interface Provider {
  readonly id: string;
  readonly name: string;
  readonly issuer: string;
  readonly client_id: string;
  readonly sealed_secret: Buffer | null;
  readonly scopes: readonly string[];
  readonly default_roles: readonly string[];
  readonly allow_signup: boolean;
  readonly version: number;
}

const MAX_PROVIDERS = 50;
type Change = z.infer<typeof changedProvider>;

const WHAT = 'a provider';
const invalid = (field: string, message: string): AppError => invalidDescribed(WHAT, field, message);

const PROVIDER_JSON = sql`json_build_object('id', p.id, 'name', p.name, 'display_name', p.display_name, 'issuer', p.issuer,
  'client_id', p.client_id, 'has_secret', p.sealed_secret is not null, 'scopes', p.scopes, 'default_roles', p.default_roles,
  'allow_signup', p.allow_signup, 'active', p.active, 'created_at', p.created_at, 'updated_at', p.updated_at)`;

/** The JSON of `{data, meta}`, by name; `meta.callback` is the redirect address that a provider is told, with `{name}` in it. */
export const listProviders = async ({ services, realm, name }: ProviderScope): Promise<string> => {
  const data = await runText(
    services.pool,
    sql`select coalesce(json_agg(${PROVIDER_JSON} order by p.name), '[]'::json)::text from ${realm.authProviders} p`,
  );
  return `{"data":${data ?? '[]'},"meta":${JSON.stringify({ callback: `${oidcBase(services, { name })}/{name}/callback` })}}`;
};

export type IssuerCheck =
  | { readonly answers: true; readonly problem: null; readonly facts: IssuerFacts }
  | { readonly answers: false; readonly problem: 'unavailable' | 'invalid'; readonly facts: null };

/** Asks an issuer what it says of itself, before anybody signs in with it. What it answers wrongly is not shown: it may be any server. */
export async function checkIssuer(scope: ProviderScope, oidc: Oidc, body: unknown): Promise<IssuerCheck> {
  const input = readDescribed(checkedIssuer, body, WHAT);
  await check(scope, input);
  try {
    return { answers: true, problem: null, facts: await oidc.inspect(input.issuer) };
  } catch (error) {
    if (!(error instanceof OidcError)) throw error;
    return { answers: false, problem: error.kind === 'unavailable' ? 'unavailable' : 'invalid', facts: null };
  }
}

/** What the page to sign in at shows to everybody. */
export const publicProviders = async (services: Services, realm: Realm): Promise<string> =>
  (await runText(
    services.pool,
    sql`select coalesce(json_agg(json_build_object('name', p.name, 'display_name', coalesce(p.display_name, p.name)) order by p.name), '[]'::json)::text
        from ${realm.authProviders} p where p.active`,
  )) ?? '[]';

export async function getProvider({ services, realm }: ProviderScope, name: string): Promise<string> {
  const text = await runText(
    services.pool,
    sql`select ${PROVIDER_JSON}::text from ${realm.authProviders} p where p.name = ${value(name, 'text')}`,
  );
  if (text === null) throw noSuchProvider();
  return text;
}

const noSuchProvider = (): AppError => new AppError('NOT_FOUND', 'There is no such sign-in provider.');

export async function createProvider(scope: ProviderScope, body: unknown): Promise<string> {
  const input = readDescribed(newProvider, body, WHAT);
  await check(scope, input);
  const providerId = uuidv7();
  try {
    return await transaction(scope.services.pool, async (db) => {
      const text = await runText(
        db,
        sql`
        insert into ${scope.realm.authProviders} as p
          (id, name, display_name, issuer, client_id, sealed_secret, scopes, default_roles, allow_signup, active)
        select ${value(providerId, 'uuid')}, ${value(input.name, 'text')}, ${value(input.display_name, 'text')}, ${value(input.issuer, 'text')},
          ${value(input.client_id, 'text')}, ${value(sealed(scope, providerId, input.client_secret))}, ${value(input.scopes, 'text[]')},
          ${value(input.default_roles, 'text[]')}, ${value(input.allow_signup, 'boolean')}, ${value(input.active, 'boolean')}
        where (select count(*) from ${scope.realm.authProviders}) < ${value(MAX_PROVIDERS, 'integer')}
        returning ${PROVIDER_JSON}::text`,
      );
      if (text === null) throw new AppError('CONFLICT', `There are at most ${MAX_PROVIDERS} sign-in providers.`);
      await note(db, scope, 'create', input.name, { issuer: input.issuer, allow_signup: input.allow_signup });
      return text;
    });
  } catch (error) {
    if (sqlState(error) !== '23505') throw error;
    throw new AppError('CONFLICT', `There is a provider "${input.name}" already.`, {
      details: [{ field: 'name', rule: 'unique', message: 'is taken' }],
    });
  }
}

/** Changes what is given; a name stays, because the provider knows it as part of the redirect address. */
export async function updateProvider(scope: ProviderScope, name: string, body: unknown): Promise<string> {
  const input = readDescribed(changedProvider, body, WHAT);
  await check(scope, input);
  return transaction(scope.services.pool, async (db) => {
    const [stored] = await run<{ id: string }>(
      db,
      sql`select id from ${scope.realm.authProviders} where name = ${value(name, 'text')} for update`,
    );
    if (stored === undefined) throw noSuchProvider();
    const text = await runText(
      db,
      sql`update ${scope.realm.authProviders} p set ${join([sql`updated_at = now()`, sql`version = p.version + 1`, ...assignments(scope, stored.id, input)])}
          where p.id = ${value(stored.id, 'uuid')} returning ${PROVIDER_JSON}::text`,
    );
    await note(db, scope, 'update', name, { changed: Object.keys(input) });
    return text ?? '{}';
  });
}

function assignments(scope: ProviderScope, providerId: string, input: Change): Sql[] {
  const { client_secret: secret, scopes, default_roles: roles, ...plain } = input;
  const set = Object.entries(plain).map(
    ([column, given]) => sql`${identifier(column)} = ${value(given, typeof given === 'boolean' ? 'boolean' : 'text')}`,
  );
  if (secret !== undefined) set.push(sql`sealed_secret = ${value(sealed(scope, providerId, secret))}`);
  if (scopes !== undefined) set.push(sql`scopes = ${value(scopes, 'text[]')}`);
  if (roles !== undefined) set.push(sql`default_roles = ${value(roles, 'text[]')}`);
  return set;
}

/** Sign-ins under way end with it; links stay, and are good again for a provider with the same issuer. */
export async function deleteProvider(scope: ProviderScope, name: string): Promise<object> {
  return transaction(scope.services.pool, async (db) => {
    const gone = await run(db, sql`delete from ${scope.realm.authProviders} where name = ${value(name, 'text')} returning id`);
    if (gone.length === 0) throw noSuchProvider();
    await note(db, scope, 'delete', name, {});
    return { name };
  });
}

const note = (
  db: Db,
  { actor, realm }: ProviderScope,
  verb: string,
  target: string,
  detail: Readonly<Record<string, unknown>>,
): Promise<void> => audit(db, actor, { app: appOf(realm), action: `auth_provider.${verb}`, target, detail });

/** What one field cannot tell by itself. */
async function check({ services, realm }: ProviderScope, input: Change): Promise<void> {
  if (realm.key === '' && (input.allow_signup === true || (input.default_roles?.length ?? 0) > 0))
    throw invalid('allow_signup', 'Every platform account is an operator: invite them, and let them sign in here afterwards.');
  if (input.issuer === undefined) return;
  const problem = issuerProblem(input.issuer, services.config.isDevelopment) ?? (await services.outbound.refusal(input.issuer));
  if (problem !== null) throw invalid('issuer', problem);
}

function issuerProblem(text: string, isDevelopment: boolean): string | null {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || text !== text.trim()) return 'must be the address that the provider names as its issuer';
  const isNear = isDevelopment && url.protocol === 'http:' && isLoopback(url.hostname.replace(/^\[|\]$/g, ''));
  if (url.protocol !== 'https:' && !isNear) return 'must begin with https://';
  if (url.search !== '' || url.hash !== '' || text.includes('?') || text.includes('#')) return 'must have no query and no fragment';
  if (url.pathname.includes('/.well-known/')) return 'must be the issuer itself, without /.well-known/...';
  return null;
}

const purpose = (realm: Realm, providerId: string): string => `oidc-client/${realm.key}/${providerId}`;

const sealed = ({ services, realm }: ProviderScope, providerId: string, secret: string | null): Buffer | null =>
  secret === null ? null : services.keyring.seal(Buffer.from(secret, 'utf8'), purpose(realm, providerId));

/** The active provider with this name or id; NOT_FOUND for the others. */
export async function activeProvider(
  services: Services,
  realm: Realm,
  by: { readonly name: string } | { readonly id: string },
): Promise<Provider> {
  const [provider] = await run<Provider>(
    services.pool,
    sql`select id, name, issuer, client_id, sealed_secret, scopes, default_roles, allow_signup, version from ${realm.authProviders}
        where active and ${'name' in by ? sql`name = ${value(by.name, 'text')}` : sql`id = ${value(by.id, 'uuid')}`}`,
  );
  if (provider === undefined) throw noSuchProvider();
  return provider;
}

/** Where the flow of a realm lives: `PUBLIC_URL/api/<app>/auth/oidc`. */
export const oidcBase = (services: Services, home: Pick<AccountHome, 'name'>): string =>
  `${services.config.publicUrl.replace(/\/$/, '')}/api/${home.name}/auth/oidc`;

export const clientOfProvider = (services: Services, home: AccountHome, provider: Provider): OidcClient => ({
  key: `${home.realm.key}/${provider.id}/${provider.version}`,
  issuer: provider.issuer,
  clientId: provider.client_id,
  clientSecret:
    provider.sealed_secret === null
      ? undefined
      : services.keyring.open(provider.sealed_secret, purpose(home.realm, provider.id)).toString('utf8'),
  scopes: provider.scopes,
  redirectUri: `${oidcBase(services, home)}/${provider.name}/callback`,
});
