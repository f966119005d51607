import { Box, Button, Paper, Stack, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { lazy, Suspense, type ReactElement } from 'react';
import { Link as RouterLink, useParams, useSearchParams } from 'react-router-dom';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { ChangeList } from '../../plan/ChangeList.tsx';
import { Part } from '../../plan/PlanPanel.tsx';
import type { SchemaVersion } from '../../plan/types.ts';
import { useAuthor } from '../../plan/use-author.ts';
import { PLAN } from '../../plan/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import type { Format } from './document-text.ts';
import { useVersionPaths, useVersions } from './use-versions.ts';
import { VersionClass } from './VersionList.tsx';
import { VERSIONS } from './words.ts';

const DocumentText = lazy(() => import('./DocumentText.tsx'));

/** What changed with a version, and its whole document to read or take away. */
export function OneVersion(): ReactElement {
  const t = useWords(VERSIONS);
  const { version = '' } = useParams();
  const { pages, api } = useVersionPaths();
  const { data: answer, error, isPending, refetch } = useRead<{ data: SchemaVersion }>(`${api}/versions/${encodeURIComponent(version)}`);
  const found = answer?.data;
  return (
    <Page
      title={t('version_n', { version })}
      description={found === undefined ? undefined : <Facts version={found} />}
      actions={
        <>
          <Button component={RouterLink} to={pages} size="small">
            {t('all')}
          </Button>
          {found === undefined ? null : <Actions version={found} />}
        </>
      }
    >
      <Problem error={error} onRetry={() => void refetch()} />
      {isPending ? <Loading /> : null}
      {found === undefined ? null : <Content version={found} />}
    </Page>
  );
}

function Facts({ version }: { readonly version: SchemaVersion }): ReactElement {
  const t = useWords(VERSIONS);
  const author = useAuthor();
  return (
    <Stack component="span" direction="row" spacing={1.5} useFlexGap sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
      {version.is_served ? <Status tone="done" label={t('served')} /> : null}
      <VersionClass of={version.class} />
      <span>{author(version.created_by)}</span>
      <Time at={version.created_at} />
    </Stack>
  );
}

function Actions({ version: { version, is_served: isServed } }: { readonly version: SchemaVersion }): ReactElement {
  const t = useWords(VERSIONS);
  const { pages } = useVersionPaths();
  const { data: all } = useVersions();
  const isOwner = all?.meta.is_owner;
  return (
    <>
      <Button component={RouterLink} size="small" to={`${pages}/compare?from=${String(version - 1)}&to=${String(version)}`}>
        {t('compare_before', { version: version - 1 })}
      </Button>
      {isServed || isOwner === undefined ? null : (
        <Button component={RouterLink} size="small" variant="outlined" to={`${pages}/${String(version)}/rollback`}>
          {t(isOwner ? 'roll_back' : 'move')}
        </Button>
      )}
    </>
  );
}

function Content({ version }: { readonly version: SchemaVersion }): ReactElement {
  const t = useWords(VERSIONS);
  const plan = useWords(PLAN);
  const { app } = useDiscovery();
  const [parameters, setParameters] = useSearchParams();
  const format: Format = parameters.get('format') === 'json' ? 'json' : 'yaml';
  return (
    <Stack spacing={2.5}>
      <Part title={plan('changes')}>
        <Paper variant="outlined" sx={{ p: 1.5 }}>
          <ChangeList changes={version.changes} />
        </Paper>
      </Part>
      <Box component="section" aria-label={t('document')}>
        <Stack direction="row" spacing={1} sx={{ mb: 1, alignItems: 'center' }}>
          <Typography component="h2" variant="subtitle2" sx={{ flex: 1 }}>
            {t('document')}
          </Typography>
          <ToggleButtonGroup
            size="small"
            exclusive
            value={format}
            aria-label={t('format')}
            onChange={(_event, chosen: Format | null) =>
              chosen === null ? undefined : setParameters({ format: chosen }, { replace: true })
            }
          >
            <ToggleButton value="yaml" sx={{ color: 'text.primary' }}>
              YAML
            </ToggleButton>
            <ToggleButton value="json" sx={{ color: 'text.primary' }}>
              JSON
            </ToggleButton>
          </ToggleButtonGroup>
        </Stack>
        <Suspense fallback={<Loading lines={12} />}>
          <DocumentText document={version.document ?? {}} format={format} name={`${app.name}-v${String(version.version)}`} />
        </Suspense>
      </Box>
    </Stack>
  );
}
