import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import pg from 'pg';
import type { Config } from '../../adapters/config.ts';
import { loadConfig } from '../../adapters/config.ts';
import { checkDatabase, withoutPassword } from '../../infra/local/database.ts';
import { lockHolder } from '../../infra/local/lock.ts';
import { findPostgres } from '../../infra/local/postgres-binaries.ts';
import { freeMegabytes, isPortFree, onPath } from '../../infra/local/system.ts';
import { cacheFolder, installedTemporal } from '../../infra/local/temporal.ts';
import type { Command } from '../command.ts';

interface Finding {
  readonly level: 'ok' | 'note' | 'missing';
  readonly subject: string;
  readonly text: string;
}

export const command: Command = {
  help: 'Usage: durabase doctor\n\nSays what is found on this machine and what is missing; changes nothing. Ends with 1 when something is missing.',

  async run() {
    const config = loadConfig(process.env);
    const checks = [node(), postgres(config), temporal(config), redis(config), ports(config), disk(config), secret(config)];
    const findings = (await Promise.all(checks)).flat();
    for (const { level, subject, text } of findings) process.stdout.write(`${MARKS[level]} ${subject.padEnd(10)} ${text}\n`);
    process.stdout.write(`\n${ROLES_SQL}\n`);
    return findings.some(({ level }) => level === 'missing') ? 1 : 0;
  },
};

const MARKS = { ok: 'ok     ', note: 'note   ', missing: 'MISSING' } as const;

const finding = (level: Finding['level'], subject: string, text: string): Finding => ({ level, subject, text });

async function node(): Promise<Finding> {
  return finding('ok', 'node', process.version);
}

async function postgres(config: Config): Promise<Finding[]> {
  if (config.databaseUrl === undefined) return [embedded()];
  const found = await database('DATABASE_URL', config.databaseUrl);
  if (config.databaseOwnerUrl === undefined) {
    return [
      found,
      finding(
        'note',
        'postgres',
        'DATABASE_OWNER_URL is not set: api and worker share one role, so the api could change tables. SQL for two roles is below.',
      ),
    ];
  }
  return [found, await database('DATABASE_OWNER_URL', config.databaseOwnerUrl), await apiRights(config.databaseUrl)];
}

function embedded(): Finding {
  try {
    const { folder, major } = findPostgres();
    return finding('ok', 'postgres', `embedded, version ${major} (${folder}); DATABASE_URL is not set`);
  } catch (error) {
    return finding('missing', 'postgres', (error as Error).message);
  }
}

async function database(variable: string, url: string): Promise<Finding> {
  try {
    await checkDatabase(variable, url);
    return finding('ok', 'postgres', `${variable} ${withoutPassword(url)} answers`);
  } catch (error) {
    return finding('missing', 'postgres', (error as Error).message);
  }
}

async function apiRights(url: string): Promise<Finding> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ can: boolean }>("select has_database_privilege(current_database(), 'CREATE') as can");
    if (rows[0]?.can === true)
      return finding('note', 'postgres', 'the role of DATABASE_URL may create schemas; the api needs no such right');
    return finding('ok', 'postgres', 'the role of DATABASE_URL has no right to change tables');
  } catch (error) {
    return finding('note', 'postgres', `the rights of DATABASE_URL could not be read: ${(error as Error).message}`);
  } finally {
    await client.end().catch(() => undefined);
  }
}

async function temporal(config: Config): Promise<Finding> {
  const { address } = config.temporal;
  if (address !== undefined) {
    const answers = await isListening(address.slice(0, address.lastIndexOf(':')), Number(address.slice(address.lastIndexOf(':') + 1)));
    return answers
      ? finding('ok', 'temporal', `TEMPORAL_ADDRESS ${address} answers`)
      : finding(
          'missing',
          'temporal',
          `TEMPORAL_ADDRESS ${address} does not answer. Start the server there, or leave the variable out for a local one.`,
        );
  }
  const executable = installedTemporal();
  if (executable !== undefined) return finding('ok', 'temporal', `local server ${executable}`);
  if (onPath('go') !== undefined)
    return finding(
      'note',
      'temporal',
      `not there yet; the first start downloads it or compiles it with Go (minutes, once, into ${cacheFolder()})`,
    );
  return finding(
    'note',
    'temporal',
    'not there yet and no Go to compile it with: the first start needs the Internet, or a temporal command on PATH, or TEMPORAL_ADDRESS',
  );
}

async function redis(config: Config): Promise<Finding> {
  if (config.redisUrl === undefined) return finding('ok', 'redis', 'not configured; schema events use Postgres');
  const { hostname, port } = new URL(config.redisUrl);
  const answers = await isListening(hostname, Number(port || 6379));
  return answers
    ? finding('ok', 'redis', `REDIS_URL ${hostname} answers`)
    : finding('missing', 'redis', `REDIS_URL ${hostname}:${port || 6379} does not answer. Start it, or leave the variable out.`);
}

function isListening(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect({ host, port, timeout: 3000 });
    const settle = (answer: boolean) => (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', settle(true)).once('error', settle(false)).once('timeout', settle(false));
  });
}

async function ports(config: Config): Promise<Finding[]> {
  const holder = lockHolder(path.resolve(config.dataDir));
  if (holder !== undefined) return [finding('ok', 'ports', `Durabase runs already: ${holder.url} (process ${holder.pid})`)];
  const api = (await isPortFree(config.port, config.host))
    ? finding('ok', 'ports', `${config.host}:${config.port} (PORT) is free`)
    : finding('missing', 'ports', `${config.host}:${config.port} (PORT) is in use by another program. Stop that, or set PORT.`);
  if (config.temporal.address !== undefined || (await isPortFree(config.temporal.uiPort))) return [api];
  return [api, finding('note', 'ports', `${config.temporal.uiPort} (TEMPORAL_UI_PORT) is in use; the local Web UI takes another port`)];
}

const COMFORTABLE_MB = 2000;

async function disk(config: Config): Promise<Finding> {
  const megabytes = freeMegabytes(config.dataDir);
  const text = `${megabytes} MB free for ${path.resolve(config.dataDir)} (DATA_DIR)`;
  return finding(megabytes < 150 ? 'missing' : megabytes < COMFORTABLE_MB ? 'note' : 'ok', 'disk', text);
}

async function secret(config: Config): Promise<Finding> {
  if (config.secretKey !== undefined) return finding('ok', 'secret', 'SECRET_KEY is set');
  const file = path.resolve(config.dataDir, 'secret.key');
  if (!config.isDevelopment)
    return finding('missing', 'secret', 'SECRET_KEY is not set; outside a development start it must be: the same for every api and worker');
  if (!fs.existsSync(file)) return finding('ok', 'secret', `SECRET_KEY is not set; the first start makes ${file}`);
  const isOpen = (fs.statSync(file).mode & 0o077) !== 0;
  return isOpen ? finding('note', 'secret', `${file} can be read by others: chmod 600 ${file}`) : finding('ok', 'secret', file);
}

/** The worker's role owns the database; the api's may use what is there and make nothing. */
const ROLES_SQL = `Two roles, so that the api cannot change tables (run as a superuser, with passwords of your own):

  create role durabase_owner login password '...' ;
  create role durabase_api login password '...' ;
  create database durabase owner durabase_owner;
  revoke create, temporary on database durabase from public;
  grant connect on database durabase to durabase_api;
  -- inside the database durabase:
  revoke all on schema public from public;
  alter default privileges for role durabase_owner grant usage on schemas to durabase_api;
  alter default privileges for role durabase_owner grant select, insert, update, delete on tables to durabase_api;
  alter default privileges for role durabase_owner grant usage, select on sequences to durabase_api;

  DATABASE_URL=postgres://durabase_api:...@HOST/durabase  DATABASE_OWNER_URL=postgres://durabase_owner:...@HOST/durabase`;
