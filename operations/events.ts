import type { ActorRef } from '../workflows/contracts/types.ts';

/** One committed change of one record, as the log has it. Bigints are text: they are compared with `compareVersions` only. */
export interface EventRow {
  readonly seq: string;
  /** ISO time of the transaction. */
  readonly at: string;
  readonly app: string;
  readonly entity: string;
  readonly record_id: string;
  readonly action: 'create' | 'update' | 'delete' | 'restore' | 'custom';
  readonly record_version: string;
  readonly schema_version: number;
  readonly actor: ActorRef;
  /** The whole record after the change; null after a delete. For `custom`, the event's data. */
  readonly record: Readonly<Record<string, unknown>> | null;
  /** The changed fields before an update; the whole record before a delete. */
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly cause: string | null;
  readonly depth: number;
}

/** Deeper chains of cause and effect start nothing more (a process that triggers itself for ever). */
export const MAX_DEPTH = 8;

/** The whole record before the change, put together from what the event keeps. */
export function recordBefore(event: Pick<EventRow, 'action' | 'record' | 'old'>): Readonly<Record<string, unknown>> | null {
  if (event.action === 'create' || event.action === 'custom') return null;
  if (event.action === 'delete') return event.old;
  return { ...event.record, ...event.old };
}

/** Each changed field with its two values. */
export function changesOf(event: EventRow): Record<string, { readonly old: unknown; readonly new: unknown }> {
  const changes: Record<string, { old: unknown; new: unknown }> = {};
  if (event.action !== 'update' && event.action !== 'restore') return changes;
  for (const [field, before] of Object.entries(event.old ?? {})) {
    changes[field] = { old: before, new: event.record?.[field] ?? null };
  }
  return changes;
}
