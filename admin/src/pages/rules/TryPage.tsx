import { Alert, Button } from '@mui/material';
import type { ReactElement } from 'react';
import { Link, useParams } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useSample } from '../../trial/sample.ts';
import { Page } from '../../ui/Page.tsx';
import { TryPanel } from './TryPanel.tsx';
import { RULES } from './words.ts';

const NO_DRAFTS: readonly object[] = [];

/** The rules of one entity as they are. */
export function TryPage(): ReactElement {
  const t = useWords(RULES);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, useParams()['entity'] ?? '');
  const [sample, setSample] = useSample();
  const back = (
    <Button component={Link} to={`/t/${discovery.app.name}/_rules`}>
      {t('back')}
    </Button>
  );
  return (
    <Page title={t('try_rules')} actions={back} width="form">
      {entity === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <TryPanel entity={entity} sample={sample} onSample={setSample} drafts={NO_DRAFTS} />
      )}
    </Page>
  );
}
