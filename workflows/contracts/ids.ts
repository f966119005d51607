/**
 * Workflow ids, built only here: `<kind>/<app>/<key>`. `app` is the opaque app id; nothing personal is in an id,
 * because ids are stored in clear.
 */
export const migrationWorkflowId = (app: string, number: number): string => `migration/${app}/${number}`;
/** What is left of a migration after its switch: grace, contract, retention. */
export const contractWorkflowId = (app: string, number: number): string => `contract/${app}/${number}`;
/** `event` is the event's seq, or the request's id for a manual start. */
export const processWorkflowId = (app: string, event: string, definition: string): string => `process/${app}/${event}.${definition}`;
/** `event` is the event that started it. */
export const clockWorkflowId = (app: string, record: string, sla: string, event: string): string =>
  `clock/${app}/${record.slice(0, 200)}.${sla}.${event}`;
/** A replay is the next round of the same delivery. */
export const deliveryWorkflowId = (app: string, event: string, webhook: string, round: number): string =>
  `delivery/${app}/${event}.${webhook}.${round}`;
/** Of many apps, so its second part is no app's id. */
export const rolloutWorkflowId = (rollout: string): string => `rollout/${rollout}`;
export const provisionWorkflowId = (app: string): string => `provision/${app}/0`;
export const retireWorkflowId = (app: string, attempt: number): string => `retire/${app}/${attempt}`;
/** Each check, run and undo of an import is a round of it. */
export const importWorkflowId = (app: string, id: string, round: number): string => `import/${app}/${id}.${round}`;
/** Of a workflow definition with the trigger `schedule`; the schedule's id, not a workflow's. */
export const scheduleId = (app: string, definition: string): string => `schedule/${app}/${definition}`;
/** Temporal adds the time to it. */
export const scheduledStartWorkflowId = (app: string, definition: string): string => `scheduled/${app}/${definition}`;
/** Tells a run, in place of one that cannot, that the run it waits for has ended. */
export const childEndedSignalId = (app: string, run: string): string => `signal/${app}/${run}.ended`;
/** Tells a run of an event once: `_starts` has one row of each id. */
export const eventSignalId = (app: string, wait: string, event: string): string => `signal/${app}/${wait}.${event}`;
