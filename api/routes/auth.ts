/** Signing in and out, the same for the platform and for an app. */
import type { Request } from 'express';
import { PLATFORM_REALM, type Realm } from '../../adapters/tokens.ts';
import { login, logout, me, refresh, type SignIn } from '../../operations/auth/sessions.ts';
import type { Api } from '../api.ts';
import { authenticate } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, type Answer } from '../http/answer.ts';
import { headerOf, jsonOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

const COOKIE = 'durabase_refresh';
const REFRESH_SECONDS = 7 * 24 * 3600;
const NO_STORE = { 'Cache-Control': 'no-store' };

export async function authRoute(api: Api, call: Call, realm: Realm, rest: readonly string[]): Promise<Answer> {
  const [verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  call.route = `auth/${verb ?? ''}`;
  switch (`${call.method} ${verb ?? ''}`) {
    case 'POST login':
      return loginRoute(api, call, realm);
    case 'POST refresh':
      return refreshRoute(api, call, realm);
    case 'POST logout':
      return logoutRoute(api, call, realm);
    case 'GET me': {
      const caller = await authenticate(api, call, realm);
      const user = await me(api.services, caller.realm, caller.actor.id ?? '');
      return dataAnswer({ ...user, is_admin: caller.actor.isAdmin, kind: caller.actor.kind }, 200, NO_STORE);
    }
    case 'GET jwks.json':
      return bodyAnswer(await api.tokens.jwks(realm), 200, { 'Cache-Control': 'public, max-age=60' });
    default:
      call.route = 'unknown';
      throw noSuchRoute(call);
  }
}

async function loginRoute(api: Api, call: Call, realm: Realm): Promise<Answer> {
  const body = await bodyOf(call);
  const client = { userAgent: headerOf(call, 'user-agent') ?? null, address: (call.request as Request).ip ?? null };
  return signedIn(api, call, await login(api.services, api.tokens, realm, body, client), body['cookie'] === true);
}

async function refreshRoute(api: Api, call: Call, realm: Realm): Promise<Answer> {
  const given = await refreshTokenOf(call);
  return signedIn(api, call, await refresh(api.services, api.tokens, realm, given.token), given.isCookie);
}

async function logoutRoute(api: Api, call: Call, realm: Realm): Promise<Answer> {
  const given = await refreshTokenOf(call);
  await logout(api.services, realm, given.token);
  await api.revocations.refresh();
  const cleared = given.isCookie ? { 'Set-Cookie': cookieText(api, call, '', 0) } : {};
  return bodyAnswer({ message: 'Logged out', data: { message: 'Logged out' } }, 200, { ...NO_STORE, ...cleared });
}

/** With a cookie, the refresh token is where no script can read it, and not in the body. */
function signedIn(api: Api, call: Call, result: SignIn, asCookie: boolean): Answer {
  if (!asCookie) return dataAnswer(result, 200, NO_STORE);
  const { refresh_token: token, ...visible } = result;
  return dataAnswer(visible, 200, { ...NO_STORE, 'Set-Cookie': cookieText(api, call, token, REFRESH_SECONDS) });
}

function cookieText(api: Api, call: Call, token: string, seconds: number): string {
  const url = call.request.url ?? '';
  const path = url.slice(0, url.indexOf('/auth/') + '/auth'.length);
  const secure = api.services.config.publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${COOKIE}=${token}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

async function refreshTokenOf(call: Call): Promise<{ token: unknown; isCookie: boolean }> {
  const body = await bodyOf(call);
  if (body['refresh_token'] !== undefined && body['refresh_token'] !== null) return { token: body['refresh_token'], isCookie: false };
  return { token: cookieOf(call), isCookie: true };
}

function cookieOf(call: Call): string | undefined {
  for (const pair of (headerOf(call, 'cookie') ?? '').split(';')) {
    const [name, ...text] = pair.trim().split('=');
    if (name === COOKIE) return text.join('=');
  }
  return undefined;
}

async function bodyOf(call: Call): Promise<Record<string, unknown>> {
  const body = await jsonOf(call);
  return typeof body === 'object' && body !== null && !Array.isArray(body) ? (body as Record<string, unknown>) : {};
}

export const platformAuthRoute = (api: Api, call: Call, rest: readonly string[]): Promise<Answer> =>
  authRoute(api, call, PLATFORM_REALM, rest);
