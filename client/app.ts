/**
 * The client of one app's data: collections with checked filters and includes, batches, sessions. It sends what `docs/client.md`
 * says and nothing else. No dependencies; browsers and Node 20.
 */
import { createCollection, type Collection } from './collection.ts';
import { ApiError, type ApiErrorBody } from './errors.ts';
import { createImports, type Imports } from './imports.ts';
import { subscribe, type OpenStream, type SubscribeOptions, type Subscription } from './subscribe.ts';
import type { AnySchema, AppSchema, BatchOperation, ManyResults, Send, SendOptions, Sent, WriteOptions } from './types.ts';

/** Where a session is kept between page loads; `localStorage` fits. */
export interface TokenStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

export interface AppClientOptions {
  readonly app: string;
  /** A token that is there already. */
  readonly token?: string;
  readonly apiKey?: string;
  /** Keeps the refresh token; without it a session ends with the page. */
  readonly storage?: TokenStorage;
  readonly fetch?: typeof fetch;
}

export interface Account {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
}

export interface SessionInfo {
  readonly id: string;
  readonly created_at: string;
  readonly used_at: string;
  readonly expires_at: string;
  readonly user_agent: string | null;
  readonly address: string | null;
  readonly current: boolean;
}

export interface Auth {
  /**
   * An account with a second factor needs `code`, asked for once the password was right: six digits of the authenticator, or a
   * recovery code. Without it the refusal is `MFA_REQUIRED`; `MFA_ENROL_REQUIRED` where a factor has to be set up first.
   */
  login(email: string, password: string, code?: () => string | Promise<string>): Promise<Account>;
  /** Ends the session on the server and forgets it here. */
  logout(): Promise<void>;
  me(): Promise<Account>;
  sessions(): Promise<readonly SessionInfo[]>;
  endSession(id: string): Promise<void>;
  /** Ends all sessions but this one. */
  endOtherSessions(): Promise<number>;
}

export interface AppClient<S extends AppSchema = AnySchema> {
  readonly auth: Auth;
  collection<E extends keyof S & string>(entity: E): Collection<S, E>;
  /** Writes over several entities, in one transaction unless `atomic` is false. */
  batch(operations: readonly BatchOperation<S>[], options?: WriteOptions & { readonly atomic?: boolean }): Promise<ManyResults>;
  /** Files of records. */
  readonly imports: Imports<S>;
  /** Listens to changes until it is closed; it is taken up again by itself where it broke. */
  subscribe<E extends keyof S & string>(options: SubscribeOptions<S, E>): Subscription;
}

interface SignInAnswer {
  readonly data: { readonly access_token: string; readonly refresh_token: string; readonly user: Account };
}

/** The password was right, and something more is wanted. */
interface ChallengeAnswer {
  readonly data: { readonly mfa_token: string; readonly mfa_enrol_required?: boolean };
}

export function createAppClient<S extends AppSchema = AnySchema>(url: string, options: AppClientOptions): AppClient<S> {
  const base = `${url.replace(/\/+$/, '')}/api/${encodeURIComponent(options.app)}`;
  const session = createSession(base, options);
  const { send } = session;
  return {
    auth: session.auth,
    collection: (entity) => createCollection(send, entity),
    async batch(operations, { atomic = true, ...rest } = {}) {
      const answer = await send<ManyResults>('POST', `/_batch${atomic ? '' : '?atomic=false'}`, {
        ...rest,
        body: { operations },
        isWrite: true,
      });
      return answer.body;
    },
    imports: createImports(send),
    subscribe: (given) => subscribe(session.openStream, given),
  };
}

/** Tokens, their renewal, and the sending that needs them. */
function createSession(
  base: string,
  options: AppClientOptions,
): { readonly send: Send; readonly openStream: OpenStream; readonly auth: Auth } {
  const { storage, apiKey } = options;
  const place = `durabase:${base}`;
  let token = options.token;
  let refreshToken = storage?.getItem(place) ?? undefined;
  let refreshing: Promise<boolean> | undefined;

  const credentials = (): Record<string, string> => {
    if (apiKey !== undefined) return { 'x-api-key': apiKey };
    return token === undefined ? {} : { authorization: `Bearer ${token}` };
  };

  const once = async <T>(method: string, path: string, sent: SendOptions): Promise<Sent<T>> => {
    const headers: Record<string, string> = { accept: 'application/json', ...sent.headers, ...credentials() };
    if (sent.ifMatch !== undefined) headers['if-match'] = sent.ifMatch;
    if (sent.idempotencyKey !== undefined) headers['idempotency-key'] = sent.idempotencyKey;
    const init: RequestInit = { method, headers };
    if (sent.body !== undefined) {
      headers['content-type'] = 'application/json';
      init.body = JSON.stringify(sent.body);
    }
    if (sent.file !== undefined) {
      headers['content-type'] = sent.file.type;
      init.body = sent.file.content;
    }
    if (sent.signal !== undefined) init.signal = sent.signal;
    return readAnswer<T>(await reach(options.fetch ?? fetch, base + path, init));
  };

  const keep = ({ data }: SignInAnswer): void => {
    token = data.access_token;
    refreshToken = data.refresh_token;
    storage?.setItem(place, refreshToken);
  };
  const forget = (): void => {
    token = undefined;
    refreshToken = undefined;
    storage?.removeItem(place);
  };

  /** One renewal for all calls that wait for it: a refresh token is good for one use. */
  const renew = (): Promise<boolean> => {
    if (refreshToken === undefined) return Promise.resolve(false);
    refreshing ??= once<SignInAnswer>('POST', '/auth/refresh', { body: { refresh_token: refreshToken } })
      .then(({ body }) => {
        keep(body);
        return true;
      })
      .catch((error: unknown) => {
        if (error instanceof ApiError && error.status === 401) forget();
        return false;
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };

  const authorized = async <T>(method: string, path: string, sent: SendOptions): Promise<Sent<T>> => {
    if (token === undefined && apiKey === undefined && refreshToken !== undefined) await renew();
    const used = token;
    try {
      return await once<T>(method, path, sent);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401 || apiKey !== undefined) throw error;
      // Another call may have renewed it while this one was on its way.
      if (token === used && !(await renew())) throw error;
      return once<T>(method, path, sent);
    }
  };

  const openStream: OpenStream = async (path, headers, signal) => {
    if (token === undefined && apiKey === undefined && refreshToken !== undefined) await renew();
    const used = token;
    const open = (): Promise<Response> => reach(options.fetch ?? fetch, base + path, { headers: { ...headers, ...credentials() }, signal });
    let response = await open();
    if (response.status === 401 && apiKey === undefined && (token !== used || (await renew()))) response = await open();
    if (!response.ok) await readAnswer(response);
    return response;
  };

  const send: Send = async <T>(method: string, path: string, sent: SendOptions = {}) => {
    if (sent.isWrite !== true) return authorized<T>(method, path, sent);
    // A write whose answer was lost is sent again under the same key, which makes it happen once.
    const keyed = { ...sent, idempotencyKey: sent.idempotencyKey ?? crypto.randomUUID() };
    try {
      return await authorized<T>(method, path, keyed);
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'NETWORK') throw error;
      return authorized<T>(method, path, keyed);
    }
  };

  return { send, openStream, auth: authOf(send, once, keep, forget, () => refreshToken) };
}

function authOf(
  send: Send,
  once: <T>(method: string, path: string, sent: SendOptions) => Promise<Sent<T>>,
  keep: (answer: SignInAnswer) => void,
  forget: () => void,
  refreshToken: () => string | undefined,
): Auth {
  return {
    async login(email, password, code) {
      const { body } = await once<SignInAnswer | ChallengeAnswer>('POST', '/auth/login', { body: { email, password } });
      const answer = 'access_token' in body.data ? (body as SignInAnswer) : await withCode(once, body as ChallengeAnswer, code);
      keep(answer);
      return answer.data.user;
    },
    async logout() {
      const given = refreshToken();
      forget();
      if (given !== undefined) await once('POST', '/auth/logout', { body: { refresh_token: given } });
    },
    me: async () => (await send<{ data: Account }>('GET', '/auth/me')).body.data,
    sessions: async () => (await send<{ data: readonly SessionInfo[] }>('GET', '/auth/sessions')).body.data,
    endSession: async (id) => void (await send('DELETE', `/auth/sessions/${encodeURIComponent(id)}`)),
    endOtherSessions: async () => (await send<{ data: { ended: number } }>('DELETE', '/auth/sessions')).body.data.ended,
  };
}

async function withCode(
  once: <T>(method: string, path: string, sent: SendOptions) => Promise<Sent<T>>,
  { data }: ChallengeAnswer,
  code: (() => string | Promise<string>) | undefined,
): Promise<SignInAnswer> {
  if (data.mfa_enrol_required === true)
    throw new ApiError(200, 'MFA_ENROL_REQUIRED', 'A second factor has to be set up before this account can sign in.');
  if (code === undefined) throw new ApiError(200, 'MFA_REQUIRED', 'This account signs in with a code besides its password.');
  const body = { mfa_token: data.mfa_token, code: await code() };
  return (await once<SignInAnswer>('POST', '/auth/login/totp', { body })).body;
}

async function reach(send: typeof fetch, url: string, init: RequestInit): Promise<Response> {
  try {
    return await send(url, init);
  } catch (error) {
    if (error instanceof Error && error.name === 'AbortError') throw error;
    throw new ApiError(0, 'NETWORK', 'The server does not answer.');
  }
}

async function readAnswer<T>(response: Response): Promise<Sent<T>> {
  const text = await response.text();
  const body = parse(text);
  if (!response.ok && response.status !== 304) {
    const failure = body as ApiErrorBody | undefined;
    const message = failure?.error.message ?? `The server answered ${String(response.status)}.`;
    throw new ApiError(response.status, failure?.error.code ?? 'INTERNAL_ERROR', message, failure);
  }
  return { body: body as T, etag: response.headers.get('etag'), status: response.status };
}

function parse(text: string): unknown {
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown);
  } catch {
    return undefined;
  }
}
