import SwapHorizOutlined from '@mui/icons-material/SwapHorizOutlined';
import { Button, IconButton, MenuItem, Paper, Stack, TextField, Tooltip, Typography } from '@mui/material';
import { lazy, Suspense, type ReactElement } from 'react';
import { Link as RouterLink, useSearchParams } from 'react-router-dom';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { ChangeList } from '../../plan/ChangeList.tsx';
import { Part } from '../../plan/PlanPanel.tsx';
import type { Change, SchemaVersion } from '../../plan/types.ts';
import { PLAN } from '../../plan/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useVersionPaths, useVersions } from './use-versions.ts';
import { VERSIONS } from './words.ts';

const DocumentDiff = lazy(() => import('./DocumentDiff.tsx'));

/** Any two versions: what differs as typed changes, and as text. The two are in the address. */
export function CompareVersions(): ReactElement {
  const t = useWords(VERSIONS);
  const { pages } = useVersionPaths();
  const [parameters, setParameters] = useSearchParams();
  const { data: all, error, refetch } = useVersions();
  const newest = all?.data[0]?.version ?? 1;
  const to = numberOf(parameters.get('to')) ?? newest;
  const from = numberOf(parameters.get('from')) ?? Math.max(to - 1, 0);
  const choose = (next: { readonly from: number; readonly to: number }): void =>
    setParameters({ from: String(next.from), to: String(next.to) }, { replace: true });
  const known = all?.data.map((one) => one.version) ?? [];
  return (
    <Page
      title={t('compare_title')}
      actions={
        <Button component={RouterLink} to={pages} size="small">
          {t('all')}
        </Button>
      }
    >
      <Problem error={error} onRetry={() => void refetch()} />
      {all === undefined ? (
        <Loading />
      ) : (
        <Stack spacing={2.5}>
          <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
            <VersionSelect
              label={t('compare_from')}
              value={from}
              versions={[...known, 0]}
              onChange={(version) => choose({ from: version, to })}
            />
            <Tooltip title={t('swap')}>
              <IconButton aria-label={t('swap')} onClick={() => choose({ from: to, to: from })}>
                <SwapHorizOutlined />
              </IconButton>
            </Tooltip>
            <VersionSelect
              label={t('compare_to')}
              value={to}
              versions={[...known, 0]}
              onChange={(version) => choose({ from, to: version })}
            />
          </Stack>
          {from === to ? <Empty>{t('same')}</Empty> : <Difference key={`${String(from)} ${String(to)}`} from={from} to={to} />}
        </Stack>
      )}
    </Page>
  );
}

const numberOf = (text: string | null): number | undefined => (text !== null && /^\d{1,9}$/.test(text) ? Number(text) : undefined);

interface VersionSelectProps {
  readonly label: string;
  readonly value: number;
  readonly versions: readonly number[];
  readonly onChange: (version: number) => void;
}

function VersionSelect({ label, value, versions, onChange }: VersionSelectProps): ReactElement {
  const t = useWords(VERSIONS);
  const offered = versions.includes(value) ? versions : [value, ...versions];
  return (
    <TextField
      select
      size="small"
      label={label}
      value={String(value)}
      onChange={(event) => onChange(Number(event.target.value))}
      sx={{ minWidth: { xs: 0, sm: 200 }, flex: { xs: 1, sm: 'none' } }}
    >
      {offered.map((version) => (
        <MenuItem key={version} value={String(version)}>
          {version === 0 ? t('empty_document') : t('version_n', { version })}
        </MenuItem>
      ))}
    </TextField>
  );
}

function Difference({ from, to }: { readonly from: number; readonly to: number }): ReactElement {
  const t = useWords(VERSIONS);
  const plan = useWords(PLAN);
  const { api } = useVersionPaths();
  const { data, error, refetch } = useRead<{ data: { changes: readonly Change[]; class: string } }>(`${api}/versions/${from}...${to}`);
  const before = useDocument(from);
  const after = useDocument(to);
  if (error !== null) return <Problem error={error} onRetry={() => void refetch()} />;
  if (data === undefined || before === undefined || after === undefined) return <Loading />;
  return (
    <>
      <Part title={plan('changes')}>
        {data.data.changes.length === 0 ? (
          <Typography>{t('no_changes')}</Typography>
        ) : (
          <Paper variant="outlined" sx={{ p: 1.5 }}>
            <ChangeList changes={data.data.changes} />
          </Paper>
        )}
      </Part>
      <Part title={t('text')}>
        <Suspense fallback={<Loading lines={12} />}>
          <DocumentDiff before={before} after={after} label={t('text_label', { from, to })} />
        </Suspense>
      </Part>
    </>
  );
}

const NOTHING: Readonly<Record<string, unknown>> = {};

/** Version 0 is the empty document. */
function useDocument(version: number): Readonly<Record<string, unknown>> | undefined {
  const { api } = useVersionPaths();
  const { data } = useRead<{ data: SchemaVersion }>(version === 0 ? undefined : `${api}/versions/${version}`);
  return version === 0 ? NOTHING : data?.data.document;
}
