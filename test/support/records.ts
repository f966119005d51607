/** Apps for tests of reading: tables made straight from a small document, rows inserted as they are. */
import type pg from 'pg';
import pino from 'pino';
import { afterAll } from 'vitest';
import { createKeyring } from '../../adapters/keys.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { documentSchema } from '../../core/model/document.ts';
import { columnType } from '../../core/model/field-types.ts';
import { buildModel, type AppModel, type EntityModel } from '../../core/model/model.ts';
import { createAppRuntime } from '../../operations/registry-runtimes.ts';
import type { Actor, AppContext, AppRuntime, Services } from '../../operations/context.ts';
import { freshDatabase } from './database.ts';

export interface ReadingWorld {
  readonly url: string;
  readonly pool: pg.Pool;
  /** Statements sent so far, by their text. */
  readonly statements: string[];
  app(name: string, document: unknown): Promise<AppRuntime>;
  insert(app: AppRuntime, entity: string, rows: readonly Record<string, unknown>[]): Promise<void>;
  context(app: AppRuntime, actor?: Partial<Actor>, now?: Date): AppContext;
}

export const ADMIN: Actor = {
  kind: 'user',
  id: '00000000-0000-7000-8000-00000000000a',
  email: 'admin@localhost',
  roles: ['admin'],
  isAdmin: true,
  sessionId: null,
};

const quote = (name: string): string => `"${name.replaceAll('"', '""')}"`;

export async function readingWorld(): Promise<ReadingWorld> {
  const url = await freshDatabase();
  const pool = createPool({ url, max: 4, applicationName: 'test' });
  const statements: string[] = [];
  pool.on('connect', (client) => {
    const original = client.query.bind(client) as (...args: unknown[]) => unknown;
    Object.assign(client, {
      query: (config: unknown, ...rest: unknown[]) => {
        statements.push(typeof config === 'string' ? config : (config as { text: string }).text);
        return original(config, ...rest);
      },
    });
  });
  afterAll(() => pool.end());
  const keyring = createKeyring('a secret key of thirty-two bytes or more');
  const services = {
    pool,
    keyring,
    log: pino({ level: 'silent' }),
    clock: () => new Date(),
    config: { exportsAtOnce: 4 },
  } as unknown as Services;
  return {
    url,
    pool,
    statements,
    app: (name, document) => createApp(pool, name, document),
    insert: (app, entity, rows) => insertRows(pool, app, entity, rows),
    context: (app, actor = {}, now = new Date('2026-06-15T12:00:00Z')) => ({
      services,
      app,
      actor: { ...ADMIN, ...actor, isAdmin: actor.isAdmin ?? actor.roles === undefined },
      now,
      requestId: 'test',
      cause: null,
      depth: 0,
    }),
  };
}

async function createApp(pool: pg.Pool, name: string, input: unknown): Promise<AppRuntime> {
  const document = documentSchema.parse(input);
  const model = buildModel(document);
  const storage = `app_${name}`;
  await pool.query(`create schema ${quote(storage)}`);
  await pool.query(`create table ${quote(storage)}._files (id uuid primary key, name text, size bigint, mime_type text)`);
  for (const entity of model.entities.values()) await pool.query(tableDdl(storage, entity));
  for (const ddl of linkTables(storage, model)) await pool.query(ddl);
  return createAppRuntime({ id: name, name, displayName: name, storage, status: 'active', schemaName: name, version: 1, document });
}

function tableDdl(storage: string, entity: EntityModel): string {
  const columns = [...entity.fields.values()].map((field) => `${quote(field.column)} ${columnType(field)}`);
  columns.push('_version bigint not null default 1');
  if (entity.hasSoftDelete) columns.push('deleted_at timestamptz');
  columns.push(`primary key (${entity.key.map((field) => quote(field.column)).join(', ')})`);
  return `create table ${quote(storage)}.${quote(entity.table)} (${columns.join(', ')})`;
}

function linkTables(storage: string, model: AppModel): string[] {
  const tables = new Set([...model.entities.values()].map((entity) => entity.table));
  return [...model.entities.values()]
    .flatMap((entity) => entity.relations)
    .flatMap((end) => {
      if (end.join === undefined || tables.has(end.join.table)) return [];
      tables.add(end.join.table);
      return [
        `create table ${quote(storage)}.${quote(end.join.table)} (${quote(end.join.localColumn)} uuid, ${quote(end.join.targetColumn)} uuid)`,
      ];
    });
}

async function insertRows(pool: pg.Pool, app: AppRuntime, name: string, rows: readonly Record<string, unknown>[]): Promise<void> {
  const table = app.model.entities.get(name)?.table ?? name;
  for (const row of rows) {
    const names = Object.keys(row);
    const values = names.map((key) => (typeof row[key] === 'object' && row[key] !== null ? JSON.stringify(row[key]) : row[key]));
    await pool.query(
      `insert into ${quote(app.storage)}.${quote(table)} (${names.map(quote).join(', ')}) values (${names.map((_, i) => `$${i + 1}`).join(', ')})`,
      values,
    );
  }
}

/** A readable UUID for tests: `uuid(7)` ends in 7. */
export const uuid = (n: number): string => `00000000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;
