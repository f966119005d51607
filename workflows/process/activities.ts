/** The activities of a run by what they need; nothing else of this folder makes proxies. */
import { proxyActivities, proxyLocalActivities } from '@temporalio/workflow';
import type { ApprovalActivities } from '../../activities/approval.ts';
import type { ProcessActivities } from '../../activities/process.ts';
import { answering, brief, effect, outbound } from '../activity-options.ts';
import { OUTBOUND_QUEUE } from '../contracts/queues.ts';
import { oneAtATime } from '../one-at-a-time.ts';

/** Reads and projections, in the worker that holds the run. */
export const local = oneAtATime(proxyLocalActivities<ProcessActivities & ApprovalActivities>(brief));
/** While a person waits for the answer. */
export const person = oneAtATime(proxyLocalActivities<ApprovalActivities>(answering));
export const writing = proxyActivities<ProcessActivities>(effect);
export const CALLING = { ...outbound, taskQueue: OUTBOUND_QUEUE };
/** Other people's servers. */
export const calling = proxyActivities<ProcessActivities>(CALLING);
