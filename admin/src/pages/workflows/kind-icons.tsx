import AccountTreeOutlined from '@mui/icons-material/AccountTreeOutlined';
import BoltOutlined from '@mui/icons-material/BoltOutlined';
import CallSplitOutlined from '@mui/icons-material/CallSplitOutlined';
import HourglassEmptyOutlined from '@mui/icons-material/HourglassEmptyOutlined';
import HowToRegOutlined from '@mui/icons-material/HowToRegOutlined';
import RepeatOutlined from '@mui/icons-material/RepeatOutlined';
import ViewColumnOutlined from '@mui/icons-material/ViewColumnOutlined';
import type { SvgIconComponent } from '@mui/icons-material';
import type { StepKind } from './workflow.ts';

export const KIND_ICONS: Readonly<Record<StepKind, SvgIconComponent>> = {
  action: BoltOutlined,
  condition: CallSplitOutlined,
  approval: HowToRegOutlined,
  wait: HourglassEmptyOutlined,
  parallel: ViewColumnOutlined,
  foreach: RepeatOutlined,
  subprocess: AccountTreeOutlined,
};
