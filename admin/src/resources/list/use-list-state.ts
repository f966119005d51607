import { useCallback, useEffect, useMemo } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import type { DiscoveredEntity, Discovery } from '../../discovery.ts';
import { isSavedOnly, paramsOf, stateOf, stateOfSaved, type ListState, type SavedList } from './state.ts';

export interface ListControl {
  readonly state: ListState;
  /** False until the saved list that the address names is known. */
  readonly isKnown: boolean;
  /** Begins at the first page again, unless a page is given. `isStep` leaves a step for Back. */
  readonly set: (next: Partial<ListState>, isStep?: boolean) => void;
  /** Opens a saved list as it is kept. */
  readonly open: (id: string) => void;
  readonly savedLists: readonly SavedList[];
  /** The one that is open, changed or not. */
  readonly saved: SavedList | undefined;
  /** The open saved list is shown as it is not kept. */
  readonly isChanged: boolean;
}

export const listsPath = (app: string): string => `${appPath(app)}/_lists`;

export function useListState(discovery: Discovery, entity: DiscoveredEntity): ListControl {
  const [params, setParams] = useSearchParams();
  const answer = useRead<{ readonly data: readonly SavedList[] }>(`${listsPath(discovery.app.name)}?entity=${entity.name}&per_page=100`);
  const savedLists = useMemo(() => answer.data?.data ?? [], [answer.data]);
  const opened = savedLists.find((list) => list.is_default);
  const isBare = params.size === 0;
  const named = params.get('list') ?? (isBare ? opened?.id : undefined);
  const saved = savedLists.find((list) => list.id === named);

  // The list one opens with has an address of its own, so that Back and links mean the same tomorrow.
  useEffect(() => {
    if (isBare && opened !== undefined) setParams({ list: opened.id }, { replace: true });
  }, [isBare, opened, setParams]);

  const state = useMemo(() => {
    const asked = stateOf(entity, params);
    return saved !== undefined && (isSavedOnly(params) || isBare) ? stateOfSaved(entity, saved, asked.page) : asked;
  }, [entity, params, saved, isBare]);

  const set = useCallback(
    (next: Partial<ListState>, isStep = true) => {
      const wanted = { ...state, page: 1, ...next };
      const onlyPage = Object.keys(next).every((key) => key === 'page') && isSavedOnly(params);
      const address = onlyPage ? savedAddress(wanted) : paramsOf(entity, wanted);
      setParams(address, { replace: !isStep });
    },
    [entity, state, params, setParams],
  );
  const open = useCallback((id: string) => setParams({ list: id }), [setParams]);
  const isKnown = !(isBare || isSavedOnly(params)) || !answer.isPending;
  const isChanged =
    saved !== undefined && paramsOf(entity, stateOfSaved(entity, saved, state.page)).toString() !== paramsOf(entity, state).toString();
  return { state, isKnown, set, open, savedLists, saved, isChanged };
}

function savedAddress({ list, page }: ListState): URLSearchParams {
  const params = new URLSearchParams();
  if (list !== undefined) params.set('list', list);
  if (page > 1) params.set('page', String(page));
  return params;
}
