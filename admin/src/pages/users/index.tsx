/** Users of the app, invites, and who has which role; a user has a page of their own. */
import { Tab, Tabs } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { Link, Route, Routes } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Page } from '../../ui/Page.tsx';
import { Invites } from './Invites.tsx';
import { RoleHolders } from './RoleHolders.tsx';
import { UserList } from './UserList.tsx';
import { UserPage } from './UserPage.tsx';
import { USERS } from './words.ts';

export default function Users(): ReactElement {
  return (
    <Routes>
      <Route index element={<Frame tab="users" view={<UserList />} />} />
      <Route path="invites" element={<Frame tab="invites" view={<Invites />} />} />
      <Route path="roles" element={<Frame tab="roles" view={<RoleHolders />} />} />
      <Route path=":id" element={<UserPage />} />
    </Routes>
  );
}

const TABS = ['users', 'invites', 'roles'] as const;

function Frame({ tab, view }: { readonly tab: (typeof TABS)[number]; readonly view: ReactNode }): ReactElement {
  const t = useWords(USERS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_users`;
  return (
    <Page title={t('title')} description={t('description')}>
      <Tabs
        value={tab}
        aria-label={t('views')}
        variant="scrollable"
        scrollButtons={false}
        sx={{ mb: 2, borderBottom: 1, borderColor: 'divider' }}
      >
        {TABS.map((each) => (
          <Tab key={each} value={each} label={t(`tab_${each}`)} component={Link} to={each === 'users' ? base : `${base}/${each}`} />
        ))}
      </Tabs>
      {view}
    </Page>
  );
}
