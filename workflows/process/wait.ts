import { durationMs } from '../../core/duration.ts';
import type { ProcessStep } from '../../core/model/document.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';

type WaitStep = Extract<ProcessStep, { type: 'wait' }>;

export async function beginWait(step: WaitStep, strand: StrandPort): Promise<void> {
  strand.change({ deadline: deadlineAfter(step.duration) });
  await strand.project();
}

export async function awaitTime(step: WaitStep, strand: StrandPort): Promise<string | null> {
  await strand.restUntil('timer', () => false);
  if (!strand.isStopped) strand.note({ step: step.id, status: 'completed' });
  return target(step.then);
}

/** Due times are absolute from the moment a step begins. */
export const deadlineAfter = (duration: string): string => new Date(Date.now() + durationMs(duration)).toISOString();
