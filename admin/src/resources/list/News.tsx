import RefreshOutlined from '@mui/icons-material/RefreshOutlined';
import { Button, Paper } from '@mui/material';
import { useEffect, useState, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { useLiveEvents } from '../../shell/Live.tsx';
import { LIST } from './words.ts';

export interface News {
  readonly added: ReadonlySet<string>;
  readonly changed: ReadonlySet<string>;
}

const NONE: News = { added: new Set(), changed: new Set() };

/** What happened to the records of a list since it was read (`readAt`), but for what this window did. */
export function useNews(entity: string, shown: readonly string[], readAt: number): News {
  const [news, setNews] = useState<News>(NONE);
  useEffect(() => setNews(NONE), [entity, readAt]);
  useLiveEvents(entity, (event) => {
    const id = event.record_id;
    if (event.type === 'record.created') setNews((before) => ({ ...before, added: new Set(before.added).add(id) }));
    else if (event.type !== 'custom' && shown.includes(id)) setNews((before) => ({ ...before, changed: new Set(before.changed).add(id) }));
  });
  return news;
}

interface NewsBarProps {
  readonly news: News;
  readonly onRefresh: () => void;
}

/** Rows never move under the pointer: they wait here until they are asked for. */
export function NewsBar({ news, onRefresh }: NewsBarProps): ReactElement | null {
  const t = useWords(LIST);
  const { added, changed } = news;
  if (added.size + changed.size === 0) return null;
  const parts = [...(added.size > 0 ? [t('news_new', added.size)] : []), ...(changed.size > 0 ? [t('news_changed', changed.size)] : [])];
  return (
    <Paper
      variant="outlined"
      role="status"
      sx={{ px: 1.5, py: 0.25, mb: 1, display: 'flex', alignItems: 'center', gap: 1, borderColor: 'primary.main' }}
    >
      {parts.join(', ')}
      <Button size="small" startIcon={<RefreshOutlined />} onClick={onRefresh}>
        {t('refresh')}
      </Button>
    </Paper>
  );
}
