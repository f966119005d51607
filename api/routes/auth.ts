/** Signing in and out, the same for the platform and for an app. */
import type { Realm } from '../../adapters/tokens.ts';
import { AppError } from '../../core/errors.ts';
import { PLATFORM_HOME, type AccountHome } from '../../operations/auth/home.ts';
import { publicProviders } from '../../operations/auth/oidc/providers.ts';
import { endSession, endSessions, listSessions, ownSessions } from '../../operations/auth/own-sessions.ts';
import { changePassword } from '../../operations/auth/password.ts';
import { askForMail, resetPassword, verifyAddress } from '../../operations/auth/recover.ts';
import { register } from '../../operations/auth/register.ts';
import { acceptInvite } from '../../operations/users/invites.ts';
import { accountPage, type AccountPage } from '../account-page.ts';
import { login } from '../../operations/auth/login.ts';
import { logout, me, refresh, type ClientInfo } from '../../operations/auth/sessions.ts';
import type { Actor } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import type { Api } from '../api.ts';
import { authenticate, refuseKeyRequest } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, dataText, NO_STORE, type Answer } from '../http/answer.ts';
import { addressOf, headerOf, membersOf, optionalMembersOf, type Call } from '../http/call.ts';
import { apiKeysRoute } from './api-keys.ts';
import { noSuchRoute } from './not-found.ts';
import { oidcRoute } from './oidc.ts';
import { clearedCookie, isCookieAsked, refreshCookieOf, signedIn } from './signed-in.ts';
import { codeRoute, totpRoute } from './totp.ts';

export async function authRoute(api: Api, call: Call, home: AccountHome, rest: readonly string[]): Promise<Answer> {
  const [verb, ...more] = rest;
  const { realm } = home;
  if (verb !== 'me') refuseKeyRequest(call);
  if (verb === 'api-keys') return ownKeysRoute(api, call, realm, more);
  call.route = `auth/${verb ?? ''}`;
  if (verb === 'oidc') return oidcRoute(api, call, home, more, (result, asCookie) => signedIn(api, call, result, asCookie));
  if (verb === 'sessions') return sessionsRoute(api, call, realm, more);
  if (verb === 'verify' && more[0] === 'send' && more.length === 1 && call.method === 'POST')
    return mailRoute(api, call, home, 'verification');
  if (verb === 'totp') return totpRoute(api, call, home, more, clientOf(call));
  if (verb === 'login' && more[0] === 'totp' && more.length === 1) return codeRoute(api, call, realm, clientOf(call));
  if (more.length > 0) throw noSuchRoute(call);
  switch (`${call.method} ${verb ?? ''}`) {
    case 'POST login':
      return loginRoute(api, call, home);
    case 'POST refresh':
      return refreshRoute(api, call, home);
    case 'POST logout':
      return logoutRoute(api, call, realm);
    case 'POST password':
      return passwordRoute(api, call, home);
    case 'POST register':
      return registerRoute(api, call, home);
    case 'POST accept-invite':
      return dataAnswer(
        await acceptInvite(
          api.services,
          api.tokens,
          home,
          await membersOf(call, 'auth/accept-invite', ['token', 'password']),
          clientOf(call),
        ),
        201,
        NO_STORE,
      );
    case 'POST forgot':
      return mailRoute(api, call, home, 'reset');
    case 'POST reset':
      await resetPassword(
        { services: api.services, home, client: clientOf(call) },
        await membersOf(call, 'auth/reset', ['token', 'password']),
      );
      await api.revocations.refresh();
      return bodyAnswer({ message: 'Password set', data: { message: 'Password set' } }, 200, NO_STORE);
    case 'POST verify': {
      const redeemer = { services: api.services, home, client: clientOf(call) };
      const body = await membersOf(call, 'auth/verify', ['token', 'password']);
      return dataAnswer(await verifyAddress(redeemer, api.tokens, body), 200, NO_STORE);
    }
    case 'GET accept-invite':
    case 'GET reset':
    case 'GET verify':
      return accountPage(verb as AccountPage, home.displayName);
    case 'GET me': {
      const caller = await authenticate(api, call, realm);
      if (caller.actor.kind === 'api_key') return dataAnswer(keyAnswer(caller.actor), 200, NO_STORE);
      const user = await me(api.services, caller.realm, caller.actor.id ?? '');
      return dataAnswer({ ...user, is_admin: caller.actor.isAdmin, kind: caller.actor.kind }, 200, NO_STORE);
    }
    case 'GET providers':
      return dataText(await publicProviders(api.services, realm), 200, NO_STORE);
    case 'GET jwks.json':
      return bodyAnswer(await api.tokens.jwks(realm), 200, { 'Cache-Control': 'public, max-age=60' });
    default:
      call.route = 'unknown';
      throw noSuchRoute(call);
  }
}

async function registerRoute(api: Api, call: Call, home: AccountHome): Promise<Answer> {
  const body = await membersOf(call, 'auth/register', ['email', 'password']);
  const made = await register(api.services, api.tokens, home, body, clientOf(call));
  if (made !== undefined) return dataAnswer(made, 201, NO_STORE);
  return bodyAnswer({ message: MAIL_SENT, data: { message: MAIL_SENT } }, 202, NO_STORE);
}

const MAIL_SENT = 'If the address can be used here, a mail is on its way to it.';

/** The same answer after the same work, whoever has the address. */
async function mailRoute(api: Api, call: Call, home: AccountHome, kind: 'reset' | 'verification'): Promise<Answer> {
  const { email } = await membersOf(call, kind === 'reset' ? 'auth/forgot' : 'auth/verify/send', ['email']);
  await askForMail(api.services, home, kind, email, addressOf(call));
  return bodyAnswer({ message: MAIL_SENT, data: { message: MAIL_SENT } }, 200, NO_STORE);
}

const clientOf = (call: Call): ClientInfo => ({ userAgent: headerOf(call, 'user-agent') ?? null, address: addressOf(call) });

/** The caller's own sessions: seen, ended one by one, all others, or all. */
async function sessionsRoute(api: Api, call: Call, realm: Realm, rest: readonly string[]): Promise<Answer> {
  const [sessionId, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  const caller = await authenticate(api, call, realm);
  const scope = ownSessions(api.services, caller.realm, caller.actor);
  if (call.method === 'GET' && sessionId === undefined) return dataText(await listSessions(scope), 200, NO_STORE);
  if (call.method !== 'DELETE') throw noSuchRoute(call);
  const ended =
    sessionId === undefined ? await endSessions(scope, { keepCurrent: !readAll(call.query) }) : await endSession(scope, sessionId);
  await api.revocations.refresh();
  return dataAnswer(ended, 200, NO_STORE);
}

function readAll(query: URLSearchParams): boolean {
  checkParameters(query, ['all']);
  const all = query.get('all') ?? 'false';
  if (all !== 'true' && all !== 'false') throw new AppError('INVALID_VALUE', '"all" must be true or false.');
  return all === 'true';
}

async function passwordRoute(api: Api, call: Call, home: AccountHome): Promise<Answer> {
  const caller = await authenticate(api, call, home.realm);
  const { current, new: next } = await membersOf(call, 'auth/password', ['current', 'new']);
  const scope = ownSessions(api.services, caller.realm, caller.actor);
  const minLength = caller.realm === home.realm ? home.settings.password_min_length : undefined;
  const change = { current, next, minLength, address: addressOf(call) };
  const { ended } = await changePassword(scope, change);
  await api.revocations.refresh();
  return bodyAnswer({ message: 'Password changed', data: { ended_sessions: ended } }, 200, NO_STORE);
}
/** The keys of whoever is signed in; a key made here can never do more than its account. */
async function ownKeysRoute(api: Api, call: Call, realm: Realm, rest: readonly string[]): Promise<Answer> {
  call.route = 'auth/api-keys';
  const caller = await authenticate(api, call, realm);
  return apiKeysRoute(api, call, { services: api.services, actor: caller.actor, realm: caller.realm, owner: caller.actor.id ?? '' }, rest);
}

const keyAnswer = ({ id, email, roles, isAdmin, kind, keyId, scopes }: Actor): object => ({
  id,
  email,
  roles,
  is_admin: isAdmin,
  kind,
  key_id: keyId,
  scopes: scopes?.key.split(' '),
});

async function loginRoute(api: Api, call: Call, home: AccountHome): Promise<Answer> {
  const body = await membersOf(call, 'auth/login', ['email', 'password', 'cookie']);
  const asCookie = isCookieAsked(body.cookie);
  return signedIn(api, call, await login(api.services, api.tokens, home, body, clientOf(call)), asCookie);
}

async function refreshRoute(api: Api, call: Call, home: AccountHome): Promise<Answer> {
  const given = await refreshTokenOf(call);
  return signedIn(api, call, await refresh(api.services, api.tokens, home, given.token), given.isCookie);
}

async function logoutRoute(api: Api, call: Call, realm: Realm): Promise<Answer> {
  const given = await refreshTokenOf(call);
  if (!['string', 'undefined'].includes(typeof given.token)) throw new AppError('INVALID_PAYLOAD', '"refresh_token" must be text.');
  await logout(api.services, realm, given.token);
  await api.revocations.refresh();
  const cleared = given.isCookie ? clearedCookie(api, call) : {};
  return bodyAnswer({ message: 'Logged out', data: { message: 'Logged out' } }, 200, { ...NO_STORE, ...cleared });
}

async function refreshTokenOf(call: Call): Promise<{ token: unknown; isCookie: boolean }> {
  const { refresh_token: token, cookie } = await optionalMembersOf(call, call.route, ['refresh_token', 'cookie']);
  // As at the sign-in, whose answer put the token there. Left out it means the same.
  if (cookie !== undefined && cookie !== true) throw new AppError('INVALID_PAYLOAD', '"cookie" can only be true.');
  if (token !== undefined && token !== null) return { token, isCookie: false };
  return { token: refreshCookieOf(call), isCookie: true };
}

export const platformAuthRoute = (api: Api, call: Call, rest: readonly string[]): Promise<Answer> =>
  authRoute(api, call, PLATFORM_HOME, rest);
