/**
 * The words of one page, in each language, kept beside the page and loaded with it. Languages with a missing word do not compile.
 *   const WORDS = words({ en: { left: 'One left |||| %{smart_count} left' }, de: { left: 'Eine übrig |||| %{smart_count} übrig' } });
 *   const t = useWords(WORDS);  t('left', 3)
 */
import Polyglot from 'node-polyglot';
import { useMemo } from 'react';
import { useLocale, type Locale } from './locale.ts';

type Vocabulary = Readonly<Record<string, string>>;

export interface Words<Key extends string> {
  readonly byLocale: Readonly<Record<Locale, Readonly<Record<Key, string>>>>;
}

export type Translate<Key extends string> = (key: Key, values?: number | Readonly<Record<string, string | number>>) => string;

export const words = <const English extends Vocabulary>(byLocale: {
  readonly en: English;
  readonly de: Readonly<Record<keyof English & string, string>>;
}): Words<keyof English & string> => ({ byLocale });

export function translator<Key extends string>({ byLocale }: Words<Key>, locale: Locale): Translate<Key> {
  const polyglot = new Polyglot({ phrases: byLocale[locale], locale });
  return (key, values) => (values === undefined ? polyglot.t(key) : polyglot.t(key, values as number & Polyglot.InterpolationOptions));
}

export function useWords<Key extends string>(of: Words<Key>): Translate<Key> {
  const locale = useLocale();
  return useMemo(() => translator(of, locale), [of, locale]);
}
