import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Button, IconButton, Link, Stack, Tooltip, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { Link as To } from 'react-router-dom';
import { appPath, useRead } from '../../api/use-api.ts';
import { useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { Saved } from '../../definitions/Saved.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Confirm } from '../../ui/Confirm.tsx';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { EndpointStatus, useDaySaid } from './Health.tsx';
import { Secrets } from './Secrets.tsx';
import { EVERY_ENTITY, titleOf, type Health, type Webhook } from './webhook.ts';
import { WEBHOOKS } from './words.ts';

export function WebhookList(): ReactElement {
  const t = useWords(WEBHOOKS);
  const { app } = useDiscovery();
  const webhooks = useDefinitions<Webhook>('webhooks');
  const listed = webhooks.data?.data ?? [];
  const add = (
    <Button variant="contained" component={To} to={`/t/${app.name}/_webhooks/new`}>
      {t('new')}
    </Button>
  );
  return (
    <Page title={t('title')} description={t('description')} actions={add}>
      <Saved />
      <Problem error={webhooks.error} onRetry={() => void webhooks.refetch()} />
      {webhooks.isPending ? <Loading /> : null}
      {webhooks.data === undefined ? null : (
        <Stack spacing={3}>
          {listed.length === 0 ? <Empty action={add}>{t('none')}</Empty> : <WebhookRows webhooks={listed} />}
          <Secrets />
        </Stack>
      )}
    </Page>
  );
}

function WebhookRows({ webhooks }: { readonly webhooks: readonly Listed<Webhook>[] }): ReactElement {
  const t = useWords(WEBHOOKS);
  const { app } = useDiscovery();
  const base = `/t/${app.name}/_webhooks`;
  const health = useRead<{ readonly data: readonly Health[] }>(`${appPath(app.name)}/_admin/deliveries/health`, { every: 5_000 });
  const [asked, setAsked] = useState<Listed<Webhook> | undefined>();
  const healthOf = new Map((health.data?.data ?? []).map((each) => [each.webhook, each]));
  return (
    <div>
      <Problem error={health.error} onRetry={() => void health.refetch()} />
      <Rows label={t('title')} rows={webhooks} keyOf={({ id }) => id} columns={useColumns(base, healthOf, setAsked)} />
      {asked === undefined ? null : <Removal webhook={asked} onClose={() => setAsked(undefined)} />}
    </div>
  );
}

function useColumns(
  base: string,
  healthOf: ReadonlyMap<string, Health>,
  onRemove: (webhook: Listed<Webhook>) => void,
): readonly Column<Listed<Webhook>>[] {
  const t = useWords(WEBHOOKS);
  const format = useFormat();
  const daySaid = useDaySaid();
  return [
    {
      key: 'name',
      label: t('name'),
      cell: (webhook) => (
        <>
          <Link component={To} to={`${base}/${webhook.id}`} sx={{ fontWeight: 600 }}>
            {titleOf(webhook)}
          </Link>
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary', overflowWrap: 'anywhere' }}>
            {webhook.method} {webhook.url}
          </Typography>
        </>
      ),
    },
    { key: 'when', label: t('when'), cell: (webhook) => <When of={webhook} /> },
    {
      key: 'endpoint',
      label: t('endpoint'),
      cell: (webhook) => <EndpointStatus webhook={webhook} health={healthOf.get(webhook.id)} />,
    },
    {
      key: 'waiting',
      label: t('waiting'),
      align: 'right',
      cell: ({ id }) => {
        const backlog = healthOf.get(id)?.backlog;
        return backlog === undefined ? '–' : format.number(backlog);
      },
    },
    { key: 'day', label: t('last_day'), cell: ({ id }) => daySaid(healthOf.get(id)) },
    {
      key: 'tools',
      label: t('tools'),
      width: 64,
      cell: (webhook) => (
        <Tooltip title={t('remove_one', { name: titleOf(webhook) })}>
          <IconButton size="small" aria-label={t('remove_one', { name: titleOf(webhook) })} onClick={() => onRemove(webhook)}>
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Tooltip>
      ),
    },
  ];
}

/** `Ticket: created, changed`, or the moment of the write. */
function When({ of }: { readonly of: Webhook }): ReactElement {
  const t = useWords(WEBHOOKS);
  const discovery = useDiscovery();
  const entity = of.entity === EVERY_ENTITY ? t('every_entity') : (entityNamed(discovery, of.entity)?.label ?? of.entity);
  const events = of.events === undefined ? t(`hook_${of.hook}`) : of.events.map((event) => t(event)).join(', ');
  return (
    <span>
      {entity}: {events}
      {of.async ? '' : ` (${t('asked_first')})`}
    </span>
  );
}

function Removal({ webhook, onClose }: { readonly webhook: Listed<Webhook>; readonly onClose: () => void }): ReactElement {
  const t = useWords(WEBHOOKS);
  const { remove } = useWrites<Webhook>('webhooks');
  return (
    <Confirm
      title={t('remove_title', { name: titleOf(webhook) })}
      action={t('remove')}
      isDestructive
      onConfirm={() => remove(webhook.id)}
      onClose={onClose}
    >
      {t('remove_says')}
    </Confirm>
  );
}
