/** `auth/oidc/...` and `auth/providers`: signing in with OpenID Connect; and `auth-providers`, where admins keep the providers. */
import type { Challenge } from '../../operations/auth/admit.ts';
import type { AccountHome } from '../../operations/auth/home.ts';
import { finishLogin, LOGIN_SECONDS, redeemCode, startLogin, type Flow } from '../../operations/auth/oidc/flow.ts';
import { listLinks, removeLink } from '../../operations/auth/oidc/links.ts';
import {
  checkIssuer,
  createProvider,
  deleteProvider,
  getProvider,
  listProviders,
  oidcBase,
  updateProvider,
  type ProviderScope,
} from '../../operations/auth/oidc/providers.ts';
import { ownSessions } from '../../operations/auth/own-sessions.ts';
import type { SignIn } from '../../operations/auth/sessions.ts';
import { checkParameters } from '../../operations/paging.ts';
import type { Api } from '../api.ts';
import { authenticate, refuseKeyActor } from '../authenticate.ts';
import { cookieOf } from '../http/cookies.ts';
import { dataAnswer, dataText, NO_STORE, textAnswer, type Answer } from '../http/answer.ts';
import { addressOf, headerOf, membersOf, objectOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';
import { isCookieAsked } from './signed-in.ts';

const COOKIE = 'durabase_oidc';

/** Answers `GET :provider/start`, `GET :provider/callback`, `POST token` and one's own `links`. `signedIn` answers with tokens. */
export async function oidcRoute(
  api: Api,
  call: Call,
  home: AccountHome,
  rest: readonly string[],
  signedIn: (result: SignIn | Challenge, asCookie: boolean) => Answer,
): Promise<Answer> {
  const [first = '', verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (first === 'links') return linksRoute(api, call, home, verb);
  call.route = `auth/oidc/${verb === undefined ? 'token' : ':provider'}`;
  const flow = flowOf(api, call, home);
  if (first === 'token' && verb === undefined && call.method === 'POST') {
    const { code, cookie } = await membersOf(call, 'auth/oidc/token', ['code', 'cookie']);
    const asCookie = isCookieAsked(cookie);
    return signedIn(await redeemCode(flow, api.tokens, code), asCookie);
  }
  // HEAD must not spend a state.
  if (call.request.method !== 'GET') throw noSuchRoute(call);
  if (verb === 'start') return startRoute(api, call, flow, first);
  if (verb !== 'callback') throw noSuchRoute(call);
  return redirect(await finishLogin(flow, first, call.query));
}

const flowOf = (api: Api, call: Call, home: AccountHome): Flow => ({
  services: api.services,
  oidc: api.oidc,
  home,
  client: { userAgent: headerOf(call, 'user-agent') ?? null, address: addressOf(call) },
  browser: cookieOf(call, COOKIE),
});

async function startRoute(api: Api, call: Call, flow: Flow, provider: string): Promise<Answer> {
  checkParameters(call.query, ['redirect_to']);
  const { config } = api.services;
  const allowed = [...config.corsOrigins, ...(call.app?.model.settings.origins ?? [])];
  const { url, browser } = await startLogin(flow, provider, call.query.get('redirect_to') ?? '', allowed);
  const secure = config.publicUrl.startsWith('https:') ? '; Secure' : '';
  const path = new URL(oidcBase(api.services, flow.home)).pathname;
  // Lax: the provider sends the browser back with a link, which Strict would not count as this site's own.
  const cookie = `${COOKIE}=${browser}; Path=${path}; Max-Age=${LOGIN_SECONDS}; HttpOnly; SameSite=Lax${secure}`;
  return redirect(url, { 'Set-Cookie': cookie });
}

const redirect = (url: string, headers: Readonly<Record<string, string>> = {}): Answer => ({
  status: 302,
  text: '',
  type: 'text/plain; charset=utf-8',
  headers: { ...NO_STORE, Location: url, ...headers },
});

async function linksRoute(api: Api, call: Call, home: AccountHome, provider: string | undefined): Promise<Answer> {
  call.route = 'auth/oidc/links';
  const caller = await authenticate(api, call, home.realm);
  const scope = ownSessions(api.services, caller.realm, caller.actor);
  if (provider === undefined && call.method === 'GET') return dataText(await listLinks(scope), 200, NO_STORE);
  if (provider !== undefined && call.method === 'DELETE') return dataAnswer(await removeLink(scope, provider), 200, NO_STORE);
  throw noSuchRoute(call);
}

/** For admins, with a session: who may add a provider may sign in as anybody it vouches for. */
export async function providersRoute(api: Api, call: Call, scope: ProviderScope, rest: readonly string[]): Promise<Answer> {
  const [name, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') refuseKeyActor(scope.actor);
  if (name === undefined) {
    if (call.method === 'GET') {
      checkParameters(call.query, []);
      return textAnswer(await listProviders(scope), 200, NO_STORE);
    }
    if (call.method !== 'POST') throw noSuchRoute(call);
    return dataText(await createProvider(scope, await objectOf(call)), 201, NO_STORE);
  }
  if (name === 'check') {
    if (call.method !== 'POST') throw noSuchRoute(call);
    return dataAnswer(await checkIssuer(scope, api.oidc, await objectOf(call)), 200, NO_STORE);
  }
  switch (call.method) {
    case 'GET':
      return dataText(await getProvider(scope, name), 200, NO_STORE);
    case 'PATCH':
    case 'PUT':
      return dataText(await updateProvider(scope, name, await objectOf(call)), 200, NO_STORE);
    case 'DELETE':
      return dataAnswer(await deleteProvider(scope, name), 200, NO_STORE);
    default:
      throw noSuchRoute(call);
  }
}
