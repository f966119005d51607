/** A caller of the HTTP API for tests of whole processes: one function, answers with status, headers and parsed body. */

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: unknown;
  /** The body as it came. */
  readonly text: string;
  /** What is under this path of the body; undefined when nothing is. */
  at(...path: readonly (string | number)[]): unknown;
}

export interface Caller {
  (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Reply>;
}

/** `token` is sent as bearer; without one nothing is. */
export function callerOf(url: string, token?: string): Caller {
  return async (method, path, body, headers = {}) => {
    const response = await fetch(url + path, {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const parsed = parse(text);
    return { status: response.status, headers: response.headers, body: parsed, text, at: (...path) => path.reduce(step, parsed) };
  };
}

const step = (value: unknown, key: string | number): unknown =>
  typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** Signs in at the platform, or at an app when one is named; answers a caller with the token. */
export async function signIn(url: string, email: string, password: string, app?: string): Promise<Caller> {
  return callerOf(url, await tokenOf(url, email, password, app));
}

/** The access token of that sign-in, for clients of a proof's own. */
export async function tokenOf(url: string, email: string, password: string, app?: string): Promise<string> {
  const login = await callerOf(url)('POST', `/api/${app ?? '_platform'}/auth/login`, { email, password });
  if (login.status !== 200) throw new Error(`Signing in as ${email} answered ${login.status}: ${JSON.stringify(login.body)}`);
  return String(login.at('data', 'access_token'));
}

/** Repeats a read until it holds; the last value when it never did within the time. */
export async function eventually<T>(read: () => Promise<T>, holds: (value: T) => boolean, timeoutMs = 20_000): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const value = await read();
    if (holds(value) || Date.now() > end) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
