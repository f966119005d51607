/** One import as it goes: where its columns go, what is wrong, how far it is, and what one may do about it. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Alert, Button, LinearProgress, Stack, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as RouterLink, useParams } from 'react-router-dom';
import type { Import } from '../../../../client/client.ts';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { TemporalLink } from '../../ui/TemporalLink.tsx';
import { Errors, Kept } from './Findings.tsx';
import { isMoving, isOpen, TONES } from './import.ts';
import { Mapping } from './Mapping.tsx';
import { Result } from './Result.tsx';
import { IMPORTS } from './words.ts';

const LIVE_MS = 500;
const QUIET_MS = 5_000;

export function ImportPage(): ReactElement {
  const t = useWords(IMPORTS);
  const discovery = useDiscovery();
  const app = discovery.app.name;
  const { id = '' } = useParams();
  const path = `${appPath(app)}/_imports/${encodeURIComponent(id)}`;
  const [every, setEvery] = useState(LIVE_MS);
  const read = useRead<{ data: Import }>(path, { every });
  const found = read.data?.data;
  const wanted = found === undefined || isMoving(found) ? LIVE_MS : QUIET_MS;
  if (wanted !== every) setEvery(wanted);
  const label = entityNamed(discovery, found?.entity ?? '')?.label ?? found?.entity;
  return (
    <Page
      title={found === undefined ? t('title') : `${found.file_name ?? t('pasted')} – ${t('of_entity', { entity: label ?? '' })}`}
      actions={
        <Button component={RouterLink} to={`/t/${app}/_imports`} startIcon={<ArrowBackOutlined />}>
          {t('all')}
        </Button>
      }
    >
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {found === undefined ? null : (
        <Stack spacing={3}>
          <Standing of={found} path={path} />
          {isOpen(found) ? <Mapping key={JSON.stringify(found.mapping)} of={found} path={path} /> : null}
          {isMoving(found) && found.counts.failed === 0 ? null : (
            <Errors key={`${found.progress.task} ${found.state}`} of={found} path={path} />
          )}
          {found.undo.kept > 0 ? <Kept of={found} path={path} /> : null}
        </Stack>
      )}
    </Page>
  );
}

interface OfImport {
  readonly of: Import;
  readonly path: string;
}

function Standing({ of, path }: OfImport): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const discovery = useDiscovery();
  const last = of.resumed.at(-1);
  const canSee = of.state === 'completed' && entityNamed(discovery, of.entity)?.permissions.read === true;
  return (
    <Stack component="section" aria-label={t('progress')} spacing={1.5}>
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }} role="status">
        <Status tone={TONES[of.state]} label={t(of.state)} />
        <Result of={of} />
        {last === undefined ? null : <Typography variant="body2">{t('resumed', { row: format.number(last.row) })}</Typography>}
      </Stack>
      {isMoving(of) ? <Progress of={of} /> : null}
      {of.error === null ? null : <Alert severity={of.state === 'failed' ? 'error' : 'warning'}>{of.error.message}</Alert>}
      <Actions of={of} path={path} />
      {canSee ? (
        <div>
          <Button component={RouterLink} to={`/t/${discovery.app.name}/${of.entity}`}>
            {t('records')}
          </Button>
        </div>
      ) : null}
      {of.undo.possible ? (
        <Typography variant="body2" sx={{ color: 'text.secondary' }}>
          {t('undo_until', { at: format.time(of.undo.until) })}
        </Typography>
      ) : null}
    </Stack>
  );
}

function Progress({ of }: { readonly of: Import }): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const { done, total, rate, eta_seconds: eta } = of.progress;
  const said = [
    t('row_of', { done: format.number(done), total: format.number(total) }),
    ...(rate === null ? [] : [t('rate', { rate: format.number(Math.round(rate)) })]),
    ...(eta === null ? [] : [t('left', { time: format.duration(eta * 1_000) })]),
  ];
  return (
    <div>
      <LinearProgress variant="determinate" aria-label={t('progress')} value={total === 0 ? 100 : (done / total) * 100} />
      <Typography variant="body2" sx={{ mt: 0.5, color: 'text.secondary' }}>
        {said.join(' · ')}
      </Typography>
    </div>
  );
}

type Asked = 'cancel' | 'undo';

function Actions({ of, path }: OfImport): ReactElement {
  const t = useWords(IMPORTS);
  const send = useSend();
  const [asked, setAsked] = useState<Asked>();
  const [error, setError] = useState<unknown>();
  const good = of.rows - of.counts.failed;
  const isWhole = of.options.on_error === 'all_or_nothing';
  const run = (body?: object): void => {
    setError(undefined);
    send('POST', `${path}/run`, body).catch(setError);
  };
  const canRun = isOpen(of) && of.progress.task === 'check' && of.state !== 'cancelled' && good > 0;
  return (
    <>
      <Problem error={error} />
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        {canRun && of.counts.failed === 0 ? (
          <Button variant="contained" onClick={() => run()}>
            {t('run', { smart_count: good, count: good })}
          </Button>
        ) : null}
        {canRun && of.counts.failed > 0 ? (
          <Button variant="contained" onClick={() => run({ on_error: 'skip' })}>
            {t('run_skip', { smart_count: good, count: good })}
          </Button>
        ) : null}
        {isMoving(of) ? <Button onClick={() => setAsked('cancel')}>{t('cancel')}</Button> : null}
        {of.undo.possible && !isMoving(of) ? (
          <Button color="error" onClick={() => setAsked('undo')}>
            {t('undo')}
          </Button>
        ) : null}
        <TemporalLink url={of.temporal_url} />
      </Stack>
      {asked === undefined ? null : (
        <Confirm
          title={t(`${asked}_title`)}
          action={t(asked)}
          isDestructive
          onConfirm={() => send('POST', `${path}/${asked}`)}
          onClose={() => setAsked(undefined)}
        >
          {asked === 'undo' ? t('undo_help') : t(isWhole ? 'cancel_whole' : 'cancel_some')}
        </Confirm>
      )}
    </>
  );
}
