/** Entities that are read but not written for a while. */
import { AppError } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { AppRuntime } from '../context.ts';
import type { WriteSteps } from './write-state.ts';

/** What a client waits before it tries again. */
const RETRY_SECONDS = 60;

/** Throws MAINTENANCE when any of these is not written now. */
export function refuseInMaintenance(app: AppRuntime, entities: readonly EntityModel[]): void {
  if (app.maintenance.size === 0) return;
  const held = entities.find((entity) => app.maintenance.has('*') || app.maintenance.has(entity.id));
  if (held === undefined) return;
  const what = app.maintenance.has('*') ? `The app "${app.name}"` : `"${held.name}"`;
  throw new AppError('MAINTENANCE', `${what} is under maintenance: records are read but not written.`, {
    hint: 'Send the request again when the maintenance is over.',
    retryAfter: RETRY_SECONDS,
  });
}

/** The steps of a write that ask first: nested rows and cascades reach other entities than the request names. */
export const heldBack = (app: AppRuntime, steps: WriteSteps): WriteSteps => ({
  create(write, entity, step) {
    refuseInMaintenance(app, [entity]);
    return steps.create(write, entity, step);
  },
  update(write, entity, step) {
    refuseInMaintenance(app, [entity]);
    return steps.update(write, entity, step);
  },
  delete(write, entity, step) {
    refuseInMaintenance(app, [entity]);
    return steps.delete(write, entity, step);
  },
});
