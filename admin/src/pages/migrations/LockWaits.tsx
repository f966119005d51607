import { Alert, AlertTitle, Box } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Time } from '../../ui/Time.tsx';
import type { LockWait } from './migration.ts';
import { MIGRATIONS } from './words.ts';

/** A lock that is tried for in vain, and whose sessions use the table meanwhile. */
export function LockWaits({ waits }: { readonly waits: LockWait }): ReactElement {
  const t = useWords(MIGRATIONS);
  const format = useFormat();
  return (
    <Alert severity="info" variant="outlined">
      <AlertTitle>{t('lock')}</AlertTitle>
      {t('lock_told', { step: waits.step, tries: format.number(waits.tries) })} {t('since')} <Time at={waits.since} as="ago" />.
      {waits.sessions.length === 0 ? null : (
        <Box component="ul" aria-label={t('sessions')} sx={{ m: 0, mt: 0.5, pl: 2.5 }}>
          {waits.sessions.map(({ pid, application, state, since }) => (
            <li key={pid}>
              <code>{application === '' ? t('session_unnamed') : application}</code> (pid {pid}
              {state === null ? '' : `, ${state}`}) {t('since').toLowerCase()} <Time at={since} as="ago" />
            </li>
          ))}
        </Box>
      )}
    </Alert>
  );
}
