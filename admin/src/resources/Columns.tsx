import { Box } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import type { DiscoveredField } from '../discovery.ts';

export const isLong = (field: DiscoveredField): boolean => field.type === 'text' || field.type === 'json';

/** For a child of `Columns` that takes both. */
export const WIDE = { gridColumn: '1 / -1' };

/** Two columns where there is room; long texts take both. */
export function Columns({ children }: { readonly children: ReactNode }): ReactElement {
  return (
    <Box
      sx={{
        display: 'grid',
        width: '100%',
        columnGap: 3,
        rowGap: 1,
        alignItems: 'start',
        gridTemplateColumns: 'minmax(0, 1fr)',
        '@media (min-width: 1100px)': { gridTemplateColumns: 'repeat(2, minmax(0, 1fr))' },
        '& .MuiChip-root': { alignSelf: 'flex-start' },
      }}
    >
      {children}
    </Box>
  );
}
