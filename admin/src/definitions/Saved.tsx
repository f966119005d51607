/**
 * What a publish answered, on the page it led to. It travels in the state of the address, since a new version makes the pages anew:
 *   void navigate(to, { state: savedState(written) });   …   <Saved />
 */
import { Alert, Box } from '@mui/material';
import type { ReactElement } from 'react';
import { useLocation, useNavigate } from 'react-router-dom';
import { useWords } from '../i18n/words.ts';
import type { Finding, Written } from './definitions.ts';
import { DEFINITIONS } from './words.ts';

interface SavedState {
  readonly version: number;
  readonly isUnchanged: boolean;
  readonly isMigrating: boolean;
  readonly findings: readonly Finding[];
}

export const savedState = ({
  schema_version,
  changes,
  findings,
  migration,
}: Omit<Written<unknown>, 'data'>): { readonly saved: SavedState } => ({
  saved: {
    version: schema_version,
    isUnchanged: changes.length === 0,
    isMigrating: (migration ?? null) !== null && migration?.status !== 'completed',
    findings,
  },
});

export function Saved(): ReactElement | null {
  const t = useWords(DEFINITIONS);
  const { state, pathname, search } = useLocation();
  const navigate = useNavigate();
  const saved = (state as { readonly saved?: SavedState } | null)?.saved;
  if (saved === undefined) return null;
  const said = saved.isUnchanged ? 'unchanged' : saved.isMigrating ? 'migrating' : 'published';
  const shown = saved.findings.filter(({ level }) => level !== 'info');
  return (
    <Alert
      role="status"
      severity={shown.length > 0 ? 'warning' : 'success'}
      sx={{ mb: 2 }}
      onClose={() => void navigate(`${pathname}${search}`, { replace: true })}
    >
      {t(said, { version: saved.version })}
      <Findings findings={shown} />
    </Alert>
  );
}

/** Accepted, but something cannot work yet, or not as it seems. */
export function Findings({ findings }: { readonly findings: readonly Finding[] }): ReactElement | null {
  const t = useWords(DEFINITIONS);
  if (findings.length === 0) return null;
  return (
    <Box component="ul" sx={{ m: 0, mt: 0.5, pl: 2.5 }}>
      {findings.map((finding) => (
        <li key={finding.id}>
          {finding.message} {finding.consequence} {t('fix', { fix: finding.fix })}
        </li>
      ))}
    </Box>
  );
}
