import { Box, Button, Chip, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useWords } from '../i18n/words.ts';
import { Empty } from '../ui/Empty.tsx';
import { describe } from './describe.ts';
import type { Change } from './types.ts';
import { PLAN } from './words.ts';

interface ChangeListProps {
  readonly changes: readonly Change[];
  /** So many are shown at first. */
  readonly atFirst?: number;
  /** Without what each breaking one does, for tables. */
  readonly isShort?: boolean;
}

const SIGN_COLORS = { '+': 'success.main', '−': 'error.main', '~': 'text.secondary' } as const;

/** Typed changes as sentences; breaking ones say what they do to clients. */
export function ChangeList({ changes, atFirst = 12, isShort = false }: ChangeListProps): ReactElement {
  const t = useWords(PLAN);
  const [isWhole, setWhole] = useState(false);
  if (changes.length === 0) return isShort ? <span>–</span> : <Empty>{t('no_changes')}</Empty>;
  const shown = isWhole ? changes : changes.slice(0, atFirst);
  const rest = changes.length - atFirst;
  return (
    <Box>
      <Stack component="ul" spacing={isShort ? 0.25 : 0.75} sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {shown.map((change, index) => (
          <Line key={index} change={change} isShort={isShort} />
        ))}
      </Stack>
      {rest > 0 ? (
        <Button size="small" sx={{ mt: 0.5, px: 0.5 }} aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t('show_fewer') : t('more_changes', rest)}
        </Button>
      ) : null}
    </Box>
  );
}

function Line({ change, isShort }: { readonly change: Change; readonly isShort: boolean }): ReactElement {
  const t = useWords(PLAN);
  const { sign, noun, subject, verb, values } = describe(change, t);
  return (
    <Box component="li" sx={{ display: 'flex', gap: 1, minWidth: 0 }}>
      <Box component="span" aria-hidden sx={{ color: SIGN_COLORS[sign], fontFamily: 'monospace', width: 10, flexShrink: 0 }}>
        {sign}
      </Box>
      <Box sx={{ minWidth: 0, overflowWrap: 'anywhere' }}>
        <Typography component="span" variant="body2">
          {noun} <strong>{subject}</strong> {verb}
          {values === '' ? null : (
            <Box component="code" sx={{ ml: 0.75, fontSize: 12, color: 'text.secondary' }}>
              {values}
            </Box>
          )}
        </Typography>
        {change.class === 'breaking' && !isShort ? (
          <>
            <Chip size="small" color="warning" variant="outlined" label={t('breaking')} sx={{ ml: 1, height: 20 }} />
            {change.message === undefined ? null : (
              <Typography variant="body2" sx={{ color: 'text.secondary' }}>
                {change.message}
              </Typography>
            )}
          </>
        ) : null}
      </Box>
    </Box>
  );
}
