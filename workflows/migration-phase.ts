/** The steps of one phase of a migration, for the workflow that expands and for the one that contracts. */
import { proxyActivities, proxyLocalActivities, setCurrentDetails } from '@temporalio/workflow';
import type { DdlActivities, MigrationRef } from '../activities/ddl.ts';
import type { Step } from '../core/change/step.ts';
import { brief, long } from './activity-options.ts';

/** Short statements run in the worker that holds the workflow: a publish waits for them. */
const inWorker = { ...brief, scheduleToCloseTimeout: '1h' } as const;
const { applyBriefSteps } = proxyLocalActivities<DdlActivities>(inWorker);
/** The heartbeat is only a sign of life: a worker killed inside the step is noticed after five seconds. */
const byItself = { ...long, heartbeatTimeout: '5s', retry: { ...long.retry, initialInterval: '1s' } } as const;
const { applyLongStep } = proxyActivities<DdlActivities>(byItself);

export type PhaseEnd = Extract<Awaited<ReturnType<DdlActivities['applyBriefSteps']>>, { kind: 'ended' | 'held' | 'done' }>;

export async function applyPhase(migration: MigrationRef, phase: Step['phase']): Promise<PhaseEnd> {
  for (;;) {
    const progress = await applyBriefSteps.executeWithOptions({ ...inWorker, summary: `${phase}: brief steps` }, [{ ...migration, phase }]);
    switch (progress.kind) {
      case 'ended':
      case 'held':
      case 'done':
        return progress;
      case 'long':
        setCurrentDetails(`${phase}: ${progress.key}`);
        await applyLongStep.executeWithOptions({ ...byItself, summary: `${phase}: ${progress.key}` }, [
          { ...migration, key: progress.key },
        ]);
    }
  }
}
