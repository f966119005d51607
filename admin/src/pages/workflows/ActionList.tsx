/** Actions in the order they run; each of any type. */
import ArrowDownwardOutlined from '@mui/icons-material/ArrowDownwardOutlined';
import ArrowUpwardOutlined from '@mui/icons-material/ArrowUpwardOutlined';
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { IconButton, MenuItem, Paper, Stack, TextField, Typography } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { ACTION_KINDS, ACTION_PARTS } from './parts.ts';
import { Parts } from './Parts.tsx';
import type { Raw } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface ActionListProps {
  readonly label: string;
  readonly actions: readonly Raw[];
  readonly onChange: (actions: readonly Raw[]) => void;
  readonly path: string;
}

export function ActionList({ label, actions, onChange, path }: ActionListProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const move = (from: number, to: number): void => {
    const others = actions.filter((_, at) => at !== from);
    const moved = actions[from];
    if (moved !== undefined) onChange([...others.slice(0, to), moved, ...others.slice(to)]);
  };
  return (
    <Stack spacing={1.5} role="group" aria-label={label}>
      <Typography component="h3" variant="subtitle2">
        {label}
      </Typography>
      {actions.map((action, index) => (
        <OneAction
          key={`${index} ${String(action['type'])}`}
          action={action}
          at={index}
          count={actions.length}
          path={`${path}.${index}`}
          onChange={(next) => onChange(actions.map((each, at) => (at === index ? next : each)))}
          onMove={(to) => move(index, to)}
          onRemove={() => onChange(actions.filter((_, at) => at !== index))}
        />
      ))}
      <TextField
        select
        size="small"
        label={t('add_action', { to: label })}
        value=""
        onChange={(event) => onChange([...actions, { type: event.target.value }])}
        sx={{ maxWidth: 320 }}
      >
        {ACTION_KINDS.map((kind) => (
          <MenuItem key={kind} value={kind}>
            {t(`action_${kind}`)}
          </MenuItem>
        ))}
      </TextField>
    </Stack>
  );
}

interface OneActionProps {
  readonly action: Raw;
  readonly at: number;
  readonly count: number;
  readonly path: string;
  readonly onChange: (action: Raw) => void;
  readonly onMove: (to: number) => void;
  readonly onRemove: () => void;
}

function OneAction({ action, at, count, path, onChange, onMove, onRemove }: OneActionProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const kind = ACTION_KINDS.find((each) => each === action['type']);
  return (
    <Paper variant="outlined" sx={{ p: 1.5 }}>
      <Stack direction="row" sx={{ alignItems: 'center', mb: 1 }}>
        <Typography variant="body2" sx={{ flex: 1, fontWeight: 500 }}>
          {at + 1}. {kind === undefined ? '' : t(`action_${kind}`)}
        </Typography>
        <Tool label={t('earlier', { at: at + 1 })} isOff={at === 0} onClick={() => onMove(at - 1)}>
          <ArrowUpwardOutlined fontSize="small" />
        </Tool>
        <Tool label={t('later', { at: at + 1 })} isOff={at === count - 1} onClick={() => onMove(at + 1)}>
          <ArrowDownwardOutlined fontSize="small" />
        </Tool>
        <Tool label={t('remove_action', { at: at + 1 })} onClick={onRemove}>
          <DeleteOutlined fontSize="small" />
        </Tool>
      </Stack>
      <Parts parts={kind === undefined ? [] : ACTION_PARTS[kind]} value={action} path={path} suffix={` (${at + 1})`} onChange={onChange} />
    </Paper>
  );
}

interface ToolProps {
  readonly label: string;
  readonly isOff?: boolean;
  readonly onClick: () => void;
  readonly children: ReactElement;
}

const Tool = ({ label, isOff = false, onClick, children }: ToolProps): ReactElement => (
  <IconButton size="small" aria-label={label} disabled={isOff} onClick={onClick}>
    {children}
  </IconButton>
);
