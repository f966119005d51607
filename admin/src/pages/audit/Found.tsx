/** The entries that were found, with the way to older ones, and the export of all that the filters find. */
import { Button, Stack } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useRead, useRested } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { client } from '../../session.ts';
import { download } from '../../ui/download.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows, type Column } from '../../ui/Rows.tsx';
import { useAddress } from '../../ui/use-address.ts';
import { csvLine, withoutFormula } from '../../../../core/csv.ts';
import { useFilter } from './Filters.tsx';
import type { Walk } from './entry.ts';
import { AUDIT } from './words.ts';

interface FoundProps<Entry> {
  readonly label: string;
  /** Of the API. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly columns: readonly Column<Entry>[];
  readonly keyOf: (entry: Entry) => string | number;
  /** The cells of an entry in a file, by their headings. */
  readonly cells: (entry: Entry) => Readonly<Record<string, string>>;
  readonly file: string;
}

const SHOWN = 50;

export function Found<Entry>({ label, path, query, columns, keyOf, cells, file }: FoundProps<Entry>): ReactElement {
  const t = useWords(AUDIT);
  const { params, change } = useAddress();
  const { clear } = useFilter();
  const cursor = params.get('cursor');
  const asked = new URLSearchParams([...query, ['limit', String(SHOWN)], ...(cursor === null ? [] : [['cursor', cursor]])]);
  const read = useRead<Walk<Entry>>(useRested(`${path}?${asked.toString()}`, 250));
  const entries = read.data?.data ?? [];
  const next = read.data?.page.next_cursor ?? null;
  const isFiltered = query.size > 0;
  return (
    <>
      <Export path={path} query={query} cells={cells} file={file} />
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading lines={8} /> : null}
      {read.data === undefined || entries.length > 0 ? null : (
        <Empty action={isFiltered ? <Button onClick={clear}>{t('clear')}</Button> : undefined}>
          {t(next !== null ? 'none_here' : isFiltered ? 'none_match' : 'none')}
        </Empty>
      )}
      {entries.length === 0 ? null : <Rows label={label} columns={columns} rows={entries} keyOf={keyOf} />}
      <Stack direction="row" spacing={1} sx={{ justifyContent: 'flex-end' }}>
        {cursor === null ? null : <Button onClick={() => change({ cursor: undefined })}>{t('newest')}</Button>}
        {next === null ? null : <Button onClick={() => change({ cursor: next })}>{t('older')}</Button>}
      </Stack>
    </>
  );
}

/** As many as the API gives at once. */
const AT_ONCE = 200;

type ExportProps<Entry> = Pick<FoundProps<Entry>, 'path' | 'query' | 'cells' | 'file'>;

/** Walks all pages of the same question that the page shows, so that the file is what the filters find. */
function Export<Entry>({ path, query, cells, file }: ExportProps<Entry>): ReactElement {
  const t = useWords(AUDIT);
  const [running, setRunning] = useState<{ readonly count: number; readonly stop: AbortController }>();
  const [error, setError] = useState<unknown>();
  const write = async (toText: (entries: readonly Entry[]) => string, ending: string, type: string): Promise<void> => {
    const stop = new AbortController();
    const all: Entry[] = [];
    setError(undefined);
    setRunning({ count: 0, stop });
    try {
      for (let cursor: string | null = ''; cursor !== null;) {
        const asked: string = new URLSearchParams([...query, ['limit', String(AT_ONCE)], ['cursor', cursor]]).toString();
        const { body } = await client.call<Walk<Entry>>(`${path}?${asked}`, { signal: stop.signal });
        all.push(...body.data);
        cursor = body.page.next_cursor;
        setRunning({ count: all.length, stop });
      }
      download(`${file}.${ending}`, toText(all), type);
    } catch (refused) {
      if (!stop.signal.aborted) setError(refused);
    } finally {
      setRunning(undefined);
    }
  };
  if (running !== undefined)
    return (
      <Stack direction="row" spacing={1} role="status" sx={{ alignItems: 'center' }}>
        <span>{t('exporting', running.count)}</span>
        <Button onClick={() => running.stop.abort()}>{t('stop')}</Button>
      </Stack>
    );
  return (
    <div>
      <Problem error={error} />
      <Button onClick={() => void write((all) => csvOf(all.map(cells)), 'csv', 'text/csv')}>{t('export_csv')}</Button>
      <Button onClick={() => void write((all) => JSON.stringify(all, null, 2), 'json', 'application/json')}>{t('export_json')}</Button>
    </div>
  );
}

/** Nothing in it runs in a spreadsheet. */
const csvOf = (rows: readonly Readonly<Record<string, string>>[]): string =>
  [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row))].map((row) => csvLine(row.map(withoutFormula))).join('');
