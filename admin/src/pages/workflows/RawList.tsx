import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, Button, IconButton, Paper, Stack, Typography } from '@mui/material';
import type { ReactElement, ReactNode } from 'react';
import { useWords } from '../../i18n/words.ts';
import type { Raw } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface RawListProps {
  readonly label: string;
  readonly hint?: string;
  readonly items: readonly Raw[];
  /** What a new one begins with. */
  readonly fresh: Raw;
  readonly add: string;
  readonly onChange: (items: readonly Raw[]) => void;
  readonly children: (item: Raw, onItem: (item: Raw) => void, at: number) => ReactNode;
}

/** Several of a kind: reminders, groups, cases. */
export function RawList({ label, hint, items, fresh, add, onChange, children }: RawListProps): ReactElement {
  const t = useWords(WORKFLOWS);
  return (
    <Stack spacing={1.5} role="group" aria-label={label}>
      <div>
        <Typography component="h3" variant="subtitle2">
          {label}
        </Typography>
        {hint === undefined ? null : (
          <Typography variant="caption" sx={{ color: 'text.secondary' }}>
            {hint}
          </Typography>
        )}
      </div>
      {items.map((item, index) => (
        <Paper
          key={index}
          variant="outlined"
          sx={{ p: 1.5, display: 'grid', gap: 1, gridTemplateColumns: 'minmax(0, 1fr) 36px', alignItems: 'start' }}
        >
          <Box sx={{ minWidth: 0 }}>{children(item, (next) => onChange(items.map((each, at) => (at === index ? next : each))), index)}</Box>
          <IconButton
            size="small"
            aria-label={t('remove_from', { of: label, at: index + 1 })}
            onClick={() => onChange(items.filter((_, at) => at !== index))}
          >
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Paper>
      ))}
      <Button size="small" variant="outlined" sx={{ alignSelf: 'start' }} onClick={() => onChange([...items, fresh])}>
        {add}
      </Button>
    </Stack>
  );
}
