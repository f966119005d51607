import { ActivityFailure, ApplicationFailure, log, proxyActivities, proxyLocalActivities, setCurrentDetails } from '@temporalio/workflow';
import type { DdlActivities } from '../activities/ddl.ts';
import { brief, long } from './activity-options.ts';
import type { SchemaMigrationInput, SchemaMigrationResult } from './contracts/types.ts';

/** Short statements run in the worker that holds the workflow: a publish waits for them (hard-parts S3). */
const { applyBriefSteps } = proxyLocalActivities<DdlActivities>({ ...brief, scheduleToCloseTimeout: '1h' });
const { switchSchemaVersion, awaitApiLeases, completeSchemaMigration, failSchemaMigration } = proxyLocalActivities<DdlActivities>(brief);
const { applyLongStep } = proxyActivities<DdlActivities>({ ...long, retry: { ...long.retry, initialInterval: '1s' } });

type Ended = Extract<Awaited<ReturnType<DdlActivities['applyBriefSteps']>>, { kind: 'ended' }>;

/** One schema migration: expand, switch, wait until every api process serves the new version, contract. */
export async function schemaMigration(input: SchemaMigrationInput): Promise<SchemaMigrationResult> {
  const migration = { app: input.app, migrationId: input.migrationId };
  let event: number;
  try {
    const ended = await applyPhase(migration, 'expand');
    if (ended !== undefined) return { status: ended.status, ...(ended.error === undefined ? {} : { error: ended.error }) };
    setCurrentDetails('Switching to the new version');
    ({ event } = await switchSchemaVersion(migration));
  } catch (error) {
    const reason = reasonOf(error);
    log.warn('the migration is taken back', { reason });
    await failSchemaMigration({ ...migration, reason });
    return { status: 'failed', error: reason };
  }
  await awaitApiLeases({ ...migration, event });
  await applyPhase(migration, 'contract');
  await completeSchemaMigration(migration);
  setCurrentDetails('Completed');
  return { status: 'completed' };
}

async function applyPhase(migration: { app: string; migrationId: string }, phase: 'expand' | 'contract'): Promise<Ended | undefined> {
  for (;;) {
    const progress = await applyBriefSteps({ ...migration, phase });
    switch (progress.kind) {
      case 'ended':
        return progress;
      case 'done':
        return undefined;
      case 'long':
        setCurrentDetails(`${phase}: ${progress.key}`);
        await applyLongStep({ ...migration, key: progress.key });
    }
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof ActivityFailure ? error.cause : error;
  return cause instanceof ApplicationFailure || cause instanceof Error ? cause.message : String(cause);
}
