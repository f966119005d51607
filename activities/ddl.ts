/** The side effects of a schema migration. Each asks the catalogue what is true, acts, and records what it did with the act. */
import { heartbeat } from '@temporalio/activity';
import { createSchemaEventStream } from '../adapters/schema-events/redis.ts';
import type { Step } from '../core/change/step.ts';
import type { Services } from '../operations/context.ts';
import { endGrace, openGrace, openRetention, type GraceEnd } from '../operations/schemas/contract-work.ts';
import { changeMigration, checkApproved } from '../operations/schemas/migration-control.ts';
import { leasesConfirm } from '../operations/schemas/api-leases.ts';
import { failMigration } from '../operations/schemas/call-off.ts';
import { applyBrief, applyLong, type Progress } from '../operations/schemas/migration-work.ts';
import { completeMigration, switchVersion, type Switched } from '../operations/schemas/switch-version.ts';
import type { MigrationRequest } from '../workflows/contracts/types.ts';

export interface MigrationRef {
  readonly app: string;
  readonly migrationId: string;
}

/** The workflow's time, ISO 8601. */
interface At {
  readonly now: string;
}

export interface DdlActivities {
  applyBriefSteps(input: MigrationRef & { readonly phase: Step['phase'] }): Promise<Progress>;
  applyLongStep(input: MigrationRef & { readonly key: string }): Promise<void>;
  switchSchemaVersion(input: MigrationRef): Promise<Switched>;
  awaitApiLeases(input: MigrationRef & { readonly event: number }): Promise<void>;
  completeSchemaMigration(input: MigrationRef): Promise<void>;
  failSchemaMigration(input: MigrationRef & { readonly reason: string }): Promise<void>;
  abortSchemaMigration(input: MigrationRef): Promise<void>;
  changeSchemaMigration(input: MigrationRef & { readonly request: MigrationRequest }): Promise<{ readonly status: string }>;
  checkApprovedPlan(input: MigrationRef): Promise<void>;
  openGracePeriod(input: MigrationRef & At): Promise<string>;
  endGracePeriod(input: MigrationRef & At & { readonly isForced: boolean }): Promise<GraceEnd>;
  openRetentionPeriod(input: MigrationRef & At): Promise<string>;
}

export function createDdlActivities(services: Services): DdlActivities {
  const { redisUrl } = services.config;
  const stream = redisUrl === undefined ? undefined : createSchemaEventStream(redisUrl, services.log);
  return {
    applyBriefSteps: (input) => applyBrief(services, input.migrationId, input.phase),
    applyLongStep: (input) => applyLong(services, input.migrationId, input.key, () => heartbeat()),
    async switchSchemaVersion(input) {
      const switched = await switchVersion(services, input.migrationId);
      if (switched.event !== null) await stream?.announce(switched.event, input.app);
      return switched;
    },
    awaitApiLeases: (input) => leasesConfirm(services.pool, input.event),
    completeSchemaMigration: (input) => completeMigration(services, input.migrationId),
    failSchemaMigration: (input) => failMigration(services, input.migrationId, input.reason),
    abortSchemaMigration: (input) => failMigration(services, input.migrationId, 'It was called off.', 'aborted'),
    changeSchemaMigration: (input) => changeMigration(services, input.migrationId, input.request),
    checkApprovedPlan: (input) => checkApproved(services, input.migrationId),
    openGracePeriod: (input) => openGrace(services, input.migrationId, input.now),
    async endGracePeriod(input) {
      const ended = await endGrace(services, input);
      if (ended.kind === 'ended') await stream?.announce(ended.event, input.app);
      return ended;
    },
    openRetentionPeriod: (input) => openRetention(services, input.migrationId, input.now),
  };
}
