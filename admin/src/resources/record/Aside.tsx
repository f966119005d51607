import { Box, Tab, Tabs } from '@mui/material';
import type { ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import type { EntityProps } from '../shape.ts';
import { Activity } from './Activity.tsx';
import { Snippets } from './Snippets.tsx';
import { RECORD } from './words.ts';

/** Beside a record: its story, and how a program reaches it. */
export default function Aside(of: EntityProps): ReactElement {
  const t = useWords(RECORD);
  const [params, setParams] = useSearchParams();
  const tab = params.get('side') === 'api' ? 'api' : 'activity';
  return (
    <Box
      component="aside"
      aria-label={t('activity')}
      sx={{ width: { xs: '100%', lg: 380 }, flexShrink: 0, pl: { lg: 3 }, pt: { xs: 2, lg: 0 } }}
    >
      <Tabs value={tab} onChange={(_, next: string) => setParams(next === 'api' ? { side: 'api' } : {}, { replace: true })} sx={{ mb: 2 }}>
        <Tab value="activity" label={t('activity')} />
        <Tab value="api" label={t('api')} />
      </Tabs>
      {tab === 'activity' ? <Activity {...of} /> : <Snippets {...of} />}
    </Box>
  );
}
