/** The document's settings as a form; saving reviews and publishes them as any other change of the document. */
import { Button, Stack } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link, useNavigate } from 'react-router-dom';
import { PublishDialog } from '../../document/PublishDialog.tsx';
import { publishedState, PublishedNotice } from '../../document/PublishedNotice.tsx';
import type { DocumentInput } from '../../document/types.ts';
import { useServedDocument, type ServedDocument } from '../../document/use-document.ts';
import { useWords } from '../../i18n/words.ts';
import { rememberedScope } from '../../session.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { AccountSettings, ApiSettings, FunctionSettings, ListSettings, MigrationSettings } from './groups.tsx';
import { useUsual, type Settings } from './settings.ts';
import { SETTINGS } from './words.ts';

export default function AppSettings(): ReactElement {
  const t = useWords(SETTINGS);
  const { app } = useDiscovery();
  const { served, error, refetch } = useServedDocument();
  const ofPlatform =
    rememberedScope().kind === 'platform' ? (
      <Button component={Link} to={`/platform/apps/${app.name}`}>
        {t('of_platform')}
      </Button>
    ) : undefined;
  return (
    <Page title={t('title')} width="form" description={t('description')} actions={ofPlatform}>
      <PublishedNotice />
      <Problem error={error} onRetry={() => void refetch()} />
      {served === undefined ? <Loading lines={8} /> : <Form served={served} />}
    </Page>
  );
}

function Form({ served: { document, version } }: { readonly served: ServedDocument }): ReactElement {
  const t = useWords(SETTINGS);
  const navigate = useNavigate();
  const reload = useReload();
  const usual = useUsual();
  const stored: Settings = document.settings ?? {};
  const [settings, setSettings] = useState(stored);
  const [reviewed, setReviewed] = useState<DocumentInput>();
  const isChanged = JSON.stringify(settings) !== JSON.stringify(stored);
  return (
    <Stack spacing={2}>
      {[ApiSettings, AccountSettings, MigrationSettings, ListSettings, FunctionSettings].map((Group, index) => (
        <Group key={index} settings={settings} usual={usual} onChange={setSettings} />
      ))}
      <Stack direction="row" spacing={1}>
        <Button variant="contained" disabled={!isChanged} onClick={() => setReviewed({ ...document, settings })}>
          {t('save')}
        </Button>
        <Button disabled={!isChanged} onClick={() => setSettings(stored)}>
          {t('discard')}
        </Button>
      </Stack>
      {reviewed === undefined ? null : (
        <PublishDialog
          document={reviewed}
          base={version}
          onClose={() => setReviewed(undefined)}
          onPublished={(answer) => {
            setReviewed(undefined);
            void navigate('.', { state: publishedState(answer) });
            void reload();
          }}
        />
      )}
    </Stack>
  );
}
