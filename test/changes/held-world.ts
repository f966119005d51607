/**
 * An api and a worker of migrations in this process that stop after any phase before the switch: when the steps of one that is to be
 * held are done, the migration is paused as somebody's word would pause it. Every phase's steps are run a second time at once, as a
 * worker does that died before it could say that they were done; what that changes is kept for the test to see.
 */
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { NativeConnection, Worker } from '@temporalio/worker';
import type pg from 'pg';
import pino from 'pino';
import { afterAll, expect, vi } from 'vitest';
import { createAppActivities } from '../../activities/apps.ts';
import { createDdlActivities, type DdlActivities } from '../../activities/ddl.ts';
import { withFailures } from '../../activities/failure.ts';
import { loadConfig } from '../../adapters/config.ts';
import { migrateControl } from '../../adapters/postgres/migrate.ts';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { ensureNamespaceReady } from '../../adapters/temporal/namespace.ts';
import { startApi } from '../../api/main.ts';
import type { Phase } from '../../core/change/step.ts';
import { systemActor, type Services } from '../../operations/context.ts';
import { changeMigration } from '../../operations/schemas/migration-control.ts';
import { createServices } from '../../operations/services.ts';
import { makeKeeper } from '../../workers/keeper.ts';
import { CONTROL_QUEUE } from '../../workflows/contracts/queues.ts';
import { callerOf, tokenOf, type Caller, type Reply } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { temporalAddress, workflowBundle } from '../support/temporal.ts';
import { footprint } from './footprint.ts';

export interface HeldWorld {
  readonly databaseUrl: string;
  /** As the administrator of the platform. */
  readonly call: Caller;
  readonly pool: pg.Pool;
  /** An app with this first version; answers the Postgres schema it is stored in. */
  app(name: string, document: object): Promise<string>;
  /** What publishing it answers; the migration stops after each of these phases, for as long as it is not resumed. */
  publish(app: string, document: object, hold?: readonly Phase[]): Promise<Reply>;
  /** Waits until a migration is so; answers it. */
  until(app: string, id: string, isSo: (migration: Migration) => boolean): Promise<Migration>;
  /** Steps that changed something when they ran a second time. */
  readonly unrepeatable: readonly string[];
}

export interface Migration {
  readonly id: string;
  readonly status: string;
  readonly phase: string;
  readonly error: string | null;
  readonly waiting_for: string | null;
  readonly steps: readonly { readonly key: string; readonly phase: Phase; readonly state: string }[];
}

export async function heldWorld(): Promise<HeldWorld> {
  const databaseUrl = await freshDatabase();
  await migrateControl(databaseUrl);
  const dataDir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-held-'));
  const config = loadConfig({
    PORT: '0',
    DATA_DIR: dataDir,
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: await temporalAddress(),
    TEMPORAL_NAMESPACE: `held-${randomBytes(4).toString('hex')}`,
    SECRET_KEY: 'k'.repeat(40),
    LOG_LEVEL: 'warn',
  });
  const log = pino({ level: process.env['TEST_LOG'] ?? 'silent' });
  const services = await createServices(config, 'worker', log);
  const holds = new Map<string, ReadonlySet<Phase>>();
  const unrepeatable: string[] = [];
  await ensureNamespaceReady(config);
  const connection = await NativeConnection.connect({ address: config.temporal.address ?? '' });
  const worker = await Worker.create({
    connection,
    namespace: config.temporal.namespace,
    taskQueue: CONTROL_QUEUE,
    dataConverter,
    workflowBundle: { codePath: await workflowBundle() },
    activities: withFailures({ ...createAppActivities(services), ...twiceAndHeld(services, holds, unrepeatable) }, log),
  });
  const keeper = await makeKeeper(connection, config.temporal.namespace);
  const running = [worker.run(), keeper.run()];
  const api = await startApi(config, log);
  afterAll(async () => {
    await api.close();
    worker.shutdown();
    keeper.shutdown();
    await Promise.all(running);
    await connection.close();
    await services.close();
    fs.rmSync(dataDir, { recursive: true, force: true });
  });
  const url = `http://127.0.0.1:${String(api.port)}`;
  const call = callerOf(url, await tokenOf(url, 'platform@localhost', 'changeme'));
  const until: HeldWorld['until'] = async (app, id, isSo) => {
    let migration: Migration | undefined;
    await vi.waitUntil(
      async () => {
        migration = (await call('GET', `/api/${app}/_admin/migrations/${id}`)).at('data') as Migration;
        return isSo(migration);
      },
      { timeout: 15_000, interval: 15 },
    );
    return migration as Migration;
  };
  return {
    databaseUrl,
    call,
    pool: services.pool,
    unrepeatable,
    until,
    async app(name, document) {
      const made = await call('POST', '/api/_platform/apps', { name });
      expect(made.status, made.text).toBe(201);
      const first = await call('POST', `/api/${name}/_admin/versions`, document);
      expect(first.status, first.text).toBe(201);
      return String(made.at('data', 'db_name'));
    },
    async publish(app, document, hold = []) {
      holds.set(app, new Set(hold));
      const publishing = call('POST', `/api/${app}/_admin/versions`, document);
      if (hold.length === 0) return publishing;
      // The answer comes when the migration is through, or after some seconds: what it is about can be seen before.
      void publishing.catch(() => undefined);
      await vi.waitUntil(async () => (await call('GET', `/api/${app}/_admin/migrations`)).at('data', 0, 'status') === 'paused', {
        timeout: 15_000,
        interval: 15,
      });
      return call('GET', `/api/${app}/_admin/migrations`);
    },
  };
}

function twiceAndHeld(services: Services, holds: ReadonlyMap<string, ReadonlySet<Phase>>, unrepeatable: string[]): DdlActivities {
  const activities = createDdlActivities(services);
  return {
    ...activities,
    async applyBriefSteps(input) {
      const { phase, migrationId } = input;
      const ended = await activities.applyBriefSteps(input);
      if (ended.kind !== 'done') return ended;
      const seen = await footprint(services.pool, await storageOf(services, input.app));
      const { rows } = await services.pool.query<{ key: string }>(
        `update durabase.migration_steps set state = 'pending', cursor = null where migration = $1 and phase = $2 returning key`,
        [migrationId, phase],
      );
      if (rows.length > 0) {
        for (let again = await activities.applyBriefSteps(input); again.kind === 'long'; again = await activities.applyBriefSteps(input))
          await activities.applyLongStep({ ...input, key: again.key });
        const now = await footprint(services.pool, await storageOf(services, input.app));
        if (now !== seen) unrepeatable.push(...rows.map(({ key }) => `${input.app}: ${key}`));
      }
      const name = await nameOf(services, input.app);
      if (holds.get(name)?.has(phase) === true) await changeMigration(services, migrationId, { verb: 'pause', actor: systemActor() });
      return ended;
    },
  };
}

const column = async (services: Services, app: string, name: 'storage' | 'name'): Promise<string> => {
  const { rows } = await services.pool.query<Record<string, string>>(`select ${name} from durabase.apps where id = $1`, [app]);
  return rows[0]?.[name] ?? '';
};
const storageOf = (services: Services, app: string): Promise<string> => column(services, app, 'storage');
const nameOf = (services: Services, app: string): Promise<string> => column(services, app, 'name');
