import { Box, LinearProgress, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import type { Migration } from './migration.ts';
import { MIGRATIONS } from './words.ts';

/** Rows while they are gone through, steps otherwise; how fast, and how long it will take at that pace. */
export function Progress({ migration, isShort = false }: { readonly migration: Migration; readonly isShort?: boolean }): ReactElement {
  const t = useWords(MIGRATIONS);
  const format = useFormat();
  const { done, total, unit, rate, eta_seconds: eta } = migration.progress;
  // An estimate of the total may be overtaken by clients who write meanwhile.
  const whole = Math.max(total, done, 1);
  const share = (done / whole) * 100;
  const text = t(unit === 'rows' ? 'rows_of' : 'steps_of', { done: format.number(done), total: format.number(Math.max(total, done)) });
  const isGoing = migration.status === 'running' && unit === 'rows';
  const left = eta === null ? undefined : eta <= 1 ? t('eta_soon') : t('eta', { time: format.duration(Math.max(eta, 0) * 1000) });
  const pace = isGoing && rate !== null && rate > 0 ? [t('rate', { rate: format.number(rate) }), left] : [];
  return (
    <Box>
      <LinearProgress
        variant="determinate"
        value={share}
        aria-label={t('progress')}
        aria-valuetext={text}
        color={migration.status === 'paused' ? 'warning' : 'primary'}
        sx={{ height: isShort ? 4 : 8, borderRadius: 1, mb: 0.5 }}
      />
      <Stack direction="row" spacing={2} useFlexGap sx={{ flexWrap: 'wrap', fontVariantNumeric: 'tabular-nums' }}>
        <Typography variant="body2">{text}</Typography>
        {isShort
          ? null
          : pace.map((part) =>
              part === undefined ? null : (
                <Typography key={part} variant="body2" sx={{ color: 'text.secondary' }}>
                  {part}
                </Typography>
              ),
            )}
      </Stack>
    </Box>
  );
}
