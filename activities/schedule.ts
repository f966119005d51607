import { AppError } from '../core/errors.ts';
import type { Services } from '../operations/context.ts';
import { type ScheduledTime, startScheduled } from '../operations/processes/scheduled.ts';

export interface ScheduleActivities {
  startScheduled(input: ScheduledTime & { readonly app: string }): Promise<'started' | 'missed' | 'unwanted'>;
}

/** The activity of the `scheduledStart` workflow. */
export const createScheduleActivities = (services: Services): ScheduleActivities => ({
  startScheduled: async (input) => {
    const app = await services.registry.byId(input.app);
    if (app === undefined) throw new AppError('APP_NOT_FOUND', `The app ${input.app} does not exist any more.`);
    return startScheduled(services, app, input);
  },
});
