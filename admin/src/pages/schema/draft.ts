/**
 * The one draft of the schema that diagram, table and code work on. It lives in this browser, per app, with the version it was made
 * from, and survives a reload; it is gone once it is published or discarded.
 */
import { createContext, useCallback, useContext, useEffect, useMemo, useReducer, useRef, useState, type Dispatch } from 'react';
import type { DocumentInput } from '../../document/types.ts';
import { useDryRun, type DryRun } from '../../document/use-document.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { compare, type Marks } from './model/compare.ts';
import { fromStored, isBroken, isChanged, reduce, toStored, type Action, type Draft } from './model/history.ts';

const keyOf = (app: string): string => `durabase.${app}.schema.draft`;

export const storedDraft = (app: string): ReturnType<typeof fromStored> => fromStored(localStorage.getItem(keyOf(app)));

/** What was published or discarded is a draft no more. */
export const forgetDraft = (app: string): void => localStorage.removeItem(keyOf(app));

export interface DraftTools {
  readonly draft: Draft;
  readonly dispatch: Dispatch<Action>;
  readonly marks: Marks;
  readonly isChanged: boolean;
  /** The code cannot be read: nothing else can be edited until it can. */
  readonly isBroken: boolean;
  /** The version that is served, when it is not the one that the draft was made from. */
  readonly newer: number | undefined;
  readonly dryRun: DryRun;
  /** One step: what `change` makes of the document. */
  edit(change: (document: DocumentInput, base: DocumentInput) => DocumentInput): void;
}

const DraftContext = createContext<DraftTools | undefined>(undefined);
export const DraftProvider = DraftContext.Provider;

export function useDraft(): DraftTools {
  const tools = useContext(DraftContext);
  if (tools === undefined) throw new Error('This belongs into the schema designer.');
  return tools;
}

const PAUSE_MS = 300;

export function useDraftTools(initial: Draft): DraftTools {
  const { app, schema_version: served } = useDiscovery();
  const [draft, dispatch] = useReducer(reduce, initial);
  useKept(app.name, draft);
  const isDirty = isChanged(draft);
  const hasMistakes = isBroken(draft);
  const dryRun = useDryRun(draft.document, { isOn: isDirty && !hasMistakes });
  const marks = useMemo(() => compare(draft.base.document, draft.document), [draft.base.document, draft.document]);
  const newest = useNewest(dryRun, served);
  const current = useRef(draft);
  useEffect(() => {
    current.current = draft;
  });
  const edit = useCallback<DraftTools['edit']>((change) => {
    const { document, base } = current.current;
    dispatch({ kind: 'edit', document: change(document, base.document) });
  }, []);
  return useMemo(
    () => ({
      draft,
      dispatch,
      marks,
      isChanged: isDirty,
      isBroken: hasMistakes,
      newer: newest === draft.base.version ? undefined : newest,
      dryRun,
      edit,
    }),
    [draft, marks, isDirty, hasMistakes, newest, dryRun, edit],
  );
}

/** What is served as far as is known: told by discovery when the page is made, and by every dry run since. A rollback makes it less. */
function useNewest(dryRun: DryRun, served: number): number {
  const [newest, setNewest] = useState(served);
  useEffect(() => {
    if (dryRun.state === 'planned') setNewest(dryRun.plan.from_version);
  }, [dryRun]);
  return newest;
}

/** Written a moment after the last change, and at once when the page goes. */
function useKept(app: string, draft: Draft): void {
  const pending = useRef<(() => void) | undefined>(undefined);
  useEffect(() => {
    const write = (): void => {
      pending.current = undefined;
      const stored = toStored(draft);
      if (stored === undefined) forgetDraft(app);
      else localStorage.setItem(keyOf(app), JSON.stringify(stored));
    };
    pending.current = write;
    const timer = setTimeout(write, PAUSE_MS);
    return () => clearTimeout(timer);
  }, [app, draft]);
  useEffect(() => {
    const flush = (): void => pending.current?.();
    window.addEventListener('pagehide', flush);
    return () => {
      window.removeEventListener('pagehide', flush);
      flush();
    };
  }, []);
}
