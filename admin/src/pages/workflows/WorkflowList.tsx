import { Button, Link, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { PublishedNotice } from '../../document/PublishedNotice.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { spaced } from '../../ui/spaced.ts';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { outline } from './steps.ts';
import type { Workflow } from './workflow.ts';
import { useTriggerWords, WORKFLOWS } from './words.ts';

interface Group {
  readonly workflow: string;
  readonly status: string;
  readonly runs: number;
}

export function WorkflowList(): ReactElement {
  const t = useWords(WORKFLOWS);
  const { app } = useDiscovery();
  const workflows = useDefinitions<Workflow>('workflows');
  const listed = workflows.data?.data ?? [];
  const columns = useColumns();
  const add = (
    <Button variant="contained" component={To} to={`/t/${app.name}/_workflows/new`}>
      {t('new')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={add}>
      <PublishedNotice />
      <Problem error={workflows.error} onRetry={() => void workflows.refetch()} />
      {workflows.isPending ? <Loading /> : null}
      {workflows.data !== undefined && listed.length === 0 ? <Empty action={add}>{t('none')}</Empty> : null}
      {listed.length === 0 ? null : <Rows label={t('title')} rows={listed} keyOf={({ id }) => id} columns={columns} />}
    </Page>
  );
}

function useColumns(): readonly Column<Listed<Workflow>>[] {
  const t = useWords(WORKFLOWS);
  const format = useFormat();
  const triggerSaid = useTriggerWords();
  const { app } = useDiscovery();
  const counts = useRead<{ readonly data: readonly Group[] }>(`${appPath(app.name)}/_admin/runs/counts?status=running`, { every: 10_000 });
  const running = (name: string): number =>
    (counts.data?.data ?? []).filter(({ workflow }) => workflow === name).reduce((sum, { runs }) => sum + runs, 0);
  return [
    {
      key: 'name',
      label: t('name'),
      cell: ({ id, name, description }) => (
        <>
          <Link component={To} to={`/t/${app.name}/_workflows/${id}`} sx={{ fontWeight: 600 }}>
            {spaced(name)}
          </Link>
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
            {description}
          </Typography>
        </>
      ),
    },
    { key: 'starts', label: t('starts'), cell: ({ trigger }) => triggerSaid(trigger) },
    { key: 'steps', label: t('steps'), align: 'right', cell: ({ steps }) => format.number(outline(steps).length) },
    {
      key: 'running',
      label: t('running'),
      align: 'right',
      cell: ({ name }) =>
        running(name) === 0 ? (
          '–'
        ) : (
          <Link component={To} to={`/t/${app.name}/_runs?workflow=${encodeURIComponent(name)}&status=running`}>
            {format.number(running(name))}
          </Link>
        ),
    },
    {
      key: 'active',
      label: t('active'),
      cell: ({ active }) => <Status tone={active ? 'done' : 'off'} label={t(active ? 'on' : 'off')} />,
    },
    { key: 'changed', label: t('changed'), cell: ({ updated_at: at }) => <Time at={at} as="ago" /> },
  ];
}
