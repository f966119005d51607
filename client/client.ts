/**
 * A small HTTP client of the Durabase API: tokens in memory, one refresh for many waiting calls, errors with their code.
 * No dependencies; runs in browsers and Node.
 */

import { createAppClient, type AppClient, type AppClientOptions } from './app.ts';
import { ApiError, type ApiErrorBody } from './errors.ts';
import type { AnySchema, AppSchema } from './types.ts';

export { ApiError, type ApiErrorBody } from './errors.ts';

export type { Account, AppClient, AppClientOptions, Auth, SessionInfo, TokenStorage } from './app.ts';
export type { Collection } from './collection.ts';
export type { Import, ImportError, ImportFileOptions, ImportOptions, Imports, ImportState } from './imports.ts';
export type { ChangeEvent, SubscribeOptions, Subscription } from './subscribe.ts';
export type { AppSchema, BatchOperation, EntityTypes, Filter, Page, Versioned } from './types.ts';

/** Where one signs in: the platform, or one app's own users. */
export type Scope = { readonly kind: 'platform' } | { readonly kind: 'app'; readonly app: string };

export interface SignedInUser {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
}

export interface CallOptions {
  /** The body proves something (a password, a code): a 401 refuses that, and says nothing of the session. */
  readonly isProof?: boolean;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  /** Sent as it is instead of a JSON body, for YAML documents and files. */
  readonly text?: { readonly type: string; readonly content: string | Blob };
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** A file is answered as it is; refusals are read as always. */
  readonly as?: 'blob';
}

export interface Answer<T> {
  readonly body: T;
  readonly etag: string | null;
}

/** A sign-in whose password was right, and that needs a code besides. */
export interface PendingSignIn {
  readonly scope: Scope;
  readonly mfaToken: string;
  /** True when the account has no second factor yet and must set one up. */
  readonly mustEnrol: boolean;
}

export interface Client {
  readonly user: SignedInUser | undefined;
  /** With the one-time code that a sign-in provider's answer brought back. */
  signInWithCode(scope: Scope, code: string): Promise<PendingSignIn | undefined>;
  /** The sign-in providers there are. */
  providers(scope: Scope): Promise<readonly SignInProvider[]>;
  /** Undefined once somebody is signed in; else what the sign-in waits for. */
  signIn(scope: Scope, email: string, password: string): Promise<PendingSignIn | undefined>;
  /** A secret for an authenticator app, for a sign-in that has to set one up. */
  beginFactor(pending: PendingSignIn): Promise<{ readonly secret: string; readonly uri: string }>;
  /** Signs in with a code; answers the recovery codes when a factor was set up by it. */
  sendCode(pending: PendingSignIn, code: string): Promise<readonly string[]>;
  /** Takes the session up again from the refresh cookie; undefined when there is none. */
  resume(scope: Scope): Promise<SignedInUser | undefined>;
  signOut(): Promise<void>;
  call<T>(path: string, options?: CallOptions): Promise<Answer<T>>;
}

export interface SignInProvider {
  readonly name: string;
  readonly display_name: string;
}

interface TokenAnswer {
  readonly data: { readonly access_token: string; readonly user?: SignedInUser };
}

/** Where a browser begins to sign in at a provider; it comes back to `redirectTo` with `code` or `error`. */
export const providerStart = (scope: Scope, provider: string, redirectTo: string): string =>
  `${authPath(scope)}/oidc/${encodeURIComponent(provider)}/start?redirect_to=${encodeURIComponent(redirectTo)}`;
interface ChallengeAnswer {
  readonly data: { readonly mfa_token: string; readonly mfa_enrol_required?: boolean };
}

const isSignedIn = (answer: TokenAnswer | ChallengeAnswer): answer is TokenAnswer => 'access_token' in answer.data;

const authPath = (scope: Scope): string =>
  scope.kind === 'platform' ? '/api/_platform/auth' : `/api/${encodeURIComponent(scope.app)}/auth`;

/** `base` is the server's origin; the empty string means the page's own. With `app` it is the client of that app's data. */
export function createClient(base?: string): Client;
export function createClient<S extends AppSchema = AnySchema>(base: string, options: AppClientOptions): AppClient<S>;
export function createClient(base = '', options?: AppClientOptions): Client | AppClient {
  return options === undefined ? createCaller(base) : createAppClient(base, options);
}

function createCaller(base: string): Client {
  let scope: Scope | undefined;
  let token: string | undefined;
  let user: SignedInUser | undefined;
  let refreshing: Promise<boolean> | undefined;

  const send = async <T>(path: string, options: CallOptions): Promise<Answer<T>> => {
    const headers: Record<string, string> = { accept: 'application/json', ...options.headers };
    if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
    if (options.body !== undefined) headers['content-type'] = 'application/json';
    if (options.text !== undefined) headers['content-type'] = options.text.type;
    const body = options.text?.content ?? (options.body === undefined ? undefined : JSON.stringify(options.body));
    const init: RequestInit = { method: options.method ?? 'GET', headers, credentials: 'same-origin' };
    if (body !== undefined) init.body = body;
    if (options.signal !== undefined) init.signal = options.signal;
    const response = await fetch(base + path, init).catch((error: unknown) => {
      if (error instanceof DOMException && error.name === 'AbortError') throw error;
      throw new ApiError(0, 'NETWORK', 'The server does not answer.');
    });
    if (options.as === 'blob' && response.ok) return { body: (await response.blob()) as T, etag: null };
    const parsed = await readJson(response);
    if (!response.ok) {
      const failure = parsed as ApiErrorBody | undefined;
      throw new ApiError(
        response.status,
        failure?.error.code ?? 'INTERNAL_ERROR',
        failure?.error.message ?? `The server answered ${response.status}.`,
        failure,
      );
    }
    return { body: parsed as T, etag: response.headers.get('etag') };
  };

  const take = (where: Scope, answer: TokenAnswer): void => {
    scope = where;
    token = answer.data.access_token;
    user = answer.data.user ?? user;
  };

  const refresh = (where: Scope): Promise<boolean> => {
    refreshing ??= send<TokenAnswer>(`${authPath(where)}/refresh`, { method: 'POST', body: { cookie: true } })
      .then(({ body }) => {
        take(where, body);
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status !== 0 && error.status < 500) token = undefined;
        return false;
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };

  const enter = async (where: Scope, door: string, body: Readonly<Record<string, unknown>>): Promise<PendingSignIn | undefined> => {
    token = undefined;
    const answer = (await send<TokenAnswer | ChallengeAnswer>(`${authPath(where)}/${door}`, { method: 'POST', body })).body;
    if (!isSignedIn(answer)) return { scope: where, mfaToken: answer.data.mfa_token, mustEnrol: answer.data.mfa_enrol_required === true };
    take(where, answer);
    user ??= (await send<{ data: SignedInUser }>(`${authPath(where)}/me`, {})).body.data;
    return undefined;
  };

  return {
    get user() {
      return user;
    },
    signIn: (where, email, password) => enter(where, 'login', { email, password, cookie: true }),
    signInWithCode: (where, code) => enter(where, 'oidc/token', { code, cookie: true }),
    async providers(where) {
      return (await send<{ data: readonly SignInProvider[] }>(`${authPath(where)}/providers`, {})).body.data;
    },
    async beginFactor(pending) {
      const options = { method: 'POST', body: { mfa_token: pending.mfaToken } } as const;
      return (await send<{ data: { secret: string; uri: string } }>(`${authPath(pending.scope)}/totp`, options)).body.data;
    },
    async sendCode(pending, code) {
      const path = `${authPath(pending.scope)}/${pending.mustEnrol ? 'totp/confirm' : 'login/totp'}`;
      const { body } = await send<TokenAnswer & { data: { recovery_codes?: readonly string[] } }>(path, {
        method: 'POST',
        body: { mfa_token: pending.mfaToken, code, cookie: true },
      });
      take(pending.scope, body);
      return body.data.recovery_codes ?? [];
    },
    async resume(where) {
      if (!(await refresh(where))) return undefined;
      user ??= (await send<{ data: SignedInUser }>(`${authPath(where)}/me`, {})).body.data;
      return user;
    },
    async signOut() {
      const where = scope;
      if (where !== undefined) await send(`${authPath(where)}/logout`, { method: 'POST', body: { cookie: true } }).catch(() => undefined);
      token = undefined;
      user = undefined;
      scope = undefined;
    },
    async call<T>(path: string, options: CallOptions = {}) {
      try {
        return await send<T>(path, options);
      } catch (error) {
        if (!(error instanceof ApiError) || error.status !== 401 || options.isProof === true || scope === undefined) throw error;
        if (!(await refresh(scope))) throw error;
        return send<T>(path, options);
      }
    },
  };
}

async function readJson(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text === '') return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
