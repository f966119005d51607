/** Light, dark or as the system says: one choice for the whole browser, followed at once by every page and editor. */
import { useSyncExternalStore } from 'react';

export type Appearance = 'auto' | 'light' | 'dark';

const KEY = 'durabase.appearance';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

const isAppearance = (value: string | null): value is Appearance => value === 'auto' || value === 'light' || value === 'dark';
const stored = localStorage.getItem(KEY);
let chosen: Appearance = isAppearance(stored) ? stored : 'auto';

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  system.addEventListener('change', listener);
  return () => {
    listeners.delete(listener);
    system.removeEventListener('change', listener);
  };
}

export function setAppearance(appearance: Appearance): void {
  chosen = appearance;
  localStorage.setItem(KEY, appearance);
  document.documentElement.style.colorScheme = appearance === 'auto' ? '' : appearance;
  for (const listener of listeners) listener();
}

export const useAppearance = (): Appearance => useSyncExternalStore(subscribe, () => chosen);

export const useIsDark = (): boolean => useSyncExternalStore(subscribe, () => (chosen === 'auto' ? system.matches : chosen === 'dark'));
