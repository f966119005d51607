import type { ReactElement } from 'react';
import { Keys } from '../../accounts/Keys.tsx';
import { appPath } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Page } from '../../ui/Page.tsx';
import { API_KEYS } from './words.ts';

/** The API keys of everybody, for admins; one's own stand on the page of one's account. */
export default function ApiKeys(): ReactElement {
  const t = useWords(API_KEYS);
  const { app } = useDiscovery();
  return (
    <Page title={t('title')} description={t('description')}>
      <Keys path={`${appPath(app.name)}/_admin/api-keys`} isAdmin />
    </Page>
  );
}
