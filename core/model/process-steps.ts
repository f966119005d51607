/** Steps inside steps: what walks through a workflow definition shares. */
import type { ProcessStep } from './workflow-document.ts';

/** The lists of steps inside a step, with where they stand in it. */
export function innerLists(step: ProcessStep): { readonly path: string; readonly steps: readonly ProcessStep[] }[] {
  if (step.type === 'parallel') return step.branches.map(({ steps }, index) => ({ path: `branches.${String(index)}.steps`, steps }));
  return step.type === 'foreach' ? [{ path: 'steps', steps: step.steps }] : [];
}

/** Every step of a list and of the lists inside them, outermost first. */
export function allSteps(steps: readonly ProcessStep[]): ProcessStep[] {
  return steps.flatMap((step) => [step, ...innerLists(step).flatMap((inner) => allSteps(inner.steps))]);
}

/** Where a step may go, by the keys that say so. */
export function gotosOf(step: ProcessStep): [string, string | undefined][] {
  const onError: [string, string | undefined] = ['on_error', step.on_error];
  switch (step.type) {
    case 'condition':
      return [
        onError,
        ['on_true', step.on_true],
        ['on_false', step.on_false],
        ...(step.switch?.cases ?? []).map(({ goto }, index): [string, string | undefined] => [`switch.cases.${String(index)}.goto`, goto]),
        ['switch.default', step.switch?.default],
      ];
    case 'approval':
      return [
        onError,
        ['on_approve', step.on_approve],
        ['on_reject', step.on_reject],
        ['on_timeout', step.on_timeout],
        // `requester` is no step: whoever caused the run answers.
        ['on_send_back', step.on_send_back === 'requester' ? undefined : step.on_send_back],
      ];
    case 'wait':
      return [onError, ['then', step.then], ['on_timeout', step.on_timeout]];
    default:
      return [onError, ['then', step.then]];
  }
}

/** The names under which a step keeps values for later ones. */
export function savedBy(step: ProcessStep): string[] {
  const saving: readonly object[] = step.type === 'action' ? step.actions : [step];
  return saving.flatMap((one) => ('save_as' in one && typeof one.save_as === 'string' ? [one.save_as] : []));
}
