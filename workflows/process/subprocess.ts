/**
 * Subprocess steps: a run of another definition, as a child workflow. It tells its end by a signal, because a child's result
 * reaches only the Temporal run that started it, and this one may have been continued as new meanwhile.
 */
import { CancellationScope, getExternalWorkflowHandle, isCancellation, startChild, workflowInfo } from '@temporalio/workflow';
import type { ProcessStep } from '../../core/model/document.ts';
import { brief } from '../activity-options.ts';
import type { ChildOutcome } from '../contracts/types.ts';
import { local } from './activities.ts';
import { stepFailure } from './failure.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';

type SubprocessStep = Extract<ProcessStep, { type: 'subprocess' }>;

export async function beginSubprocess(step: SubprocessStep, strand: StrandPort): Promise<void> {
  const { runId } = strand.run.input;
  const { workflowId, input } = await local.prepareRun.executeWithOptions({ ...brief, summary: `${step.id}: prepare ${step.workflow}` }, [
    {
      ...strand.scope(),
      workflow: step.workflow,
      given: step.context,
      recordId: step.record_id ?? null,
      key: `${runId}-${strand.visit}.${strand.state.attempts ?? 0}`,
      parent: { workflowId: workflowInfo().workflowId, runId },
    },
  ]);
  const child = await startChild('process', {
    workflowId,
    args: [input],
    // Ended by a cancellation of ours only: it must outlive our being continued as new.
    parentClosePolicy: 'ABANDON',
    cancellationType: 'ABANDON',
    workflowIdReusePolicy: 'REJECT_DUPLICATE',
    staticSummary: `${step.workflow} (of ${strand.run.input.definition.name})`,
  });
  const outcome = strand.run.earlyEnd(workflowId);
  strand.change({ child: { workflowId, runId: input.runId, ...(outcome === undefined ? {} : { outcome }) } });
  child.result().then(
    () => strand.run.childEnded(workflowId, { status: 'completed', error: null, context: {} }),
    // Terminated in Temporal: then no signal comes.
    (error: unknown) =>
      strand.run.childEnded(workflowId, { status: isCancellation(error) ? 'cancelled' : 'failed', error: String(error), context: {} }),
  );
  await strand.project();
}

export async function awaitRun(step: SubprocessStep, strand: StrandPort): Promise<string | null> {
  try {
    await strand.restUntil('run', () => strand.state.child?.outcome !== undefined);
  } catch (error) {
    if (isCancellation(error)) await CancellationScope.nonCancellable(() => cancelChild(strand));
    throw error;
  }
  const { child } = strand.state;
  if (strand.isStopped || child?.outcome === undefined) {
    await cancelChild(strand);
    return null;
  }
  return afterRun(step, strand, child.runId, child.outcome);
}

function afterRun(step: SubprocessStep, strand: StrandPort, runId: string, outcome: ChildOutcome): string | null {
  const { status, error, context } = outcome;
  if (status !== 'completed') {
    // Trying again means another run.
    strand.change({ child: null, isBegun: false });
    throw stepFailure(
      `The run ${runId} of "${step.workflow}" ${status === 'failed' ? 'failed' : 'was cancelled'}${error === null ? '.' : `: ${error}`}`,
    );
  }
  if (step.save_as !== undefined) strand.save({ [step.save_as]: { id: runId, status, context } });
  strand.note({ step: step.id, status: 'completed', comment: runId });
  return target(step.then);
}

async function cancelChild(strand: StrandPort): Promise<void> {
  const { child } = strand.state;
  if (!child || child.outcome !== undefined) return;
  try {
    await getExternalWorkflowHandle(child.workflowId).cancel();
  } catch (error) {
    // It has ended meanwhile.
    if (isCancellation(error)) throw error;
  }
}
