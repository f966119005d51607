/** One migration while it runs: its phases, how far it is, what it waits for, what it would like to be told. All of it survives a reload. */
import { Alert, Box, Button, Paper, Stack, Typography } from '@mui/material';
import { useEffect, type ReactElement } from 'react';
import { Link as RouterLink, useParams, useSearchParams } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { ChangeList } from '../../plan/ChangeList.tsx';
import { Part, PlanPanel } from '../../plan/PlanPanel.tsx';
import type { Plan } from '../../plan/types.ts';
import { useAuthor } from '../../plan/use-author.ts';
import { PLAN } from '../../plan/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { TemporalLink } from '../../ui/TemporalLink.tsx';
import { Time } from '../../ui/Time.tsx';
import { Actions } from './Actions.tsx';
import { LockWaits } from './LockWaits.tsx';
import { isEnded, isMoving, takenBack, type Migration } from './migration.ts';
import { MigrationState } from './MigrationState.tsx';
import { OlderClients } from './OlderClients.tsx';
import { Progress } from './Progress.tsx';
import { Quarantine } from './Quarantine.tsx';
import { Stages } from './Stages.tsx';
import { MIGRATIONS } from './words.ts';

const FAST_MS = 700;
const SLOW_MS = 4_000;

export function OneMigration(): ReactElement {
  const t = useWords(MIGRATIONS);
  const { id = '' } = useParams();
  const { app } = useDiscovery();
  const path = `${appPath(app.name)}/_admin/migrations/${encodeURIComponent(id)}`;
  const {
    data: answer,
    error,
    isPending,
    refetch,
  } = useRead<{ data: Migration }>(path, {
    every: (found) => (found === undefined || isMoving(found.data) ? FAST_MS : isEnded(found.data) ? false : SLOW_MS),
  });
  const migration = answer?.data;
  useServedVersion(migration);
  return (
    <Page
      title={t('migration', { to: migration?.to_version ?? '…' })}
      description={migration === undefined ? undefined : <Facts migration={migration} />}
      actions={
        <>
          <Button component={RouterLink} to={`/t/${app.name}/_migrations`} size="small">
            {t('all')}
          </Button>
          {migration === undefined ? null : <TemporalLink url={migration.temporal_url} />}
          {migration === undefined ? null : <Actions migration={migration} />}
        </>
      }
    >
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending ? <Loading lines={8} /> : null}
      {migration === undefined ? null : <Live migration={migration} path={path} />}
    </Page>
  );
}

/** With the switch another version is served: menu and forms follow. */
function useServedVersion(migration: Migration | undefined): void {
  const { schema_version: shown } = useDiscovery();
  const reload = useReload();
  const isSwitched = migration?.status === 'ready' || migration?.status === 'completed';
  const isNews = isSwitched && migration.to_version > shown;
  useEffect(() => {
    if (isNews) void reload();
  }, [isNews, reload]);
}

function Facts({ migration }: { readonly migration: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  const plan = useWords(PLAN);
  const author = useAuthor();
  const { approval } = migration;
  return (
    <Stack component="span" direction="row" spacing={1.5} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      <MigrationState migration={migration} />
      <span>{t('from_to', { from: migration.from_version, to: migration.to_version })}</span>
      <span>{plan(migration.class)}</span>
      <span>
        {t('started', { who: author(migration.created_by) })}, <Time at={migration.created_at} />
      </span>
      {approval.by === undefined ? null : (
        <span>
          {t(migration.status === 'aborted' ? 'rejected_by' : 'approved_by', { who: author(approval.by) })}
          {typeof approval.comment === 'string' ? `: ${approval.comment}` : ''}
        </span>
      )}
    </Stack>
  );
}

function Live({ migration, path }: { readonly migration: Migration; readonly path: string }): ReactElement {
  return (
    <Stack spacing={2.5}>
      <Stages migration={migration} />
      <Now migration={migration} />
      {migration.waits === null || migration.waits === undefined ? null : <LockWaits waits={migration.waits} />}
      <Quarantine migration={migration} />
      <OlderClients migration={migration} />
      <Undone migration={migration} />
      <PlanOf migration={migration} path={path} />
      <Log migration={migration} />
    </Stack>
  );
}

/** What is happening, in a sentence, and how far it is. */
function Now({ migration }: { readonly migration: Migration }): ReactElement {
  const text = useNow(migration);
  const isGoing = migration.status === 'running' || migration.status === 'paused';
  return (
    <Paper variant="outlined" sx={{ p: 1.5 }}>
      <Typography role="status" sx={{ mb: isGoing ? 1 : 0 }}>
        {text}
      </Typography>
      {isGoing ? <Progress migration={migration} /> : null}
      {migration.error === null || migration.status === 'aborted' ? null : (
        <Alert severity="error" sx={{ mt: 1 }}>
          {migration.error}
        </Alert>
      )}
    </Paper>
  );
}

function useNow(migration: Migration): string {
  const t = useWords(MIGRATIONS);
  const format = useFormat();
  const { status, phase, from_version: from, to_version: to, grace_until: grace, retention_until: retention, approval } = migration;
  const values = { from, to };
  switch (status) {
    case 'planned':
      return t('now_planned');
    case 'awaiting_approval':
      return t('now_awaiting_approval');
    case 'paused':
      return t('now_paused', values);
    case 'failed':
      return t('failed_told', values);
    case 'aborted':
      return t(
        approval.needed && approval.by !== undefined && migration.steps.every(({ state }) => state !== 'done')
          ? 'rejected_told'
          : 'aborted_told',
        values,
      );
    case 'completed':
      return t('now_completed', values);
    case 'ready':
      if (phase === 'switch') return t('now_settle', values);
      if (phase === 'grace') return grace === null ? t('now_grace_open', values) : t('now_grace', { ...values, until: format.time(grace) });
      return retention === null ? t('now_contract', values) : t('now_retention', { until: format.time(retention) });
    case 'running':
      return t(phase === 'backfill' || phase === 'verify' || phase === 'switch' ? `now_${phase}` : 'now_expand', values);
  }
}

/** After an abort or a failure: what there was to take back. */
function Undone({ migration }: { readonly migration: Migration }): ReactElement | null {
  const t = useWords(MIGRATIONS);
  if (migration.status !== 'aborted' && migration.status !== 'failed') return null;
  const steps = takenBack(migration);
  return (
    <Part title={t('undone')}>
      {steps.length === 0 ? (
        <Typography variant="body2">{t('undone_nothing')}</Typography>
      ) : (
        <>
          <Box component="ul" sx={{ m: 0, mb: 0.5, pl: 2.5 }}>
            {[...steps].reverse().map(({ key, rows, rows_total: total }) => (
              <li key={key}>
                <code>{key}</code>
                {rows === undefined ? '' : `: ${t('rows_of', { done: rows, total: total ?? rows })}`}
              </li>
            ))}
          </Box>
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {t('undone_values')}
          </Typography>
        </>
      )}
    </Part>
  );
}

/** Open where it is to be approved; else only the changes, and the rest on demand. */
function PlanOf({ migration, path }: { readonly migration: Migration; readonly path: string }): ReactElement {
  const t = useWords(MIGRATIONS);
  const words = useWords(PLAN);
  const [parameters, setParameters] = useSearchParams();
  const isAsked = migration.status === 'awaiting_approval';
  const isOpen = isAsked || parameters.has('plan');
  const { data, error, refetch } = useRead<{ data: Plan }>(isOpen ? `${path}/plan` : undefined);
  const toggle = (): void => setParameters(isOpen ? {} : { plan: '' }, { replace: true });
  return (
    <Stack spacing={1.5}>
      {isOpen ? null : (
        <Part title={words('changes')}>
          <Paper variant="outlined" sx={{ p: 1.5 }}>
            <ChangeList changes={migration.changes ?? []} />
          </Paper>
        </Part>
      )}
      {isAsked ? null : (
        <div>
          <Button size="small" aria-expanded={isOpen} onClick={toggle}>
            {t(isOpen ? 'hide_plan' : 'show_plan')}
          </Button>
        </div>
      )}
      {isOpen ? (
        error !== null ? (
          <Problem error={error} onRetry={() => void refetch()} />
        ) : data === undefined ? (
          <Loading />
        ) : (
          <PlanPanel plan={data.data} />
        )
      ) : null}
    </Stack>
  );
}

function Log({ migration }: { readonly migration: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  const lines = migration.log ?? [];
  return (
    <Part title={t('log')}>
      {lines.length === 0 ? (
        <Typography variant="body2">{t('log_none')}</Typography>
      ) : (
        <Paper variant="outlined" component="ol" aria-label={t('log')} aria-live="polite" sx={{ listStyle: 'none', m: 0, p: 1.5 }}>
          {lines.map(({ at, text }, index) => (
            <Box key={index} component="li" sx={{ display: 'flex', gap: 2, py: 0.25 }}>
              <Box component="span" sx={{ color: 'text.secondary', flexShrink: 0 }}>
                <Time at={at} />
              </Box>
              <span>{text}</span>
            </Box>
          ))}
        </Paper>
      )}
    </Part>
  );
}
