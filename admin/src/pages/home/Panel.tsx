/** One kind of thing that waits: how many, the first of them, and the way to all. Nothing waits, nothing is shown. */
import { Box, Link, Paper, Stack, Typography } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { pagesFor, pathOf } from '../../shell/pages.ts';
import type { Part } from './overview.ts';
import { HOME } from './words.ts';

interface PanelProps<One> {
  readonly title: string;
  readonly part: Part<One> | undefined;
  /** The page with all of them, for who may see it, and how it is asked for them. */
  readonly page?: string;
  readonly query?: string;
  readonly action?: ReactNode;
  readonly children: (one: One) => ReactNode;
}

export function Panel<One>({ title, part, page, query = '', action, children }: PanelProps<One>): ReactElement | null {
  const t = useWords(HOME);
  const format = useFormat();
  const discovery = useDiscovery();
  if (part === undefined || part.count === 0) return null;
  const target = pagesFor(discovery).find((one) => pathOf(one) === page);
  const count = part.has_more ? t('at_least', { count: format.number(part.count) }) : format.number(part.count);
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ minWidth: 0 }}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ px: 2, pt: 1.5, alignItems: 'baseline', flexWrap: 'wrap' }}>
        <Typography variant="subtitle2" component="h2">
          {title}
        </Typography>
        <Typography variant="body2" sx={{ color: 'text.secondary', flexGrow: 1 }}>
          {count}
        </Typography>
        {action}
        {target === undefined ? null : (
          <Link
            component={RouterLink}
            to={`/t/${discovery.app.name}/${pathOf(target)}${query}`}
            variant="body2"
            aria-label={t('all_of', { part: title })}
          >
            {t('all')}
          </Link>
        )}
      </Stack>
      <Box component="ul" aria-label={title} sx={{ listStyle: 'none', m: 0, px: 2, py: 1 }}>
        {part.first.map(children)}
      </Box>
    </Paper>
  );
}

interface LineProps {
  readonly title: string;
  /** Below the app. */
  readonly to?: string;
  readonly end?: ReactNode;
  readonly children?: ReactNode;
}

export function Line({ title, to, end, children }: LineProps): ReactElement {
  const { app } = useDiscovery();
  return (
    <Stack component="li" direction="row" spacing={2} sx={{ py: 0.75, alignItems: 'baseline', justifyContent: 'space-between' }}>
      {/* Lines of 24 pixels keep the links in them apart for fingers. */}
      <Box sx={{ minWidth: 0, overflowWrap: 'anywhere', '& a, & p, & div': { lineHeight: '24px' } }}>
        {to === undefined ? (
          <Typography variant="body2">{title}</Typography>
        ) : (
          <Link component={RouterLink} to={`/t/${app.name}/${to}`} variant="body2">
            {title}
          </Link>
        )}
        {children === undefined || children === null ? null : (
          <Typography component="div" variant="body2" sx={{ color: 'text.secondary' }}>
            {children}
          </Typography>
        )}
      </Box>
      <Typography component="div" variant="body2" sx={{ color: 'text.secondary', whiteSpace: 'nowrap', flexShrink: 0 }}>
        {end}
      </Typography>
    </Stack>
  );
}
