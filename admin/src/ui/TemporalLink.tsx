import OpenInNewOutlined from '@mui/icons-material/OpenInNewOutlined';
import { Button } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { UI } from './words.ts';

/** To the workflow in the Temporal Web UI; nothing where the API gave no address. */
export function TemporalLink({ url }: { readonly url: string | null | undefined }): ReactElement | null {
  const t = useWords(UI);
  if (url === null || url === undefined) return null;
  return (
    <Button
      size="small"
      href={url}
      target="_blank"
      rel="noreferrer"
      endIcon={<OpenInNewOutlined />}
      aria-label={t('new_tab', { label: t('open_in_temporal') })}
    >
      {t('open_in_temporal')}
    </Button>
  );
}
