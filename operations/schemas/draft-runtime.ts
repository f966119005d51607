/** An app as it would be with drafts: reviewed like a publish, kept nowhere. */
import type { AppContext, AppRuntime } from '../context.ts';
import { createAppRuntime } from '../registry-runtimes.ts';
import { prepare, type Edit } from './prepare.ts';

/** Throws what saving the drafts would be refused with. */
export function draftRuntime({ app }: AppContext, edit: Edit): AppRuntime {
  const { document } = prepare({ storage: app.storage, version: app.version + 1, held: [] }, app.model.document, edit);
  const { id, name, displayName, storage, status, schemaName, version, maintenance } = app;
  return createAppRuntime({ id, name, displayName, storage, status, schemaName, version, maintenance, document });
}

/** Items with the id of a stored one stand for it, the others are added. */
export function withDrafts<T extends { readonly id?: string | undefined }>(stored: readonly T[], drafts: readonly T[]): T[] {
  const byId = new Map(drafts.flatMap((draft) => (draft.id === undefined ? [] : [[draft.id, draft] as const])));
  const known = new Set(stored.map((item) => item.id));
  return [
    ...stored.map((item) => (item.id === undefined ? item : (byId.get(item.id) ?? item))),
    ...drafts.filter((draft) => draft.id === undefined || !known.has(draft.id)),
  ];
}
