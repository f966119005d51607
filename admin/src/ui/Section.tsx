import { Box, Paper, Stack, Typography } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';

interface SectionProps {
  readonly title: string;
  /** What it is for, or what changing it does. */
  readonly help?: ReactNode;
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** A part of a page with a heading of its own. */
export function Section({ title, help, actions, children }: SectionProps): ReactElement {
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2, minWidth: 0 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ justifyContent: 'space-between', flexWrap: 'wrap', mb: 1.5 }}>
        <Typography variant="h6" component="h2">
          {title}
        </Typography>
        {actions === undefined ? null : <Box>{actions}</Box>}
      </Stack>
      {help === undefined ? null : (
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
          {help}
        </Typography>
      )}
      {children}
    </Paper>
  );
}
