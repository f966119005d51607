/** The app's events as a client gets them. What is listened to stands in the address. */
import { Alert, Box, Button, Link, Paper, Stack, Tab, Tabs, Typography } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { Link as RouterLink, useSearchParams } from 'react-router-dom';
import { useRested } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { readObject } from '../../ui/json.ts';
import { Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Section } from '../../ui/Section.tsx';
import { Status, type Tone } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { LANGUAGES, snippetOf, type Language } from './snippets.ts';
import { KEPT, useStream, type Seen, type Stream, type Wish } from './stream.ts';
import { WishForm } from './WishForm.tsx';
import { EVENTS } from './words.ts';

const STATE_TONES: Readonly<Record<Stream['state'], Tone>> = { connecting: 'waiting', live: 'running', paused: 'paused', ended: 'failed' };
const TYPE_TONES: Readonly<Record<Seen['type'], Tone>> = {
  'record.created': 'done',
  'record.updated': 'info',
  'record.deleted': 'failed',
  custom: 'off',
};

export default function Events(): ReactElement {
  const t = useWords(EVENTS);
  const { app } = useDiscovery();
  const [params] = useSearchParams();
  const [isPaused, setPaused] = useState(false);
  const asked = useRested(params.toString());
  const wish = useMemo(() => wishOf(new URLSearchParams(asked)), [asked]);
  const stream = useStream(app.name, wish, isPaused);
  return (
    <Page title={t('title')} description={t('description')}>
      <Stack spacing={2}>
        <WishForm />
        <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
          <Status tone={STATE_TONES[stream.state]} label={t(stream.state)} />
          <span role="status">{t('received', stream.events.length)}</span>
          <Button variant="outlined" size="small" onClick={() => setPaused(!isPaused)}>
            {t(isPaused ? 'resume' : 'pause')}
          </Button>
          <Button size="small" disabled={stream.events.length === 0} onClick={stream.clear}>
            {t('clear')}
          </Button>
          {stream.events.length < KEPT ? null : <Typography variant="body2">{t('kept', { count: KEPT })}</Typography>}
        </Stack>
        <Problem error={stream.error} />
        {stream.hasMissed ? <Alert severity="warning">{t('reset')}</Alert> : null}
        {stream.events.length === 0 && stream.error === undefined ? <Empty>{t('waiting')}</Empty> : <Log events={stream.events} />}
        <Snippets app={app.name} wish={wish} />
      </Stack>
    </Page>
  );
}

function wishOf(params: URLSearchParams): Wish {
  const entities = (params.get('entities') ?? '').split(',').filter((name) => name !== '');
  return { entities, filter: readObject(params.get('filter') ?? ''), includeRecord: params.get('record') === 'true' };
}

function Log({ events }: { readonly events: readonly Seen[] }): ReactElement | null {
  const t = useWords(EVENTS);
  if (events.length === 0) return null;
  return (
    <Box component="ol" aria-label={t('log')} sx={{ listStyle: 'none', m: 0, p: 0, display: 'grid', gap: 1 }}>
      {events.map((event) => (
        <Paper key={event.id} component="li" variant="outlined" sx={{ p: 1.5, minWidth: 0 }}>
          <EventLine event={event} />
        </Paper>
      ))}
    </Box>
  );
}

function EventLine({ event }: { readonly event: Seen }): ReactElement {
  const t = useWords(EVENTS);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, event.entity);
  const fields = event.changed_fields ?? [];
  return (
    <>
      <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        <Time at={event.ts} />
        <Status tone={TYPE_TONES[event.type]} label={event.name ?? t(event.type)} />
        <span>{entity?.label ?? event.entity}</span>
        {event.type === 'record.deleted' ? (
          <code>{event.record_id}</code>
        ) : (
          <Link
            component={RouterLink}
            to={`/t/${discovery.app.name}/${event.entity}/${encodeURIComponent(event.record_id)}/show`}
            sx={{ fontFamily: 'monospace', overflowWrap: 'anywhere' }}
          >
            {event.record_id}
          </Link>
        )}
        {event.version === undefined ? null : (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {t('version', { version: event.version })}
          </Typography>
        )}
      </Stack>
      {fields.length === 0 ? null : <Typography variant="body2">{t('fields', { fields: fields.join(', ') })}</Typography>}
      <Box component="details" sx={{ mt: 0.5 }}>
        <Typography component="summary" variant="body2" sx={{ cursor: 'pointer', color: 'text.secondary' }}>
          {t('whole')}
        </Typography>
        <Code text={JSON.stringify(event, null, 2)} label={`${t('whole')}: ${event.id}`} />
      </Box>
    </>
  );
}

function Snippets({ app, wish }: { readonly app: string; readonly wish: Wish }): ReactElement {
  const t = useWords(EVENTS);
  const [language, setLanguage] = useState<Language>('curl');
  return (
    <Section title={t('snippets')} help={t('snippets_help')}>
      <Tabs value={language} aria-label={t('language')} onChange={(_, chosen: Language) => setLanguage(chosen)} sx={{ mb: 1 }}>
        {LANGUAGES.map((one) => (
          <Tab key={one} value={one} label={t(one)} />
        ))}
      </Tabs>
      <Code text={snippetOf(language, app, wish)} label={t(language)} />
    </Section>
  );
}
