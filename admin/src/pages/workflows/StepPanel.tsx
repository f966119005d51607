/** The form of one step: what it is called, what its kind asks for, where it leads, and what happens when it fails. */
import { Button, Divider, MenuItem, Stack, TextField, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { useWords } from '../../i18n/words.ts';
import { ActionList } from './ActionList.tsx';
import { ApprovalForm } from './ApprovalForm.tsx';
import { useBuilder } from './builder.ts';
import { ConditionForm } from './ConditionForm.tsx';
import { ParallelForm } from './ParallelForm.tsx';
import { RETRY_PARTS, STEP_PARTS, WAIT_KINDS, WAIT_PARTS, type WaitKind } from './parts.ts';
import { Parts } from './Parts.tsx';
import { END, outcomesOf, otherLists, REQUESTER, withTarget, type ListRef, type Place } from './steps.ts';
import { isRaw, rawsOf, withPart, type Raw, type Step } from './workflow.ts';
import { useOutcomeWords, WORKFLOWS } from './words.ts';

export interface StepPanelProps {
  readonly place: Place;
  /** The definition's steps. */
  readonly steps: readonly Step[];
  /** Ids of its own list. */
  readonly beside: readonly string[];
  readonly onChange: (step: Step) => void;
  readonly onMoveTo: (list: ListRef) => void;
  readonly onRemove: () => void;
}

export function StepPanel(props: StepPanelProps): ReactElement {
  const { place, onChange, onRemove } = props;
  const t = useWords(WORKFLOWS);
  const { step, path } = place;
  return (
    <Stack spacing={2.5}>
      <Naming {...props} />
      <KindForm step={step} path={path} onChange={onChange} />
      <Divider />
      <Targets {...props} />
      <Divider />
      <Failing step={step} path={path} onChange={onChange} />
      <Move {...props} />
      <div>
        <Button color="error" variant="outlined" size="small" disabled={place.count === 1} onClick={onRemove}>
          {t('remove_step')}
        </Button>
        {place.count === 1 ? (
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mt: 0.5 }}>
            {t('last_step')}
          </Typography>
        ) : null}
      </div>
    </Stack>
  );
}

/** The id is what a run and gotos know the step by: it is taken over when one has finished typing. */
function Naming({ place: { step, path }, steps, onChange }: StepPanelProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { errorAt } = useBuilder();
  const [id, setId] = useState(step.id);
  const isTaken = id !== step.id && JSON.stringify(steps).includes(`"id":${JSON.stringify(id)}`);
  const isWrong = !/^[a-zA-Z][a-zA-Z0-9_-]{0,99}$/.test(id) || id === END || id === REQUESTER;
  const error = isTaken ? t('id_taken') : isWrong ? t('id_wrong') : errorAt(`${path}.id`);
  const take = (): void => {
    if (!isTaken && !isWrong && id !== step.id) onChange({ ...step, id });
  };
  return (
    <Stack direction={{ xs: 'column', sm: 'row' }} spacing={2}>
      <TextField
        fullWidth
        size="small"
        label={t('step_name')}
        value={step.name ?? ''}
        onChange={(event) => onChange(withPart(step, 'name', event.target.value))}
      />
      <TextField
        fullWidth
        size="small"
        required
        label={t('step_id')}
        value={id}
        onChange={(event) => setId(event.target.value)}
        onBlur={take}
        error={error !== undefined}
        helperText={error}
        slotProps={{ htmlInput: { spellCheck: false } }}
      />
    </Stack>
  );
}

interface FormProps {
  readonly step: Step;
  readonly path: string;
  readonly onChange: (step: Step) => void;
}

function KindForm(props: FormProps): ReactElement {
  const { step, path, onChange } = props;
  const t = useWords(WORKFLOWS);
  switch (step.type) {
    case 'action':
      return (
        <ActionList
          label={t('actions')}
          actions={rawsOf(step['actions'])}
          path={`${path}.actions`}
          onChange={(actions) => onChange({ ...step, actions })}
        />
      );
    case 'condition':
      return <ConditionForm {...props} />;
    case 'approval':
      return <ApprovalForm {...props} />;
    case 'wait':
      return <WaitForm {...props} />;
    case 'parallel':
      return <ParallelForm {...props} />;
    default:
      return <Parts parts={STEP_PARTS[step.type]} value={step} path={path} onChange={onChange} />;
  }
}

const STARTS: Readonly<Record<WaitKind, Raw>> = { duration: { duration: '1h' }, until: { until: 'record.due_at' }, event: { event: '' } };
const waitKindOf = (step: Step): WaitKind => WAIT_KINDS.find((kind) => step[kind] !== undefined) ?? 'event';

function WaitForm({ step, path, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const [kind, setKind] = useState<WaitKind>(() => waitKindOf(step));
  const choose = (next: WaitKind | null): void => {
    if (next === null || next === kind) return;
    setKind(next);
    // Nothing of the former way of waiting belongs to another one.
    const gone = new Set(WAIT_KINDS.flatMap((each) => WAIT_PARTS[each].map(({ key }) => key as string)).concat('on_timeout'));
    onChange({ ...Object.fromEntries(Object.entries(step).filter(([key]) => !gone.has(key))), ...STARTS[next] } as Step);
  };
  return (
    <Stack spacing={2}>
      <ToggleButtonGroup
        exclusive
        size="small"
        value={kind}
        aria-label={t('waits_for')}
        onChange={(_, next: WaitKind | null) => choose(next)}
      >
        {WAIT_KINDS.map((each) => (
          <ToggleButton key={each} value={each}>
            {t(`wait_${each}`)}
          </ToggleButton>
        ))}
      </ToggleButtonGroup>
      <Parts parts={WAIT_PARTS[kind]} value={step} path={path} onChange={onChange} />
    </Stack>
  );
}

function Targets({ place: { step, path }, beside, onChange }: StepPanelProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { errorAt } = useBuilder();
  const outcomeSaid = useOutcomeWords();
  return (
    <Stack spacing={2} role="group" aria-label={t('leads_to')}>
      <Typography component="h3" variant="subtitle2">
        {t('leads_to')}
      </Typography>
      {outcomesOf(step).map(({ key, target }) => {
        const error = errorAt(`${path}.${key}`);
        return (
          <TextField
            key={key}
            select
            size="small"
            label={outcomeSaid(key, step)}
            value={target ?? ''}
            onChange={(event) => onChange(withTarget(step, key, event.target.value === '' ? undefined : event.target.value))}
            error={error !== undefined}
            helperText={error}
            slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
          >
            <MenuItem value="">
              <em>{t(unsaidWord(key))}</em>
            </MenuItem>
            <MenuItem value={END}>{t('to_end')}</MenuItem>
            {key === 'on_send_back' ? <MenuItem value={REQUESTER}>{t('to_requester')}</MenuItem> : null}
            {beside
              .filter((id) => id !== step.id || id === target)
              .map((id) => (
                <MenuItem key={id} value={id}>
                  {id}
                </MenuItem>
              ))}
          </TextField>
        );
      })}
    </Stack>
  );
}

/** What it means that nothing is said. */
const UNSAID = { on_error: 'unsaid_error', on_timeout: 'unsaid_timeout', on_send_back: 'unsaid_send_back' } as const;
const unsaidWord = (key: string): (typeof UNSAID)[keyof typeof UNSAID] | 'to_end' =>
  Object.hasOwn(UNSAID, key) ? UNSAID[key as keyof typeof UNSAID] : 'to_end';

function Failing({ step, path, onChange }: FormProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const retry = isRaw(step['retry']) ? step['retry'] : {};
  return (
    <Stack spacing={2}>
      <Typography component="h3" variant="subtitle2">
        {t('failing')}
      </Typography>
      <Parts
        parts={RETRY_PARTS}
        value={retry}
        path={`${path}.retry`}
        onChange={(next) => onChange(withPart(step, 'retry', Object.keys(next).length === 0 ? undefined : next))}
      />
      <ActionList
        label={t('compensate')}
        actions={rawsOf(step['compensate'])}
        path={`${path}.compensate`}
        onChange={(actions) => onChange(withPart(step, 'compensate', actions))}
      />
    </Stack>
  );
}

function Move({ place: { step }, steps, onMoveTo }: StepPanelProps): ReactElement | null {
  const t = useWords(WORKFLOWS);
  const lists = otherLists(steps, step.id);
  if (lists.length === 0) return null;
  return (
    <TextField
      select
      size="small"
      label={t('move_to')}
      value=""
      onChange={(event) => {
        const list = lists[Number(event.target.value)];
        if (list !== undefined) onMoveTo(list);
      }}
      sx={{ maxWidth: 320 }}
    >
      {lists.map((list, index) => (
        <MenuItem key={`${list.of ?? ''} ${list.branch}`} value={String(index)}>
          {list.of === undefined ? t('main_list') : t('inner_list', { of: list.of, at: list.branch + 1 })}
        </MenuItem>
      ))}
    </TextField>
  );
}
