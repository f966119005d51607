/** `auth/totp` and `auth/login/totp`: the second factor of an account, turned on and off and asked for. */
import type { Realm } from '../../adapters/tokens.ts';
import { loginWithCode } from '../../operations/auth/admit.ts';
import type { AccountHome } from '../../operations/auth/home.ts';
import { ownSessions, type SessionScope } from '../../operations/auth/own-sessions.ts';
import type { ClientInfo } from '../../operations/auth/sessions.ts';
import {
  beginTotp,
  beginTotpByToken,
  confirmTotp,
  confirmTotpByToken,
  resetTotp,
  totpState,
  turnOffTotp,
} from '../../operations/auth/totp.ts';
import type { Api } from '../api.ts';
import { authenticate, refuseKeyActor } from '../authenticate.ts';
import { dataAnswer, NO_STORE, type Answer } from '../http/answer.ts';
import { addressOf, membersOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';
import { isCookieAsked, signedIn } from './signed-in.ts';

/** With a session, or with the `mfa_token` of a sign-in that has to set up a factor first. */
export async function totpRoute(api: Api, call: Call, home: AccountHome, rest: readonly string[], client: ClientInfo): Promise<Answer> {
  const address = addressOf(call);
  switch (`${call.method} ${rest.join('/')}`) {
    case 'GET ':
      return dataAnswer(await totpState(await ownScope(api, call, home.realm)), 200, NO_STORE);
    case 'POST ': {
      const body = await membersOf(call, 'auth/totp', ['password', 'mfa_token']);
      const begun =
        body.mfa_token === undefined
          ? await beginTotp(await ownScope(api, call, home.realm), home, { password: body.password, address })
          : await beginTotpByToken(api.services, home, body.mfa_token);
      return dataAnswer(begun, 200, NO_STORE);
    }
    case 'POST confirm': {
      const body = await membersOf(call, 'auth/totp/confirm', ['code', 'mfa_token', 'cookie']);
      if (body.mfa_token === undefined)
        return dataAnswer(await confirmTotp(await ownScope(api, call, home.realm), body.code), 200, NO_STORE);
      const input = { token: body.mfa_token, code: body.code };
      return signedIn(api, call, await confirmTotpByToken(api.services, api.tokens, home, input, client), isCookieAsked(body.cookie));
    }
    case 'DELETE ': {
      const body = await membersOf(call, 'auth/totp', ['password', 'code']);
      const input = { password: body.password, code: body.code, address };
      return dataAnswer(await turnOffTotp(await ownScope(api, call, home.realm), input), 200, NO_STORE);
    }
    default:
      throw noSuchRoute(call);
  }
}

/** The second half of a sign-in. */
export async function codeRoute(api: Api, call: Call, realm: Realm, client: ClientInfo): Promise<Answer> {
  if (call.method !== 'POST') throw noSuchRoute(call);
  const body = await membersOf(call, 'auth/login/totp', ['mfa_token', 'code', 'cookie']);
  const input = { token: body.mfa_token, code: body.code };
  return signedIn(api, call, await loginWithCode(api.services, api.tokens, realm, input, client), isCookieAsked(body.cookie));
}

/** Somebody else's factor, for an admin: seen, and turned off when it is lost. */
export async function userTotpRoute(call: Call, scope: SessionScope, rest: readonly string[]): Promise<Answer> {
  if (rest.length > 0) throw noSuchRoute(call);
  if (call.method === 'GET') return dataAnswer(await totpState(scope));
  if (call.method !== 'DELETE') throw noSuchRoute(call);
  refuseKeyActor(scope.actor);
  return dataAnswer(await resetTotp(scope));
}

async function ownScope(api: Api, call: Call, realm: Realm): Promise<SessionScope> {
  const caller = await authenticate(api, call, realm);
  return ownSessions(api.services, caller.realm, caller.actor);
}
