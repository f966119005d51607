import type { ProcessStep } from '../../core/model/document.ts';
import { brief } from '../activity-options.ts';
import { local } from './activities.ts';
import { target } from './state.ts';
import type { Strand } from './strand.ts';

export async function decideCondition(step: Extract<ProcessStep, { type: 'condition' }>, strand: Strand): Promise<string | null> {
  const isTrue = await local.evaluateCondition.executeWithOptions({ ...brief, summary: step.id }, [
    { ...strand.scope(), expression: step.expression },
  ]);
  strand.note({ step: step.id, status: isTrue ? 'on_true' : 'on_false' });
  return target(isTrue ? step.on_true : step.on_false);
}
