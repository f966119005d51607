/** The side effects of a schema migration. Each asks the catalogue what is true, acts, and records what it did with the act. */
import { heartbeat } from '@temporalio/activity';
import { createSchemaEventStream } from '../adapters/schema-events/redis.ts';
import type { Step } from '../core/change/step.ts';
import type { Services } from '../operations/context.ts';
import {
  applyBrief,
  applyLong,
  completeMigration,
  failMigration,
  leasesConfirm,
  switchVersion,
  type Progress,
} from '../operations/schemas/migration-work.ts';

export interface MigrationRef {
  readonly app: string;
  readonly migrationId: string;
}

export interface DdlActivities {
  applyBriefSteps(input: MigrationRef & { readonly phase: Step['phase'] }): Promise<Progress>;
  applyLongStep(input: MigrationRef & { readonly key: string }): Promise<void>;
  switchSchemaVersion(input: MigrationRef): Promise<{ readonly event: number }>;
  awaitApiLeases(input: MigrationRef & { readonly event: number }): Promise<void>;
  completeSchemaMigration(input: MigrationRef): Promise<void>;
  failSchemaMigration(input: MigrationRef & { readonly reason: string }): Promise<void>;
}

export function createDdlActivities(services: Services): DdlActivities {
  const { redisUrl } = services.config;
  const stream = redisUrl === undefined ? undefined : createSchemaEventStream(redisUrl, services.log);
  return {
    applyBriefSteps: (input) => applyBrief(services, input.migrationId, input.phase),
    applyLongStep: (input) => applyLong(services, input.migrationId, input.key, () => heartbeat()),
    async switchSchemaVersion(input) {
      const switched = await switchVersion(services, input.migrationId);
      await stream?.announce(switched.event, input.app);
      return switched;
    },
    awaitApiLeases: (input) => leasesConfirm(services.pool, input.event),
    completeSchemaMigration: (input) => completeMigration(services, input.migrationId),
    failSchemaMigration: (input) => failMigration(services, input.migrationId, input.reason),
  };
}
