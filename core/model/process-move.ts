/** Whether a run that goes by one version of a definition can go on by another: asked by the api, and by the run itself. */
import { innerLists } from './process-steps.ts';
import type { ProcessStep } from './workflow-document.ts';

interface Standing {
  readonly currentStep: string | null;
}

/** Undefined when it can, else the reason. */
export function refusalToMove(
  strands: readonly Standing[],
  before: readonly ProcessStep[],
  after: readonly ProcessStep[],
): string | undefined {
  const [old, next] = [placesOf(before), placesOf(after)];
  for (const { currentStep } of strands) {
    if (currentStep === null) continue;
    const [here, there] = [old.get(currentStep), next.get(currentStep)];
    if (there === undefined) return `It is at the step "${currentStep}", which the new version does not have.`;
    if (here !== undefined && here.type !== there.type)
      return `Its step "${currentStep}" is "${there.type}" in the new version, not "${here.type}".`;
    if (here !== undefined && here.place !== there.place)
      return `Its step "${currentStep}" stands in another list of steps in the new version.`;
  }
  return undefined;
}

function placesOf(steps: readonly ProcessStep[], place = ''): Map<string, { readonly type: string; readonly place: string }> {
  const places = new Map<string, { readonly type: string; readonly place: string }>(
    steps.map((step) => [step.id, { type: step.type, place }]),
  );
  for (const step of steps)
    for (const inner of innerLists(step))
      for (const [id, found] of placesOf(inner.steps, `${step.id}.${inner.path}`)) places.set(id, found);
  return places;
}
