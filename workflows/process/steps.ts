/** The kinds of step, each in a file of its own. */
import type { ProcessStep } from '../../core/model/document.ts';
import { act } from './action.ts';
import { decideCondition } from './condition.ts';
import type { Approval } from './approval.ts';
import { beginForeach, goThroughItems } from './foreach.ts';
import { beginParallel, joinBranches } from './parallel.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';
import { awaitRun, beginSubprocess } from './subprocess.ts';

import { awaitIt, beginWait } from './wait.ts';

/** A strand with the approval it may be in. */
type Strand = StrandPort & { readonly approval: Approval };

/** Begins a step and shows it: what is opened here stays open until the step was performed. */
export async function begin(step: ProcessStep, strand: Strand): Promise<void> {
  switch (step.type) {
    case 'approval':
      return strand.approval.open(step);
    case 'wait':
      return beginWait(step, strand);
    case 'parallel':
      return beginParallel(step, strand);
    case 'foreach':
      return beginForeach(step, strand);
    case 'subprocess':
      return beginSubprocess(step, strand);
    case 'action':
    case 'condition':
      // Steps of items are brief and many: the foreach shows how far it is.
      return (strand.state.items ?? []).length > 0 ? undefined : strand.project();
  }
}

/** Performs a begun step; answers the next one, or null at the end. Called again, it goes on where it was. */
export async function perform(step: ProcessStep, strand: Strand): Promise<string | null> {
  switch (step.type) {
    case 'action':
      return act(step, strand);
    case 'condition':
      return decideCondition(step, strand);
    case 'approval':
      return strand.approval.awaitDecision(step);
    case 'wait':
      return awaitIt(step, strand);
    case 'parallel':
      return joinBranches(step, strand);
    case 'foreach':
      return goThroughItems(step, strand);
    case 'subprocess':
      return awaitRun(step, strand);
  }
}

/** Steps that decide where a run goes cannot be passed over. */
export const isSkippable = (step: ProcessStep): boolean => step.type !== 'approval' && step.type !== 'condition';

export const skipTarget = (step: ProcessStep): string | null => ('then' in step ? target(step.then) : null);
