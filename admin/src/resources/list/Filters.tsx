/** The filters of a list: each condition is a chip that can be changed and removed; new ones are built in a popover. */
import CloseOutlined from '@mui/icons-material/CloseOutlined';
import FilterListOutlined from '@mui/icons-material/FilterListOutlined';
import { Box, Button, Chip, Popover, type ChipProps } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useGetMany } from 'react-admin';
import type { Condition } from '../../fields/conditions.ts';
import { statesOf, titleOf } from '../../fields/values.ts';
import { FIELDS } from '../../fields/words.ts';
import type { DiscoveredEntity, DiscoveredField } from '../../discovery.ts';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { valuesText } from './condition-text.ts';
import { FilterBuilder } from './FilterBuilder.tsx';
import { isFiltered } from './state.ts';
import type { ListControl } from './use-list-state.ts';
import { LIST } from './words.ts';

interface FiltersProps {
  readonly entity: DiscoveredEntity;
  readonly control: ListControl;
}

export function AddFilter({ entity, control }: FiltersProps): ReactElement {
  const t = useWords(LIST);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const add = (condition: Condition): void => {
    const others = control.state.conditions.filter((one) => one.field !== condition.field || one.op !== condition.op);
    control.set({ conditions: [...others, condition] });
    setAnchor(null);
  };
  return (
    <>
      <Button size="small" startIcon={<FilterListOutlined />} aria-haspopup="dialog" onClick={(event) => setAnchor(event.currentTarget)}>
        {t('filter')}
      </Button>
      <Editor anchor={anchor} onClose={() => setAnchor(null)} label={t('add_filter')}>
        <FilterBuilder entity={entity} onDone={add} />
      </Editor>
    </>
  );
}

interface EditorProps {
  readonly anchor: HTMLElement | null;
  readonly onClose: () => void;
  readonly label: string;
  readonly children: ReactElement;
}

function Editor({ anchor, onClose, label, children }: EditorProps): ReactElement {
  return (
    <Popover
      open={anchor !== null}
      anchorEl={anchor}
      onClose={onClose}
      transitionDuration={0}
      anchorOrigin={{ vertical: 'bottom', horizontal: 'left' }}
      slotProps={{ paper: { role: 'dialog', 'aria-label': label, sx: { p: 2, width: 360, maxWidth: '94vw' } } }}
    >
      {children}
    </Popover>
  );
}

/** Nothing where nothing is filtered. */
export function ActiveFilters({ entity, control }: FiltersProps): ReactElement | null {
  const t = useWords(LIST);
  const { state, set } = control;
  if (!isFiltered(state)) return null;
  const without = (condition: Condition): void => set({ conditions: state.conditions.filter((one) => one !== condition) });
  const replaced = (before: Condition, after: Condition): void =>
    set({ conditions: state.conditions.map((one) => (one === before ? after : one)) });
  return (
    <Box
      component="ul"
      aria-label={t('active_filters')}
      sx={{ display: 'flex', flexWrap: 'wrap', gap: 1, listStyle: 'none', m: 0, p: 0, pb: 1 }}
    >
      {state.conditions.map((condition) => (
        <li key={`${condition.field}.${condition.op}`}>
          <ConditionChip
            entity={entity}
            condition={condition}
            onRemove={() => without(condition)}
            onChange={(next) => replaced(condition, next)}
          />
        </li>
      ))}
      {state.further === undefined ? null : (
        <li>
          <RemovableChip label={t('further_filter')} title={JSON.stringify(state.further)} onRemove={() => set({ further: undefined })} />
        </li>
      )}
      <li>
        <Button size="small" onClick={() => set({ conditions: [], further: undefined, q: '' })}>
          {t('clear_filters')}
        </Button>
      </li>
    </Box>
  );
}

interface ConditionChipProps {
  readonly entity: DiscoveredEntity;
  readonly condition: Condition;
  readonly onRemove: () => void;
  readonly onChange: (next: Condition) => void;
}

function ConditionChip({ entity, condition, onRemove, onChange }: ConditionChipProps): ReactElement | null {
  const t = useWords(LIST);
  const [anchor, setAnchor] = useState<HTMLElement | null>(null);
  const field = entity.fields.find((one) => one.name === condition.field);
  const text = useConditionText(entity, field, condition);
  if (field === undefined) return null;
  const change = (next: Condition): void => {
    setAnchor(null);
    onChange(next);
  };
  return (
    <>
      <RemovableChip label={text} onRemove={onRemove} onOpen={setAnchor} />
      <Editor anchor={anchor} onClose={() => setAnchor(null)} label={t('change_filter', { filter: text })}>
        <FilterBuilder entity={entity} condition={condition} onDone={change} />
      </Editor>
    </>
  );
}

interface RemovableChipProps {
  readonly label: string;
  readonly title?: string;
  readonly onRemove: () => void;
  readonly onOpen?: (anchor: HTMLElement) => void;
}

/** Two buttons beside each other, so that both can be reached and told apart without a mouse. */
function RemovableChip({ label, title, onRemove, onOpen }: RemovableChipProps): ReactElement {
  const t = useWords(LIST);
  return (
    <Box sx={{ display: 'inline-flex', border: 1, borderColor: 'divider', borderRadius: 4, overflow: 'hidden', maxWidth: '100%' }}>
      <Chip
        size="small"
        label={label}
        title={title ?? label}
        sx={{ borderRadius: 0, maxWidth: { xs: 260, sm: 420 } }}
        {...(onOpen === undefined ? {} : opening(onOpen, t('change_filter', { filter: label })))}
      />
      <Button
        size="small"
        color="inherit"
        aria-label={t('remove_filter', { filter: label })}
        onClick={onRemove}
        sx={{ minWidth: 28, px: 0.5, py: 0, borderRadius: 0 }}
      >
        <CloseOutlined sx={{ fontSize: 16 }} />
      </Button>
    </Box>
  );
}

const opening = (onOpen: (anchor: HTMLElement) => void, label: string): Pick<ChipProps, 'onClick' | 'aria-haspopup' | 'aria-label'> => ({
  onClick: (event) => onOpen(event.currentTarget),
  'aria-haspopup': 'dialog',
  'aria-label': label,
});

/** `Priority is one of high, critical` */
function useConditionText(entity: DiscoveredEntity, field: DiscoveredField | undefined, condition: Condition): string {
  const t = useWords(FIELDS);
  const format = useFormat();
  const titles = useTitles(field?.references ?? null, condition.values);
  if (field === undefined) return '';
  const asChoice = statesOf(entity, field.name).length > 0 ? { ...field, enum: [...condition.values] } : field;
  return `${field.label} ${t(`op_${condition.op}`)} ${valuesText(asChoice, condition, titles, format, t)}`.trim();
}

function useTitles(target: string | null, ids: readonly string[]): ReadonlyMap<string, string> {
  const discovery = useDiscovery();
  const display = entityNamed(discovery, target ?? '')?.display_field ?? 'id';
  const { data } = useGetMany(target ?? '', { ids: [...ids] }, { enabled: target !== null && ids.length > 0 });
  return new Map((data ?? []).flatMap((record) => (record === undefined ? [] : [[String(record.id), titleOf(record, display)] as const])));
}
