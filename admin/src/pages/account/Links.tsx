import { Button, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Section } from '../../ui/Section.tsx';
import { Time } from '../../ui/Time.tsx';
import { ACCOUNT } from './words.ts';

interface LinkedProvider {
  readonly provider: string;
  readonly email: string | null;
  readonly created_at: string;
  readonly used_at: string | null;
}

/** Providers that sign one in. Of an account without a password the last one stays. */
export function Links({ path }: { readonly path: string }): ReactElement {
  const t = useWords(ACCOUNT);
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const read = useRead<{ data: readonly LinkedProvider[] }>(path);
  const links = read.data?.data ?? [];
  return (
    <Section title={t('links')}>
      <Problem error={error ?? read.error} />
      {read.data !== undefined && links.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('links_none')}
        </Typography>
      ) : null}
      {links.length === 0 ? null : (
        <Rows
          label={t('links')}
          rows={links}
          keyOf={({ provider }) => provider}
          columns={[
            { key: 'provider', label: t('provider'), cell: ({ provider }) => provider },
            { key: 'email', label: t('email'), cell: ({ email }) => email ?? '–' },
            { key: 'linked', label: t('linked'), cell: ({ created_at: at }) => <Time at={at} /> },
            { key: 'used', label: t('used'), cell: ({ used_at: at }) => <Time at={at} as="ago" /> },
            {
              key: 'actions',
              label: t('actions'),
              cell: ({ provider }) => (
                <Button
                  size="small"
                  aria-label={t('unlink_of', { provider })}
                  onClick={() => void send('DELETE', `${path}/${encodeURIComponent(provider)}`).catch(setError)}
                >
                  {t('unlink')}
                </Button>
              ),
            },
          ]}
        />
      )}
    </Section>
  );
}
