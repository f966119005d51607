/** Structured logs: one JSON object a line on standard output. Nothing secret is ever in one. */
import pino from 'pino';
import type { Logger } from 'pino';
import type { Config } from './config.ts';

export type { Logger } from 'pino';

const SECRET_KEYS = [
  'authorization',
  'cookie',
  'password',
  'secret',
  'token',
  'access_token',
  'refresh_token',
  'api_key',
  'x-api-key',
  'secretKey',
  'databaseUrl',
];

/** The root logger of a process. Children carry request, app and trace ids: `log.child({ request_id })`. */
export function createLogger(config: Pick<Config, 'logLevel'>, name: string): Logger {
  return pino({
    name,
    level: config.logLevel,
    base: { name, pid: process.pid },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRET_KEYS.flatMap((key) => [at('', key), at('*', key), at('*.*', key)]), censor: '[hidden]' },
    serializers: { err: pino.stdSerializers.err, error: pino.stdSerializers.err },
  });
}

const at = (prefix: string, key: string): string =>
  /^[a-z_]\w*$/i.test(key) ? (prefix === '' ? key : `${prefix}.${key}`) : `${prefix}["${key}"]`;
