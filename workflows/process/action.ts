import type { ProcessAction, ProcessStep } from '../../core/model/document.ts';
import { COUNTED_FAILURES, effect } from '../activity-options.ts';
import type { ProcessActivities } from '../../activities/process.ts';
import { CALLING, calling, writing } from './activities.ts';
import type { Scope, StrandPort } from './ports.ts';
import { target } from './state.ts';

type ActionResult = Awaited<ReturnType<ProcessActivities['performAction']>>;
type ActionStep = Extract<ProcessStep, { type: 'action' }>;

/** The step's actions in order, each with its effect once: a step that goes on finds what has happened by its key. */
export async function act(step: ActionStep, strand: StrandPort): Promise<string | null> {
  for (const [index, defined] of step.actions.entries()) {
    const action = strand.state.edits?.[index] ?? defined;
    const key = strand.run.effectKey(strand.visit, index);
    const result = await strand.work.run(() =>
      takeAction(strand.scope(), action, `${step.id}: ${action.type}`, key, step.retry !== undefined),
    );
    if (result.saved !== undefined) strand.save(result.saved);
    strand.willCompensate(step);
    if (strand.isStopped) return null;
  }
  strand.note({ step: step.id, status: 'completed' });
  return target(step.then);
}

/** With `isCounted` what other servers refuse for the time being is the step's failure: its `retry` says how often it is tried. */
export function takeAction(scope: Scope, action: ProcessAction, summary: string, key: string, isCounted = false): Promise<ActionResult> {
  const isCall = action.type === 'http';
  const proxy = isCall ? calling : writing;
  const options = isCall ? CALLING : effect;
  const counted = isCounted ? { retry: { ...options.retry, nonRetryableErrorTypes: [...COUNTED_FAILURES] } } : {};
  return proxy.performAction.executeWithOptions({ ...options, ...counted, summary }, [{ ...scope, action, key }]);
}
