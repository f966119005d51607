/** One run: where it is, what is open, what happened, and what an operator may do about it. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Alert, Box, Button, Paper, Stack, Typography } from '@mui/material';
import { useState, type ReactElement, type ReactNode } from 'react';
import { Link as RouterLink, useParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { TemporalLink } from '../../ui/TemporalLink.tsx';
import { Time } from '../../ui/Time.tsx';
import { ApprovalCard } from '../approvals/ApprovalCard.tsx';
import { OperateRun, type RunVerb } from './OperateRun.tsx';
import { RecordLink } from './RunRows.tsx';
import { RUN_TONES, shownStatus, type HistoryEntry, type Run } from './run.ts';
import { RUNS } from './words.ts';
import { spaced } from '../../ui/spaced.ts';

export function RunPage(): ReactElement {
  const t = useWords(RUNS);
  const { app, user } = useDiscovery();
  const { id = '' } = useParams();
  const read = useRead<{ data: Run }>(`${appPath(app.name)}/_workflows/${encodeURIComponent(id)}`, { every: 2_000 });
  const run = read.data?.data;
  const actions = (
    <>
      <Button component={RouterLink} to={`/t/${app.name}/_runs`} startIcon={<ArrowBackOutlined />}>
        {t('all_runs')}
      </Button>
      {user.is_admin ? (
        <Button component={RouterLink} to={`/t/${app.name}/_workflows/runs/${encodeURIComponent(id)}`}>
          {t('diagram')}
        </Button>
      ) : null}
      <TemporalLink url={run?.temporal_url} />
    </>
  );
  return (
    <Page
      title={run === undefined ? t('title') : spaced(run.workflow_name)}
      width="form"
      description={run === undefined ? undefined : <Standing run={run} />}
      actions={actions}
    >
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {run === undefined ? null : <Parts run={run} />}
    </Page>
  );
}

function Standing({ run }: { readonly run: Run }): ReactElement {
  const t = useWords(RUNS);
  const status = shownStatus(run);
  return (
    <Stack component="span" direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <Status tone={RUN_TONES[status]} label={t(status)} />
      <RecordLink of={run} />
      <span>
        <Time at={run.created_at} /> · {t('schema_version', { version: run.schema_version })}
      </span>
    </Stack>
  );
}

function Parts({ run }: { readonly run: Run }): ReactElement {
  const t = useWords(RUNS);
  const discovery = useDiscovery();
  const [verb, setVerb] = useState<RunVerb>();
  const verbs: readonly RunVerb[] = run.is_stuck ? ['retry', 'skip', 'rewind', 'cancel'] : ['rewind', 'cancel'];
  return (
    <Stack spacing={2}>
      {run.error === null ? null : <Alert severity="error">{run.error}</Alert>}
      {discovery.user.is_admin && run.status === 'running' ? (
        <Stack direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap' }}>
          {verbs.map((one) => (
            <Button key={one} variant="outlined" size="small" color={one === 'cancel' ? 'error' : 'primary'} onClick={() => setVerb(one)}>
              {t(one)}
            </Button>
          ))}
        </Stack>
      ) : null}
      {verb === undefined ? null : <OperateRun run={run} verb={verb} onClose={() => setVerb(undefined)} />}
      {run.current_steps.length === 0 ? null : (
        <Section title={t('current')}>
          {run.current_steps.map(({ step, strand, deadline, error }) => (
            <Box key={strand} sx={{ py: 0.5 }}>
              <strong>{step}</strong>
              {deadline === null ? null : (
                <>
                  {' '}
                  · {t('deadline')} <Time at={deadline} as="ago" />
                </>
              )}
              {error === null ? null : <Typography color="error">{error}</Typography>}
            </Box>
          ))}
        </Section>
      )}
      {run.tasks.length === 0 ? null : (
        <Section title={t('tasks')}>
          {run.tasks.map((task) => (
            <ApprovalCard key={task.id} run={run} task={task} isWithinRun />
          ))}
        </Section>
      )}
      <Section title={t('history')}>
        <Box component="ol" sx={{ listStyle: 'none', m: 0, p: 0 }}>
          {run.history.map((entry, index) => (
            <Entry key={index} entry={entry} />
          ))}
        </Box>
      </Section>
      <Section title={t('context')}>
        <Code label={t('context')} text={JSON.stringify(run.context, null, 2)} />
      </Section>
    </Stack>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }): ReactElement {
  return (
    <Paper variant="outlined" component="section" aria-label={title} sx={{ p: 2 }}>
      <Typography variant="h6" component="h2" gutterBottom>
        {title}
      </Typography>
      {children}
    </Paper>
  );
}

function Entry({ entry }: { readonly entry: HistoryEntry }): ReactElement {
  const t = useWords(RUNS);
  const who = [
    entry.by === undefined ? '' : t('by', { by: entry.by }),
    entry.on_behalf_of === undefined ? '' : t('for', { whom: entry.on_behalf_of }),
  ].join(' ');
  return (
    <Box
      component="li"
      sx={{
        display: 'grid',
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: '140px minmax(0, 1fr)' },
        columnGap: 2,
        py: 0.5,
        overflowWrap: 'anywhere',
      }}
    >
      <Typography component="span" variant="body2" sx={{ color: 'text.secondary' }}>
        <Time at={entry.at} />
      </Typography>
      <span>
        <strong>{entry.step}</strong> {spaced(entry.decision ?? entry.status)} {who}
        {entry.comment === undefined ? null : <Typography variant="body2">“{entry.comment}”</Typography>}
        {entry.error === undefined ? null : (
          <Typography variant="body2" color="error">
            {entry.error}
          </Typography>
        )}
      </span>
    </Box>
  );
}
