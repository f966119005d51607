/** Undoes the steps of a run that failed or was cancelled, the latest first, each effect once. */
import { takeAction } from './action.ts';
import { failureOfStep } from './failure.ts';
import type { RunPort } from './ports.ts';

export async function compensate(run: RunPort): Promise<void> {
  for (let last = run.state.compensations?.at(-1); last !== undefined; last = run.state.compensations?.at(-1)) {
    const { step: id, strand, visit, items, saved } = last;
    const { compensate: actions = [] } = run.stepNamed(id);
    try {
      for (const [index, action] of actions.entries()) {
        const scope = { ...run.scope(), items, context: { ...run.state.context, ...saved } };
        await takeAction(scope, action, `undo ${id}: ${action.type}`, run.effectKey(visit, `undo.${index}`));
      }
      run.note({ step: id, status: 'compensated' }, strand);
    } catch (error) {
      const failure = failureOfStep(error);
      if (failure === undefined) throw error;
      // The others are undone all the same; this one is for people to see to.
      run.note({ step: id, status: 'compensation_failed', error: failure }, strand);
    }
    run.change({ compensations: (run.state.compensations ?? []).slice(0, -1) });
  }
}
