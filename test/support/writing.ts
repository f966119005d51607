/** Apps for tests of writing: real control and system tables, record tables made by the product's own plan. */
import pino from 'pino';
import { afterAll } from 'vitest';
import { createPool } from '../../adapters/postgres/pool.ts';
import { migrateApp, migrateControl } from '../../adapters/postgres/migrate.ts';
import { run } from '../../adapters/postgres/run.ts';
import { diff } from '../../core/change/diff.ts';
import { plan } from '../../core/change/plan.ts';
import { isAppError, type AppError } from '../../core/errors.ts';
import { documentSchema } from '../../core/model/document.ts';
import { buildModel } from '../../core/model/model.ts';
import { createAppRuntime } from '../../operations/registry-runtimes.ts';
import type { Actor, AppContext, AppRuntime, Services } from '../../operations/context.ts';
import type pg from 'pg';
import { freshDatabase } from './database.ts';

export const ADMIN: Actor = {
  kind: 'user',
  id: '00000000-0000-7000-8000-00000000000a',
  email: 'admin@localhost',
  roles: ['admin'],
  isAdmin: true,
  sessionId: null,
};

export interface LoggedEvent {
  readonly entity: string;
  readonly record_id: string;
  readonly action: string;
  readonly record_version: string;
  readonly actor: { readonly kind: string; readonly id: string | null };
  readonly record: Record<string, unknown> | null;
  readonly old: Record<string, unknown> | null;
}

export interface WritingWorld {
  readonly pool: pg.Pool;
  /** Statements sent so far. */
  readonly statements: string[];
  app(name: string, document: unknown): Promise<AppRuntime>;
  context(app: AppRuntime, actor?: Partial<Actor>, extra?: Partial<AppContext>): AppContext;
  events(app: AppRuntime, entity?: string): Promise<LoggedEvent[]>;
}

export async function writingWorld(services: Partial<Services> = {}): Promise<WritingWorld> {
  const url = await freshDatabase();
  const pool = createPool({ url, max: 8, applicationName: 'test' });
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
  await migrateControl(url);
  const all = {
    pool,
    log: pino({ level: 'silent' }),
    clock: () => new Date(),
    registry: { hasStreams: false },
    ...services,
  } as unknown as Services;
  return {
    pool,
    statements,
    app: (name, document) => createApp(url, pool, name, document),
    context: (app, actor = {}, extra = {}) => ({
      services: all,
      app,
      actor: { ...ADMIN, ...actor, isAdmin: actor.isAdmin ?? actor.roles === undefined },
      now: new Date('2026-06-15T12:00:00Z'),
      requestId: 'test',
      cause: null,
      depth: 0,
      ...extra,
    }),
    events: async (app, entity) =>
      (
        await pool.query<LoggedEvent>(
          'select entity, record_id, action, record_version, actor, record, old from durabase.events where app = $1 and ($2::text is null or entity = $2) order by seq',
          [app.id, entity ?? null],
        )
      ).rows,
  };
}

/** The error a write is refused with; anything else fails the test as it is. */
export async function refusal(work: Promise<unknown>): Promise<AppError> {
  try {
    await work;
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  throw new Error('It was not refused.');
}

async function createApp(url: string, pool: pg.Pool, name: string, input: unknown): Promise<AppRuntime> {
  const document = documentSchema.parse(input);
  const nothing = documentSchema.parse({ version: 1 });
  const model = buildModel(document);
  const storage = `app_${name}`;
  await pool.query(
    `insert into durabase.apps (id, name, display_name, storage, status, schema_name, served_version) values ($1, $1, $1, $2, 'active', $1, 1)`,
    [name, storage],
  );
  await migrateApp(url, storage);
  for (const step of plan(diff(nothing, document), { previous: buildModel(nothing), next: model, storage }).steps) {
    for (const statement of step.statements) await run(pool, statement);
  }
  return createAppRuntime({ id: name, name, displayName: name, storage, status: 'active', schemaName: name, version: 1, document });
}
