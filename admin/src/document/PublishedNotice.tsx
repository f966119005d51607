/** Tells, after a publish and the reload that follows it, whether the version is active or still on its way. */
import { Alert, Button } from '@mui/material';
import type { ReactElement } from 'react';
import { Link, useLocation, useNavigate } from 'react-router-dom';
import { useWords } from '../i18n/words.ts';
import { useDiscovery } from '../shell/discovery-context.ts';
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
  if (published === undefined) return null;
  const { migration } = published;
  const version = migration?.to_version ?? published.schema_version;
  const isActive = served >= version;
  return (
    <Alert
      severity={isActive ? 'success' : 'info'}
      sx={{ mb: 2 }}
      onClose={() => void navigate(`${pathname}${search}`, { replace: true, state: null })}
      action={
        migration === null ? undefined : (
          <Button size="small" color="inherit" component={Link} to={`/t/${app.name}/_migrations/${migration.id}`}>
            {t('to_migration')}
          </Button>
        )
      }
    >
      {isActive ? t('version_ready', { version }) : t('version_coming', { version, from: served })}
    </Alert>
  );
}
