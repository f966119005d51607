import {
  ActivityFailure,
  ApplicationFailure,
  log,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { DdlActivities } from '../activities/ddl.ts';
import { brief, long } from './activity-options.ts';
import { appIdAttribute, stateAttribute } from './contracts/search-attributes.ts';
import type { SchemaMigrationInput, SchemaMigrationResult } from './contracts/types.ts';

/** Short statements run in the worker that holds the workflow: a publish waits for them. */
const { applyBriefSteps } = proxyLocalActivities<DdlActivities>({ ...brief, scheduleToCloseTimeout: '1h' });
const { switchSchemaVersion, awaitApiLeases, completeSchemaMigration, failSchemaMigration } = proxyLocalActivities<DdlActivities>(brief);
/** The heartbeat is only a sign of life: a worker killed inside the step is noticed after five seconds. */
const { applyLongStep } = proxyActivities<DdlActivities>({
  ...long,
  heartbeatTimeout: '5s',
  retry: { ...long.retry, initialInterval: '1s' },
});

type Ended = Extract<Awaited<ReturnType<DdlActivities['applyBriefSteps']>>, { kind: 'ended' }>;

/** One schema migration: expand, switch, wait until every api process serves the new version, contract. */
export async function schemaMigration(input: SchemaMigrationInput): Promise<SchemaMigrationResult> {
  const showState = (state: string): void =>
    upsertSearchAttributes([
      { key: appIdAttribute, value: input.app },
      { key: stateAttribute, value: state },
    ]);
  showState('running');
  const result = await migrate(input);
  showState(result.status);
  setCurrentDetails(
    result.error === undefined
      ? `Migration ${input.number}: ${result.status}`
      : `Migration ${input.number}: ${result.status}. ${result.error}`,
  );
  return result;
}

async function migrate(input: SchemaMigrationInput): Promise<SchemaMigrationResult> {
  const migration = { app: input.app, migrationId: input.migrationId };
  let event: number;
  try {
    setCurrentDetails(`Migration ${input.number}: adding what the new version needs`);
    const ended = await applyPhase(migration, 'expand');
    if (ended !== undefined) return { status: ended.status, ...(ended.error === undefined ? {} : { error: ended.error }) };
    setCurrentDetails(`Migration ${input.number}: switching to the new version`);
    ({ event } = await switchSchemaVersion(migration));
  } catch (error) {
    const reason = reasonOf(error);
    log.warn('the migration is taken back', { reason });
    setCurrentDetails(`Migration ${input.number}: taking back, because ${reason}`);
    await failSchemaMigration({ ...migration, reason });
    return { status: 'failed', error: reason };
  }
  setCurrentDetails(`Migration ${input.number}: waiting until every api process serves the new version`);
  await awaitApiLeases({ ...migration, event });
  await applyPhase(migration, 'settle');
  await completeSchemaMigration(migration);
  return { status: 'completed' };
}

async function applyPhase(migration: { app: string; migrationId: string }, phase: 'expand' | 'settle'): Promise<Ended | undefined> {
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
