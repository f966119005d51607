import { Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Part } from '../../plan/PlanPanel.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './words.ts';

/** Who still asks in the older shape: those to tell before its grace is ended. */
export function OlderClients({ migration }: { readonly migration: Migration }): ReactElement | null {
  const t = useWords(MIGRATIONS);
  const format = useFormat();
  const { old_traffic: traffic, older_clients: clients = [] } = migration;
  if (traffic === null || migration.status !== 'ready' || migration.phase !== 'grace') return null;
  const { version } = traffic;
  return (
    <Part title={t('old_traffic')}>
      {traffic.requests === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('clients_none', { version })}
        </Typography>
      ) : (
        <Stack spacing={1}>
          <Typography variant="body2">
            <strong>{t('clients_still', { smart_count: traffic.clients, version })}.</strong>{' '}
            {t('clients_told', { smart_count: traffic.requests, requests: format.number(traffic.requests) })}
          </Typography>
          <Rows
            label={t('old_traffic')}
            rows={clients}
            keyOf={(row) => `${String(row.version)} ${row.kind} ${row.id ?? ''}`}
            columns={[
              { key: 'client', label: t('client'), cell: (row) => `${row.name ?? t('client_gone')} (${t(`kind_${row.kind}`)})` },
              { key: 'version', label: t('version'), align: 'right', cell: (row) => row.version },
              { key: 'requests', label: t('requests'), align: 'right', cell: (row) => format.number(row.requests) },
              { key: 'last', label: t('last_seen'), cell: (row) => <Time at={row.last_used_at} as="ago" /> },
            ]}
          />
        </Stack>
      )}
    </Part>
  );
}
