import { ListItemIcon, ListItemText, Menu, MenuItem } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { KIND_ICONS } from './kind-icons.tsx';
import { STEP_KINDS, type StepKind } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

/** A place of the window: what was pressed may be drawn anew meanwhile. */
export interface Anchor {
  readonly top: number;
  readonly left: number;
}

export const below = (element: HTMLElement): Anchor => {
  const { bottom, left } = element.getBoundingClientRect();
  return { top: bottom, left };
};

interface AddStepProps {
  readonly anchor: Anchor;
  readonly onPick: (kind: StepKind) => void;
  readonly onClose: () => void;
}

/** The kinds of steps, each with what it does. */
export function AddStep({ anchor, onPick, onClose }: AddStepProps): ReactElement {
  const t = useWords(WORKFLOWS);
  return (
    <Menu
      open
      anchorReference="anchorPosition"
      anchorPosition={anchor}
      onClose={onClose}
      slotProps={{ list: { 'aria-label': t('add_step') } }}
    >
      {STEP_KINDS.map((kind) => {
        const Icon = KIND_ICONS[kind];
        return (
          <MenuItem key={kind} onClick={() => onPick(kind)}>
            <ListItemIcon>
              <Icon fontSize="small" />
            </ListItemIcon>
            <ListItemText primary={t(`kind_${kind}`)} secondary={t(`kind_${kind}_says`)} />
          </MenuItem>
        );
      })}
    </Menu>
  );
}
