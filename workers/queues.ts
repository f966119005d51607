import type { WorkerOptions } from '@temporalio/worker';
import { BULK_QUEUE, CONTROL_QUEUE, OUTBOUND_QUEUE } from '../workflows/contracts/queues.ts';

/** How much of each kind runs at once in one worker process. Strangers' slow servers must never hold up an approval. */
export const QUEUES: readonly (Pick<WorkerOptions, 'maxConcurrentActivityTaskExecutions' | 'maxConcurrentLocalActivityExecutions'> & {
  readonly taskQueue: string;
})[] = [
  { taskQueue: CONTROL_QUEUE, maxConcurrentActivityTaskExecutions: 20, maxConcurrentLocalActivityExecutions: 40 },
  { taskQueue: OUTBOUND_QUEUE, maxConcurrentActivityTaskExecutions: 100, maxConcurrentLocalActivityExecutions: 20 },
  { taskQueue: BULK_QUEUE, maxConcurrentActivityTaskExecutions: 4, maxConcurrentLocalActivityExecutions: 1 },
];
