import type { ReactElement } from 'react';
import type { Import } from '../../../../client/client.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { IMPORTS } from './words.ts';

type Word = 'would_create' | 'would_update' | 'created' | 'updated' | 'unchanged' | 'bad' | 'removed' | 'restored' | 'kept';

/** What came of it, in one line; what is none is not said. */
export function Result({ of }: { readonly of: Import }): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const { counts, undo } = of;
  const isCheck = of.progress.task === 'check';
  const parts: readonly (readonly [word: Word, count: number])[] = [
    [isCheck ? 'would_create' : 'created', counts.created],
    [isCheck ? 'would_update' : 'updated', counts.updated],
    ['unchanged', counts.unchanged],
    ['bad', counts.failed],
    ['removed', undo.removed],
    ['restored', undo.restored],
    ['kept', undo.kept],
  ];
  const said = parts.filter(([, count]) => count > 0).map(([word, count]) => t(word, { count: format.number(count) }));
  return <span>{said.length === 0 ? '–' : said.join(', ')}</span>;
}
