import CompareArrowsOutlined from '@mui/icons-material/CompareArrowsOutlined';
import { Alert, Button, IconButton, Link, Stack, Tooltip, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { ChangeList } from '../../plan/ChangeList.tsx';
import { useAuthor } from '../../plan/use-author.ts';
import type { SchemaVersion } from '../../plan/types.ts';
import { PLAN } from '../../plan/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { useVersionPaths, useVersions, type VersionsAnswer } from './use-versions.ts';
import { VERSIONS } from './words.ts';

export function VersionList(): ReactElement {
  const t = useWords(VERSIONS);
  const { pages } = useVersionPaths();
  const { data: answer, error, isPending, refetch } = useVersions();
  const columns = useColumns(answer?.meta);
  return (
    <Page
      title={t('title')}
      description={t('description')}
      actions={
        (answer?.data.length ?? 0) > 1 ? (
          <Button component={RouterLink} to={`${pages}/compare`} startIcon={<CompareArrowsOutlined />} variant="outlined" size="small">
            {t('compare')}
          </Button>
        ) : undefined
      }
    >
      <Problem error={error} onRetry={() => void refetch()} />
      {answer === undefined ? null : <Standing meta={answer.meta} />}
      {isPending ? <Loading /> : null}
      {answer === undefined ? null : answer.data.length === 0 ? (
        <Empty>{t('none')}</Empty>
      ) : (
        <Rows label={t('title')} rows={answer.data} keyOf={(row) => row.version} columns={columns} />
      )}
    </Page>
  );
}

/** How the app stands to its schema, where there is anything to say. */
export function Standing({ meta }: { readonly meta: VersionsAnswer['meta'] }): ReactElement | null {
  const t = useWords(VERSIONS);
  if (meta.is_owner && meta.pinned_version === null) return null;
  return (
    <Alert severity="info" sx={{ mb: 2 }}>
      {meta.is_owner ? null : <div>{t('follows', { schema: meta.schema })}</div>}
      {meta.pinned_version === null ? null : <div>{t('pinned', { version: meta.pinned_version })}</div>}
      {meta.served_version === meta.latest_version ? null : (
        <div>{t('behind', { served: meta.served_version, latest: meta.latest_version })}</div>
      )}
    </Alert>
  );
}

function useColumns(meta: VersionsAnswer['meta'] | undefined): readonly Column<SchemaVersion>[] {
  const t = useWords(VERSIONS);
  const { pages } = useVersionPaths();
  const author = useAuthor();
  return [
    {
      key: 'version',
      label: t('version'),
      cell: (row) => (
        <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
          <Link
            component={RouterLink}
            to={`${pages}/${String(row.version)}`}
            sx={{ fontWeight: 600 }}
            aria-label={t('version_n', { version: row.version })}
          >
            {row.version}
          </Link>
          {row.is_served ? <Status tone="done" label={t('served')} /> : null}
        </Stack>
      ),
    },
    { key: 'class', label: t('class'), cell: (row) => <VersionClass of={row.class} /> },
    { key: 'changes', label: t('changes'), cell: (row) => <ChangeList changes={row.changes} atFirst={3} isShort /> },
    { key: 'by', label: t('by'), cell: (row) => author(row.created_by) },
    { key: 'published', label: t('published'), cell: (row) => <Time at={row.created_at} /> },
    {
      key: 'actions',
      label: t('actions'),
      align: 'right',
      cell: (row) => (
        <Stack direction="row" spacing={0.5} sx={{ justifyContent: { sm: 'flex-end' }, whiteSpace: 'nowrap' }}>
          <Tooltip title={t('compare_before', { version: row.version - 1 })}>
            <IconButton
              component={RouterLink}
              size="small"
              to={`${pages}/compare?from=${String(row.version - 1)}&to=${String(row.version)}`}
              aria-label={`${t('version_n', { version: row.version })}: ${t('compare_before', { version: row.version - 1 })}`}
            >
              <CompareArrowsOutlined fontSize="small" />
            </IconButton>
          </Tooltip>
          {row.is_served || meta === undefined ? null : (
            <Button
              component={RouterLink}
              size="small"
              to={`${pages}/${String(row.version)}/rollback`}
              aria-label={`${t(meta.is_owner ? 'roll_back' : 'move')}: ${t('version_n', { version: row.version })}`}
            >
              {t(meta.is_owner ? 'roll_back' : 'move')}
            </Button>
          )}
        </Stack>
      ),
    },
  ];
}

export function VersionClass({ of }: { readonly of: string }): ReactElement {
  const t = useWords(PLAN);
  if (of === 'breaking') return <Status tone="warning" label={t('breaking')} />;
  return (
    <Typography component="span" variant="body2" sx={{ color: 'text.secondary' }}>
      {t(of === 'initial' ? 'initial' : 'compatible')}
    </Typography>
  );
}
