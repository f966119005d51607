/** Every run with where it stands. Admins find them by what is wrong and act on many; others see those they may, and act on none. */
import { Tab, Tabs } from '@mui/material';
import type { ReactElement } from 'react';
import { Route, Routes, useSearchParams } from 'react-router-dom';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useWords } from '../../i18n/words.ts';
import { Page } from '../../ui/Page.tsx';
import { FailedStarts } from './FailedStarts.tsx';
import { FoundRuns } from './FoundRuns.tsx';
import { OwnRuns } from './OwnRuns.tsx';
import { RunPage } from './RunPage.tsx';
import { RUNS } from './words.ts';

export default function Runs(): ReactElement {
  return (
    <Routes>
      <Route path="/" element={<RunList />} />
      <Route path="/:id" element={<RunPage />} />
    </Routes>
  );
}

function RunList(): ReactElement {
  const t = useWords(RUNS);
  const discovery = useDiscovery();
  const [params, setParams] = useSearchParams();
  const tab = params.get('tab') === 'starts' ? 'starts' : 'runs';
  if (!discovery.user.is_admin) {
    return (
      <Page title={t('title')}>
        <OwnRuns />
      </Page>
    );
  }
  return (
    <Page title={t('title')} description={t('description')}>
      <Tabs value={tab} onChange={(_, next: string) => setParams(next === 'starts' ? { tab: 'starts' } : {})} sx={{ mb: 2 }}>
        <Tab value="runs" label={t('runs')} />
        <Tab value="starts" label={t('starts')} />
      </Tabs>
      {tab === 'runs' ? <FoundRuns /> : <FailedStarts />}
    </Page>
  );
}
