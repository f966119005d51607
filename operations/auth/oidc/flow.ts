/**
 * A sign-in at a provider, from the button to the session. One row follows it: first it holds the state, nonce and PKCE
 * verifier, then the code that the page swaps for tokens. Each is good once, for minutes, and only in the browser that began:
 * the row knows the hash of a cookie which scripts and other sites cannot read.
 */
import { randomBytes } from 'node:crypto';
import { digestOf } from '../../../adapters/digest.ts';
import type { Oidc, OidcIdentity, OidcSecrets } from '../../../adapters/oidc.ts';
import { OidcError } from '../../../adapters/oidc.ts';
import { execute, run } from '../../../adapters/postgres/run.ts';
import type { Tokens } from '../../../adapters/tokens.ts';
import { addressGroup } from '../../../core/address.ts';
import { AppError, isAppError } from '../../../core/errors.ts';
import { raw, sql, value } from '../../../core/sql/sql.ts';
import type { Services } from '../../context.ts';
import { admit, type Challenge } from '../admit.ts';
import { DOORS, pass } from '../attempts.ts';
import type { AccountHome } from '../home.ts';
import { newToken, parseToken } from '../mail-tokens.ts';
import type { ClientInfo, SessionAccount, SignIn } from '../sessions.ts';
import { accountOf, RefusedSignIn } from './account.ts';
import { activeProvider, clientOfProvider, type Provider } from './providers.ts';

export const LOGIN_SECONDS = 600;
const LOGIN_LIFE = raw("interval '10 minutes'");
const CODE_LIFE = raw("interval '60 seconds'");

/** What every step of the flow needs. */
export interface Flow {
  readonly services: Services;
  readonly oidc: Oidc;
  readonly home: AccountHome;
  readonly client: ClientInfo;
  /** The cookie of the browser. */
  readonly browser: string | undefined;
}

export interface Started {
  readonly url: string;
  /** For the cookie. */
  readonly browser: string;
}

const BROWSER = /^[\w-]{43}$/;
const purpose = (loginId: string): string => `oidc-login/${loginId}`;

/** Where the provider's page is. A cookie of an earlier start is kept, so that two tabs do not end each other's sign-in. */
export async function startLogin(flow: Flow, providerName: string, redirectTo: string, allowed: readonly string[]): Promise<Started> {
  const { services, home, oidc } = flow;
  await pass(services, DOORS.oidc, home.realm, addressGroup(flow.client.address));
  const target = readTarget(services, redirectTo, allowed);
  const provider = await activeProvider(services, home.realm, { name: providerName });
  const state = newToken();
  const begun = await oidc.begin(clientOfProvider(services, home, provider), state.text).catch((error: unknown) => {
    throw unavailable(services, provider, error);
  });
  const browser = flow.browser !== undefined && BROWSER.test(flow.browser) ? flow.browser : randomBytes(32).toString('base64url');
  const sealed = services.keyring.seal(Buffer.from(JSON.stringify(begun.secrets)), purpose(state.id));
  await execute(
    services.pool,
    sql`
    with ended as (delete from ${home.realm.oidcLogins} where expires_at < now())
    insert into ${home.realm.oidcLogins} (id, provider, secret_hash, browser_hash, sealed, redirect_to, expires_at)
    values (${value(state.id, 'uuid')}, ${value(provider.id, 'uuid')}, ${value(state.hash, 'text')}, ${value(digestOf(browser), 'text')},
      ${value(sealed)}, ${value(target, 'text')}, now() + ${LOGIN_LIFE})`,
  );
  return { url: begun.url, browser };
}

/** The page to come back to: at PUBLIC_URL, or at one of the allowed origins. A path is one of PUBLIC_URL. */
function readTarget({ config }: Services, given: string, allowed: readonly string[]): string {
  const home = new URL(config.publicUrl).origin;
  const url = given !== '' && given.length <= 2_000 && URL.canParse(given, home) ? new URL(given, home) : undefined;
  const isFine =
    url !== undefined &&
    (url.protocol === 'https:' || url.protocol === 'http:') &&
    url.username === '' &&
    url.password === '' &&
    (url.origin === home || allowed.includes(url.origin));
  if (!isFine)
    throw new AppError('INVALID_VALUE', '"redirect_to" must be a path, or an address at an origin that is allowed here.', {
      hint: 'An operator allows origins with CORS_ORIGINS, an app with settings.origins.',
    });
  return url.href;
}

function unavailable(services: Services, provider: Provider, error: unknown): AppError {
  if (isAppError(error)) return error;
  services.log.warn({ err: error, provider: provider.name }, 'a sign-in provider does not answer as it should');
  return new AppError('UNAVAILABLE', 'The sign-in provider cannot be reached.', { hint: 'Try again in a moment.', retryAfter: 10 });
}

interface LoginRow {
  readonly id: string;
  readonly provider: string;
  readonly sealed: Buffer;
  readonly redirect_to: string;
}

/** What the provider answered, as the address the browser goes to next: with a code, or with an error. */
export async function finishLogin(flow: Flow, providerName: string, query: URLSearchParams): Promise<string> {
  const { services, home } = flow;
  await pass(services, DOORS.oidc, home.realm, addressGroup(flow.client.address));
  const login = await spendState(flow, query);
  const target = new URL(login.redirect_to);
  try {
    const provider = await activeProvider(services, home.realm, { id: login.provider });
    if (provider.name !== providerName) throw new OidcError('invalid', new Error('the answer came to another provider`s address'));
    const identity = await identify(flow, provider, query, login);
    target.searchParams.set('code', await openCode(flow, login, await accountOf(services, home.realm, provider, identity)));
  } catch (error) {
    const { code, message } = refusalOf(services, error);
    target.searchParams.set('error', code);
    target.searchParams.set('error_description', message);
  }
  return target.href;
}

/** The sign-in that this browser began with this state; it is spent by this. */
async function spendState({ services, home, browser }: Flow, query: URLSearchParams): Promise<LoginRow> {
  const states = query.getAll('state');
  const state = states.length === 1 ? parseToken(states[0]) : undefined;
  const [login] =
    state === undefined || browser === undefined
      ? []
      : await run<LoginRow>(
          services.pool,
          sql`delete from ${home.realm.oidcLogins}
              where id = ${value(state.id, 'uuid')} and secret_hash = ${value(state.hash, 'text')} and browser_hash = ${value(digestOf(browser), 'text')}
                and user_id is null and expires_at > now()
              returning id, provider, sealed, redirect_to`,
        );
  if (login === undefined)
    throw new AppError('INVALID_VALUE', 'This sign-in was not begun in this browser, was used before, or took too long.', {
      hint: 'Begin again.',
    });
  return login;
}

function identify({ services, home, oidc }: Flow, provider: Provider, query: URLSearchParams, login: LoginRow): Promise<OidcIdentity> {
  const secrets = JSON.parse(services.keyring.open(login.sealed, purpose(login.id)).toString('utf8')) as OidcSecrets;
  return oidc.finish(clientOfProvider(services, home, provider), query, query.get('state') ?? '', secrets);
}

/** The row again, with the account and a secret of its own. */
async function openCode({ services, home, browser = '' }: Flow, login: LoginRow, userId: string): Promise<string> {
  const code = newToken();
  await execute(
    services.pool,
    sql`insert into ${home.realm.oidcLogins} (id, provider, secret_hash, browser_hash, redirect_to, user_id, expires_at)
        values (${value(code.id, 'uuid')}, ${value(login.provider, 'uuid')}, ${value(code.hash, 'text')}, ${value(digestOf(browser), 'text')},
          '', ${value(userId, 'uuid')}, now() + ${CODE_LIFE})`,
  );
  return code.text;
}

/** An error for the page. Of what the provider said only a code of the standard's form goes on. */
function refusalOf(services: Services, error: unknown): { code: string; message: string } {
  if (error instanceof RefusedSignIn) return { code: error.reason, message: error.message };
  if (isAppError(error, 'NOT_FOUND')) return { code: 'provider_gone', message: 'The sign-in provider is not in use any more.' };
  if (!(error instanceof OidcError)) throw error;
  services.log.warn({ err: error }, 'a sign-in at a provider failed');
  switch (error.kind) {
    case 'unavailable':
      return { code: 'provider_unavailable', message: 'The sign-in provider cannot be reached.' };
    case 'provider': {
      const code = error.code !== undefined && /^[a-z_]{1,64}$/.test(error.code) ? error.code : 'provider_error';
      return { code, message: 'The sign-in provider did not sign you in.' };
    }
    case 'invalid':
      return { code: 'invalid_answer', message: 'The answer of the sign-in provider could not be trusted.' };
  }
}

/** Swaps the code for a session, once, in the browser that began. */
export async function redeemCode({ services, home, client, browser }: Flow, tokens: Tokens, given: unknown): Promise<SignIn | Challenge> {
  const { realm } = home;
  await pass(services, DOORS.oidc, realm, addressGroup(client.address));
  const code = parseToken(given);
  const [account] =
    code === undefined || browser === undefined
      ? []
      : await run<SessionAccount>(
          services.pool,
          sql`
          with spent as (
            delete from ${realm.oidcLogins}
            where id = ${value(code.id, 'uuid')} and secret_hash = ${value(code.hash, 'text')} and browser_hash = ${value(digestOf(browser), 'text')}
              and user_id is not null and expires_at > now()
            returning user_id
          )
          select u.id, u.email, u.roles, u.epoch, u.must_change from ${realm.users} u join spent on spent.user_id = u.id where u.active`,
        );
  if (account === undefined)
    throw new AppError('UNAUTHORIZED', 'The code is not valid here, was used or has expired.', { hint: 'Sign in again.' });
  return admit(services, tokens, home, account, client);
}
