/**
 * The end of every change of a schema: its dry run as a plan, and the button that does it. Where values would be dropped their name is
 * typed first. Whoever changes a schema renders this with the request that would change it.
 */
import { Alert, Box, Button, Stack, TextField } from '@mui/material';
import { useCallback, useEffect, useState, type ReactElement } from 'react';
import { useNavigate } from 'react-router-dom';
import type { CallOptions } from '../../../client/client.ts';
import { appPath, useSend } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { client } from '../session.ts';
import { useReload } from '../shell/reload.ts';
import { Loading } from '../ui/Page.tsx';
import { Problem } from '../ui/Problem.tsx';
import { PlanPanel } from './PlanPanel.tsx';
import type { Plan, Published } from './types.ts';
import { PLAN } from './words.ts';

interface PlanReviewProps {
  /** What is POSTed, without a query: `/api/helpdesk/_admin/versions/3/rollback`. */
  readonly path: string;
  /** Keep it the same object while it says the same: another one is planned anew. */
  readonly body?: unknown;
  /** `If-Match` of an edited document. */
  readonly headers?: CallOptions['headers'];
  /** The verb on the button; `Publish` by default. */
  readonly action?: string;
  /** Before the page goes on to the migration, or back to the list of versions where nothing was to do. */
  readonly onPublished?: (published: Published) => void;
  readonly onCancel?: () => void;
  readonly cancel?: string;
}

/** A dry run changes nothing, so nothing is read again for it. */
const NOTHING: readonly string[] = [];

export function PlanReview(props: PlanReviewProps): ReactElement {
  const { path, body, headers } = props;
  const ask = useSend(NOTHING);
  const [plan, setPlan] = useState<Plan>();
  const [refused, setRefused] = useState<unknown>();
  const load = useCallback(() => {
    let isWanted = true;
    setPlan(undefined);
    setRefused(undefined);
    ask<{ data: Plan }>('POST', `${path}?dry_run=true`, body, headers === undefined ? {} : { headers }).then(
      ({ data }) => (isWanted ? setPlan(data) : undefined),
      (error: unknown) => (isWanted ? setRefused(error) : undefined),
    );
    return () => void (isWanted = false);
  }, [ask, path, body, headers]);
  useEffect(load, [load]);
  if (refused !== undefined) return <Refused error={refused} onRetry={load} {...props} />;
  if (plan === undefined) return <Loading lines={8} />;
  return (
    <Stack spacing={2.5}>
      <PlanPanel plan={plan} />
      <Publish key={plan.plan_hash} plan={plan} {...props} />
    </Stack>
  );
}

function Refused({
  error,
  onRetry,
  onCancel,
  cancel,
}: PlanReviewProps & { readonly error: unknown; readonly onRetry: () => void }): ReactElement {
  const t = useWords(PLAN);
  return (
    <Box role="group" aria-label={t('refused')}>
      <Problem error={error} onRetry={onRetry} />
      {onCancel === undefined ? null : <Button onClick={onCancel}>{cancel}</Button>}
    </Box>
  );
}

function Publish({
  plan,
  path,
  body,
  headers,
  action,
  onPublished,
  onCancel,
  cancel,
}: PlanReviewProps & { readonly plan: Plan }): ReactElement {
  const t = useWords(PLAN);
  const { app } = useDiscovery();
  const send = useSend();
  const reload = useReload();
  const navigate = useNavigate();
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const drops = plan.questions.length > 0;
  const word = wordFor(plan) ?? app.name;
  const publish = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    const answered = new AbortController();
    let isWatched = false;
    void migrationOf(plan, appPath(app.name), answered.signal).then((id) => {
      isWatched = id !== undefined;
      if (isWatched) void navigate(`/t/${app.name}/_migrations/${id ?? ''}`);
    });
    try {
      const { data } = await send<{ data: Published }>(
        'POST',
        drops ? `${path}?confirm=drop` : path,
        body,
        headers === undefined ? {} : { headers },
      );
      onPublished?.(data);
      if (!isWatched) await navigate(`/t/${app.name}/${data.migration === null ? '_versions' : `_migrations/${data.migration.id}`}`);
      await reload();
    } catch (refusal) {
      setError(refusal);
      setBusy(false);
    } finally {
      answered.abort();
    }
  };
  return (
    <Box>
      <Problem error={error} />
      {drops ? (
        <Alert severity="warning" sx={{ mb: 2 }}>
          <Stack spacing={1}>
            <span>{t('type_to_publish', { word })}</span>
            <TextField
              size="small"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              slotProps={{ htmlInput: { 'aria-label': t('type_to_publish', { word }), autoComplete: 'off' } }}
            />
          </Stack>
        </Alert>
      ) : null}
      <Stack direction="row" spacing={1}>
        <Button
          variant={drops ? 'outlined' : 'contained'}
          color={drops ? 'error' : 'primary'}
          disabled={isBusy || plan.changes.length === 0 || (drops && typed !== word)}
          onClick={() => void publish()}
        >
          {plan.approval.needed ? t('publish_and_wait') : (action ?? t('publish'))}
        </Button>
        {onCancel === undefined ? null : <Button onClick={onCancel}>{cancel}</Button>}
      </Stack>
    </Box>
  );
}

const LOOK_MS = 500;

/** A publish is answered after seconds when its migration takes that long; it can be watched from its beginning. */
async function migrationOf(plan: Plan, base: string, signal: AbortSignal): Promise<string | undefined> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if (signal.aborted) return undefined;
    const newest = await client
      .call<{ data: readonly MigrationHead[] }>(`${base}/_admin/migrations?per_page=1`, { signal })
      .then(({ body }) => body.data[0])
      .catch(() => undefined);
    const isIt = newest?.plan_hash === plan.plan_hash && newest.from_version === plan.from_version && newest.status === 'running';
    if (isIt) return newest.id;
  }
}

interface MigrationHead {
  readonly id: string;
  readonly status: string;
  readonly from_version: number;
  readonly plan_hash: string;
}

/** The name of what is dropped, when it is one thing. */
function wordFor({ questions }: Plan): string | undefined {
  const [only, ...more] = questions;
  if (only === undefined || more.length > 0) return undefined;
  return only.relation ?? [only.entity, only.field].filter((part) => part !== undefined).join('.');
}
