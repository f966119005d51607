import { createHash } from 'node:crypto';

/** The run's id, derived from its workflow's: a start that is repeated projects into the same row. */
export const runIdOf = (workflowId: string): string => uuidOf(workflowId);

/** The same text gives the same UUID, of version 8. */
export function uuidOf(text: string): string {
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** The id of a decision's update: the same person deciding the same task the same way is the same decision. */
export const decisionKey = (taskId: string, actorId: string | null, decision: string): string =>
  createHash('sha256')
    .update(`${taskId}\0${actorId ?? ''}\0${decision}`)
    .digest('hex')
    .slice(0, 32);
