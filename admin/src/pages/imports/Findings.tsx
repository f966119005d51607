/** What is wrong with which row, and what an undo has left. */
import DownloadOutlined from '@mui/icons-material/DownloadOutlined';
import { Button, Link, Stack, Typography } from '@mui/material';
import { useEffect, useState, type ReactElement, type ReactNode } from 'react';
import { Link as RouterLink } from 'react-router-dom';
import type { Import, ImportError } from '../../../../client/client.ts';
import { useRead } from '../../api/use-api.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { client } from '../../session.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { IMPORTS } from './words.ts';

interface OfImport {
  readonly of: Import;
  readonly path: string;
}

interface Part<Row> {
  readonly data: readonly Row[];
  readonly page: { readonly next_cursor: string | null };
}

const LIMIT = 50;

/** A list read on from its end. */
function useParts<Row>(path: string): { rows: readonly Row[]; error: unknown; isPending: boolean; more: (() => void) | undefined } {
  const [before, setBefore] = useState<readonly Row[]>([]);
  const [cursor, setCursor] = useState('');
  const read = useRead<Part<Row>>(`${path}?limit=${LIMIT}&cursor=${encodeURIComponent(cursor)}`);
  const next = read.data?.page.next_cursor ?? undefined;
  const rows = read.isPlaceholderData ? before : [...before, ...(read.data?.data ?? [])];
  const more = (): void => {
    setBefore(rows);
    setCursor(next ?? '');
  };
  return { rows, error: read.error, isPending: read.isPending, more: next === undefined || read.isPlaceholderData ? undefined : more };
}

interface SectionProps {
  readonly title: string;
  readonly action?: ReactNode;
  readonly children: ReactNode;
}

const Section = ({ title, action, children }: SectionProps): ReactElement => (
  <Stack component="section" aria-label={title} spacing={1}>
    <Stack direction="row" spacing={1} useFlexGap sx={{ alignItems: 'center', justifyContent: 'space-between', flexWrap: 'wrap' }}>
      <Typography variant="h6" component="h2">
        {title}
      </Typography>
      {action}
    </Stack>
    {children}
  </Stack>
);

export function Errors({ of, path }: OfImport): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const { rows, error, isPending, more } = useParts<ImportError>(`${path}/errors`);
  const columns: readonly Column<ImportError>[] = [
    { key: 'line', label: t('line'), align: 'right', width: 90, cell: ({ line }) => format.number(line) },
    { key: 'column', label: t('column'), cell: ({ column }) => column ?? '–' },
    { key: 'message', label: t('message'), cell: ({ message }) => message },
    { key: 'code', label: t('code'), cell: ({ code, rule }) => [code, rule].filter(Boolean).join(' · ') },
  ];
  return (
    <Section title={t('errors')} action={rows.length === 0 ? null : <Download of={of} path={path} />}>
      <Problem error={error} />
      {isPending ? <Loading lines={2} /> : null}
      {!isPending && rows.length === 0 ? <Typography sx={{ color: 'text.secondary' }}>{t('no_errors')}</Typography> : null}
      {rows.length === 0 ? null : (
        <Rows
          label={t('errors')}
          columns={columns}
          rows={rows}
          keyOf={({ line, column, message }) => `${line} ${column ?? ''} ${message}`}
        />
      )}
      {more === undefined ? null : <Button onClick={more}>{t('show_more')}</Button>}
    </Section>
  );
}

/** The file of bad rows, fetched as whoever is signed in. */
function Download({ of, path }: OfImport): ReactElement {
  const t = useWords(IMPORTS);
  const [error, setError] = useState<unknown>();
  const [address, setAddress] = useState<string>();
  useEffect(() => () => (address === undefined ? undefined : URL.revokeObjectURL(address)), [address]);
  const fetchFile = async (): Promise<void> => {
    const { body } = await client.call<Blob>(`${path}/errors.${of.format}`, { as: 'blob' });
    const made = URL.createObjectURL(body);
    setAddress(made);
    const link = document.createElement('a');
    link.href = made;
    link.download = `${(of.file_name ?? of.entity).replace(/\.[^.]*$/, '')}-bad-rows.${of.format}`;
    link.click();
  };
  return (
    <>
      <Problem error={error} />
      <Button size="small" startIcon={<DownloadOutlined />} onClick={() => void fetchFile().catch(setError)}>
        {t('download')}
      </Button>
    </>
  );
}

interface KeptRecord {
  readonly line: number;
  readonly record_id: string;
  readonly reason: string;
}

export function Kept({ of, path }: OfImport): ReactElement {
  const t = useWords(IMPORTS);
  const format = useFormat();
  const app = useDiscovery().app.name;
  const { rows, error, isPending, more } = useParts<KeptRecord>(`${path}/kept`);
  const columns: readonly Column<KeptRecord>[] = [
    { key: 'line', label: t('line'), align: 'right', width: 90, cell: ({ line }) => format.number(line) },
    {
      key: 'record',
      label: t('record'),
      cell: ({ record_id: id }) => (
        <Link component={RouterLink} to={`/t/${app}/${of.entity}/${encodeURIComponent(id)}/show`}>
          {id}
        </Link>
      ),
    },
    { key: 'reason', label: t('reason'), cell: ({ reason }) => reason },
  ];
  return (
    <Section title={t('kept_title')}>
      <Problem error={error} />
      {isPending ? <Loading lines={2} /> : null}
      {rows.length === 0 ? null : <Rows label={t('kept_title')} columns={columns} rows={rows} keyOf={({ record_id: id }) => id} />}
      {more === undefined ? null : <Button onClick={more}>{t('show_more')}</Button>}
    </Section>
  );
}
