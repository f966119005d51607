import type { ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { Empty } from '../ui/Empty.tsx';
import { Page } from '../ui/Page.tsx';
import { UI } from '../ui/words.ts';
import { SHELL } from './words.ts';

/** Also what one gets whose role a page is not for: neither page nor its name is told. */
export function NotFound(): ReactElement {
  const t = useWords(SHELL);
  const ui = useWords(UI);
  return (
    <Page title={t('not_found')}>
      <Empty>{ui('not_found')}</Empty>
    </Page>
  );
}
