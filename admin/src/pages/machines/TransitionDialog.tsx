/** One transition as a form: from where, to where, who may, under which condition, and what happens with it. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import {
  Autocomplete,
  Box,
  Button,
  Dialog,
  DialogActions,
  DialogContent,
  DialogTitle,
  IconButton,
  MenuItem,
  Stack,
  TextField,
  Typography,
} from '@mui/material';
import { useId, useMemo, useState, type ReactElement } from 'react';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { readObject } from '../../ui/json.ts';
import { TextsInput } from '../../ui/TextsInput.tsx';
import { ANY, fromsOf, statesOf, type Body, type Transition, type TransitionAction } from './machine.ts';
import { MACHINES } from './words.ts';

interface TransitionDialogProps {
  readonly entity: string;
  readonly body: Body;
  readonly initial: Transition;
  readonly isNew: boolean;
  readonly onTake: (transition: Transition) => void;
  readonly onClose: () => void;
}

export function TransitionDialog({ entity, body, initial, isNew, onTake, onClose }: TransitionDialogProps): ReactElement {
  const t = useWords(MACHINES);
  const id = useId();
  const discovery = useDiscovery();
  const [transition, setTransition] = useState(initial);
  const set = (part: Partial<Transition>): void => setTransition({ ...transition, ...part });
  const scope = useMemo<Scope>(() => ({ place: 'guard', discovery, entity }), [discovery, entity]);
  const froms = fromsOf(transition).filter((from) => from !== '');
  const states = statesOf(body);
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="md">
      <DialogTitle id={id}>{t(isNew ? 'add_transition' : 'transition')}</DialogTitle>
      <DialogContent>
        <Stack spacing={2} sx={{ pt: 1 }}>
          <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
            <TextsInput
              label={t('from')}
              options={[...states, ANY]}
              value={froms}
              onChange={(chosen) => set({ from: chosen.includes(ANY) ? ANY : chosen.length === 1 ? (chosen[0] ?? '') : chosen })}
              labelOf={(name) => (name === ANY ? t('any_state') : name)}
              helperText={t('from_hint')}
            />
            <Autocomplete
              freeSolo
              size="small"
              options={states}
              value={transition.to}
              inputValue={transition.to}
              onInputChange={(_, to) => set({ to })}
              renderInput={(params) => <TextField {...params} label={t('to')} helperText={t('to_hint')} />}
            />
          </Box>
          <RolesInput
            label={t('roles')}
            helperText={t('roles_hint')}
            value={transition.roles}
            onChange={(roles) => set({ roles: [...roles] })}
          />
          <Expression
            label={t('guard_label')}
            value={transition.guard ?? ''}
            onChange={(guard) => set({ guard: guard.trim() === '' ? null : guard })}
            scope={scope}
            truth={{ yes: t('guard_yes'), no: t('guard_no') }}
          />
          <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '2fr 1fr' }, alignItems: 'start' }}>
            <TextField
              size="small"
              label={t('message')}
              value={transition.message ?? ''}
              onChange={(event) => set({ message: event.target.value })}
            />
            <TextField
              size="small"
              label={t('name')}
              helperText={t('name_hint')}
              value={transition.name ?? ''}
              onChange={(event) => set({ name: event.target.value })}
            />
          </Box>
          <Actions
            entity={entity}
            actions={transition.actions}
            scope={{ ...scope }}
            onChange={(actions) => set({ actions: [...actions] })}
          />
        </Stack>
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button
          variant="contained"
          disabled={froms.length === 0 || transition.to.trim() === ''}
          onClick={() => onTake(cleaned(transition))}
        >
          {t('take')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}

/** Without what is empty. */
function cleaned({ name, message, guard, ...rest }: Transition): Transition {
  return {
    ...rest,
    to: rest.to.trim(),
    ...(name === undefined || name.trim() === '' ? {} : { name: name.trim() }),
    ...(message === undefined || message.trim() === '' ? {} : { message: message.trim() }),
    ...(guard === undefined || guard === null ? {} : { guard }),
  };
}

interface ActionsProps {
  readonly entity: string;
  readonly scope: Scope;
  readonly actions: readonly TransitionAction[];
  readonly onChange: (actions: readonly TransitionAction[]) => void;
}

function Actions({ entity, scope, actions, onChange }: ActionsProps): ReactElement {
  const t = useWords(MACHINES);
  const discovery = useDiscovery();
  const first = entityNamed(discovery, entity)?.fields[0]?.name ?? '';
  return (
    <Stack spacing={1.5} role="group" aria-label={t('actions_heading')}>
      <Typography component="h3" variant="body2" sx={{ fontWeight: 500 }}>
        {t('actions_heading')}
      </Typography>
      {actions.map((action, index) => (
        <Box key={index} sx={{ display: 'grid', gap: 1, gridTemplateColumns: 'minmax(0, 1fr) 40px', alignItems: 'start' }}>
          {action.type === 'set_field' ? (
            <SetField
              entity={entity}
              scope={scope}
              action={action}
              onChange={(next) => onChange(actions.map((each, at) => (at === index ? next : each)))}
            />
          ) : (
            <CreateRecord action={action} onChange={(next) => onChange(actions.map((each, at) => (at === index ? next : each)))} />
          )}
          <IconButton aria-label={`${t('remove_action')} ${index + 1}`} onClick={() => onChange(actions.filter((_, at) => at !== index))}>
            <DeleteOutlined fontSize="small" />
          </IconButton>
        </Box>
      ))}
      <Stack direction="row" spacing={1}>
        <Button size="small" variant="outlined" onClick={() => onChange([...actions, { type: 'set_field', field: first, value: 'now' }])}>
          {t('add_set_field')}
        </Button>
        <Button size="small" variant="outlined" onClick={() => onChange([...actions, { type: 'create_record', entity, fields: {} }])}>
          {t('add_create_record')}
        </Button>
      </Stack>
    </Stack>
  );
}

interface ActionProps<Type extends TransitionAction['type']> {
  readonly action: Extract<TransitionAction, { type: Type }>;
  readonly onChange: (action: TransitionAction) => void;
}

function SetField({
  entity,
  scope,
  action,
  onChange,
}: ActionProps<'set_field'> & { readonly entity: string; readonly scope: Scope }): ReactElement {
  const t = useWords(MACHINES);
  const discovery = useDiscovery();
  const fields = entityNamed(discovery, entity)?.fields ?? [];
  const { field, value, expression } = action;
  const text = value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  const setValue = (typed: string): void => {
    const isPlain = /^(-?\d+(\.\d+)?|true|false)$/.test(typed);
    onChange({ type: 'set_field', field, ...(typed === '' ? {} : { value: isPlain ? (JSON.parse(typed) as number | boolean) : typed }) });
  };
  return (
    <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
      <TextField
        select
        size="small"
        label={t('action_field')}
        value={field}
        onChange={(event) => onChange({ ...action, field: event.target.value })}
      >
        {fields.map(({ name }) => (
          <MenuItem key={name} value={name}>
            {name}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        size="small"
        label={t('action_value')}
        value={text}
        disabled={expression !== undefined}
        onChange={(event) => setValue(event.target.value)}
        helperText={t('action_value_hint')}
      />
      <Box sx={{ gridColumn: '1 / -1' }}>
        <Expression
          label={t('action_expression')}
          value={expression ?? ''}
          onChange={(typed) =>
            onChange(
              typed.trim() === '' ? { type: 'set_field', field, value: value ?? 'now' } : { type: 'set_field', field, expression: typed },
            )
          }
          scope={scope}
        />
      </Box>
    </Box>
  );
}

function CreateRecord({ action, onChange }: ActionProps<'create_record'>): ReactElement {
  const t = useWords(MACHINES);
  const { entities } = useDiscovery();
  const [text, setText] = useState(() => JSON.stringify(action.fields, null, 2));
  const isBroken = readObject(text) === undefined;
  const take = (typed: string): void => {
    setText(typed);
    const fields = readObject(typed);
    if (fields !== undefined) onChange({ ...action, fields: fields as typeof action.fields });
  };
  return (
    <Box sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: '1fr 2fr' }, alignItems: 'start' }}>
      <TextField
        select
        size="small"
        label={t('action_entity')}
        value={action.entity}
        onChange={(event) => onChange({ ...action, entity: event.target.value })}
      >
        {entities.map(({ name, label }) => (
          <MenuItem key={name} value={name}>
            {label}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        size="small"
        multiline
        label={t('action_fields')}
        value={text}
        onChange={(event) => take(event.target.value)}
        error={isBroken}
        helperText={isBroken ? t('action_fields_broken') : undefined}
        slotProps={{ htmlInput: { spellCheck: false } }}
      />
    </Box>
  );
}
