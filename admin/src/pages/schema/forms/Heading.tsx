import { Typography } from '@mui/material';
import type { ReactElement } from 'react';

export function Heading({ children }: { readonly children: string }): ReactElement {
  return (
    <Typography component="h3" variant="subtitle2" sx={{ mb: 0.5 }}>
      {children}
    </Typography>
  );
}
