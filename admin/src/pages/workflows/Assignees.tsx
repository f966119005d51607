/** Who is asked: one or several, each found in a way of its own. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Box, IconButton, MenuItem, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { ASSIGNEE_KINDS, ASSIGNEE_PARTS } from './parts.ts';
import { Parts } from './Parts.tsx';
import { rawsOf, type Raw } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface AssigneesProps {
  readonly label: string;
  /** One, a list, or none. */
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly path: string;
}

const emptied = (list: readonly Raw[]): unknown => (list.length === 0 ? undefined : list.length === 1 ? list[0] : list);

export function Assignees({ label, value, onChange, path }: AssigneesProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const asked = rawsOf(value);
  const isOne = !Array.isArray(value);
  return (
    <Stack spacing={1.5} role="group" aria-label={label}>
      <Typography variant="body2" sx={{ fontWeight: 500 }}>
        {label}
      </Typography>
      {asked.length === 0 ? (
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('nobody_named')}
        </Typography>
      ) : null}
      {asked.map((one, index) => {
        const kind = ASSIGNEE_KINDS.find((each) => each === one['type']);
        return (
          <Box
            key={`${index} ${String(one['type'])}`}
            sx={{ display: 'grid', gap: 1, gridTemplateColumns: 'minmax(0, 1fr) 36px', alignItems: 'start' }}
          >
            <div>
              <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mb: 1 }}>
                {kind === undefined ? '' : t(`assignee_${kind}`)}
              </Typography>
              <Parts
                parts={kind === undefined ? [] : ASSIGNEE_PARTS[kind]}
                value={one}
                path={isOne ? path : `${path}.${index}`}
                suffix={` (${index + 1})`}
                onChange={(next) => onChange(emptied(asked.map((each, at) => (at === index ? next : each))))}
              />
            </div>
            <IconButton
              size="small"
              aria-label={t('remove_assignee', { of: label, at: index + 1 })}
              onClick={() => onChange(emptied(asked.filter((_, at) => at !== index)))}
            >
              <DeleteOutlined fontSize="small" />
            </IconButton>
          </Box>
        );
      })}
      <TextField
        select
        size="small"
        label={t('add_assignee', { to: label })}
        value=""
        onChange={(event) => onChange(emptied([...asked, { type: event.target.value }]))}
        sx={{ maxWidth: 320 }}
      >
        {ASSIGNEE_KINDS.map((kind) => (
          <MenuItem key={kind} value={kind}>
            {t(`assignee_${kind}`)}
          </MenuItem>
        ))}
      </TextField>
    </Stack>
  );
}
