/** Beside diagram and table: the form of what is chosen, or what the draft would change. Both are loaded when they are looked at. */
import { Box, Paper, Tab, Tabs, Typography } from '@mui/material';
import { lazy, Suspense, useEffect, useRef, useState, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { Loading } from '../../ui/Page.tsx';
import { useDraft } from './draft.ts';
import { useSelection } from './selection.ts';
import { SCHEMA } from './words.ts';

const Properties = lazy(() => import('./Properties.tsx'));
const DraftImpact = lazy(() => import('./DraftImpact.tsx'));

export function SidePanel(): ReactElement {
  const t = useWords(SCHEMA);
  const { isChanged, marks } = useDraft();
  const [selection] = useSelection();
  const chosen = JSON.stringify(selection);
  const [tab, setTab] = useState<'properties' | 'impact'>('properties');
  const isIdle = tab === 'impact' ? !isChanged : chosen === '{}';
  const region = useRef<HTMLDivElement>(null);
  const shown = useRef(chosen);
  // Choosing something shows it. Where the button that led to it is gone by that, the keyboard goes on here.
  useEffect(() => {
    if (chosen !== '{}') setTab('properties');
    if (shown.current !== chosen && document.activeElement === document.body) region.current?.focus();
    shown.current = chosen;
  }, [chosen]);
  return (
    <Paper
      variant="outlined"
      component="aside"
      aria-label={t('panel')}
      sx={{ display: 'flex', flexDirection: 'column', minHeight: 0, overflow: 'hidden' }}
    >
      <Tabs
        value={tab}
        onChange={(_, next: 'properties' | 'impact') => setTab(next)}
        aria-label={t('panel')}
        sx={{ minHeight: 36, borderBottom: 1, borderColor: 'divider' }}
      >
        <Tab value="properties" label={t('properties')} sx={{ minHeight: 36, py: 0 }} />
        <Tab value="impact" label={marks.count === 0 ? t('impact') : `${t('impact')} (${marks.count})`} sx={{ minHeight: 36, py: 0 }} />
      </Tabs>
      <Box
        ref={region}
        sx={{
          p: 2,
          overflow: 'auto',
          minHeight: 0,
          flex: 1,
          '&:focus-visible': { outline: '2px solid', outlineColor: 'primary.main', outlineOffset: -2 },
        }}
        tabIndex={0}
        role="region"
        aria-label={tab === 'impact' ? t('impact') : t('properties')}
      >
        {isIdle ? (
          <Typography sx={{ color: 'text.secondary' }}>{t(tab === 'impact' ? 'no_changes' : 'nothing_selected')}</Typography>
        ) : (
          <Suspense fallback={<Loading lines={4} />}>{tab === 'impact' ? <DraftImpact /> : <Properties />}</Suspense>
        )}
      </Box>
    </Paper>
  );
}
