import OpenInNewOutlined from '@mui/icons-material/OpenInNewOutlined';
import { Button } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { rememberedScope } from '../session.ts';
import { UI } from './words.ts';

/** To the workflow in the Temporal Web UI, which shows what is in every app: for accounts of the platform, where the API gave an address. */
export function TemporalLink({ url }: { readonly url: string | null | undefined }): ReactElement | null {
  const t = useWords(UI);
  if (url === null || url === undefined || rememberedScope().kind !== 'platform') return null;
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
