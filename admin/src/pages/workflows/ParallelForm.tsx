/** Branches that go at once: how many must end, and which there are. Their steps stand in the diagram and the outline. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Autocomplete, Button, IconButton, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { useBuilder } from './builder.ts';
import { addBranch, innerLists, removeBranch } from './steps.ts';
import { textOf, withPart, type Step } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface ParallelFormProps {
  readonly step: Step;
  readonly path: string;
  readonly onChange: (step: Step) => void;
}

export function ParallelForm({ step, path, onChange }: ParallelFormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { errorAt, freeId } = useBuilder();
  const branches = innerLists(step);
  const error = errorAt(`${path}.join`);
  return (
    <Stack spacing={2}>
      <Autocomplete
        freeSolo
        size="small"
        options={['all', 'any', '1']}
        inputValue={textOf(step['join'])}
        onInputChange={(_, typed) => onChange(withPart(step, 'join', /^\d+$/.test(typed) ? Number(typed) : typed))}
        renderInput={(params) => (
          <TextField {...params} label={t('join')} error={error !== undefined} helperText={error ?? t('join_hint')} />
        )}
      />
      <Stack spacing={0.5} role="group" aria-label={t('branches')}>
        <Typography component="h3" variant="subtitle2">
          {t('branches')}
        </Typography>
        {branches.map((steps, branch) => (
          <Stack key={branch} direction="row" sx={{ alignItems: 'center' }}>
            <Typography variant="body2" sx={{ flex: 1, overflowWrap: 'anywhere' }}>
              {branch + 1}. {steps.map(({ id }) => id).join(', ')}
            </Typography>
            <IconButton
              size="small"
              aria-label={t('remove_branch', { at: branch + 1 })}
              disabled={branches.length === 1}
              onClick={() => onChange(removeBranch(step, branch))}
            >
              <DeleteOutlined fontSize="small" />
            </IconButton>
          </Stack>
        ))}
        <Button
          size="small"
          variant="outlined"
          sx={{ alignSelf: 'start' }}
          onClick={() => onChange(addBranch(step, { id: freeId('branch'), type: 'wait', duration: '1h' }))}
        >
          {t('add_branch')}
        </Button>
      </Stack>
    </Stack>
  );
}
