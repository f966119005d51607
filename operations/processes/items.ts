/** The lists that foreach steps go through: read once and kept with the effects of the run, so that each item stays what it was. */
import { AppError } from '../../core/errors.ts';
import type { AppRuntime, Services } from '../context.ts';
import { findEffect, saveEffect } from '../effects.ts';
import { evaluateFor, type StepScope } from './scope.ts';

/** How many items there are; the first reading counts. */
export async function listItems(
  services: Services,
  app: AppRuntime,
  step: StepScope,
  order: { readonly list: string; readonly max: number; readonly key: string },
): Promise<number> {
  const known = await findEffect(services.pool, app.storage, order.key);
  if (Array.isArray(known)) return known.length;
  const found = await evaluateFor(services, app, step, order.list);
  const items: unknown[] = Array.isArray(found) ? found : found === null || found === undefined ? [] : [found];
  if (items.length > order.max)
    throw new AppError('TOO_LARGE', `"${order.list}" has ${items.length} items, more than the ${order.max} that the step allows.`);
  await saveEffect(services.pool, app.storage, order.key, items);
  return items.length;
}
