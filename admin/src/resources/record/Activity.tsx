/** The story of a record, newest first: what changed, who said what, what workflows, clocks and webhooks did about it. */
import { Box, Button, Chip, Stack } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useRecordContext } from 'react-admin';
import { useRead } from '../../api/use-api.ts';
import { useWords } from '../../i18n/words.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import type { EntityProps } from '../shape.ts';
import { CommentBox } from './CommentBox.tsx';
import { Entry } from './Entry.tsx';
import { recordPath } from './path.ts';
import { MOST_ENTRIES, TYPES, type EntryType, type TimelineEntry } from './timeline.ts';
import { RECORD } from './words.ts';

interface TimelineAnswer {
  readonly data: readonly TimelineEntry[];
  readonly page: { readonly next_cursor: string | null };
}

const PAGE = 25;

export function Activity({ discovery, entity }: EntityProps): ReactElement | null {
  const t = useWords(RECORD);
  const record = useRecordContext();
  const [only, setOnly] = useState<EntryType>();
  const [limit, setLimit] = useState(PAGE);
  const path = record === undefined ? undefined : recordPath(discovery, entity, record.id);
  const query = `limit=${limit}${only === undefined ? '' : `&types=${only}`}`;
  const read = useRead<TimelineAnswer>(path === undefined ? undefined : `${path}/_timeline?${query}`, { every: 10_000 });
  if (path === undefined) return null;
  const entries = read.data?.data ?? [];
  return (
    <Stack spacing={2}>
      <CommentBox path={path} />
      <Stack direction="row" spacing={0.5} useFlexGap role="group" aria-label={t('show')} sx={{ flexWrap: 'wrap' }}>
        {([undefined, ...TYPES] as const).map((type) => (
          <Chip
            key={type ?? 'all'}
            size="small"
            label={t(type ?? 'all')}
            variant={only === type ? 'filled' : 'outlined'}
            color={only === type ? 'primary' : 'default'}
            aria-pressed={only === type}
            onClick={() => setOnly(type)}
          />
        ))}
      </Stack>
      <Problem error={read.error} onRetry={() => void read.refetch()} />
      {read.isPending ? <Loading lines={4} /> : null}
      {read.data !== undefined && entries.length === 0 ? <Empty>{t('none')}</Empty> : null}
      <Box component="ol" aria-label={t('activity')} sx={{ listStyle: 'none', m: 0, p: 0 }}>
        {entries.map((entry) => (
          <Entry key={`${entry.type}.${entry.id}.${entry.at}`} entry={entry} path={path} discovery={discovery} entity={entity} />
        ))}
      </Box>
      {read.data?.page.next_cursor && limit < MOST_ENTRIES ? <Button onClick={() => setLimit(limit + PAGE)}>{t('more')}</Button> : null}
    </Stack>
  );
}
