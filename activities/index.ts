import type { Services } from '../operations/context.ts';
import { type AppActivities, createAppActivities } from './apps.ts';
import { type ApprovalActivities, createApprovalActivities } from './approval.ts';
import { type ClockActivities, createClockActivities } from './clock.ts';
import { createDdlActivities, type DdlActivities } from './ddl.ts';
import { withFailures } from './failure.ts';
import { createImportActivities, type ImportActivities } from './import.ts';
import { createProcessActivities, type ProcessActivities } from './process.ts';
import { createRolloutActivities, type RolloutActivities } from './rollout.ts';
import { createScheduleActivities, type ScheduleActivities } from './schedule.ts';
import { createDeliveryActivities, type DeliveryActivities } from './webhook.ts';

export type Activities = AppActivities &
  ApprovalActivities &
  ClockActivities &
  DdlActivities &
  DeliveryActivities &
  ImportActivities &
  ProcessActivities &
  RolloutActivities &
  ScheduleActivities;

/** Every activity of this worker, made once, around the services of its process. */
export function createActivities(services: Services): Activities {
  return withFailures(
    {
      ...createAppActivities(services),
      ...createApprovalActivities(services),
      ...createClockActivities(services),
      ...createDdlActivities(services),
      ...createDeliveryActivities(services),
      ...createImportActivities(services),
      ...createProcessActivities(services),
      ...createRolloutActivities(services),
      ...createScheduleActivities(services),
    },
    services.log,
  );
}
