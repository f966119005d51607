import { sleep } from '@temporalio/workflow';

/**
 * For update handlers, before anything else: an accepted update is in no history until the workflow task that took it completes.
 * What runs inside that task (a local activity) would be seen by people while a crash of the server still forgets the update
 * itself, and nothing would ask again. A timer completes the task first.
 */
export const keptInHistory = (): Promise<void> => sleep(1, { summary: 'keep what was asked' });
