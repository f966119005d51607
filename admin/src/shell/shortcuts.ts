/** Keys for the whole page: `mod+k` (Ctrl or Command), one key (`?`), or two in a row (`g h`). None acts while somebody types. */
import { useEffect, useRef } from 'react';

const PAUSE_MS = 1000;

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName));

export function useShortcuts(shortcuts: Readonly<Record<string, () => void>>): void {
  const current = useRef(shortcuts);
  useEffect(() => {
    current.current = shortcuts;
  });
  useEffect(() => {
    let before: { readonly key: string; readonly at: number } | undefined;
    const press = (event: KeyboardEvent): void => {
      if (event.altKey || event.defaultPrevented) return;
      if (event.ctrlKey || event.metaKey) {
        const act = current.current[`mod+${event.key.toLowerCase()}`];
        if (act === undefined) return;
        event.preventDefault();
        act();
        return;
      }
      if (isTyping(event.target)) return;
      const isSecond = before !== undefined && event.timeStamp - before.at < PAUSE_MS;
      const act = (isSecond ? current.current[`${before?.key} ${event.key}`] : undefined) ?? current.current[event.key];
      before = { key: event.key, at: event.timeStamp };
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  }, []);
}
