import { Box, Link, Stack, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { ReferenceField } from 'react-admin';
import { Link as RouterLink } from 'react-router-dom';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { Time } from '../../ui/Time.tsx';
import { RUN_TONES, type ShownStatus } from './run.ts';
import { RUNS } from './words.ts';
import { spaced } from '../../ui/spaced.ts';

/** What lists show of a run, whichever door they came from. */
export interface ListedRun {
  readonly id: string;
  readonly workflow_name: string;
  readonly status: ShownStatus;
  readonly step: string | null;
  readonly entity: string | null;
  readonly record_id: string | null;
  readonly error: string | null;
  readonly started_at: string;
}

export function RunRows({ runs }: { readonly runs: readonly ListedRun[] }): ReactElement {
  const t = useWords(RUNS);
  const { app } = useDiscovery();
  const columns: readonly Column<ListedRun>[] = [
    {
      key: 'workflow',
      label: t('workflow'),
      cell: (run) => (
        <Link component={RouterLink} to={`/t/${app.name}/_runs/${run.id}`} sx={{ fontWeight: 600 }}>
          {spaced(run.workflow_name)}
        </Link>
      ),
    },
    { key: 'state', label: t('state'), cell: ({ status }) => <Status tone={RUN_TONES[status]} label={t(status)} /> },
    {
      key: 'step',
      label: t('step'),
      cell: ({ step, error }) => (
        <Stack>
          <span>{step ?? '–'}</span>
          {error === null ? null : (
            <Typography variant="caption" color="error" sx={{ overflowWrap: 'anywhere' }}>
              {error}
            </Typography>
          )}
        </Stack>
      ),
    },
    { key: 'record', label: t('record'), cell: (run) => <RecordLink of={run} /> },
    { key: 'started', label: t('started'), cell: ({ started_at: at }) => <Time at={at} as="ago" /> },
  ];
  return <Rows label={t('title')} columns={columns} rows={runs} keyOf={({ id }) => id} />;
}

interface OfRecord {
  readonly id: string;
  readonly entity: string | null;
  readonly record_id: string | null;
}

/** The record's title with a link to it, for who may read it. */
export function RecordLink({ of: { id, entity: name, record_id: record } }: { readonly of: OfRecord }): ReactElement {
  const discovery = useDiscovery();
  if (name === null || record === null) return <span>–</span>;
  const entity = entityNamed(discovery, name);
  if (entity?.permissions.read !== true) return <span>{entity?.label ?? name}</span>;
  return (
    // What stands there until the title is known stays on the line: rows would shrink under the pointer.
    <Box
      component="span"
      sx={{ '& .MuiBox-root, & .MuiLinearProgress-root': { display: 'inline-block', width: '6em', m: 0, verticalAlign: 'middle' } }}
    >
      {entity.label}: <ReferenceField record={{ id, record }} source="record" reference={name} link="show" emptyText="–" />
    </Box>
  );
}
