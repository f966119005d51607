import type { Act } from '../acts.ts';
import type { PlacedAct, PlanText, ReadStep } from '../plan-text.ts';

/** One thing a plan must not do, or should not without a second look. */
export interface Rule {
  readonly id: string;
  readonly severity: 'error' | 'warning';
  /** The rule in one line, as the documentation lists it. */
  readonly title: string;
  readonly hint: string;
  /** A message for each place of the step that breaks the rule. */
  find(step: ReadStep, plan: PlanText): readonly string[];
}

/** The messages of a rule that looks at one act after the other. */
export const eachAct =
  (message: (act: Act, plan: PlanText, placed: PlacedAct, step: ReadStep) => string | undefined): Rule['find'] =>
  (step, plan) =>
    step.acts.flatMap((placed) => message(placed.act, plan, placed, step) ?? []);
