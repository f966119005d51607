import {
  allHandlersFinished,
  condition,
  patched,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
} from '@temporalio/workflow';
import type { AppActivities } from '../activities/apps.ts';
import { batch, brief, ddl } from './activity-options.ts';
import { cancelRetirementUpdate, removeNowSignal } from './contracts/messages.ts';
import { dueAtAttribute, stateAttribute } from './contracts/search-attributes.ts';
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

  setCurrentDetails(`The app is kept until ${removeAt}, and can be brought back until then`);
  await condition(() => isCancelled || isWantedNow, Math.max(0, Date.parse(removeAt) - Date.now()), { summary: 'until the removal' });
  if (isCancelled) {
    await reactivateApp.executeWithOptions({ ...brief, summary: 'serve it again' }, [app]);
    show('cancelled', 'The app is back');
    isBack = true;
    await condition(allHandlersFinished);
    return { status: 'cancelled' };
  }
  isRemoving = true;
  show('removing', 'The storage, the running workflows and the events are removed');
  await dropStorage.executeWithOptions({ ...ddl, summary: 'drop the storage' }, [app]);
  await endRuns.executeWithOptions({ ...batch, summary: 'end what runs' }, [app]);
  await deleteEvents.executeWithOptions({ ...batch, summary: 'delete the events' }, [app]);
  await finishRetirement.executeWithOptions({ ...brief, summary: 'take away what is left' }, [app]);
  show('retired', 'The app is gone');
  await condition(allHandlersFinished);
  return { status: 'retired' };
}

function show(state: 'cancelled' | 'removing' | 'retired', details: string): void {
  setCurrentDetails(details);
  if (!patched('retire-state')) return;
  upsertSearchAttributes([
    { key: stateAttribute, value: state },
    { key: dueAtAttribute, value: null },
  ]);
}
