/** One rollout as it goes: its rings, a line per app, and what one may do about it. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Alert, Button, LinearProgress, Link, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink, useParams, useSearchParams } from 'react-router-dom';
import { useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { TemporalLink } from '../../ui/TemporalLink.tsx';
import { Time } from '../../ui/Time.tsx';
import { arrived, isOpen, ROLLOUTS_PATH, TONES, type RolloutAppView, type RolloutDetail } from './rollout.ts';
import { ROLLOUTS } from './words.ts';

const PER_PAGE = 100;
const LIVE_MS = 2_000;

export function Rollout(): ReactElement {
  const t = useWords(ROLLOUTS);
  const { id = '' } = useParams();
  const [params, setParams] = useSearchParams();
  const page = Number(params.get('page') ?? '1');
  const path = `${ROLLOUTS_PATH}/${encodeURIComponent(id)}`;
  const read = useRead<{ data: RolloutDetail }>(`${path}?page=${page}&per_page=${PER_PAGE}`, { every: LIVE_MS });
  const rollout = read.data?.data;
  const title = rollout === undefined ? t('title') : t('to_version', { schema: rollout.schema, version: rollout.version });
  return (
    <Page title={title} actions={<Back />}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {rollout === undefined ? null : (
        <Stack spacing={2}>
          <Standing rollout={rollout} path={path} />
          <Rings rollout={rollout} />
          <Report rollout={rollout} path={path} />
          <Pager page={page} perPage={PER_PAGE} total={rollout.apps.total ?? 0} onPage={(next) => setParams({ page: String(next) })} />
        </Stack>
      )}
    </Page>
  );
}

function Back(): ReactElement {
  const t = useWords(ROLLOUTS);
  return (
    <Button component={RouterLink} to="/platform/rollouts" startIcon={<ArrowBackOutlined />}>
      {t('all')}
    </Button>
  );
}

interface OfRollout {
  readonly rollout: RolloutDetail;
  readonly path: string;
}

type Verb = 'pause' | 'resume' | 'abort' | 'rollback';

function Standing({ rollout, path }: OfRollout): ReactElement {
  const t = useWords(ROLLOUTS);
  const format = useFormat();
  const send = useSend();
  const [asked, setAsked] = useState<'abort' | 'rollback'>();
  const [error, setError] = useState<unknown>();
  const act = (verb: Verb): Promise<unknown> => send('POST', `${path}/${verb}`);
  const failed = (rollout.apps.failed ?? 0) + (rollout.apps.unhealthy ?? 0);
  const canResume = rollout.status === 'paused' || rollout.status === 'stopped';
  return (
    <Stack spacing={1}>
      <Problem error={error} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        <Status tone={TONES[rollout.status]} label={t(rollout.status)} />
        <span>{t('moved_of', { moved: arrived(rollout.apps), total: rollout.apps.total ?? 0 })}</span>
        <span>{t('failures', { failed, most: rollout.max_failures })}</span>
        {rollout.bake_until === null ? null : <span>{t('watched_until', { at: format.time(rollout.bake_until) })}</span>}
        <TemporalLink url={rollout.temporal_url} />
        {rollout.status === 'running' ? <Button onClick={() => void act('pause').catch(setError)}>{t('pause')}</Button> : null}
        {canResume ? <Button onClick={() => void act('resume').catch(setError)}>{t('resume')}</Button> : null}
        {isOpen(rollout.status) ? <Button onClick={() => setAsked('abort')}>{t('abort')}</Button> : null}
        {(rollout.apps.moved ?? 0) > 0 ? (
          <Button color="error" onClick={() => setAsked('rollback')}>
            {t('rollback')}
          </Button>
        ) : null}
      </Stack>
      {rollout.error === null ? null : <Alert severity="warning">{rollout.error}</Alert>}
      {asked === undefined ? null : (
        <Confirm title={t(asked)} action={t(asked)} isDestructive onConfirm={() => act(asked)} onClose={() => setAsked(undefined)}>
          {t(`${asked}_help`)}
        </Confirm>
      )}
    </Stack>
  );
}

function Rings({ rollout }: { readonly rollout: RolloutDetail }): ReactElement {
  const t = useWords(ROLLOUTS);
  return (
    <Stack component="section" aria-label={t('rings')} spacing={1}>
      <Typography variant="h6" component="h2">
        {t('rings')}
      </Typography>
      {rollout.rings.map((ring) => {
        const total = ring.apps.total ?? 0;
        const settled = total - (ring.apps.pending ?? 0) - (ring.apps.moving ?? 0);
        return (
          <div key={ring.name}>
            <Stack direction="row" sx={{ justifyContent: 'space-between' }}>
              <Typography variant="body2" sx={{ fontWeight: ring.name === rollout.ring ? 600 : 400 }}>
                {ring.name}
              </Typography>
              <Typography variant="body2">{t('moved_of', { moved: arrived(ring.apps), total })}</Typography>
            </Stack>
            <LinearProgress variant="determinate" aria-label={ring.name} value={total === 0 ? 100 : (settled / total) * 100} />
          </div>
        );
      })}
    </Stack>
  );
}

function Report({ rollout, path }: OfRollout): ReactElement {
  const t = useWords(ROLLOUTS);
  const send = useSend();
  const [error, setError] = useState<unknown>();
  const columns: readonly Column<RolloutAppView>[] = [
    {
      key: 'app',
      label: t('app'),
      cell: ({ app }) => (
        <Link component={RouterLink} to={`/t/${app}`}>
          {app}
        </Link>
      ),
    },
    { key: 'ring', label: t('ring'), cell: ({ ring }) => ring },
    { key: 'state', label: t('state'), cell: ({ status }) => <Status tone={TONES[status]} label={t(status)} /> },
    { key: 'from', label: t('from'), cell: ({ from_version: from }) => from ?? '–', align: 'right' },
    { key: 'reason', label: t('reason'), cell: ({ error: reason }) => reason ?? '–' },
    { key: 'ended', label: t('ended'), cell: ({ ended_at: at }) => <Time at={at} /> },
    {
      key: 'actions',
      label: t('actions'),
      cell: ({ app, status }) =>
        status === 'moved' || status === 'unhealthy' ? (
          <Button
            size="small"
            aria-label={t('rollback_of', { app })}
            onClick={() => void send('POST', `${path}/apps/${encodeURIComponent(app)}/rollback`).catch(setError)}
          >
            {t('rollback_app')}
          </Button>
        ) : null,
    },
  ];
  return (
    <Stack component="section" aria-label={t('report')} spacing={1}>
      <Typography variant="h6" component="h2">
        {t('report')}
      </Typography>
      <Problem error={error} />
      <Rows label={t('report')} columns={columns} rows={rollout.report} keyOf={({ app }) => app} />
    </Stack>
  );
}
