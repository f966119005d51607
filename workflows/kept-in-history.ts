import { patched, proxyActivities, sleep } from '@temporalio/workflow';
import type { KeepActivities } from '../activities/keep.ts';
import { keeping } from './activity-options.ts';
import { KEEPING_QUEUE } from './contracts/queues.ts';

const onItsQueue = { ...keeping, taskQueue: KEEPING_QUEUE };
const { keepInHistory } = proxyActivities<KeepActivities>(onItsQueue);

/**
 * For update handlers, before anything else: an accepted update is in no history until the workflow task that took it completes.
 * What runs inside that task (a local activity) would be seen by people while a crash of the server still forgets the update
 * itself, and nothing would ask again. An activity that does nothing completes the task first. Runs of before set a timer of a
 * millisecond, which the server fires up to a second late.
 */
export async function keptInHistory(summary = 'keep what was asked'): Promise<void> {
  if (patched('keep-by-activity')) await keepInHistory.executeWithOptions({ ...onItsQueue, summary }, []);
  else await sleep(1, { summary });
}
