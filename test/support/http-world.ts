/** The api of this process over real HTTP, on apps put straight into the catalog: what needs no worker and no Temporal. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import pg from 'pg';
import pino from 'pino';
import { loadConfig } from '../../adapters/config.ts';
import { hashPassword } from '../../adapters/passwords.ts';
import { migrateApp, migrateControl } from '../../adapters/postgres/migrate.ts';
import { run } from '../../adapters/postgres/run.ts';
import { startApi } from '../../api/main.ts';
import { diff } from '../../core/change/diff.ts';
import { plan } from '../../core/change/plan.ts';
import { documentSchema } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';
import { signIn, type Caller } from './api.ts';

export interface HttpUser {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
}

export interface HttpWorld {
  readonly url: string;
  readonly pool: pg.Pool;
  /** An app whose tables the product's own plan made. */
  app(name: string, document: unknown, users: readonly HttpUser[]): Promise<void>;
  /** One of the users given to `app`. */
  login(app: string, email: string): Promise<Caller>;
  platform(): Promise<Caller>;
  close(): Promise<void>;
}

const PASSWORD = 'correct horse';

export async function httpWorld(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Promise<HttpWorld> {
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-http-'));
  const config = loadConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    // Nothing listens there: data requests never ask.
    TEMPORAL_ADDRESS: '127.0.0.1:9',
    SECRET_KEY: 'k'.repeat(40),
    LOG_LEVEL: 'warn',
    ...env,
  });
  await migrateControl(databaseUrl);
  const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
  const api = await startApi(config, pino({ level: process.env['TEST_LOG'] ?? 'silent' }));
  const url = `http://127.0.0.1:${String(api.port)}`;
  const passwordHash = await hashPassword(PASSWORD);
  return {
    url,
    pool,
    async app(name, input, users) {
      const storage = await createApp(pool, databaseUrl, name, input);
      for (const user of users) {
        await pool.query(`insert into "${storage}"._users (id, email, password_hash, roles) values ($1, $2, $3, $4)`, [
          user.id,
          user.email,
          passwordHash,
          user.roles,
        ]);
      }
    },
    login: (app, email) => signIn(url, email, PASSWORD, app),
    platform: () => signIn(url, 'platform@localhost', 'changeme'),
    async close() {
      await api.close();
      await pool.end();
      fs.rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

async function createApp(pool: pg.Pool, databaseUrl: string, name: string, input: unknown): Promise<string> {
  const document = documentSchema.parse(input);
  const nothing = documentSchema.parse({ version: 1 });
  const model = buildModel(document);
  const storage = `app_${name}`;
  await pool.query('insert into durabase.schemas (name, owner_app, latest_version) values ($1, $1, 1)', [name]);
  await pool.query(
    `insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by) values ($1, 1, $2, 'initial', '[]', '', '{}')`,
    [name, JSON.stringify(document)],
  );
  await pool.query(
    `insert into durabase.apps (id, name, display_name, storage, schema_name, served_version) values ($1, $1, $1, $2, $1, 1)`,
    [name, storage],
  );
  await migrateApp(databaseUrl, storage);
  for (const step of plan(diff(nothing, document), { previous: buildModel(nothing), next: model, storage }).steps) {
    for (const statement of step.statements) await run(pool, statement);
  }
  await pool.query(`update durabase.apps set status = 'active' where id = $1`, [name]);
  return storage;
}
