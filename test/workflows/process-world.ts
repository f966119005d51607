/** An app with tickets, a worker process around it (relay, starter, Temporal workers), and people who decide. */
import { randomBytes, randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll } from 'vitest';
import { type Config, loadConfig } from '../../adapters/config.ts';
import { migrateApp, migrateControl } from '../../adapters/postgres/migrate.ts';
import { documentSchema } from '../../core/model/document.ts';
import { type Actor, type AppContext, type AppRuntime, systemActor } from '../../operations/context.ts';
import { createServices, type RunningServices } from '../../operations/services.ts';
import { type RunAnswer, findRun, selectRuns, answerRun } from '../../operations/processes/runs.ts';
import { sql, value } from '../../core/sql/sql.ts';
import { type RunningWorker, startWorker } from '../../workers/main.ts';
import { freshDatabase } from '../support/database.ts';
import { temporalAddress, workflowBundle } from '../support/temporal.ts';

export interface ProcessWorld {
  readonly config: Config;
  readonly services: RunningServices;
  readonly app: AppRuntime;
  worker: RunningWorker;
  startWorker(): Promise<void>;
  user(email: string, roles: readonly string[]): Promise<Actor>;
  as(actor: Actor): AppContext;
  admin: AppContext;
  /** A committed change of a ticket, as the record operations write it; answers the event's seq. */
  change(
    ticket: string,
    action: 'create' | 'update' | 'delete',
    record: Row | null,
    old: Row | null,
    by?: Actor,
    depth?: number,
  ): Promise<string>;
  ticket(fields: Row): Promise<string>;
  ticketRow(id: string): Promise<Row>;
  /** The newest run about a record, once `done` holds for it. */
  until(recordId: string, done: (run: RunAnswer) => boolean, timeoutMs?: number): Promise<RunAnswer>;
}

export type Row = Record<string, unknown>;

export const APPROVER_ROLE = 'team_lead';

const ENTITIES = [
  { name: 'agent', fields: [{ name: 'email', type: 'email' }] },
  {
    name: 'ticket',
    soft_delete: false,
    fields: [
      { name: 'title', type: 'string' },
      { name: 'priority', type: 'string' },
      { name: 'status', type: 'string' },
      { name: 'escalated_at', type: 'timestamp' },
      { name: 'days', type: 'int' },
      { name: 'agent', type: 'relation', target: 'agent' },
    ],
  },
];

/** `more`: other sections of the document; `env`: of the processes. */
export async function processWorld(
  workflows: readonly unknown[],
  more: object = {},
  env: Readonly<Record<string, string>> = {},
): Promise<ProcessWorld> {
  const url = await freshDatabase();
  const [address, bundlePath] = await Promise.all([temporalAddress(), workflowBundle()]);
  const config = loadConfig({
    DATABASE_URL: url,
    TEMPORAL_ADDRESS: address,
    TEMPORAL_NAMESPACE: `t-${randomBytes(5).toString('hex')}`,
    SECRET_KEY: 'x'.repeat(40),
    DATABASE_POOL_MAX: '10',
    LOG_LEVEL: process.env['TEST_LOG'] ?? 'error',
    ...env,
  });
  await migrateControl(url);
  const appId = await seedApp(url, { workflows, ...more });
  const services = await createServices(config, 'worker', pino({ level: config.logLevel }));
  const app = await services.registry.byId(appId);
  if (app === undefined) throw new Error('the app is not served');
  const start = async (): Promise<RunningWorker> => {
    const worker = await startWorker(config, { log: pino({ level: config.logLevel }), bundlePath });
    while (worker.health().temporal !== 'running') await new Promise((resolve) => setTimeout(resolve, 25));
    return worker;
  };
  const world = makeWorld({ config, services, app, worker: await start() }, start);
  afterAll(async () => {
    await world.worker.close();
    await services.close();
  });
  return world;
}

async function seedApp(url: string, sections: object): Promise<string> {
  const { default: pg } = await import('pg');
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const storage = 'app_aaaaaaaaaaaa';
  const document = documentSchema.parse({ version: 1, entities: ENTITIES, ...sections });
  try {
    await client.query(
      `insert into durabase.apps (id, name, display_name, storage, status, schema_name, served_version) values ('aaaaaaaaaaaa', 'desk', 'Desk', $1, 'active', 'desk', 1)`,
      [storage],
    );
    await client.query(`insert into durabase.schemas (name, owner_app, latest_version) values ('desk', 'aaaaaaaaaaaa', 1)`);
    await client.query(
      `insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by) values ('desk', 1, $1, 'initial', '[]', 'h', '{}')`,
      [JSON.stringify(document)],
    );
    await migrateApp(url, storage);
    await client.query(`create table ${storage}.agent (id uuid primary key, email text, _version bigint not null default 1)`);
    await client.query(
      `create table ${storage}.ticket (id uuid primary key, title text, priority text, status text, escalated_at timestamptz, days integer, agent_id uuid, _version bigint not null default 1)`,
    );
  } finally {
    await client.end();
  }
  return 'aaaaaaaaaaaa';
}

type Parts = Pick<ProcessWorld, 'config' | 'services' | 'app' | 'worker'>;

function makeWorld(parts: Parts, start: () => Promise<RunningWorker>): ProcessWorld {
  const { services, app } = parts;
  const { pool } = services;
  const as = (actor: Actor): AppContext => ({ services, app, actor, now: new Date(), requestId: 'test', cause: null, depth: 0 });
  return {
    ...parts,
    as,
    admin: as({ ...systemActor(), kind: 'platform', id: 'operator' }),
    async startWorker() {
      this.worker = await start();
    },
    async user(email, roles) {
      const id = randomUUID();
      await pool.query(`insert into ${app.storage}._users (id, email, roles) values ($1, $2, $3)`, [id, email, roles]);
      return { kind: 'user', id, email, roles, isAdmin: roles.includes('admin'), sessionId: null };
    },
    async change(ticket, action, record, old, by = systemActor(), depth = 0) {
      const { rows } = await pool.query<{ seq: string }>(
        `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old, depth) values ($1, 'ticket', $2, $3, 1, 1, $4, $5, $6, $7) returning seq`,
        [
          app.id,
          ticket,
          action,
          JSON.stringify({ kind: by.kind, id: by.id, roles: by.roles }),
          record === null ? null : JSON.stringify(record),
          old === null ? null : JSON.stringify(old),
          depth,
        ],
      );
      return rows[0]?.seq ?? '';
    },
    async ticket(fields) {
      const id = randomUUID();
      const names = Object.keys(fields);
      await pool.query(
        `insert into ${app.storage}.ticket (id${names.map((name) => `, ${name}`).join('')}) values ($1${names.map((_, i) => `, $${i + 2}`).join('')})`,
        [id, ...Object.values(fields)],
      );
      return id;
    },
    async ticketRow(id) {
      return (await pool.query<Row>(`select * from ${app.storage}.ticket where id = $1`, [id])).rows[0] ?? {};
    },
    until: (recordId, done, timeoutMs = 20_000) => until(as(systemActor()), recordId, done, timeoutMs),
  };
}

async function until(ctx: AppContext, recordId: string, done: (run: RunAnswer) => boolean, timeoutMs: number): Promise<RunAnswer> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const [row] = await selectRuns(ctx.services.pool, ctx.app, sql`r.record_id = ${value(recordId)}`, { limit: 1, offset: 0 });
    const answer = row === undefined ? undefined : await answerRun({ ...ctx, now: new Date() }, row);
    if (answer !== undefined && done(answer)) return answer;
    if (Date.now() > end) throw new Error(`not reached in ${timeoutMs} ms; the run is ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export { findRun };
