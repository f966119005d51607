import type { ProcessStep } from '../../core/model/document.ts';
import { brief } from '../activity-options.ts';
import { local } from './activities.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';

type ConditionStep = Extract<ProcessStep, { type: 'condition' }>;

export async function decideCondition(step: ConditionStep, strand: StrandPort): Promise<string | null> {
  if (step.switch !== undefined) return chooseCase(step.id, step.switch, strand);
  const isTrue = await local.evaluateCondition.executeWithOptions({ ...brief, summary: step.id }, [
    { ...strand.scope(), expression: step.expression ?? 'false' },
  ]);
  strand.note({ step: step.id, status: isTrue ? 'on_true' : 'on_false' });
  return target(isTrue ? step.on_true : step.on_false);
}

async function chooseCase(id: string, choice: NonNullable<ConditionStep['switch']>, strand: StrandPort): Promise<string | null> {
  const index = await local.chooseCase.executeWithOptions({ ...brief, summary: id }, [
    { ...strand.scope(), on: choice.on ?? null, cases: choice.cases.map(({ when }) => when) },
  ]);
  const chosen = index === null ? undefined : choice.cases[index];
  const when = chosen === undefined ? 'default' : JSON.stringify(chosen.when);
  strand.note({ step: id, status: 'completed', comment: when });
  return target(chosen === undefined ? choice.default : chosen.goto);
}
