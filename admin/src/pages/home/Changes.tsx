/** The last records that changed, each once, as far as whoever looks may see them. */
import { Box, Paper, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Time } from '../../ui/Time.tsx';
import { RecordLink } from '../runs/RunRows.tsx';
import type { LastChange } from './overview.ts';
import { Line } from './Panel.tsx';
import { HOME } from './words.ts';

export function Changes({ changes }: { readonly changes: readonly LastChange[] }): ReactElement {
  const t = useWords(HOME);
  return (
    <Paper variant="outlined" component="section" aria-labelledby="home-changes">
      <Typography id="home-changes" variant="subtitle2" component="h2" sx={{ px: 2, pt: 1.5 }}>
        {t('changes')}
      </Typography>
      {changes.length === 0 ? (
        <Typography variant="body2" sx={{ color: 'text.secondary', px: 2, py: 1.5 }}>
          {t('no_changes')}
        </Typography>
      ) : (
        <Box component="ul" aria-labelledby="home-changes" sx={{ listStyle: 'none', m: 0, px: 2, py: 1 }}>
          {changes.map((change) => (
            <Change key={`${change.entity} ${change.record_id}`} change={change} />
          ))}
        </Box>
      )}
    </Paper>
  );
}

function Change({ change }: { readonly change: LastChange }): ReactElement {
  const t = useWords(HOME);
  const discovery = useDiscovery();
  const { type, entity: name, record_id: record, changed_fields: fields = [], at, actor } = change;
  const who = actor.name ?? t(actor.kind === 'system' ? 'system' : 'somebody');
  const known = new Map(entityNamed(discovery, name)?.fields.map((field) => [field.name, field]));
  // That the time of the change changed says nothing.
  const labels = fields.flatMap((field) => (known.get(field)?.auto === true ? [] : [known.get(field)?.label ?? field])).join(', ');
  const told =
    type === 'record.created'
      ? t('created', { who })
      : type === 'record.deleted'
        ? t('deleted', { who })
        : t('updated', { who, fields: labels });
  return (
    <Line title={told} end={<Time at={at} as="ago" />}>
      {type === 'record.deleted' ? (
        (entityNamed(discovery, name)?.label ?? name)
      ) : (
        <RecordLink of={{ id: record, entity: name, record_id: record }} />
      )}
    </Line>
  );
}
