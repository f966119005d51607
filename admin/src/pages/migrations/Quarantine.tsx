/** Values that could not be carried over, each with a place for its new value: an ordinary write of the record repairs it. */
import { Alert, Box, Button, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useRead, useSend } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { RecordLink } from '../../plan/Conversions.tsx';
import type { SchemaVersion } from '../../plan/types.ts';
import { Part } from '../../plan/PlanPanel.tsx';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading } from '../../ui/Page.tsx';
import { Pager } from '../../ui/Pager.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import type { Migration } from './migration.ts';
import { fieldTypeIn, parseValue } from './repaired-value.ts';
import { MIGRATIONS } from './words.ts';

interface QuarantinedValue {
  readonly entity: string;
  readonly record_id: string;
  readonly field: string;
  readonly direction: 'up' | 'down' | 'conflict';
  readonly value: string | null;
  readonly error: string;
}

interface QuarantineAnswer {
  readonly data: readonly QuarantinedValue[];
  readonly meta: { readonly page: number; readonly per_page: number; readonly total: number };
}

const EVERY_MS = 3_000;

/** Nothing where there never was any. */
export function Quarantine({ migration }: { readonly migration: Migration }): ReactElement | null {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const [parameters, setParameters] = useSearchParams();
  const page = Math.max(Number(parameters.get('quarantine') ?? 1) || 1, 1);
  const path = `${appPath(app.name)}/_admin/migrations/${migration.id}/quarantine?page=${String(page)}`;
  const { data: answer, error, refetch } = useRead<QuarantineAnswer>(path, { every: EVERY_MS });
  const open = migration.quarantined ?? 0;
  if (error !== null) return <Problem error={error} onRetry={() => void refetch()} />;
  if (answer === undefined) return <Loading lines={2} />;
  if (answer.meta.total === 0)
    return migration.status === 'paused' && migration.phase === 'verify' ? (
      <Alert severity="success">{t('quarantine_repaired')}</Alert>
    ) : null;
  return (
    <Part title={t('quarantine')}>
      <Stack spacing={1}>
        {open === 0 ? null : (
          <Alert severity="warning">
            <strong>{t('quarantine_open', open)}.</strong> {t('quarantine_told')}
          </Alert>
        )}
        {answer.data.some(({ direction }) => direction === 'conflict') ? (
          <Typography variant="body2" sx={{ color: 'text.secondary' }}>
            {t('conflicts_told')}
          </Typography>
        ) : null}
        <Rows
          label={t('quarantine')}
          rows={answer.data}
          keyOf={(row) => `${row.entity} ${row.record_id} ${row.field} ${row.direction}`}
          columns={[
            { key: 'record', label: t('record'), cell: (row) => <RecordLink entity={row.entity} id={row.record_id} /> },
            { key: 'field', label: t('field'), cell: (row) => <code>{`${row.entity}.${row.field}`}</code> },
            { key: 'value', label: t('value'), cell: (row) => <code>{row.value ?? '–'}</code> },
            { key: 'problem', label: t('problem'), cell: (row) => row.error },
            {
              key: 'repair',
              label: t('new_value'),
              cell: (row) =>
                row.direction === 'conflict' ? <Status tone="info" label={t('conflict')} /> : <Repair row={row} migration={migration} />,
            },
          ]}
        />
        <Pager
          page={page}
          perPage={answer.meta.per_page}
          total={answer.meta.total}
          onPage={(next) => setParameters({ quarantine: String(next) }, { replace: true })}
        />
      </Stack>
    </Part>
  );
}

/** Written in the shape whose field lacks a value: the new one on the way up, the older one on the way down. */
function Repair({ row, migration }: { readonly row: QuarantinedValue; readonly migration: Migration }): ReactElement {
  const t = useWords(MIGRATIONS);
  const { app } = useDiscovery();
  const send = useSend();
  const version = row.direction === 'up' ? migration.to_version : migration.from_version;
  const { data: document } = useRead<{ data: SchemaVersion }>(`${appPath(app.name)}/_admin/versions/${String(version)}`);
  const [text, setText] = useState(row.value ?? '');
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const of = { field: row.field, record: row.record_id };
  const repair = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      const value = parseValue(text, fieldTypeIn(document?.data.document, row.entity, row.field));
      await send(
        'PATCH',
        `${appPath(app.name)}/${row.entity}/${encodeURIComponent(row.record_id)}`,
        { [row.field]: value },
        { headers: { 'Schema-Version': String(version) } },
      );
    } catch (refusal) {
      setError(refusal);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Box component="form" onSubmit={(event) => (event.preventDefault(), void repair())} sx={{ minWidth: 200 }}>
      <Stack direction="row" spacing={1} sx={{ alignItems: 'center' }}>
        <TextField
          size="small"
          value={text}
          placeholder={t('empty')}
          onChange={(event) => setText(event.target.value)}
          slotProps={{ htmlInput: { 'aria-label': t('new_value_of', of) } }}
          sx={{ minWidth: 110, flex: 1 }}
        />
        <Button type="submit" size="small" disabled={isBusy || text === (row.value ?? '')} aria-label={t('repair_of', of)}>
          {t('repair')}
        </Button>
      </Stack>
      {error === undefined ? null : (
        <Box sx={{ mt: 1 }}>
          <Problem error={error} />
        </Box>
      )}
    </Box>
  );
}
