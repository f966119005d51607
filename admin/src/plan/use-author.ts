import { useWords } from '../i18n/words.ts';
import { PLAN } from './words.ts';
import type { Author } from './types.ts';

/** Who did it, by address where that is known. */
export function useAuthor(): (author: Author | null | undefined) => string {
  const t = useWords(PLAN);
  return (author) => {
    if (author === null || author === undefined) return '–';
    if (typeof author.email === 'string') return author.email;
    return t(
      author.kind === 'system'
        ? 'by_system'
        : author.kind === 'api_key'
          ? 'by_key'
          : author.kind === 'platform'
            ? 'by_platform'
            : 'by_user',
    );
  };
}
