/** Functions: what is attached, the registry, and the log of runs. */
import { Box, Tab, Tabs } from '@mui/material';
import type { ReactElement } from 'react';
import { Link, Route, Routes, useLocation } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Page } from '../../ui/Page.tsx';
import { AttachmentEditor } from './AttachmentEditor.tsx';
import { Attachments } from './Attachments.tsx';
import { Registry } from './Registry.tsx';
import { Runs } from './Runs.tsx';
import { FUNCTIONS } from './words.ts';

export default function Functions(): ReactElement {
  return (
    <Routes>
      <Route path="new" element={<AttachmentEditor />} />
      <Route path="attached/:id" element={<AttachmentEditor />} />
      <Route path="*" element={<Overview />} />
    </Routes>
  );
}

const TABS = [
  ['attached', ''],
  ['registry', '/registry'],
  ['runs', '/runs'],
] as const;

function Overview(): ReactElement {
  const t = useWords(FUNCTIONS);
  const { app } = useDiscovery();
  const { pathname } = useLocation();
  const base = `/t/${app.name}/_functions`;
  const tab = TABS.find(([, path]) => pathname === `${base}${path}`)?.[0] ?? 'attached';
  return (
    <Page title={t('title')} description={t('description')}>
      {/* Tabs scroll within themselves, and do not make the page as wide as they are. */}
      <Box sx={{ contain: 'inline-size' }}>
        <Tabs
          value={tab}
          aria-label={t('views')}
          variant="scrollable"
          scrollButtons={false}
          sx={{ mb: 2, borderBottom: 1, borderColor: 'divider' }}
        >
          {TABS.map(([name, path]) => (
            <Tab key={name} value={name} label={t(`tab_${name}`)} component={Link} to={`${base}${path}`} />
          ))}
        </Tabs>
        {tab === 'attached' ? <Attachments /> : tab === 'registry' ? <Registry /> : <Runs />}
      </Box>
    </Page>
  );
}
