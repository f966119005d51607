import { useCallback, useState } from 'react';
import type { Workflow } from './workflow.ts';

interface History {
  readonly past: readonly Workflow[];
  readonly now: Workflow;
  readonly future: readonly Workflow[];
  readonly changedAt: number;
  /** Goes up when the draft is set back or forth: inputs that hold what is typed begin anew. */
  readonly revision: number;
}

export interface Draft {
  readonly workflow: Workflow;
  readonly revision: number;
  readonly change: (change: (before: Workflow) => Workflow) => void;
  readonly undo: (() => void) | undefined;
  readonly redo: (() => void) | undefined;
  readonly reset: () => void;
}

/** What is typed in one go is one change. */
const ONE_GO_MS = 700;
const MOST = 200;

/** A definition being edited, with every change to be taken back. */
export function useDraft(stored: Workflow): Draft {
  const [history, setHistory] = useState<History>({ past: [], now: stored, future: [], changedAt: 0, revision: 0 });
  const change = useCallback((by: (before: Workflow) => Workflow): void => {
    const at = Date.now();
    setHistory((before) => {
      const now = by(before.now);
      if (now === before.now) return before;
      const isOneGo = at - before.changedAt < ONE_GO_MS && before.past.length > 0;
      const past = isOneGo ? before.past : [...before.past, before.now].slice(-MOST);
      return { ...before, past, now, future: [], changedAt: at };
    });
  }, []);
  const back = (): void =>
    setHistory(({ past, now, future, revision }) => {
      const before = past.at(-1);
      return before === undefined
        ? { past, now, future, changedAt: 0, revision }
        : { past: past.slice(0, -1), now: before, future: [now, ...future], changedAt: 0, revision: revision + 1 };
    });
  const forth = (): void =>
    setHistory(({ past, now, future: [next, ...future], revision }) =>
      next === undefined
        ? { past, now, future: [], changedAt: 0, revision }
        : { past: [...past, now], now: next, future, changedAt: 0, revision: revision + 1 },
    );
  const reset = (): void => setHistory(({ revision }) => ({ past: [], now: stored, future: [], changedAt: 0, revision: revision + 1 }));
  return {
    workflow: history.now,
    revision: history.revision,
    change,
    undo: history.past.length === 0 ? undefined : back,
    redo: history.future.length === 0 ? undefined : forth,
    reset,
  };
}
