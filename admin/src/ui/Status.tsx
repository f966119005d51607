/** A state is an icon, a word and a colour, never a colour alone. */
import CancelOutlined from '@mui/icons-material/CancelOutlined';
import CheckCircleOutlined from '@mui/icons-material/CheckCircleOutlined';
import ErrorOutlined from '@mui/icons-material/ErrorOutlined';
import HourglassEmptyOutlined from '@mui/icons-material/HourglassEmptyOutlined';
import InfoOutlined from '@mui/icons-material/InfoOutlined';
import PauseCircleOutlined from '@mui/icons-material/PauseCircleOutlined';
import PlayCircleOutlined from '@mui/icons-material/PlayCircleOutlined';
import WarningAmberOutlined from '@mui/icons-material/WarningAmberOutlined';
import { Chip, type ChipProps } from '@mui/material';
import type { ReactElement } from 'react';

export type Tone = 'done' | 'running' | 'waiting' | 'paused' | 'warning' | 'failed' | 'off' | 'info';

const LOOKS: Readonly<Record<Tone, { readonly color: ChipProps['color']; readonly icon: ReactElement }>> = {
  done: { color: 'success', icon: <CheckCircleOutlined /> },
  running: { color: 'primary', icon: <PlayCircleOutlined /> },
  waiting: { color: 'default', icon: <HourglassEmptyOutlined /> },
  paused: { color: 'warning', icon: <PauseCircleOutlined /> },
  warning: { color: 'warning', icon: <WarningAmberOutlined /> },
  failed: { color: 'error', icon: <ErrorOutlined /> },
  off: { color: 'default', icon: <CancelOutlined /> },
  info: { color: 'info', icon: <InfoOutlined /> },
};

export function Status({ tone, label }: { readonly tone: Tone; readonly label: string }): ReactElement {
  return <Chip size="small" variant="outlined" label={label} {...LOOKS[tone]} />;
}
