/** The table twin of the diagram: states and transitions, each editable by keyboard. */
import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import EditOutlined from '@mui/icons-material/EditOutlined';
import { Alert, Autocomplete, Box, IconButton, MenuItem, Stack, TextField, Tooltip } from '@mui/material';
import type { ReactElement } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useWords } from '../../i18n/words.ts';
import { Rows } from '../../ui/Rows.tsx';
import { Status } from '../../ui/Status.tsx';
import { ANY, arrowsOf, fromsOf, isFinal, isInitial, statesOf, withoutState, type Body, type Transition } from './machine.ts';
import { MACHINES } from './words.ts';

const tool = (label: string, icon: ReactElement, act: () => void): ReactElement => (
  <Tooltip title={label}>
    <IconButton size="small" aria-label={label} onClick={act}>
      {icon}
    </IconButton>
  </Tooltip>
);

interface StateRowsProps {
  readonly body: Body;
  readonly counts: ReadonlyMap<string, number>;
  readonly onChange: (body: Body) => void;
  readonly onRename: (state: string) => void;
}

export function StateRows({ body, counts, onChange, onRename }: StateRowsProps): ReactElement {
  const t = useWords(MACHINES);
  const format = useFormat();
  const states = statesOf(body);
  const elsewhere = [...counts].filter(([state, count]) => !states.includes(state) && count > 0);
  return (
    <>
      <Rows
        label={t('states')}
        rows={states}
        keyOf={(state) => state}
        columns={[
          { key: 'state', label: t('state'), cell: (state) => <strong>{state}</strong> },
          { key: 'marks', label: t('marks'), cell: (state) => <Marks body={body} state={state} /> },
          { key: 'records', label: t('records'), align: 'right', width: 90, cell: (state) => format.number(counts.get(state) ?? 0) },
          {
            key: 'leads',
            label: t('leads_to'),
            cell: (state) =>
              [...new Set(arrowsOf(body).flatMap(({ from, to }) => (from === state && to !== state ? [to] : [])))].join(', ') || '–',
          },
          {
            key: 'tools',
            label: t('actions'),
            width: 96,
            cell: (state) => (
              <Stack direction="row">
                {tool(t('rename_state', { state }), <EditOutlined fontSize="small" />, () => onRename(state))}
                {state === body.initial || withoutState(body, state).transitions.length === 0
                  ? null
                  : tool(t('delete_state', { state }), <DeleteOutlined fontSize="small" />, () => onChange(withoutState(body, state)))}
              </Stack>
            ),
          },
        ]}
      />
      {elsewhere.length === 0 ? null : (
        <Alert severity="warning">
          {t('elsewhere', {
            states: elsewhere.map(([state, count]) => `${state === '' ? t('no_state') : state} (${format.number(count)})`).join(', '),
          })}
        </Alert>
      )}
    </>
  );
}

function Marks({ body, state }: { readonly body: Body; readonly state: string }): ReactElement {
  const t = useWords(MACHINES);
  return (
    <Stack direction="row" spacing={0.5} useFlexGap sx={{ flexWrap: 'wrap' }}>
      {isInitial(body, state) ? <Status tone="running" label={t(state === body.initial ? 'mark_initial' : 'mark_start')} /> : null}
      {isFinal(body, state) ? <Status tone="done" label={t('mark_final')} /> : null}
    </Stack>
  );
}

/** Where a new record begins. */
export function StartForm({ body, onChange }: { readonly body: Body; readonly onChange: (body: Body) => void }): ReactElement {
  const t = useWords(MACHINES);
  const states = statesOf(body);
  const setStart = (chosen: readonly string[]): void => {
    const { start: _before, ...rest } = body;
    onChange(chosen.length === 0 ? rest : { ...rest, start: [...chosen] });
  };
  return (
    <>
      <TextField
        select
        size="small"
        label={t('initial')}
        value={body.initial}
        onChange={(event) => onChange({ ...body, initial: event.target.value })}
        sx={{ minWidth: 180 }}
      >
        {states.map((state) => (
          <MenuItem key={state} value={state}>
            {state}
          </MenuItem>
        ))}
      </TextField>
      <Autocomplete
        multiple
        size="small"
        options={states.filter((state) => state !== body.initial)}
        value={[...(body.start ?? [])]}
        onChange={(_, chosen) => setStart(chosen)}
        sx={{ minWidth: 240, flex: { xs: '1 1 100%', sm: '0 1 360px' } }}
        renderInput={(params) => <TextField {...params} label={t('start')} />}
      />
    </>
  );
}

export const transitionText = (transition: Transition, any: string): string =>
  `${fromsOf(transition)
    .map((from) => (from === ANY ? any : from))
    .join(', ')} → ${transition.to}`;

interface TransitionRowsProps {
  readonly body: Body;
  readonly onEdit: (index: number) => void;
  readonly onDelete: (index: number) => void;
}

export function TransitionRows({ body, onEdit, onDelete }: TransitionRowsProps): ReactElement {
  const t = useWords(MACHINES);
  const rows = body.transitions.map((transition, index) => ({ transition, index, text: transitionText(transition, t('any_state')) }));
  return (
    <Rows
      label={t('transitions')}
      rows={rows}
      keyOf={({ index }) => index}
      columns={[
        {
          key: 'transition',
          label: t('transition'),
          cell: ({ transition, text }) => (
            <>
              {transition.name === undefined ? null : <Box sx={{ fontWeight: 600 }}>{transition.name}</Box>}
              {text}
            </>
          ),
        },
        {
          key: 'who',
          label: t('who'),
          cell: ({ transition }) => (transition.roles.length === 0 ? t('everybody') : transition.roles.join(', ')),
        },
        { key: 'guard', label: t('guard'), cell: ({ transition }) => <code>{transition.guard ?? '–'}</code> },
        {
          key: 'actions',
          label: t('does'),
          cell: ({ transition }) =>
            transition.actions
              .map((action) =>
                action.type === 'set_field' ? t('action_set', { field: action.field }) : t('action_create', { entity: action.entity }),
              )
              .join(', ') || '–',
        },
        {
          key: 'tools',
          label: t('actions'),
          width: 96,
          cell: ({ index, text }) => (
            <Stack direction="row">
              {tool(t('edit_transition', { transition: text }), <EditOutlined fontSize="small" />, () => onEdit(index))}
              {rows.length === 1
                ? null
                : tool(t('delete_transition', { transition: text }), <DeleteOutlined fontSize="small" />, () => onDelete(index))}
            </Stack>
          ),
        },
      ]}
    />
  );
}
