import { Button, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Time } from '../../ui/Time.tsx';
import { RecordLink } from './RunRows.tsx';
import { RUNS } from './words.ts';

interface Start {
  readonly id: string;
  readonly workflow: string | null;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly tries: number;
  readonly error: string | null;
  readonly created_at: string;
}

/** Workflows that could not be started, and another try for all of them. */
export function FailedStarts(): ReactElement {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const send = useSend();
  const base = `${appPath(app.name)}/_admin/starts`;
  const [error, setError] = useState<unknown>();
  const read = useRead<{ data: readonly Start[] }>(`${base}?state=failed`, { every: 5_000 });
  const starts = read.data?.data ?? [];
  return (
    <Stack spacing={2}>
      <Typography variant="body2" sx={{ color: 'text.secondary' }}>
        {t('starts_help')}
      </Typography>
      <Problem error={error ?? read.error} />
      {read.isPending ? <Loading lines={3} /> : null}
      {read.data !== undefined && starts.length === 0 ? <Empty>{t('starts_none')}</Empty> : null}
      {starts.length === 0 ? null : (
        <>
          <Button variant="contained" sx={{ alignSelf: 'start' }} onClick={() => void send('POST', `${base}/retry`, {}).catch(setError)}>
            {t('try_again')}
          </Button>
          <Rows
            label={t('starts')}
            rows={starts}
            keyOf={({ id }) => id}
            columns={[
              { key: 'workflow', label: t('workflow'), cell: ({ workflow }) => workflow ?? '–' },
              { key: 'record', label: t('record'), cell: (start) => <RecordLink of={start} /> },
              { key: 'tries', label: t('tried'), align: 'right', cell: ({ tries }) => tries },
              { key: 'error', label: t('error'), cell: ({ error: reason }) => reason ?? '–' },
              { key: 'started', label: t('started'), cell: ({ created_at: at }) => <Time at={at} as="ago" /> },
            ]}
          />
        </>
      )}
    </Stack>
  );
}
