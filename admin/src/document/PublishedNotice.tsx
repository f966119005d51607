/** Tells, after a publish and the reload that follows it, whether the version is active or still on its way. */
import { Alert, Button } from '@mui/material';
import { useEffect, type ReactElement } from 'react';
import { Link, useLocation, useNavigate } from 'react-router-dom';
import { appPath, useRead } from '../api/use-api.ts';
import { useWords } from '../i18n/words.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
import { useReload } from '../shell/reload.ts';
import type { Published } from './plan.ts';
import { DOCUMENT } from './words.ts';

export interface PublishedState {
  readonly published: Pick<Published, 'schema_version' | 'migration'>;
}

/** For `navigate(path, { state: publishedState(answer) })`: it outlives the pages, which are made anew. */
export const publishedState = ({ schema_version, migration }: Published): PublishedState => ({ published: { schema_version, migration } });

export function PublishedNotice(): ReactElement | null {
  const t = useWords(DOCUMENT);
  const { state, pathname, search } = useLocation() as { state: Partial<PublishedState> | null; pathname: string; search: string };
  const navigate = useNavigate();
  const { app, schema_version: served } = useDiscovery();
  const published = state?.published;
  const migration = published?.migration ?? undefined;
  const version = migration?.to_version ?? published?.schema_version ?? 0;
  const isActive = served >= version;
  const status = useMigrationStatus(isActive ? undefined : migration?.id) ?? migration?.status ?? '';
  if (published === undefined) return null;
  return (
    <Alert
      severity={isActive ? 'success' : (SEVERITIES[status] ?? 'info')}
      sx={{ mb: 2 }}
      onClose={() => void navigate(`${pathname}${search}`, { replace: true, state: null })}
      action={
        migration === undefined ? undefined : (
          <Button size="small" color="inherit" component={Link} to={`/t/${app.name}/_migrations/${migration.id}`}>
            {t('to_migration')}
          </Button>
        )
      }
    >
      {t(isActive ? 'version_ready' : (WORDS[status] ?? 'version_coming'), { version, from: served })}
    </Alert>
  );
}

const WORDS: Readonly<Record<string, 'version_waits' | 'version_stopped'>> = {
  awaiting_approval: 'version_waits',
  paused: 'version_stopped',
  failed: 'version_stopped',
  aborted: 'version_stopped',
};
const SEVERITIES: Readonly<Record<string, 'warning'>> = {
  awaiting_approval: 'warning',
  paused: 'warning',
  failed: 'warning',
  aborted: 'warning',
};

const EVERY_MS = 1500;

/** Asked again until the version is served; then the pages are made anew from it. */
function useMigrationStatus(id: string | undefined): string | undefined {
  const { app } = useDiscovery();
  const reload = useReload();
  const path = id === undefined ? undefined : `${appPath(app.name)}/_admin/migrations/${id}`;
  const { data } = useRead<{ readonly data: { readonly status: string } }>(path, { every: EVERY_MS });
  const status = id === undefined ? undefined : data?.data.status;
  const isSwitched = status === 'ready' || status === 'completed';
  useEffect(() => {
    if (isSwitched) void reload();
  }, [isSwitched, reload]);
  return status;
}
