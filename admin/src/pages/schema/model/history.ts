/**
 * The state of a draft: the document, the text it is written as, and the steps back and forward. The text follows the document only
 * where somebody looks at it (`isTextStale`); a text that cannot be read leaves the document at its last good state.
 */
import type { Format, TextMistake } from '../../../document/text.ts';
import type { DocumentInput } from '../../../document/types.ts';

export interface Base {
  readonly version: number;
  readonly document: DocumentInput;
}

export interface Snapshot {
  readonly document: DocumentInput;
  /** Undefined until somebody has looked at the text. */
  readonly text: string | undefined;
  /** The document is newer than the text. */
  readonly isTextStale: boolean;
  readonly format: Format;
  /** Why the text cannot be read; the document is that of its last good state then. */
  readonly mistakes: readonly TextMistake[];
}

export interface Draft extends Snapshot {
  readonly base: Base;
  readonly past: readonly Snapshot[];
  readonly future: readonly Snapshot[];
  /** When the text was typed in last: keystrokes of one go are one step. */
  readonly typedAt: number | undefined;
}

export const STEPS = 100;
const PAUSE_MS = 1500;

export type Action =
  | { readonly kind: 'edit'; readonly document: DocumentInput }
  | {
      readonly kind: 'type';
      readonly text: string;
      readonly document: DocumentInput | undefined;
      readonly mistakes: readonly TextMistake[];
      /** Of a text that is brought in as a whole; otherwise it stays what it is. */
      readonly format?: Format;
      readonly at: number;
    }
  /** The text as it follows from the document; no step. */
  | { readonly kind: 'write'; readonly text: string }
  | { readonly kind: 'format'; readonly text: string; readonly format: Format }
  | { readonly kind: 'undo' | 'redo' | 'discard' | 'begin' }
  | { readonly kind: 'rebase'; readonly base: Base; readonly document: DocumentInput };

export const fresh = (base: Base): Draft => ({
  base,
  document: base.document,
  text: undefined,
  isTextStale: true,
  format: 'yaml',
  mistakes: [],
  past: [],
  future: [],
  typedAt: undefined,
});

const snapshotOf = ({ document, text, isTextStale, format, mistakes }: Draft): Snapshot => ({
  document,
  text,
  isTextStale,
  format,
  mistakes,
});

export const isBroken = (draft: Draft): boolean => draft.mistakes.length > 0;
export const isChanged = (draft: Draft): boolean => draft.document !== draft.base.document || isBroken(draft);

/** With the state as it was before as one step back. */
const stepped = (draft: Draft, next: Partial<Draft>): Draft => ({
  ...draft,
  typedAt: undefined,
  ...next,
  past: [...draft.past, snapshotOf(draft)].slice(-STEPS),
  future: [],
});

export function reduce(draft: Draft, action: Action): Draft {
  switch (action.kind) {
    case 'edit':
      // While the text cannot be read an edit would throw it away.
      if (isBroken(draft) || action.document === draft.document) return draft;
      return stepped(draft, { document: action.document, isTextStale: true });
    case 'type':
      return typed(draft, action);
    case 'write':
      return { ...draft, text: action.text, isTextStale: false };
    case 'format':
      return stepped(draft, { text: action.text, format: action.format, isTextStale: false, mistakes: [] });
    case 'undo':
      return gone(draft, draft.past, draft.future, (past, future) => ({ past, future }));
    case 'redo':
      return gone(draft, draft.future, draft.past, (future, past) => ({ past, future }));
    case 'discard':
      return stepped(draft, { document: draft.base.document, text: undefined, isTextStale: true, mistakes: [] });
    case 'begin':
      return fresh(draft.base);
    case 'rebase':
      // The steps before were made upon the older version: one of them taken back would undo what others published since.
      return { ...draft, base: action.base, document: action.document, isTextStale: true, past: [], future: [], typedAt: undefined };
  }
}

function typed(draft: Draft, { text, document, mistakes, format, at }: Extract<Action, { kind: 'type' }>): Draft {
  const next = { text, document: document ?? draft.document, mistakes, isTextStale: false, typedAt: at, format: format ?? draft.format };
  const isOneGo = format === undefined && draft.typedAt !== undefined && at - draft.typedAt < PAUSE_MS;
  return isOneGo ? { ...draft, ...next, future: [] } : stepped(draft, next);
}

/** One step: what `from` holds last becomes the state, and the state goes to `to`. */
function gone(
  draft: Draft,
  from: readonly Snapshot[],
  to: readonly Snapshot[],
  lists: (from: readonly Snapshot[], to: readonly Snapshot[]) => Pick<Draft, 'past' | 'future'>,
): Draft {
  const snapshot = from.at(-1);
  if (snapshot === undefined) return draft;
  // A text that follows from an older state of the document is the best one to write the older state into.
  const text = snapshot.text ?? draft.text;
  const isTextStale = snapshot.text === undefined || snapshot.isTextStale;
  return {
    ...draft,
    ...snapshot,
    text,
    isTextStale,
    typedAt: undefined,
    ...lists(from.slice(0, -1), [...to, snapshotOf(draft)]),
  };
}

// --- what stays in the browser ----------------------------------------------------------------------------------------

interface Stored extends Snapshot {
  readonly version: number;
}

/** Undefined for a draft that changes nothing: there is nothing to keep. A broken text is kept as it stands. */
export function toStored(draft: Draft): Stored | undefined {
  if (!isChanged(draft)) return undefined;
  return { version: draft.base.version, ...snapshotOf(draft) };
}

export function fromStored(text: string | null): Stored | undefined {
  if (text === null) return undefined;
  try {
    const stored = JSON.parse(text) as Partial<Stored> | null;
    if (typeof stored?.version !== 'number' || typeof stored.document !== 'object') return undefined;
    // JSON leaves out what is undefined.
    return { text: undefined, mistakes: [], ...(stored as Omit<Stored, 'text' | 'mistakes'> & Partial<Stored>) };
  } catch {
    // What somebody else wrote under our name is no draft.
    return undefined;
  }
}

/** A draft taken up again, upon the version it was made from. */
export const resumed = (base: Base, { version: _version, ...snapshot }: Stored): Draft => ({ ...fresh(base), ...snapshot });

/** Entities, fields and relations are told apart by their names here, and by `was`: their ids say nothing to a person. */
export function withoutIds(document: DocumentInput): DocumentInput {
  const { exported_at: _at, ...rest } = document;
  const bare = <T extends { id?: string | undefined }>({ id: _id, ...item }: T): T => item as unknown as T;
  return {
    ...rest,
    ...(document.entities === undefined
      ? {}
      : { entities: document.entities.map((entity) => ({ ...bare(entity), fields: entity.fields.map(bare) })) }),
    ...(document.relations === undefined ? {} : { relations: document.relations.map(bare) }),
  };
}
