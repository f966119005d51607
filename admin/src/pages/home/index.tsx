/** The first page of an app: what waits for whoever looks, what changed last, and the way to the data. One request, read again now and then. */
import { Box, Button, Chip, List, ListItemButton, ListItemText, Paper, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { pagesFor, pathOf } from '../../shell/pages.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { spaced } from '../../ui/spaced.ts';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { RecordLink } from '../runs/RunRows.tsx';
import { TONES } from '../migrations/migration.ts';
import { MIGRATIONS } from '../migrations/words.ts';
import { Changes } from './Changes.tsx';
import type { Overview } from './overview.ts';
import { Line, Panel } from './Panel.tsx';
import { HOME } from './words.ts';

const EVERY_MS = 15_000;

export default function Home(): ReactElement {
  const { app } = useDiscovery();
  const read = useRead<{ data: Overview }>(`${appPath(app.name)}/_overview`, { every: EVERY_MS });
  const overview = read.data?.data;
  return (
    <Page title={app.display_name} description={<Schema overview={overview} />}>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', lg: '2fr 1fr' }, alignItems: 'start' }}>
        <Stack spacing={2} sx={{ minWidth: 0 }}>
          {read.isPending ? <Loading lines={6} /> : null}
          {overview === undefined ? null : <Waiting overview={overview} />}
          {overview === undefined ? null : <Changes changes={overview.changes} />}
        </Stack>
        <Data />
      </Box>
    </Page>
  );
}

/** Builders are told what is wrong with what they built, before anybody else notices. */
function Schema({ overview }: { readonly overview: Overview | undefined }): ReactElement {
  const t = useWords(HOME);
  const { app, schema_version: version } = useDiscovery();
  const { error = 0, warning = 0 } = overview?.findings ?? {};
  return (
    <Stack component="span" direction="row" spacing={1} useFlexGap sx={{ flexWrap: 'wrap', alignItems: 'center' }}>
      <span>{t('schema', { version })}</span>
      {error > 0 ? <Finding app={app.name} color="error" label={t('errors', error)} /> : null}
      {warning > 0 ? <Finding app={app.name} color="warning" label={t('warnings', warning)} /> : null}
    </Stack>
  );
}

const Finding = ({
  app,
  color,
  label,
}: {
  readonly app: string;
  readonly color: 'error' | 'warning';
  readonly label: string;
}): ReactElement => (
  <Chip component={Link} to={`/t/${app}/_versions`} clickable size="small" variant="outlined" color={color} label={label} />
);

function Waiting({ overview }: { readonly overview: Overview }): ReactElement {
  const t = useWords(HOME);
  const isQuiet = Object.values(overview).every(
    (part) => typeof part !== 'object' || part === null || !('count' in part) || part.count === 0,
  );
  return (
    <>
      {isQuiet ? <Empty>{t('nothing_waits')}</Empty> : null}
      <Panel title={t('approvals')} part={overview.approvals} page="_approvals">
        {(task) => (
          <Line key={task.id} to={`_runs/${task.run}`} title={task.title ?? task.step} end={<Due at={task.due_at} />}>
            <RecordLink of={task} />
          </Line>
        )}
      </Panel>
      <Notifications overview={overview} />
      {(['breached_clocks', 'due_clocks'] as const).map((name) => (
        <Panel key={name} title={t(name)} part={overview[name]} page="_clocks" query={name === 'breached_clocks' ? '?show=breached' : ''}>
          {(clock) => (
            <Line key={clock.id} title={spaced(clock.sla)} end={<Due at={clock.due_at} />}>
              <RecordLink of={clock} />
            </Line>
          )}
        </Panel>
      ))}
      <ForAdmins overview={overview} />
    </>
  );
}

const Due = ({ at }: { readonly at: string | null }): ReactElement | null => {
  const t = useWords(HOME);
  return at === null ? null : (
    <span>
      {t('due')} <Time at={at} as="ago" />
    </span>
  );
};

function Notifications({ overview }: { readonly overview: Overview }): ReactElement {
  const t = useWords(HOME);
  const { app } = useDiscovery();
  const send = useSend();
  const readAll = (
    <Button size="small" onClick={() => void send('POST', `${appPath(app.name)}/_notifications/read-all`)}>
      {t('read_all')}
    </Button>
  );
  return (
    <Panel title={t('notifications')} part={overview.notifications} action={readAll}>
      {({ id, message, created_at: at }) => <Line key={id} title={message} end={<Time at={at} as="ago" />} />}
    </Panel>
  );
}

function ForAdmins({ overview }: { readonly overview: Overview }): ReactElement {
  const t = useWords(HOME);
  const tm = useWords(MIGRATIONS);
  return (
    <>
      <Panel title={t('stuck_runs')} part={overview.stuck_runs} page="_runs" query="?status=stuck">
        {(run) => (
          <Line key={run.id} to={`_runs/${run.id}`} title={run.workflow} end={<Time at={run.created_at} as="ago" />}>
            {run.error}
          </Line>
        )}
      </Panel>
      <Panel title={t('failed_starts')} part={overview.failed_starts} page="_runs">
        {(start) => (
          <Line key={start.id} title={start.kind} end={<Time at={start.created_at} as="ago" />}>
            {start.error}
          </Line>
        )}
      </Panel>
      <Panel title={t('failed_deliveries')} part={overview.failed_deliveries} page="_deliveries" query="?status=dead">
        {(delivery) => (
          <Line key={delivery.id} title={delivery.webhook} end={<Time at={delivery.at} as="ago" />}>
            {delivery.reason}
          </Line>
        )}
      </Panel>
      <Panel title={t('migrations')} part={overview.migrations} page="_migrations">
        {({ id, to_version: version, status }) => (
          <Line
            key={id}
            to={`_migrations/${id}`}
            title={t('version', { version })}
            end={<Status tone={TONES[status]} label={tm(status)} />}
          />
        )}
      </Panel>
    </>
  );
}

function Data(): ReactElement {
  const t = useWords(HOME);
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}`;
  const readable = discovery.entities.filter((entity) => entity.permissions.read);
  const designer = pagesFor(discovery).find((page) => pathOf(page) === '_schema');
  return (
    <Paper variant="outlined" component="section" aria-labelledby="home-data">
      <Typography id="home-data" variant="subtitle2" component="h2" sx={{ px: 2, pt: 1.5 }}>
        {t('data')}
      </Typography>
      {readable.length === 0 ? (
        <Box sx={{ p: 2 }}>
          <Empty
            action={
              designer === undefined ? undefined : (
                <Button component={Link} to={`${base}/_schema`} variant="contained">
                  {t('design')}
                </Button>
              )
            }
          >
            {t(discovery.entities.length === 0 ? 'no_schema' : 'no_entities')}
          </Empty>
        </Box>
      ) : (
        <List dense aria-label={t('data')}>
          {readable.map((entity) => (
            <li key={entity.name}>
              <ListItemButton component={Link} to={`${base}/${entity.name}`}>
                <ListItemText primary={entity.label} secondary={entity.description} />
              </ListItemButton>
            </li>
          ))}
        </List>
      )}
    </Paper>
  );
}
