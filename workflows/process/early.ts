/**
 * What comes too early. A step opens its task, wait or run inside a workflow task; should that task be lost with its worker, everybody
 * sees what was opened, and the run opens it again. Whatever was said about it meanwhile is delivered to the run *before* that.
 */
import { condition } from '@temporalio/workflow';
import type { EarlyWord, ProcessState } from '../contracts/types.ts';
import type { RunPort } from './ports.ts';

/** Of more the oldest are forgotten: what is never opened again is not asked for either. */
const MAX_EARLY = 200;
const OPENS_WITHIN_MS = 10_000;

export const withEarly = (early: readonly EarlyWord[] | undefined, word: EarlyWord): readonly EarlyWord[] =>
  [...(early ?? []), word].slice(-MAX_EARLY);

/** Whether this id, of a task or a wait, is one that the run is about to open (see `visitId`). */
export function isAhead({ visits, strands }: ProcessState, runId: string, openedId: string): boolean {
  const prefix = runId.slice(0, 24);
  const number = openedId.startsWith(prefix) ? Number.parseInt(openedId.slice(prefix.length), 16) : Number.NaN;
  return number > visits || strands.some(({ visit, isBegun, task, wait }) => visit === number && !isBegun && task === null && !wait);
}

/** For who speaks about a task that was opened by a workflow task that is lost: waits until it is opened again. */
export async function untilOpened(run: RunPort & { readonly hasEnded: boolean }, taskId: string | undefined): Promise<void> {
  if (taskId === undefined || !isAhead(run.state, run.input.runId, taskId)) return;
  await condition(() => run.hasEnded || !isAhead(run.state, run.input.runId, taskId), OPENS_WITHIN_MS);
}
