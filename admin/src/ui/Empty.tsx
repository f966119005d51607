import { Box, Typography } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';

interface EmptyProps {
  /** One sentence: what would stand here. */
  readonly children: ReactNode;
  /** The one thing to do about it. */
  readonly action?: ReactNode;
}

export function Empty({ children, action }: EmptyProps): ReactElement {
  return (
    <Box sx={{ py: 6, px: 2, textAlign: 'center', border: 1, borderStyle: 'dashed', borderColor: 'divider', borderRadius: 1 }}>
      <Typography sx={{ color: 'text.secondary', mb: action === undefined ? 0 : 2 }}>{children}</Typography>
      {action}
    </Box>
  );
}
