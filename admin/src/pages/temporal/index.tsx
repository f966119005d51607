/** The way into the Temporal Web UI, which is another program under our origin: asks for its cookie and goes on to what was wanted. */
import { Alert, Typography } from '@mui/material';
import { useCallback, useEffect, useState, type ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { ApiError } from '../../../../client/client.ts';
import { useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { TEMPORAL } from './words.ts';

/** Only within the Web UI: an address from elsewhere leads nobody anywhere else. */
function wantedPath(asked: string | null): string {
  const { origin } = window.location;
  const url = URL.canParse(asked ?? '', origin) ? new URL(asked ?? '', origin) : new URL(origin);
  return url.origin === origin && url.pathname.startsWith('/temporal/') ? url.pathname + url.search + url.hash : '/temporal/';
}

export default function TemporalPage(): ReactElement {
  const t = useWords(TEMPORAL);
  const [search] = useSearchParams();
  const asked = search.get('to');
  const send = useSend([]);
  const [error, setError] = useState<ApiError>();
  const enter = useCallback(() => {
    setError(undefined);
    send('POST', '/temporal/_session').then(
      () => window.location.replace(wantedPath(asked)),
      (refused: unknown) => setError(refused instanceof ApiError ? refused : new ApiError(0, 'INTERNAL_ERROR', String(refused))),
    );
  }, [send, asked]);
  useEffect(enter, [enter]);
  return (
    <Page title={t('title')} description={t('description')}>
      {error === undefined ? <Typography role="status">{t('opening')}</Typography> : null}
      {error?.status === 404 ? <Alert severity="info">{t('missing')}</Alert> : null}
      {error !== undefined && error.status !== 404 ? <Problem error={error} onRetry={enter} /> : null}
    </Page>
  );
}
