/** Who may do what: the matrix, every permission, the roles, and the simulator. Edits make a draft; publishing shows whom it touches first. */
import { Box, Button, Tab, Tabs } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link, Navigate, Route, Routes, useLocation } from 'react-router-dom';
import { useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { Saved } from '../../definitions/Saved.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { DraftProvider, useKeptDraft } from './draft.ts';
import { DraftBar } from './DraftBar.tsx';
import { Matrix } from './Matrix.tsx';
import { emptyPermission, type Permission } from './permission.ts';
import { PermissionDialog } from './PermissionDialog.tsx';
import { PermissionList } from './PermissionList.tsx';
import { Roles } from './Roles.tsx';
import { Simulator } from './Simulator.tsx';
import { PERMISSIONS } from './words.ts';

const NONE: readonly Listed<Permission>[] = [];

export default function Permissions(): ReactElement {
  const t = useWords(PERMISSIONS);
  const permissions = useDefinitions<Permission>('permissions');
  return (
    <Page title={t('title')} description={t('description')}>
      <Problem error={permissions.error} onRetry={() => void permissions.refetch()} />
      {permissions.isPending ? <Loading lines={8} /> : null}
      {permissions.data === undefined ? null : <Whole stored={permissions.data.data} />}
    </Page>
  );
}

const TABS = ['matrix', 'list', 'roles', 'simulate'] as const;

function Whole({ stored = NONE }: { readonly stored: readonly Listed<Permission>[] }): ReactElement {
  const t = useWords(PERMISSIONS);
  const { app, entities } = useDiscovery();
  const base = `/t/${app.name}/_permissions`;
  const draft = useKeptDraft(app.name, stored);
  const { pathname } = useLocation();
  const [isAdding, setAdding] = useState(false);
  const tab = TABS.find((each) => pathname === `${base}/${each}`) ?? 'matrix';
  return (
    <DraftProvider value={draft}>
      {/* Tabs and the matrix scroll within themselves, and do not make the page as wide as they are. */}
      <Box sx={{ contain: 'inline-size' }}>
        <Saved />
        <DraftBar />
        <Tabs
          value={tab}
          aria-label={t('views')}
          variant="scrollable"
          scrollButtons={false}
          sx={{ mb: 2, borderBottom: 1, borderColor: 'divider' }}
        >
          {TABS.map((each) => (
            <Tab key={each} value={each} label={t(`tab_${each}`)} component={Link} to={`${base}/${each}`} />
          ))}
        </Tabs>
        {tab === 'matrix' || tab === 'list' ? (
          <Button variant="contained" sx={{ mb: 2 }} onClick={() => setAdding(true)}>
            {t('new')}
          </Button>
        ) : null}
        <Routes>
          <Route path="matrix" element={<Matrix />} />
          <Route path="list" element={<PermissionList />} />
          <Route path="roles" element={<Roles />} />
          <Route path="simulate" element={<Simulator />} />
          <Route path="*" element={<Navigate to={{ pathname: `${base}/matrix` }} replace />} />
        </Routes>
      </Box>
      {isAdding ? (
        <PermissionDialog initial={emptyPermission(entities[0]?.name ?? '*', 'read', [])} onClose={() => setAdding(false)} />
      ) : null}
    </DraftProvider>
  );
}
