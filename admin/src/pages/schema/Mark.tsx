/** New, modified or removed: a word with its colour. */
import { Box } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import type { Mark as MarkKind } from './model/compare.ts';
import { SCHEMA } from './words.ts';

export const MARK_COLORS = { new: 'success.main', modified: 'warning.main', removed: 'error.main' } as const;

export function Mark({ mark }: { readonly mark: MarkKind }): ReactElement | null {
  const t = useWords(SCHEMA);
  if (mark === undefined) return null;
  return (
    <Box
      component="span"
      sx={{
        color: MARK_COLORS[mark],
        border: 1,
        borderColor: 'currentColor',
        borderRadius: 0.75,
        px: 0.5,
        fontSize: 11,
        lineHeight: '16px',
        fontWeight: 600,
        whiteSpace: 'nowrap',
        flexShrink: 0,
      }}
    >
      {t(mark)}
    </Box>
  );
}
