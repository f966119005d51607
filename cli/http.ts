/** Verbs that talk to a running api: where it is, and who is asking. */
import { loadConfig, ConfigError } from '../adapters/config.ts';
import { refusalText, type Refusal } from './refusal.ts';

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

export interface RequestOptions {
  readonly body?: string;
  readonly contentType?: string;
  readonly accept?: string;
  /** The schema version the request was made for. */
  readonly ifMatch?: number;
}

export interface Session {
  readonly app: string;
  request(method: string, path: string, options?: RequestOptions): Promise<string>;
}

/** An answer that is no success. */
export class Refused extends ConfigError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Nothing answers at the address. */
export class Unreachable extends ConfigError {}

type Flags = Readonly<Partial<Record<keyof typeof CONNECTION_OPTIONS, string | undefined>>>;

/** Signs in as a platform admin, who is an admin of every app. */
export async function signIn(flags: Flags): Promise<Session> {
  const config = loadConfig(process.env);
  const base = (flags.url ?? config.publicUrl).replace(/\/$/, '');
  const app = flags.app ?? config.defaultApp;
  if (app === undefined) throw new ConfigError('Say which app: --app NAME, or set DEFAULT_APP.');
  const account = { email: flags.email ?? config.platformAdmin.email, password: flags.password ?? config.platformAdmin.password };
  const login = async (): Promise<string> => {
    const answer = await send(`${base}/api/_platform/auth/login`, 'POST', { 'Content-Type': 'application/json' }, JSON.stringify(account));
    return (JSON.parse(answer) as { data: { access_token: string } }).data.access_token;
  };
  let token = await login();
  const once = (method: string, path: string, options: RequestOptions): Promise<string> =>
    send(`${base}${path}`, method, { Authorization: `Bearer ${token}`, ...headersOf(options) }, options.body);
  return {
    app,
    async request(method, path, options = {}) {
      try {
        return await once(method, path, options);
      } catch (error) {
        // A migration may be watched for longer than a token lives.
        if (!(error instanceof Refused) || error.status !== 401) throw error;
        token = await login();
        return once(method, path, options);
      }
    },
  };
}

const headersOf = (options: RequestOptions): Record<string, string> => ({
  Accept: options.accept ?? 'application/json',
  ...(options.body === undefined ? {} : { 'Content-Type': options.contentType ?? 'application/json' }),
  ...(options.ifMatch === undefined ? {} : { 'If-Match': `"${options.ifMatch}"` }),
});

async function send(url: string, method: string, headers: Readonly<Record<string, string>>, body: string | undefined): Promise<string> {
  let response: Response;
  try {
    response = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) });
  } catch {
    throw new Unreachable(`Nothing answers at ${new URL(url).origin}. Start Durabase there, or say where it is with --url.`);
  }
  const text = await response.text();
  if (!response.ok)
    throw new Refused(response.status, `${method} ${new URL(url).pathname} answered ${response.status}: ${messageOf(text)}`);
  return text;
}

function messageOf(text: string): string {
  try {
    return refusalText((JSON.parse(text) as { error: Refusal }).error);
  } catch {
    return text.slice(0, 300);
  }
}
