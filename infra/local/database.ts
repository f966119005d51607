/** The database of a local start: its role and password, and one clear line for a DATABASE_URL that does not work. */
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import pg from 'pg';
import type { Config } from '../../adapters/config.ts';
import { ConfigError, requireSecretKey } from '../../adapters/config.ts';
import { startPostgres } from './postgres.ts';
import { findPostgres } from './postgres-binaries.ts';

/** Random text kept in a file only its owner reads. Renamed into place, so that it is whole or absent. */
function keptSecret(file: string): string {
  if (!fs.existsSync(file)) {
    fs.writeFileSync(`${file}.new`, randomBytes(32).toString('base64url'), { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  }
  return fs.readFileSync(file, 'utf8').trim();
}

export const passwordOf = (dataDir: string): string => keptSecret(path.join(dataDir, 'pg.password'));

/** SECRET_KEY, or on a development start the generated one of the data folder. */
export function secretKeyFor(config: Config, dataDir: string): string {
  return config.secretKey === undefined && config.isDevelopment ? keptSecret(path.join(dataDir, 'secret.key')) : requireSecretKey(config);
}

const ROLE = 'durabase';

/** Makes role and database `durabase` when they are missing. The role owns its database but is no superuser. */
export async function databaseFor(port: number, password: string): Promise<string> {
  const rolePassword = createHmac('sha256', password).update(`role ${ROLE}`).digest('base64url');
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' });
  client.on('error', () => undefined);
  await client.connect();
  try {
    const role = await client.query('select 1 from pg_roles where rolname = $1', [ROLE]);
    // The password is base64url: no quoting can go wrong in a statement that takes no parameters.
    if (role.rowCount === 0) await client.query(`create role ${ROLE} login createdb createrole password '${rolePassword}'`);
    const database = await client.query('select 1 from pg_database where datname = $1', [ROLE]);
    if (database.rowCount === 0) await client.query(`create database ${ROLE} owner ${ROLE}`);
  } finally {
    await client.end();
  }
  return `postgres://${ROLE}:${rolePassword}@127.0.0.1:${port}/${ROLE}`;
}

const LEAST_VERSION = 150_000;

/** Connects once; what is wrong becomes one line that names the variable and never shows the password. */
export async function checkDatabase(variable: string, url: string): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ server_version_num: string }>('show server_version_num');
    if (Number(rows[0]?.server_version_num) < LEAST_VERSION)
      throw new ConfigError(`${variable}: the server is older than Postgres 15. Update it, or leave ${variable} out for an embedded one.`);
  } catch (error) {
    if (error instanceof ConfigError) throw error;
    throw new ConfigError(`${variable} (${withoutPassword(url)}): ${reasonOf(error)}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

export function withoutPassword(url: string): string {
  try {
    const parsed = new URL(url);
    if (parsed.password !== '') parsed.password = '***';
    return parsed.href;
  } catch {
    return 'not a URL';
  }
}

const REASONS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing answers there. Start the server, or correct host and port.',
  ENOTFOUND: 'the host name is not known. Correct it.',
  EAI_AGAIN: 'the host name cannot be looked up now.',
  ETIMEDOUT: 'no answer. Check host, port and firewall.',
  '28P01': 'user or password is wrong.',
  '28000': 'the server does not let this user in (pg_hba.conf).',
  '3D000': 'there is no such database. Create it, or correct the name.',
  '53300': 'the server has no free connection.',
  '57P03': 'the server is starting up; try again.',
};

function reasonOf(error: unknown): string {
  const { code, message } = error as { code?: string; message?: string };
  const inner = error instanceof AggregateError ? (error.errors[0] as { code?: string }).code : undefined;
  return REASONS[code ?? inner ?? ''] ?? (/timeout/i.test(message ?? '') ? (REASONS['ETIMEDOUT'] ?? '') : (message ?? String(error)));
}

/** Runs work on the installation's database: the configured one, else the embedded one (started for as long as it takes). */
export async function withDatabase<T>(config: Config, work: (url: string) => Promise<T>): Promise<T> {
  const given = config.databaseOwnerUrl ?? config.databaseUrl;
  if (given !== undefined) {
    await checkDatabase(config.databaseOwnerUrl === undefined ? 'DATABASE_URL' : 'DATABASE_OWNER_URL', given);
    return work(given);
  }
  const dataDir = path.resolve(config.dataDir);
  const dir = path.join(dataDir, `pg${findPostgres().major}`);
  if (!fs.existsSync(dir))
    throw new ConfigError(
      `There is no database yet: DATABASE_URL is not set and ${dir} does not exist. Run npm start first, or set DATABASE_URL or DATA_DIR.`,
    );
  const password = passwordOf(dataDir);
  const server = await startPostgres({ dir, password, logFile: path.join(dataDir, 'logs', 'postgres.log') });
  try {
    return await work(await databaseFor(server.port, password));
  } finally {
    if (!server.isAdopted) await server.stop();
  }
}
