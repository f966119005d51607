/** The worker of the queue whose activities do nothing: what is asked of a workflow is in its history when one has ended. */
import { type NativeConnection, Worker } from '@temporalio/worker';
import { createKeepActivities } from '../activities/keep.ts';
import { KEEPING_QUEUE } from '../workflows/contracts/queues.ts';

/** What does nothing needs no room; two ask for it, so that one is waiting while the other has something. */
export const makeKeeper = (connection: NativeConnection, namespace: string): Promise<Worker> =>
  Worker.create({
    connection,
    namespace,
    taskQueue: KEEPING_QUEUE,
    activities: createKeepActivities(),
    maxConcurrentActivityTaskExecutions: 100,
    maxConcurrentActivityTaskPolls: 2,
  });
