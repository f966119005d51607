/** A run on the diagram of the definition it keeps: where it has been, where it is, where it failed. */
import { Alert, Button, Link, Stack, Typography } from '@mui/material';
import { lazy, Suspense, type ReactElement } from 'react';
import { Link as To, useParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { spaced } from '../../ui/spaced.ts';
import type { Run } from '../runs/run.ts';
import type { Mark } from './Diagram.tsx';
import { workflowsOf, type Workflow } from './workflow.ts';
import { useTriggerWords, WORKFLOWS } from './words.ts';

const Diagram = lazy(() => import('./Diagram.tsx'));

export default function RunDiagram(): ReactElement {
  const t = useWords(WORKFLOWS);
  const { app } = useDiscovery();
  const { run: id = '' } = useParams();
  const read = useRead<{ readonly data: Run }>(`${appPath(app.name)}/_workflows/${encodeURIComponent(id)}`, { every: 2_000 });
  const run = read.data?.data;
  const back = (
    <Button component={To} to={`/t/${app.name}/_runs/${encodeURIComponent(id)}`}>
      {t('back_to_run')}
    </Button>
  );
  return (
    <Page
      title={run === undefined ? t('run') : t('run_of', { name: spaced(run.workflow_name) })}
      description={t('run_says')}
      actions={back}
    >
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading lines={8} /> : null}
      {run === undefined ? null : <OfVersion run={run} />}
    </Page>
  );
}

function OfVersion({ run }: { readonly run: Run }): ReactElement {
  const t = useWords(WORKFLOWS);
  const { app } = useDiscovery();
  const triggerSaid = useTriggerWords();
  const { served, error, refetch } = useServedDocument(run.schema_version);
  const workflow = served === undefined ? undefined : workflowsOf(served.document).find(({ name }) => name === run.workflow_name);
  if (error !== null) return <Problem error={error} onRetry={() => void refetch()} />;
  if (served === undefined) return <Loading lines={8} />;
  if (workflow === undefined) return <Alert severity="warning">{t('definition_gone')}</Alert>;
  const marks = marksOf(run);
  return (
    <Stack spacing={2}>
      <Typography variant="body2">
        {t('of_version', { version: run.schema_version })}{' '}
        <Link component={To} to={`/t/${app.name}/_workflows/${workflow.id ?? ''}`}>
          {t('todays_definition')}
        </Link>
      </Typography>
      <Suspense fallback={<Loading lines={10} />}>
        <Diagram label={t('diagram')} steps={workflow.steps} begins={triggerSaid(workflow.trigger)} marks={marks} />
      </Suspense>
      <Way run={run} workflow={workflow} />
    </Stack>
  );
}

/** The last word about a step counts. */
function marksOf(run: Run): ReadonlyMap<string, Mark> {
  const marks = new Map<string, Mark>(run.history.map(({ step }) => [step, 'done']));
  for (const { step, error } of run.current_steps) marks.set(step, error === null ? 'current' : 'failed');
  return marks;
}

/** The same in words. */
function Way({ run, workflow }: { readonly run: Run; readonly workflow: Workflow }): ReactElement {
  const t = useWords(WORKFLOWS);
  const names = new Map(workflow.steps.map(({ id, name }) => [id, name ?? id]));
  const said = (id: string): string => names.get(id) ?? id;
  const been = [...new Set(run.history.map(({ step }) => step))].map(said);
  const now = run.current_steps.map(({ step }) => said(step));
  return (
    <Typography>
      {t('been', { steps: been.length === 0 ? '–' : been.join(' → ') })} {now.length === 0 ? '' : t('now_at', { steps: now.join(', ') })}
    </Typography>
  );
}
