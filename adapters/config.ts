/** Settings from the environment, read once. A bad value stops start-up naming the variable and the rule. */
import { z } from 'zod';

const port = z.coerce.number().int().min(0).max(65_535);
const flag = z.enum(['true', 'false', '1', '0', '']).transform((text) => text === 'true' || text === '1');
const list = z.string().transform((text) =>
  text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== ''),
);
const address = (protocols: string) =>
  z.string().regex(new RegExp(`^(${protocols})://`), `must start with ${protocols.replaceAll('|', ':// or ')}://`);
const cidr = z.string().regex(/^[0-9a-fA-F.:]+\/\d{1,3}$/, 'must be CIDR blocks like 127.0.0.0/8, separated by commas');

const portRange = z.string().transform((text, context) => {
  const [, first = '', last = first] = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text) ?? [];
  const range = { from: Number(first), to: Number(last) };
  if (first !== '' && range.from >= 1 && range.from <= range.to && range.to <= 65_535) return range;
  context.addIssue({ code: 'custom', message: 'must be ports or ranges of them like 443,8000-8999' });
  return z.NEVER;
});

const DAYS = z.coerce.number().int().min(1).max(3650);

/** Every variable with its rule, default and one line of help: `npm start -- --help` prints this table. */
export const SETTINGS = {
  PORT: { schema: port.default(8080), help: 'port of the API and the admin' },
  HOST: { schema: z.string().default('127.0.0.1'), help: 'address to listen on' },
  DATA_DIR: { schema: z.string().min(1).default('.durabase'), help: 'folder of the embedded services and the generated key' },
  DATABASE_URL: {
    schema: address('postgres|postgresql').optional(),
    help: 'Postgres 15-18; an embedded one is started when this is not set',
  },
  DATABASE_OWNER_URL: {
    schema: address('postgres|postgresql').optional(),
    help: "the worker's role with DDL rights; DATABASE_URL when not set",
  },
  DATABASE_DIRECT_URL: {
    schema: address('postgres|postgresql').optional(),
    help: 'a connection without a pooler, for DDL, LISTEN and election',
  },
  DATABASE_POOL_MAX: { schema: z.coerce.number().int().min(2).max(1000).default(40), help: 'connections of one api process' },
  EXPORTS_AT_ONCE: {
    schema: z.coerce.number().int().min(1).max(500).default(8),
    help: 'exports one api process streams at once; at most half of its connections',
  },
  FEED_HOURS: { schema: z.coerce.number().int().min(1).max(2_160).default(72), help: 'hours for which realtime clients can resume' },
  STREAMS_PER_PROCESS: { schema: z.coerce.number().int().min(0).max(50_000).default(5_000), help: 'realtime streams of one api process' },
  STREAMS_PER_APP: { schema: z.coerce.number().int().min(0).max(50_000).default(2_000), help: 'of those, of one app' },
  STREAMS_PER_USER: { schema: z.coerce.number().int().min(0).max(50_000).default(50), help: 'of those, of one user or API key' },
  TEMPORAL_ADDRESS: {
    schema: z
      .string()
      .regex(/^[^\s:/]+:\d+$/, 'must be host:port')
      .optional(),
    help: 'Temporal frontend; a local server is started when this is not set',
  },
  TEMPORAL_NAMESPACE: { schema: z.string().min(1).default('default'), help: 'Temporal namespace' },
  TEMPORAL_API_KEY: { schema: z.string().optional(), help: 'API key of Temporal Cloud' },
  TEMPORAL_TLS_CA: { schema: z.string().optional(), help: 'file of the certificate authority' },
  TEMPORAL_TLS_CERT: { schema: z.string().optional(), help: 'file of the client certificate' },
  TEMPORAL_TLS_KEY: { schema: z.string().optional(), help: 'file of the client key' },
  TEMPORAL_UI_URL: {
    schema: address('http|https').optional(),
    help: 'where links to the Temporal Web UI lead, if not to /temporal of this server',
  },
  TEMPORAL_UI_UPSTREAM: {
    schema: address('http|https').optional(),
    help: 'a Temporal Web UI with the public path /temporal: shown to platform accounts at /temporal of this server',
  },
  TEMPORAL_UI_PORT: { schema: port.default(8233), help: 'port of the local Temporal Web UI' },
  REDIS_URL: { schema: address('redis|rediss').optional(), help: 'Redis or Valkey, for schema events and rate limits' },
  SMTP_URL: {
    schema: address('smtp|smtps').optional(),
    help: 'mail server, like smtp://user:password@host:587; on a development start mails go to files in DATA_DIR/outbox without it',
  },
  MAIL_FROM: {
    schema: z
      .string()
      .regex(/^([^<>\r\n]*<)?[^\s@<>]+@[^\s@<>]+>?$/, 'must be an address, or Name <address>')
      .default('Durabase <durabase@localhost>'),
    help: 'sender of mails',
  },
  PUBLIC_URL: { schema: address('http|https').optional(), help: 'how clients reach the API; http://HOST:PORT when not set' },
  SECRET_KEY: {
    schema: z.string().min(32, 'must have at least 32 characters').optional(),
    help: 'seals secrets at rest; generated into DATA_DIR on a development start',
  },
  PLATFORM_ADMIN_EMAIL: {
    schema: z
      .string()
      .regex(/^\S+@\S+$/)
      .default('platform@localhost'),
    help: 'first platform admin',
  },
  PLATFORM_ADMIN_PASSWORD: { schema: z.string().min(1).default('changeme'), help: 'its password; the default is refused off loopback' },
  LOG_LEVEL: { schema: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), help: 'least level logged' },
  DEFAULT_APP: {
    schema: z
      .string()
      .regex(/^[a-z][a-z0-9_-]{0,62}$/)
      .optional(),
    help: 'the app of paths that name none',
  },
  WORKER_METRICS_PORT: {
    schema: z.coerce.number().int().min(1).max(65_535).optional(),
    help: 'where a worker serves /metrics; nowhere when not set',
  },
  DELIVERY_DAYS: {
    schema: DAYS.default(30),
    help: 'days for which deliveries that succeeded are kept, with their attempts',
  },
  DEAD_DELIVERY_DAYS: {
    schema: DAYS.default(90),
    help: 'days for which deliveries that were given up are kept; they can be replayed until then',
  },
  RUN_DAYS: { schema: DAYS.default(365), help: 'days for which runs that ended are kept, with their tasks, votes and history' },
  CLOCK_DAYS: { schema: DAYS.default(365), help: 'days for which clocks of SLAs that ended are kept' },
  NOTIFICATION_DAYS: { schema: DAYS.default(90), help: 'days for which notifications in the app are kept' },
  FUNCTION_RUN_DAYS: { schema: DAYS.default(30), help: 'days for which the log of functions is kept' },
  OPERATING_DAYS: {
    schema: DAYS.default(90),
    help: 'days for which operations on many runs, replays, carried out and failed starts, and results of steps are kept',
  },
  IMPORT_MAX_MB: { schema: z.coerce.number().int().min(1).max(2_000).default(100), help: 'megabytes of one imported file, unpacked' },
  IMPORT_MAX_ROWS: { schema: z.coerce.number().int().min(1).max(10_000_000).default(1_000_000), help: 'rows of one imported file' },
  IMPORT_DAYS: {
    schema: DAYS.default(30),
    help: 'days for which imports are kept, with their rows, errors and what an undo needs',
  },
  WEBHOOK_ALLOW_CIDRS: {
    schema: list.pipe(z.array(cidr)).optional(),
    help: 'private networks that webhooks may reach; 127.0.0.0/8 on a development start',
  },
  WEBHOOK_PORTS: {
    schema: list.pipe(z.array(portRange)).optional(),
    help: 'ports that webhooks may reach, like 443,8000-8999; 80, 443 and those from 1024 when not set',
  },
  SCRIPTS_ENABLED: { schema: flag.default(false), help: 'true lets apps that want script hooks have them' },
  CORS_ORIGINS: { schema: list.default([]), help: 'origins allowed to call from a browser' },
  TRUST_PROXY: { schema: z.string().optional(), help: "Express's trust proxy setting" },
  NODE_ENV: { schema: z.string().default('development'), help: 'production refuses development defaults' },
  DURABASE_TEST: { schema: flag.default(false), help: 'opens the crash points used by the proofs' },
  CRASH_AT: { schema: z.string().optional(), help: 'with DURABASE_TEST: kills the process at a named point' },
} as const;

type SettingName = keyof typeof SETTINGS;
type Parsed = { [K in SettingName]: z.infer<(typeof SETTINGS)[K]['schema']> };

export interface Config {
  readonly port: number;
  readonly host: string;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly databaseOwnerUrl: string | undefined;
  readonly databaseDirectUrl: string | undefined;
  readonly databasePoolMax: number;
  readonly exportsAtOnce: number;
  readonly feedHours: number;
  readonly workerMetricsPort: number | undefined;
  /** How long what has ended is kept. */
  readonly daysKept: Readonly<
    Record<'deliveries' | 'deadDeliveries' | 'runs' | 'clocks' | 'notifications' | 'functionRuns' | 'operating' | 'imports', number>
  >;
  /** Of one imported file. */
  readonly imports: { readonly maxBytes: number; readonly maxRows: number };
  readonly streams: { readonly perProcess: number; readonly perApp: number; readonly perUser: number };
  readonly temporal: {
    readonly address: string | undefined;
    readonly namespace: string;
    readonly apiKey: string | undefined;
    readonly tls: { readonly ca: string | undefined; readonly cert: string | undefined; readonly key: string | undefined };
    readonly uiUrl: string | undefined;
    readonly uiUpstream: string | undefined;
    readonly uiPort: number;
  };
  readonly redisUrl: string | undefined;
  readonly smtpUrl: string | undefined;
  readonly mailFrom: string;
  readonly publicUrl: string;
  /** Undefined until the supervisor has made one; see `requireSecretKey`. */
  readonly secretKey: string | undefined;
  readonly platformAdmin: { readonly email: string; readonly password: string };
  readonly logLevel: Parsed['LOG_LEVEL'];
  readonly defaultApp: string | undefined;
  readonly webhookAllowCidrs: readonly string[];
  readonly webhookPorts: readonly { readonly from: number; readonly to: number }[] | undefined;
  /** Whether apps that want script hooks get them. */
  readonly scriptsEnabled: boolean;
  readonly corsOrigins: readonly string[];
  readonly trustProxy: string | undefined;
  /** A loopback-only start outside production: published credentials work, a key is generated. */
  readonly isDevelopment: boolean;
  readonly crashAt: string | undefined;
}

/** A start-up failure whose message is the one line to show. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** False when mails have nowhere to go. Here, so that asking does not load what sends them. */
export const canMail = (config: Pick<Config, 'smtpUrl' | 'isDevelopment'>): boolean => config.smtpUrl !== undefined || config.isDevelopment;

export const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || /^127\./.test(host);

export function loadConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const parsed = {} as Record<SettingName, unknown>;
  for (const [variable, { schema }] of Object.entries(SETTINGS) as [SettingName, { schema: z.ZodType }][]) {
    const given = env[variable];
    const result = schema.safeParse(given === '' ? undefined : given);
    if (!result.success) {
      throw new ConfigError(
        `${variable}=${JSON.stringify(given)}: ${result.error.issues[0]?.message ?? 'is not valid'}. ${SETTINGS[variable].help}.`,
      );
    }
    parsed[variable] = result.data;
  }
  return Object.freeze(shape(parsed as Parsed));
}

function shape(p: Parsed): Config {
  const isDevelopment = isLoopback(p.HOST) && p.NODE_ENV !== 'production';
  if (!isDevelopment && p.PLATFORM_ADMIN_PASSWORD === 'changeme') {
    throw new ConfigError(
      'PLATFORM_ADMIN_PASSWORD still is the published default, which works only on a loopback HOST outside production. Set it.',
    );
  }
  return {
    port: p.PORT,
    host: p.HOST,
    dataDir: p.DATA_DIR,
    databaseUrl: p.DATABASE_URL,
    databaseOwnerUrl: p.DATABASE_OWNER_URL,
    databaseDirectUrl: p.DATABASE_DIRECT_URL,
    databasePoolMax: p.DATABASE_POOL_MAX,
    exportsAtOnce: p.EXPORTS_AT_ONCE,
    feedHours: p.FEED_HOURS,
    workerMetricsPort: p.WORKER_METRICS_PORT,
    daysKept: {
      deliveries: p.DELIVERY_DAYS,
      deadDeliveries: p.DEAD_DELIVERY_DAYS,
      runs: p.RUN_DAYS,
      clocks: p.CLOCK_DAYS,
      notifications: p.NOTIFICATION_DAYS,
      functionRuns: p.FUNCTION_RUN_DAYS,
      operating: p.OPERATING_DAYS,
      imports: p.IMPORT_DAYS,
    },
    imports: { maxBytes: p.IMPORT_MAX_MB * 1024 * 1024, maxRows: p.IMPORT_MAX_ROWS },
    streams: { perProcess: p.STREAMS_PER_PROCESS, perApp: p.STREAMS_PER_APP, perUser: p.STREAMS_PER_USER },
    temporal: {
      address: p.TEMPORAL_ADDRESS,
      namespace: p.TEMPORAL_NAMESPACE,
      apiKey: p.TEMPORAL_API_KEY,
      tls: { ca: p.TEMPORAL_TLS_CA, cert: p.TEMPORAL_TLS_CERT, key: p.TEMPORAL_TLS_KEY },
      uiUrl: p.TEMPORAL_UI_URL,
      uiUpstream: p.TEMPORAL_UI_UPSTREAM,
      uiPort: p.TEMPORAL_UI_PORT,
    },
    redisUrl: p.REDIS_URL,
    smtpUrl: p.SMTP_URL,
    mailFrom: p.MAIL_FROM,
    publicUrl: p.PUBLIC_URL ?? `http://${p.HOST.includes(':') ? `[${p.HOST}]` : p.HOST}:${p.PORT}`,
    secretKey: p.SECRET_KEY,
    platformAdmin: { email: p.PLATFORM_ADMIN_EMAIL, password: p.PLATFORM_ADMIN_PASSWORD },
    logLevel: p.LOG_LEVEL,
    defaultApp: p.DEFAULT_APP,
    webhookAllowCidrs: p.WEBHOOK_ALLOW_CIDRS ?? (isDevelopment ? ['127.0.0.0/8', '::1/128'] : []),
    webhookPorts: p.WEBHOOK_PORTS,
    scriptsEnabled: p.SCRIPTS_ENABLED,
    corsOrigins: p.CORS_ORIGINS,
    trustProxy: p.TRUST_PROXY,
    isDevelopment,
    crashAt: p.DURABASE_TEST ? p.CRASH_AT : undefined,
  };
}

/** The sealing key, or the one line that says how to get one. */
export function requireSecretKey(config: Config): string {
  if (config.secretKey === undefined)
    throw new ConfigError('SECRET_KEY is not set. Use the same random text of 32 characters or more for every api and worker.');
  return config.secretKey;
}
