/** The edits of this app's permissions that are not published, kept in this browser; one for all tabs of the page. */
import { createContext, useContext, useMemo, useState } from 'react';
import type { Listed } from '../../definitions/definitions.ts';
import { askedOf, edited, livingEdits, withEdits, type Edit, type Edits, type Permission, type ShownPermission } from './permission.ts';

export interface PermissionDraft {
  readonly edits: Edits;
  readonly stored: readonly Listed<Permission>[];
  /** Stored ones with the edits over them. */
  readonly shown: readonly ShownPermission[];
  /** As the API takes it; undefined without edits. */
  readonly asked: readonly object[] | undefined;
  readonly edit: (edit: Edit) => void;
  readonly undo: (key: string) => void;
  readonly discard: () => void;
}

const DraftContext = createContext<PermissionDraft | undefined>(undefined);
export const DraftProvider = DraftContext.Provider;

export function useDraft(): PermissionDraft {
  const draft = useContext(DraftContext);
  if (draft === undefined) throw new Error('This belongs into the page of permissions.');
  return draft;
}

export function useKeptDraft(app: string, stored: readonly Listed<Permission>[]): PermissionDraft {
  const key = `durabase.permissions.${app}`;
  const [kept, setKept] = useState<Edits>(() => read(key));
  return useMemo(() => {
    const edits = livingEdits(stored, kept);
    const keep = (next: Edits): void => {
      setKept(next);
      if (next.length === 0) localStorage.removeItem(key);
      else localStorage.setItem(key, JSON.stringify(next));
    };
    return {
      edits,
      stored,
      shown: withEdits(stored, edits),
      asked: edits.length === 0 ? undefined : askedOf(edits),
      edit: (edit) => keep(edited(edits, edit)),
      undo: (gone) => keep(edits.filter((edit) => edit.key !== gone)),
      discard: () => keep([]),
    };
  }, [key, kept, stored]);
}

/** Another version of this page, or a hand, may have written what is there: what cannot be read is no draft. */
function read(key: string): Edits {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(key) ?? '[]');
    return Array.isArray(kept) ? (kept as Edits).filter(isEdit) : [];
  } catch (error) {
    if (error instanceof SyntaxError) return [];
    throw error;
  }
}

const isEdit = (edit: Partial<Edit> | null): boolean =>
  typeof edit?.key === 'string' && (edit.kind === 'remove' || Array.isArray((edit as { permission?: Permission }).permission?.roles));
