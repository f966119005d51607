import { Alert, Box } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useNavigate, useParams } from 'react-router-dom';
import { DefinitionForm } from '../../definitions/DefinitionForm.tsx';
import { useDefinitions, type Listed, type Written } from '../../definitions/definitions.ts';
import { Saved, savedState } from '../../definitions/Saved.tsx';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Endpoint } from './Health.tsx';
import { SecretDialog } from './SecretDialog.tsx';
import { emptyWebhook, titleOf, webhookBodyOf, webhookDraftOf, type Webhook } from './webhook.ts';
import { WebhookForm } from './WebhookForm.tsx';
import { WEBHOOKS } from './words.ts';

export function WebhookEditor(): ReactElement {
  const t = useWords(WEBHOOKS);
  const { id } = useParams();
  const webhooks = useDefinitions<Webhook>('webhooks');
  const stored = webhooks.data?.data.find((webhook) => webhook.id === id);
  return (
    <Page title={stored === undefined ? t(id === undefined ? 'new' : 'edit') : titleOf(stored)}>
      <Saved />
      <Problem error={webhooks.error} onRetry={() => void webhooks.refetch()} />
      {webhooks.isPending ? <Loading lines={8} /> : null}
      {webhooks.data === undefined ? null : id !== undefined && stored === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <Editor key={id} stored={stored} version={webhooks.data.meta.schema_version} />
      )}
    </Page>
  );
}

/** A new webhook's answer holds its signing secret, this once. */
type Made = Written<Listed<Webhook> & { readonly secret?: string }>;

function Editor({ stored, version }: { readonly stored: Listed<Webhook> | undefined; readonly version: number }): ReactElement {
  const t = useWords(WEBHOOKS);
  const navigate = useNavigate();
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}/_webhooks`;
  const [draft, setDraft] = useState(() =>
    stored === undefined ? emptyWebhook(discovery.entities[0]?.name ?? '') : webhookDraftOf(stored),
  );
  const [made, setMade] = useState<Made | undefined>();
  const form = (
    <DefinitionForm
      section="webhooks"
      stored={stored}
      version={version}
      body={webhookBodyOf(draft)}
      isReady={draft.url.trim() !== ''}
      label={t(stored === undefined ? 'new' : 'edit')}
      save={t('save')}
      cancel={t('cancel')}
      from={base}
      {...(stored === undefined ? { onWritten: (written: Written<unknown>) => setMade(written as Made) } : {})}
    >
      {(error) => <WebhookForm draft={draft} onChange={setDraft} error={error} />}
    </DefinitionForm>
  );
  const toIt = (written: Made): void => void navigate(`${base}/${written.data.id}`, { state: savedState(written) });
  return (
    <>
      {stored === undefined ? (
        <Box sx={{ maxWidth: 900 }}>{form}</Box>
      ) : (
        <Box
          sx={{
            display: 'grid',
            gap: 2,
            gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 3fr) minmax(0, 2fr)' },
            alignItems: 'start',
          }}
        >
          {form}
          <Endpoint webhook={stored} />
        </Box>
      )}
      {made === undefined ? null : <SecretDialog secret={made.data.secret ?? ''} onClose={() => toIt(made)} />}
    </>
  );
}
