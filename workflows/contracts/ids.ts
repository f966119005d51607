/**
 * Workflow ids, built and parsed only here: `<kind>/<app>/<key>`. `app` is the opaque app id; nothing personal is in an id,
 * because ids are stored in clear.
 */
export type WorkflowKind = 'migration' | 'process' | 'delivery' | 'provision' | 'retire';

export const migrationWorkflowId = (app: string, number: number): string => `migration/${app}/${number}`;
/** `event` is the event's seq, or the request's id for a manual start. */
export const processWorkflowId = (app: string, event: string, definition: string): string => `process/${app}/${event}.${definition}`;
/** A replay is the next round of the same delivery. */
export const deliveryWorkflowId = (app: string, event: string, webhook: string, round: number): string =>
  `delivery/${app}/${event}.${webhook}.${round}`;
export const provisionWorkflowId = (app: string): string => `provision/${app}/0`;
export const retireWorkflowId = (app: string, attempt: number): string => `retire/${app}/${attempt}`;

export interface ParsedWorkflowId {
  readonly kind: WorkflowKind;
  readonly app: string;
  readonly key: string;
}

export function parseWorkflowId(workflowId: string): ParsedWorkflowId | undefined {
  const match = /^(migration|process|delivery|provision|retire)\/([^/]+)\/(.+)$/.exec(workflowId);
  if (match === null) return undefined;
  const [, kind, app, key] = match;
  return { kind: kind as WorkflowKind, app: app ?? '', key: key ?? '' };
}
