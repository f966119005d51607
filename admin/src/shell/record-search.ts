/** Records of the app by what somebody types: a few entities are asked, those opened last first, once the typing rests. */
import { useQueries } from '@tanstack/react-query';
import { useEffect } from 'react';
import { useLocation } from 'react-router-dom';
import { appPath, useRested } from '../api/use-api.ts';
import type { DiscoveredEntity, Discovery } from '../discovery.ts';
import { titleOf } from '../fields/values.ts';
import { client } from '../session.ts';
import { useDiscoveryIfAny } from './discovery-context.ts';

/** Somewhere to go from the palette. */
export interface Place {
  readonly to: string;
  readonly label: string;
  readonly kind: string;
}

/** As many requests as one search makes. */
const ENTITIES = 5;
const HITS = 4;
const REST_MS = 250;
const SHORTEST = 2;
const SEARCHED: ReadonlySet<string> = new Set(['string', 'text', 'email']);

export function useRecords(typed: string): { readonly found: readonly Place[]; readonly isSearching: boolean } {
  const discovery = useDiscoveryIfAny();
  const settled = useRested(typed.trim(), REST_MS);
  const entities = discovery === undefined || settled.length < SHORTEST ? [] : searched(discovery);
  const answers = useQueries({
    queries: entities.map((entity) => ({
      queryKey: ['api', searchPath(discovery, entity, settled)],
      staleTime: 10_000,
      retry: false,
      queryFn: async ({ signal }: { signal: AbortSignal }) =>
        (await client.call<{ data: readonly Readonly<Record<string, unknown>>[] }>(searchPath(discovery, entity, settled), { signal })).body
          .data,
    })),
  });
  const found = entities.flatMap((entity, index) => (answers[index]?.data ?? []).map((record) => placeOf(discovery, entity, record)));
  return {
    found,
    isSearching: typed.trim().length >= SHORTEST && (settled !== typed.trim() || answers.some(({ isFetching }) => isFetching)),
  };
}

function searchPath(discovery: Discovery | undefined, entity: DiscoveredEntity, q: string): string {
  const fields = [...entity.primary_key.fields, entity.display_field].join(',');
  const query = new URLSearchParams({ q, fields, per_page: String(HITS), count: 'none' });
  return `${appPath(discovery?.app.name ?? '')}/${encodeURIComponent(entity.name)}?${query}`;
}

function placeOf(discovery: Discovery | undefined, entity: DiscoveredEntity, record: Readonly<Record<string, unknown>>): Place {
  const id = entity.primary_key.fields.map((name) => String(record[name] as string)).join(',');
  return {
    to: `/t/${discovery?.app.name ?? ''}/${entity.name}/${encodeURIComponent(id)}/show`,
    label: titleOf({ ...record, id }, entity.display_field),
    kind: entity.label,
  };
}

const recentKey = (app: string): string => `durabase.${app}.recent`;

function recentOf(app: string): readonly string[] {
  return (localStorage.getItem(recentKey(app)) ?? '').split(',').filter((name) => name !== '');
}

function searched(discovery: Discovery): readonly DiscoveredEntity[] {
  const recent = recentOf(discovery.app.name);
  const place = ({ name }: DiscoveredEntity): number => (recent.includes(name) ? recent.indexOf(name) : recent.length);
  return discovery.entities
    .filter((entity) => entity.permissions.read && entity.fields.some((field) => field.readable && SEARCHED.has(field.type)))
    .toSorted((a, b) => place(a) - place(b))
    .slice(0, ENTITIES);
}

/** Remembers which entities were opened last. */
export function useRecentEntities(discovery: Discovery | undefined): void {
  const { pathname } = useLocation();
  useEffect(() => {
    const [, , app = '', name = ''] = pathname.split('/');
    if (discovery?.app.name !== app || !discovery.entities.some((entity) => entity.name === name)) return;
    const names = [name, ...recentOf(app).filter((one) => one !== name)].slice(0, ENTITIES);
    localStorage.setItem(recentKey(app), names.join(','));
  }, [pathname, discovery]);
}
