/**
 * Definitions one by one (`_admin/rules`, `_admin/permissions`, …): reading a section, and changes, each of which is a publish.
 *   const rules = useDefinitions<RuleDefinition>('rules');
 *   const { change } = useWrites<RuleDefinition>('rules');  const written = await change(id, { active: false });
 */
import type { UseQueryResult } from '@tanstack/react-query';
import { useMemo } from 'react';
import { ApiError } from '../../../client/client.ts';
import { appPath, useRead, useSend } from '../api/use-api.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { withoutPlace } from './without-place.ts';

export interface Finding {
  readonly id: string;
  readonly level: 'error' | 'warning' | 'info';
  readonly path: string;
  readonly message: string;
  readonly consequence: string;
  readonly fix: string;
}

/** As it is listed: with its id, and the times of its first and last change. */
export type Listed<T> = T & { readonly id: string; readonly created_at?: string; readonly updated_at?: string };

export interface DefinitionList<T> {
  readonly data: readonly Listed<T>[];
  readonly meta: { readonly schema_version: number; readonly total: number };
}

export interface Written<T> {
  readonly data: Listed<T>;
  readonly changes: readonly { readonly kind: string; readonly message?: string }[];
  readonly findings: readonly Finding[];
  readonly schema_version: number;
  /** What carried it out, where the answer names it; not `completed` while it still runs. */
  readonly migration?: { readonly id: string; readonly status: string } | null;
}

export type Section =
  'rules' | 'state-machines' | 'permissions' | 'slas' | 'calendars' | 'function-attachments' | 'roles' | 'webhooks' | 'workflows';

export function useDefinitions<T>(section: Section): UseQueryResult<DefinitionList<T>, ApiError> {
  const { app } = useDiscovery();
  return useRead<DefinitionList<T>>(`${appPath(app.name)}/_admin/${section}`);
}

export interface Writes<T> {
  readonly create: (body: object) => Promise<Written<T>>;
  /** `version` is the schema version that was edited: when another is served by now, it is refused (412). */
  readonly change: (id: string, body: object, version?: number) => Promise<Written<T>>;
  readonly remove: (id: string) => Promise<Written<T>>;
}

export function useWrites<T>(section: Section): Writes<T> {
  const { app } = useDiscovery();
  const send = useSend();
  return useMemo(() => {
    const path = `${appPath(app.name)}/_admin/${section}`;
    const one = (id: string): string => `${path}/${encodeURIComponent(id)}`;
    return {
      create: (body) => send<Written<T>>('POST', path, body),
      change: (id, body, version) =>
        send<Written<T>>('PATCH', one(id), body, version === undefined ? {} : { headers: { 'If-Match': `"${version}"` } }),
      remove: (id) => send<Written<T>>('DELETE', one(id)),
    };
  }, [app.name, section, send]);
}

/** What was refused about one place of the definition: the first detail whose path ends there. */
export function errorAt(error: unknown, place: string): string | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const details = error.body?.error.details ?? [];
  const found = details.find(({ path, field }) => [path, field].some((at) => at === place || at?.endsWith(`.${place}`) === true));
  return found === undefined ? undefined : withoutPlace(found.message);
}

/** Of a draft: what is wrong with it, each said once; undefined for a refusal that is about something else. */
export function refusalsOf(error: unknown): readonly string[] | undefined {
  if (!(error instanceof ApiError) || error.status !== 422) return undefined;
  const details = error.body?.error.details ?? [];
  return details.length === 0 ? [error.message] : [...new Set(details.map(({ message }) => withoutPlace(message)))];
}
