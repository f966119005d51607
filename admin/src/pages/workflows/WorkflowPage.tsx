/** One definition in the builder: its diagram, the form of what is chosen in it, and its steps as a table. */
import { Alert, Button, Link } from '@mui/material';
import { useMemo, type ReactElement } from 'react';
import { Link as To, useParams } from 'react-router-dom';
import { PublishedNotice } from '../../document/PublishedNotice.tsx';
import { useServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { spaced } from '../../ui/spaced.ts';
import { WorkflowBuilder } from './WorkflowBuilder.tsx';
import { emptyWorkflow, workflowsOf } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

const NEW_NAME = 'new_workflow';

export default function WorkflowPage(): ReactElement {
  const t = useWords(WORKFLOWS);
  const discovery = useDiscovery();
  const { id } = useParams();
  const { served, error, refetch } = useServedDocument();
  const stored = served === undefined ? undefined : workflowsOf(served.document).find((workflow) => workflow.id === id);
  const fresh = useMemo(() => emptyWorkflow(NEW_NAME, discovery.entities[0]?.name), [discovery]);
  const isGone = id !== undefined && served !== undefined && stored === undefined;
  const actions = (
    <>
      {stored === undefined ? null : (
        <Button component={To} to={`/t/${discovery.app.name}/_runs?workflow=${encodeURIComponent(stored.name)}`}>
          {t('see_runs')}
        </Button>
      )}
      <Button component={To} to={`/t/${discovery.app.name}/_workflows`}>
        {t('back')}
      </Button>
    </>
  );
  return (
    <Page
      title={stored === undefined ? t(id === undefined ? 'new' : 'title') : spaced(stored.name)}
      description={t('builder_says')}
      actions={actions}
    >
      <PublishedNotice />
      <Problem error={error} onRetry={() => void refetch()} />
      {served === undefined && error === null ? <Loading lines={8} /> : null}
      {isGone ? (
        <Alert severity="warning">
          {t('gone')}{' '}
          <Link component={To} to={`/t/${discovery.app.name}/_workflows`}>
            {t('back')}
          </Link>
        </Alert>
      ) : null}
      {served === undefined || isGone ? null : (
        <WorkflowBuilder key={`${id ?? ''} ${served.version}`} served={served} stored={stored} initial={stored ?? fresh} />
      )}
    </Page>
  );
}
