import type { ProcessAction, ProcessStep } from '../../core/model/document.ts';
import { effect } from '../activity-options.ts';
import { CALLING, calling, writing } from './activities.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';

type ActionStep = Extract<ProcessStep, { type: 'action' }>;

/** The step's actions in order, each with its effect once: a step that goes on finds what has happened by its key. */
export async function act(step: ActionStep, strand: StrandPort): Promise<string | null> {
  for (const [index, action] of step.actions.entries()) {
    await takeAction(strand, action, `${step.id}: ${action.type}`, strand.run.effectKey(strand.visit, index));
    if (strand.isStopped) return null;
  }
  strand.note({ step: step.id, status: 'completed' });
  return target(step.then);
}

async function takeAction(strand: StrandPort, action: ProcessAction, summary: string, key: string): Promise<void> {
  const isCall = action.type === 'http';
  const proxy = isCall ? calling : writing;
  const options = isCall ? CALLING : effect;
  const result = await strand.work.run(() =>
    proxy.performAction.executeWithOptions({ ...options, summary }, [{ ...strand.scope(), action, key }]),
  );
  if (result.saved !== undefined) strand.run.save(result.saved);
}
