/** The frame of a page that is not a record: title, one line that says what it is for, actions, content at a readable width. */
import { Box, Skeleton, Stack, Typography } from '@mui/material';
import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { Title } from 'react-admin';
import { useWords } from '../i18n/words.ts';
import { UI } from './words.ts';

interface PageProps {
  readonly title: string;
  readonly description?: ReactNode;
  readonly actions?: ReactNode;
  /** `form` keeps lines short; `wide` is for tables; `full` for canvases and editors, without padding below. */
  readonly width?: 'form' | 'wide' | 'full';
  readonly children: ReactNode;
}

const WIDTHS = { form: 900, wide: 1440, full: 'none' } as const;

export function Page({ title, description, actions, width = 'wide', children }: PageProps): ReactElement {
  return (
    <Box sx={{ maxWidth: WIDTHS[width], width: '100%', py: 2, px: { xs: 1, sm: 2 }, minWidth: 0 }}>
      <Title title={title} />
      {description === undefined && actions === undefined ? null : (
        <Stack
          direction={{ xs: 'column', sm: 'row' }}
          spacing={1}
          useFlexGap
          sx={{ mb: 2, alignItems: { sm: 'center' }, justifyContent: 'space-between', flexWrap: 'wrap' }}
        >
          <Typography variant="body2" sx={{ color: 'text.secondary', maxWidth: '75ch' }}>
            {description}
          </Typography>
          <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
            {actions}
          </Stack>
        </Stack>
      )}
      {children}
    </Box>
  );
}

/** Grey lines where text will be, after a moment: what comes at once does not flicker. */
export function Loading({ lines = 5 }: { readonly lines?: number }): ReactElement | null {
  const t = useWords(UI);
  const [isSlow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 150);
    return () => clearTimeout(timer);
  }, []);
  if (!isSlow) return null;
  return (
    <Box role="status" aria-label={t('loading')} sx={{ py: 1 }}>
      {Array.from({ length: lines }, (_, line) => (
        <Skeleton key={line} height={32} width={`${100 - ((line * 17) % 40)}%`} />
      ))}
    </Box>
  );
}
