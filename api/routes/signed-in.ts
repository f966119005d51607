/** The answer of a sign-in, and the cookie that may hold its refresh token. */
import { AppError } from '../../core/errors.ts';
import type { Challenge } from '../../operations/auth/admit.ts';
import type { SignIn } from '../../operations/auth/sessions.ts';
import type { Api } from '../api.ts';
import { dataAnswer, NO_STORE, type Answer } from '../http/answer.ts';
import type { Call } from '../http/call.ts';
import { cookieOf } from '../http/cookies.ts';

const COOKIE = 'durabase_refresh';
const REFRESH_SECONDS = 7 * 24 * 3600;

/** `cookie` of a sign-in's body. */
export function isCookieAsked(given: unknown): boolean {
  if (given === undefined || typeof given === 'boolean') return given === true;
  throw new AppError('INVALID_PAYLOAD', '"cookie" must be true or false.', {
    details: [{ field: 'cookie', rule: 'type', message: 'must be true or false' }],
  });
}

/** With a cookie, the refresh token is where no script can read it, and not in the body. */
export function signedIn(api: Api, call: Call, result: SignIn | Challenge, asCookie: boolean): Answer {
  if (!asCookie || !('refresh_token' in result)) return dataAnswer(result, 200, NO_STORE);
  const { refresh_token: token, ...visible } = result;
  return dataAnswer(visible, 200, { ...NO_STORE, 'Set-Cookie': cookieText(api, call, token, REFRESH_SECONDS) });
}

function cookieText(api: Api, call: Call, token: string, seconds: number): string {
  const url = call.request.url ?? '';
  const path = url.slice(0, url.indexOf('/auth/') + '/auth'.length);
  const secure = api.services.config.publicUrl.startsWith('https:') ? '; Secure' : '';
  return `${COOKIE}=${token}; Path=${path}; Max-Age=${seconds}; HttpOnly; SameSite=Strict${secure}`;
}

/** The header that takes the cookie away. */
export const clearedCookie = (api: Api, call: Call): Readonly<Record<string, string>> => ({ 'Set-Cookie': cookieText(api, call, '', 0) });

/** The refresh token of the request's cookie. */
export const refreshCookieOf = (call: Call): string | undefined => cookieOf(call, COOKIE);
