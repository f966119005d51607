import CheckCircle from '@mui/icons-material/CheckCircle';
import CancelOutlined from '@mui/icons-material/CancelOutlined';
import RadioButtonChecked from '@mui/icons-material/RadioButtonChecked';
import RadioButtonUnchecked from '@mui/icons-material/RadioButtonUnchecked';
import { Box, Paper, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { HIDDEN } from '../../ui/hidden.ts';
import { stagesOf, type Migration, type StageState } from './migration.ts';
import { MIGRATIONS } from './words.ts';

const ICONS: Readonly<Record<StageState, ReactElement>> = {
  done: <CheckCircle fontSize="small" color="success" />,
  now: <RadioButtonChecked fontSize="small" color="primary" />,
  open: <RadioButtonUnchecked fontSize="small" color="disabled" />,
  stopped: <CancelOutlined fontSize="small" color="error" />,
};

/** The phases it has, from left to right, or from top to bottom on a phone. */
export function Stages({ migration }: { readonly migration: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  const stages = stagesOf(migration);
  return (
    <Paper
      component="ol"
      variant="outlined"
      aria-label={t('stages')}
      sx={{ listStyle: 'none', m: 0, p: 1.5, display: 'flex', flexDirection: { xs: 'column', sm: 'row' }, gap: 1 }}
    >
      {stages.map(({ stage, state }, index) => (
        <Box
          key={stage}
          component="li"
          aria-current={state === 'now' || state === 'stopped' ? 'step' : undefined}
          sx={{ display: 'flex', alignItems: 'center', gap: 0.75, flex: { sm: index === stages.length - 1 ? 'none' : 1 }, minWidth: 0 }}
        >
          {ICONS[state]}
          <Typography
            variant="body2"
            noWrap
            sx={{ fontWeight: state === 'now' ? 600 : 400, color: state === 'open' ? 'text.secondary' : 'text.primary' }}
          >
            {t(`stage_${stage}`)}
            <span style={HIDDEN}>{`, ${t(`state_${state}`)}`}</span>
          </Typography>
          {index === stages.length - 1 ? null : (
            <Box
              aria-hidden
              sx={{
                display: { xs: 'none', sm: 'block' },
                flex: 1,
                minWidth: 8,
                height: 2,
                bgcolor: state === 'done' ? 'success.main' : 'divider',
              }}
            />
          )}
        </Box>
      ))}
    </Paper>
  );
}
