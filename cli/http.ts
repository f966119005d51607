/** Verbs that talk to a running api: where it is, and who is asking. */
import { loadConfig, ConfigError } from '../adapters/config.ts';

export const CONNECTION_OPTIONS = {
  url: { type: 'string' },
  app: { type: 'string' },
  email: { type: 'string' },
  password: { type: 'string' },
} as const;

export const CONNECTION_HELP = [
  '  --url URL         the api [PUBLIC_URL, else http://HOST:PORT]',
  '  --app NAME        the app [DEFAULT_APP]',
  '  --email EMAIL     a platform admin [PLATFORM_ADMIN_EMAIL]',
  '  --password TEXT   its password [PLATFORM_ADMIN_PASSWORD]',
].join('\n');

export interface Session {
  readonly app: string;
  request(
    method: string,
    path: string,
    options?: { readonly body?: string; readonly contentType?: string; readonly accept?: string },
  ): Promise<string>;
}

type Flags = Readonly<Partial<Record<keyof typeof CONNECTION_OPTIONS, string | undefined>>>;

/** Signs in as a platform admin, who is an admin of every app. */
export async function signIn(flags: Flags): Promise<Session> {
  const config = loadConfig(process.env);
  const base = (flags.url ?? config.publicUrl).replace(/\/$/, '');
  const app = flags.app ?? config.defaultApp;
  if (app === undefined) throw new ConfigError('Say which app: --app NAME, or set DEFAULT_APP.');
  const account = { email: flags.email ?? config.platformAdmin.email, password: flags.password ?? config.platformAdmin.password };
  const login = await send(`${base}/api/_platform/auth/login`, 'POST', { 'Content-Type': 'application/json' }, JSON.stringify(account));
  const { access_token: token } = (JSON.parse(login) as { data: { access_token: string } }).data;
  return {
    app,
    request: (method, path, options = {}) =>
      send(
        `${base}${path}`,
        method,
        {
          Authorization: `Bearer ${token}`,
          Accept: options.accept ?? 'application/json',
          ...(options.body === undefined ? {} : { 'Content-Type': options.contentType ?? 'application/json' }),
        },
        options.body,
      ),
  };
}

async function send(url: string, method: string, headers: Readonly<Record<string, string>>, body: string | undefined): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch {
    throw new ConfigError(`Nothing answers at ${new URL(url).origin}. Start Durabase there, or say where it is with --url.`);
  }
  const text = await response.text();
  if (!response.ok) throw new ConfigError(`${method} ${new URL(url).pathname} answered ${response.status}: ${messageOf(text)}`);
  return text;
}

function messageOf(text: string): string {
  try {
    const { error } = JSON.parse(text) as {
      error: { message: string; hint?: string; details?: { path?: string; field?: string; message: string }[] };
    };
    const details = (error.details ?? []).map((detail) => `\n  ${detail.path ?? detail.field ?? ''}: ${detail.message}`).join('');
    return `${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}${details}`;
  } catch {
    return text.slice(0, 300);
  }
}
