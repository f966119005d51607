import { allHandlersFinished, condition, proxyActivities, proxyLocalActivities, setHandler } from '@temporalio/workflow';
import type { AppActivities } from '../activities/apps.ts';
import { batch, brief, ddl } from './activity-options.ts';
import { cancelRetirementUpdate, removeNowSignal } from './contracts/messages.ts';
import type { RetireInput } from './contracts/types.ts';
import { keptInHistory } from './kept-in-history.ts';

const { dropStorage } = proxyActivities<AppActivities>(ddl);
const { deleteEvents, endRuns } = proxyActivities<AppActivities>(batch);
const { reactivateApp, finishRetirement } = proxyLocalActivities<AppActivities>(brief);

export interface RetireResult {
  readonly status: 'retired' | 'cancelled';
}

/** Keeps a deleted app until its time, then removes storage, running workflows, events and keys. Can be called off until the removal begins. */
export async function retire({ app, removeAt }: RetireInput): Promise<RetireResult> {
  let isCancelled = false;
  let isWantedNow = false;
  let isRemoving = false;
  let isBack = false;
  setHandler(cancelRetirementUpdate, async () => {
    await keptInHistory();
    if (isRemoving) return { cancelled: false };
    isCancelled = true;
    await condition(() => isBack);
    return { cancelled: true };
  });
  setHandler(removeNowSignal, () => {
    isWantedNow = true;
  });

  await condition(() => isCancelled || isWantedNow, Math.max(0, Date.parse(removeAt) - Date.now()));
  if (isCancelled) {
    await reactivateApp(app);
    isBack = true;
    await condition(allHandlersFinished);
    return { status: 'cancelled' };
  }
  isRemoving = true;
  await dropStorage(app);
  await endRuns(app);
  await deleteEvents(app);
  await finishRetirement(app);
  await condition(allHandlersFinished);
  return { status: 'retired' };
}
