/** react-admin's words in the chosen language. German is fetched when somebody wants it. */
import englishMessages from 'ra-language-english';
import polyglotI18nProvider from 'ra-i18n-polyglot';
import type { I18nProvider, TranslationMessages } from 'react-admin';
import { currentLocale, LOCALES, setLocale, type Locale } from './locale.ts';

const loaders: Readonly<Record<Locale, () => Promise<TranslationMessages>>> = {
  en: () => Promise.resolve(englishMessages),
  de: () => import('./german.ts').then(({ germanMessages }) => germanMessages),
};

/** Awaited before the first page is drawn, so that none is drawn in a language nobody chose. */
export async function createI18nProvider(): Promise<I18nProvider> {
  const first = currentLocale();
  const known: Partial<Record<string, TranslationMessages>> = { [first]: await loaders[first]() };
  const provider = polyglotI18nProvider(
    (locale) => known[locale] ?? englishMessages,
    first,
    Object.entries(LOCALES).map(([locale, name]) => ({ locale, name })),
  );
  return {
    ...provider,
    changeLocale: async (locale) => {
      known[locale] ??= await loaders[locale as Locale]();
      await provider.changeLocale(locale);
      setLocale(locale as Locale);
    },
  };
}
