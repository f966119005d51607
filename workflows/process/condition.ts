import type { ProcessStep } from '../../core/model/document.ts';
import { brief } from '../activity-options.ts';
import { local } from './activities.ts';
import type { StrandPort } from './ports.ts';
import { target } from './state.ts';

export async function decideCondition(step: Extract<ProcessStep, { type: 'condition' }>, strand: StrandPort): Promise<string | null> {
  const isTrue = await local.evaluateCondition.executeWithOptions({ ...brief, summary: step.id }, [
    { ...strand.scope(), expression: step.expression },
  ]);
  strand.note({ step: step.id, status: isTrue ? 'on_true' : 'on_false' });
  return target(isTrue ? step.on_true : step.on_false);
}
