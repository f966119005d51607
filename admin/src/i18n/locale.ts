/** The language of the pages: one value for the whole page, kept in the browser. Changing it renders anew whoever asked. */
import { useSyncExternalStore } from 'react';

export const LOCALES = { en: 'English', de: 'Deutsch' } as const;
export type Locale = keyof typeof LOCALES;

const KEY = 'durabase.locale';
const listeners = new Set<() => void>();
let current: Locale = firstLocale();

function isLocale(name: string | null | undefined): name is Locale {
  return name !== null && name !== undefined && Object.hasOwn(LOCALES, name);
}

/** What was chosen here before, else the first language of the browser that we speak. */
function firstLocale(): Locale {
  const chosen = localStorage.getItem(KEY);
  if (isLocale(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isLocale) ?? 'en';
}

export const currentLocale = (): Locale => current;

export function setLocale(locale: Locale): void {
  current = locale;
  localStorage.setItem(KEY, locale);
  document.documentElement.lang = locale;
  for (const listener of listeners) listener();
}

document.documentElement.lang = current;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export const useLocale = (): Locale => useSyncExternalStore(subscribe, currentLocale);
