import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import RestartAltOutlined from '@mui/icons-material/RestartAltOutlined';
import { Alert, Box, Button, IconButton, Link, Stack, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useDefinitions, useWrites, type Listed, type Section } from '../../definitions/definitions.ts';
import { Saved } from '../../definitions/Saved.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { DAYS, hoursText, type Calendar, type Sla } from './sla.ts';
import { SLAS } from './words.ts';

export function SlaList(): ReactElement {
  const t = useWords(SLAS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_slas`;
  const slas = useDefinitions<Sla>('slas');
  const calendars = useDefinitions<Calendar>('calendars');
  const add = (
    <Button variant="contained" component={To} to={`${base}/new`}>
      {t('new')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={add}>
      <Saved />
      <Problem error={slas.error ?? calendars.error} onRetry={() => (void slas.refetch(), void calendars.refetch())} />
      {slas.isPending || calendars.isPending ? <Loading /> : null}
      {slas.data === undefined || calendars.data === undefined ? null : (
        <Stack spacing={3}>
          {slas.data.data.length === 0 ? <Empty action={add}>{t('none')}</Empty> : <SlaRows slas={slas.data.data} base={base} />}
          {slas.data.data.length === 0 ? null : <Forecast />}
          <Calendars calendars={calendars.data.data} slas={slas.data.data} base={base} />
        </Stack>
      )}
    </Page>
  );
}

interface Asked {
  readonly section: Extract<Section, 'slas' | 'calendars'>;
  readonly id: string;
  readonly name: string;
}

function Removal({ asked, onClose }: { readonly asked: Asked; readonly onClose: () => void }): ReactElement {
  const t = useWords(SLAS);
  const { remove } = useWrites<unknown>(asked.section);
  return (
    <Confirm
      title={t('remove_title', { name: asked.name })}
      action={t('remove')}
      isDestructive
      onConfirm={() => remove(asked.id)}
      onClose={onClose}
    >
      {t(asked.section === 'slas' ? 'remove_says' : 'remove_calendar_says')}
    </Confirm>
  );
}

const tool = (label: string, icon: ReactElement, act: () => void): ReactElement => (
  <Tooltip title={label}>
    <IconButton size="small" aria-label={label} onClick={act}>
      {icon}
    </IconButton>
  </Tooltip>
);

function SlaRows({ slas, base }: { readonly slas: readonly Listed<Sla>[]; readonly base: string }): ReactElement {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const send = useSend();
  const [asked, setAsked] = useState<Asked | undefined>();
  const [told, setTold] = useState<number | undefined>();
  const [error, setError] = useState<unknown>();
  const recompute = (name: string): void => {
    setError(undefined);
    send<{ readonly data: { readonly clocks: number } }>(
      'POST',
      `${appPath(discovery.app.name)}/_admin/slas/${encodeURIComponent(name)}/recompute`,
    ).then(({ data }) => setTold(data.clocks), setError);
  };
  return (
    <div>
      <Problem error={error} />
      {told === undefined ? null : (
        <Alert role="status" severity="success" sx={{ mb: 1 }} onClose={() => setTold(undefined)}>
          {t('recomputed', told)}
        </Alert>
      )}
      <Rows
        label={t('slas')}
        rows={slas}
        keyOf={({ id }) => id}
        columns={[
          {
            key: 'name',
            label: t('name'),
            cell: ({ id, name, description }) => (
              <>
                <Link component={To} to={`${base}/${id}`}>
                  {name}
                </Link>
                <Typography variant="caption" component="div" sx={{ color: 'text.secondary' }}>
                  {description}
                </Typography>
              </>
            ),
          },
          { key: 'entity', label: t('entity'), cell: ({ entity }) => entityNamed(discovery, entity)?.label ?? entity },
          {
            key: 'target',
            label: t('target'),
            cell: ({ target, targets }) => [...targets.map((each) => each.target), ...(target === undefined ? [] : [target])].join(' / '),
          },
          { key: 'calendar', label: t('calendar'), cell: ({ calendar }) => calendar ?? t('always') },
          {
            key: 'active',
            label: t('active'),
            cell: ({ active }) => <Status tone={active ? 'done' : 'off'} label={t(active ? 'on' : 'off')} />,
          },
          {
            key: 'tools',
            label: t('tools'),
            width: 96,
            cell: ({ id, name }) => (
              <Stack direction="row">
                {tool(`${t('recompute')}: ${name}`, <RestartAltOutlined fontSize="small" />, () => recompute(name))}
                {tool(t('remove_one', { name }), <DeleteOutlined fontSize="small" />, () => setAsked({ section: 'slas', id, name }))}
              </Stack>
            ),
          },
        ]}
      />
      {asked === undefined ? null : <Removal asked={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

interface ForecastAnswer {
  readonly data: readonly {
    readonly from: string;
    readonly to: string;
    readonly due: number;
    readonly slas: Readonly<Record<string, number>>;
  }[];
  readonly meta: { readonly breached: number; readonly paused: number; readonly without_due: number };
}

/** Only hours in which something falls due: the others say nothing. */
function Forecast(): ReactElement {
  const t = useWords(SLAS);
  const format = useFormat();
  const { app } = useDiscovery();
  const forecast = useRead<ForecastAnswer>(`${appPath(app.name)}/_admin/slas/forecast?hours=24`, { every: 60_000 });
  const hours = (forecast.data?.data ?? []).filter(({ due }) => due > 0);
  const meta = forecast.data?.meta;
  return (
    <section aria-label={t('forecast')}>
      <Typography component="h2" variant="h6">
        {t('forecast')}
      </Typography>
      <Typography variant="body2" sx={{ color: 'text.secondary', mb: 1 }}>
        {t(forecast.data !== undefined && hours.length === 0 ? 'forecast_none' : 'forecast_says')}{' '}
        {meta === undefined
          ? ''
          : t('forecast_rest', {
              breached: format.number(meta.breached),
              paused: format.number(meta.paused),
              without: format.number(meta.without_due),
            })}
      </Typography>
      <Problem error={forecast.error} onRetry={() => void forecast.refetch()} />
      {hours.length === 0 ? null : (
        <Rows
          label={t('forecast')}
          rows={hours}
          keyOf={({ from }) => from}
          columns={[
            { key: 'hour', label: t('hour'), width: 180, cell: ({ from }) => <Time at={from} /> },
            { key: 'due', label: t('due_count'), align: 'right', width: 110, cell: ({ due }) => format.number(due) },
            {
              key: 'slas',
              label: t('slas'),
              cell: (hour) =>
                Object.entries(hour.slas)
                  .map(([name, count]) => `${name}: ${format.number(count)}`)
                  .join(', '),
            },
          ]}
        />
      )}
    </section>
  );
}

interface CalendarsProps {
  readonly calendars: readonly Listed<Calendar>[];
  readonly slas: readonly Sla[];
  readonly base: string;
}

function Calendars({ calendars, slas, base }: CalendarsProps): ReactElement {
  const t = useWords(SLAS);
  const [asked, setAsked] = useState<Asked | undefined>();
  return (
    <section aria-label={t('calendars')}>
      <Stack direction="row" sx={{ justifyContent: 'space-between', alignItems: 'center', mb: 1 }}>
        <Typography component="h2" variant="h6">
          {t('calendars')}
        </Typography>
        <Button size="small" variant="outlined" component={To} to={`${base}/calendars/new`}>
          {t('new_calendar')}
        </Button>
      </Stack>
      {calendars.length === 0 ? (
        <Empty>{t('no_calendars')}</Empty>
      ) : (
        <Rows
          label={t('calendars')}
          rows={calendars}
          keyOf={({ id }) => id}
          columns={[
            {
              key: 'name',
              label: t('name'),
              cell: ({ id, name }) => (
                <Link component={To} to={`${base}/calendars/${id}`}>
                  {name}
                </Link>
              ),
            },
            { key: 'zone', label: t('timezone'), cell: ({ timezone }) => timezone },
            { key: 'week', label: t('week'), cell: ({ week }) => <Week week={week} /> },
            {
              key: 'used',
              label: t('used_by'),
              cell: ({ name }) =>
                slas
                  .filter(({ calendar }) => calendar === name)
                  .map((sla) => sla.name)
                  .join(', ') || '–',
            },
            {
              key: 'tools',
              label: t('tools'),
              width: 64,
              cell: ({ id, name }) =>
                tool(t('remove_one', { name }), <DeleteOutlined fontSize="small" />, () => setAsked({ section: 'calendars', id, name })),
            },
          ]}
        />
      )}
      {asked === undefined ? null : <Removal asked={asked} onClose={() => setAsked(undefined)} />}
    </section>
  );
}

function Week({ week }: Pick<Calendar, 'week'>): ReactElement {
  const t = useWords(SLAS);
  if (week === undefined) return <span>{t('open_always')}</span>;
  const open = DAYS.filter((day) => (week[day] ?? []).length > 0);
  return (
    <Box component="span">
      {open.length === 0 ? t('closed') : open.map((day) => `${t(day).slice(0, 2)} ${hoursText(week[day])}`).join(' · ')}
    </Box>
  );
}
