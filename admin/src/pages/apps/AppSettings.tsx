/** What the platform may say of one app: its display name, the version it keeps to, maintenance, and its end. */
import ArrowBackOutlined from '@mui/icons-material/ArrowBackOutlined';
import { Alert, Button, FormControlLabel, MenuItem, Stack, Switch, TextField, Checkbox } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useNotify } from 'react-admin';
import { Link as RouterLink, useParams } from 'react-router-dom';
import { useRead, useSend } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { Status } from '../../ui/Status.tsx';
import { appOf, stateOf, type App } from './app.ts';
import { APPS } from './words.ts';

export function AppSettings(): ReactElement {
  const t = useWords(APPS);
  const { name = '' } = useParams();
  const read = useRead<{ data: App }>(appOf(name), { every: 5_000 });
  const app = read.data?.data;
  const actions = (
    <>
      <Button component={RouterLink} to="/platform/apps" startIcon={<ArrowBackOutlined />}>
        {t('all_apps')}
      </Button>
      {app?.status === 'active' ? (
        <Button variant="contained" component={RouterLink} to={`/t/${app.name}`}>
          {t('open_app', { app: app.display_name })}
        </Button>
      ) : null}
    </>
  );
  return (
    <Page
      title={app?.display_name ?? name}
      width="form"
      description={app === undefined ? undefined : <Standing app={app} />}
      actions={actions}
    >
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading /> : null}
      {app === undefined ? null : (
        <Stack spacing={2}>
          <DisplayName key={app.display_name} app={app} />
          <Pin key={String(app.pinned_version)} app={app} />
          <Maintenance app={app} />
          <Removal app={app} />
        </Stack>
      )}
    </Page>
  );
}

function Standing({ app }: { readonly app: App }): ReactElement {
  const t = useWords(APPS);
  const { tone, word } = stateOf(app);
  return (
    <Stack direction="row" component="span" spacing={1} sx={{ alignItems: 'center' }}>
      <Status tone={tone} label={t(word)} />
      <span>
        {app.schema}, {t('version', { version: app.schema_version })}
      </span>
    </Stack>
  );
}

/** Sends a change of the app and says that it is saved; what was refused stands above the control. */
function useChange(app: App): {
  readonly change: (body: Partial<App>) => Promise<void>;
  readonly isBusy: boolean;
  readonly error: unknown;
} {
  const t = useWords(APPS);
  const send = useSend();
  const notify = useNotify();
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const change = async (body: Partial<App>): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      await send('PUT', appOf(app.name), body);
      notify(t('saved'), { type: 'success' });
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return { change, isBusy, error };
}

interface OfApp {
  readonly app: App;
}

function DisplayName({ app }: OfApp): ReactElement {
  const t = useWords(APPS);
  const { change, isBusy, error } = useChange(app);
  const [name, setName] = useState(app.display_name);
  return (
    <Section title={t('display_name')}>
      <Problem error={error} />
      <Stack direction="row" spacing={1}>
        <TextField size="small" fullWidth label={t('display_name')} value={name} onChange={(event) => setName(event.target.value)} />
        <Button disabled={isBusy || name.trim() === '' || name === app.display_name} onClick={() => void change({ display_name: name })}>
          {t('save')}
        </Button>
      </Stack>
    </Section>
  );
}

const NEWEST = 'newest';

function Pin({ app }: OfApp): ReactElement {
  const t = useWords(APPS);
  const { change, isBusy, error } = useChange(app);
  const versions = useRead<{ data: readonly { readonly version: number }[] }>(
    `/api/_platform/schemas/${encodeURIComponent(app.schema)}/versions`,
  );
  const [wanted, setWanted] = useState(app.pinned_version === null ? NEWEST : String(app.pinned_version));
  const current = app.pinned_version === null ? NEWEST : String(app.pinned_version);
  const isMoving = app.pinned_version !== null && app.pinned_version !== app.schema_version;
  return (
    <Section title={t('pin')} help={t('pin_help')}>
      <Problem error={error ?? versions.error} />
      {isMoving ? <Alert severity="info">{t('pending')}</Alert> : null}
      <Stack direction="row" spacing={1} sx={{ mt: isMoving ? 2 : 0 }}>
        <TextField
          select
          size="small"
          fullWidth
          label={t('pin')}
          value={versions.data === undefined ? '' : wanted}
          onChange={(event) => setWanted(event.target.value)}
        >
          <MenuItem value={NEWEST}>{t('newest')}</MenuItem>
          {(versions.data?.data ?? []).map(({ version }) => (
            <MenuItem key={version} value={String(version)}>
              {t('version', { version })}
            </MenuItem>
          ))}
        </TextField>
        <Button
          disabled={isBusy || wanted === current}
          onClick={() => void change({ pinned_version: wanted === NEWEST ? null : Number(wanted) })}
        >
          {t('save')}
        </Button>
      </Stack>
    </Section>
  );
}

function Maintenance({ app }: OfApp): ReactElement {
  const t = useWords(APPS);
  const { change, isBusy, error } = useChange(app);
  /** What was switched and is not answered yet. */
  const [wanted, setWanted] = useState<boolean>();
  return (
    <Section title={t('maintenance_on')} help={t('maintenance_help')}>
      <Problem error={error} />
      <FormControlLabel
        control={
          <Switch
            checked={wanted ?? app.maintenance !== false}
            disabled={isBusy || app.status !== 'active'}
            onChange={(event) => {
              setWanted(event.target.checked);
              void change({ maintenance: event.target.checked }).then(() => setWanted(undefined));
            }}
          />
        }
        label={t('maintenance')}
      />
    </Section>
  );
}

function Removal({ app }: OfApp): ReactElement {
  const t = useWords(APPS);
  const format = useFormat();
  const send = useSend();
  const [isAsking, setAsking] = useState(false);
  const [isNow, setNow] = useState(false);
  const [error, setError] = useState<unknown>();
  if (app.retire_at !== null) {
    return (
      <Section title={t('danger')}>
        <Problem error={error} />
        <Stack direction="row" spacing={2} sx={{ alignItems: 'center' }}>
          <span>{t('removal', { at: format.time(app.retire_at) })}</span>
          <Button variant="contained" onClick={() => void send('POST', `${appOf(app.name)}/restore`).catch(setError)}>
            {t('call_back')}
          </Button>
        </Stack>
      </Section>
    );
  }
  return (
    <Section title={t('danger')} help={t('danger_help')}>
      <Button variant="outlined" color="error" onClick={() => setAsking(true)}>
        {t('remove')}
      </Button>
      {isAsking ? (
        <Confirm
          title={t('remove_title', { app: app.display_name })}
          action={t('remove')}
          isDestructive
          typed={app.name}
          onConfirm={() => send('DELETE', `${appOf(app.name)}${isNow ? '?now=true' : ''}`)}
          onClose={() => setAsking(false)}
        >
          {t('danger_help')}
          <FormControlLabel
            sx={{ display: 'flex', mt: 1 }}
            control={<Checkbox size="small" checked={isNow} onChange={(event) => setNow(event.target.checked)} />}
            label={t('remove_now')}
          />
        </Confirm>
      ) : null}
    </Section>
  );
}
