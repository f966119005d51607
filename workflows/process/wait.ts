/** Wait steps: for a length of time, until a moment, or for an event. */
import { workflowInfo } from '@temporalio/workflow';
import { durationMs } from '../../core/duration.ts';
import type { ProcessStep } from '../../core/model/document.ts';
import { brief } from '../activity-options.ts';
import { local } from './activities.ts';
import { runFailure } from './failure.ts';
import type { StrandPort } from './ports.ts';
import { target, visitId } from './state.ts';

type WaitStep = Extract<ProcessStep, { type: 'wait' }>;

export async function beginWait(step: WaitStep, strand: StrandPort): Promise<void> {
  if (step.event !== undefined) return openWait(step, step.event, strand);
  if (step.until !== undefined) {
    const at = await local.resolveTime.executeWithOptions({ ...brief, summary: `${step.id}: until when` }, [
      { ...strand.scope(), until: step.until },
    ]);
    strand.change({ deadline: at });
  } else if (step.duration !== undefined) strand.change({ deadline: deadlineAfter(step.duration) });
  await strand.project();
}

export async function awaitIt(step: WaitStep, strand: StrandPort): Promise<string | null> {
  if (step.event !== undefined) return awaitEvent(step, strand);
  await strand.restUntil('timer', () => false);
  if (!strand.isStopped) strand.note({ step: step.id, status: 'completed' });
  return target(step.then);
}

/** Registers the wait: from now on the relay tells the run of events that may be meant. */
async function openWait(step: WaitStep, event: string, strand: StrandPort): Promise<void> {
  const id = visitId(strand.run.input.runId, strand.visit);
  strand.change({
    wait: { id, inbox: strand.run.earlyEvents(id) },
    deadline: step.timeout === undefined ? null : deadlineAfter(step.timeout),
  });
  await local.openWait.executeWithOptions({ ...brief, summary: `${step.id}: wait for ${event}` }, [
    {
      ...strand.scope(),
      wait: { id, strand: strand.id, workflowId: workflowInfo().workflowId, event, entity: step.entity ?? null, match: step.match ?? null },
      projection: strand.run.projection(),
    },
  ]);
}

async function awaitEvent(step: WaitStep, strand: StrandPort): Promise<string | null> {
  for (;;) {
    await strand.restUntil('event', () => inboxOf(strand).length > 0);
    if (strand.isStopped) return null;
    const [seq] = inboxOf(strand);
    if (seq === undefined) return timeOut(step, strand);
    const taken = await local.takeEvent.executeWithOptions({ ...brief, summary: `${step.id}: look at event ${seq}` }, [
      { ...strand.scope(), waitId: strand.state.wait?.id ?? '', seq, match: step.match ?? null, saveAs: step.save_as ?? null },
    ]);
    if (taken.isMeant) {
      if (taken.saved !== undefined) strand.save(taken.saved);
      strand.note({ step: step.id, status: 'completed' });
      return target(step.then);
    }
    const { wait } = strand.state;
    if (wait) strand.change({ wait: { ...wait, inbox: wait.inbox.filter((one) => one !== seq) } });
  }
}

const inboxOf = (strand: StrandPort): readonly string[] => strand.state.wait?.inbox ?? [];

async function timeOut(step: WaitStep, strand: StrandPort): Promise<string | null> {
  strand.note({ step: step.id, status: 'timed_out' });
  strand.change({ wait: null });
  await strand.project([]);
  if (step.on_timeout === undefined) {
    throw runFailure(
      `The event "${step.event ?? ''}" of the step "${step.id}" did not come in time (${step.timeout ?? ''}), and it has no on_timeout.`,
    );
  }
  return target(step.on_timeout);
}

/** Due times are absolute from the moment a step begins. */
export const deadlineAfter = (duration: string): string => new Date(Date.now() + durationMs(duration)).toISOString();
