import { Button } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { useDialogs } from './dialogs.ts';
import { useDraft } from './draft.ts';
import { SCHEMA } from './words.ts';

export function NoEntities(): ReactElement {
  const t = useWords(SCHEMA);
  const { isBroken } = useDraft();
  const { ask } = useDialogs();
  return (
    <Empty
      action={
        <Button variant="contained" disabled={isBroken} onClick={() => ask({ kind: 'new' })}>
          {t('add_first')}
        </Button>
      }
    >
      {t('no_entities')}
    </Empty>
  );
}
