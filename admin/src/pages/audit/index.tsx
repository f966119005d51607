/** Who did what: changes of records, and the chain of what was done to accounts and definitions. Filters stand in the address. */
import { Stack, Tab, Tabs } from '@mui/material';
import type { ReactElement } from 'react';
import { Link, useSearchParams } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { Page } from '../../ui/Page.tsx';
import { Chain } from './Chain.tsx';
import { RecordChanges } from './RecordChanges.tsx';
import { AUDIT } from './words.ts';

const TABS = ['records', 'chain'] as const;

export default function Audit(): ReactElement {
  const t = useWords(AUDIT);
  const [params] = useSearchParams();
  const tab = params.get('view') === 'chain' ? 'chain' : 'records';
  return (
    <Page title={t('title')} description={t('description')}>
      <Tabs value={tab} aria-label={t('views')} sx={{ mb: 2, borderBottom: 1, borderColor: 'divider' }}>
        {TABS.map((each) => (
          <Tab key={each} value={each} label={t(`tab_${each}`)} component={Link} to={each === 'records' ? '?' : `?view=${each}`} />
        ))}
      </Tabs>
      <Stack spacing={2}>{tab === 'chain' ? <Chain /> : <RecordChanges />}</Stack>
    </Page>
  );
}
