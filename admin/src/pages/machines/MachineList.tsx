import { Autocomplete, Button, Dialog, DialogActions, DialogContent, DialogTitle, Link, MenuItem, Stack, TextField } from '@mui/material';
import { useId, useState, type ReactElement } from 'react';
import { Link as To, useNavigate } from 'react-router-dom';
import { errorAt, useDefinitions, useWrites, type Listed } from '../../definitions/definitions.ts';
import { Saved, savedState } from '../../definitions/Saved.tsx';
import type { Discovery } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { useReload } from '../../shell/reload.ts';
import { Empty } from '../../ui/Empty.tsx';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { Rows } from '../../ui/Rows.tsx';
import { statesOf, type Machine } from './machine.ts';
import { MACHINES } from './words.ts';

export function MachineList(): ReactElement {
  const t = useWords(MACHINES);
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}/_machines`;
  const machines = useDefinitions<Machine>('state-machines');
  const [isAdding, setAdding] = useState(false);
  const add = (
    <Button variant="contained" onClick={() => setAdding(true)}>
      {t('new')}
    </Button>
  );
  const all = machines.data?.data ?? [];
  return (
    <Page title={t('title')} description={t('description')} actions={add}>
      <Saved />
      <Problem error={machines.error} onRetry={() => void machines.refetch()} />
      {machines.isPending ? <Loading /> : null}
      {machines.data !== undefined && all.length === 0 ? <Empty action={add}>{t('none')}</Empty> : null}
      {all.length === 0 ? null : (
        <Rows<Listed<Machine>>
          label={t('title')}
          rows={all}
          keyOf={({ id }) => id}
          columns={[
            {
              key: 'field',
              label: t('field'),
              cell: ({ id, entity, field }) => (
                <Link component={To} to={`${base}/${id}`}>
                  {`${entityNamed(discovery, entity)?.label ?? entity}: ${field}`}
                </Link>
              ),
            },
            { key: 'states', label: t('states'), cell: ({ definition }) => statesOf(definition).join(', ') },
            { key: 'transitions', label: t('transitions'), align: 'right', cell: ({ definition }) => definition.transitions.length },
            { key: 'active', label: t('active'), cell: ({ active }) => (active ? '✓' : '–') },
          ]}
        />
      )}
      {isAdding ? <NewMachine taken={all} onClose={() => setAdding(false)} /> : null}
    </Page>
  );
}

interface Choice {
  readonly entity: string;
  readonly field: string;
  readonly states: readonly string[];
}

/** Fields that can hold a state and have no machine yet. */
const choicesOf = ({ entities }: Discovery, taken: readonly Machine[]): readonly Choice[] =>
  entities.flatMap((entity) =>
    entity.fields
      .filter(({ type, references, auto, computed }) => ['string', 'enum'].includes(type) && references === null && !auto && !computed)
      .filter(({ name }) => !taken.some((machine) => machine.entity === entity.name && machine.field === name && machine.active))
      .map((field) => ({ entity: entity.name, field: field.name, states: (field.enum ?? []).map(String) })),
  );

/** The first transition makes the machine; the rest is drawn on its page. */
function NewMachine({ taken, onClose }: { readonly taken: readonly Machine[]; readonly onClose: () => void }): ReactElement {
  const t = useWords(MACHINES);
  const id = useId();
  const discovery = useDiscovery();
  const navigate = useNavigate();
  const reload = useReload();
  const { create } = useWrites<Machine>('state-machines');
  const choices = choicesOf(discovery, taken);
  const [chosen, setChosen] = useState(choices.find(({ states }) => states.length > 1) ?? choices[0]);
  const [initial, setInitial] = useState(chosen?.states[0] ?? '');
  const [to, setTo] = useState(chosen?.states[1] ?? '');
  const [error, setError] = useState<unknown>();
  const save = async (): Promise<void> => {
    const written = await create({
      entity: chosen?.entity,
      field: chosen?.field,
      definition: { initial, transitions: [{ from: initial, to }] },
    });
    await navigate(`/t/${discovery.app.name}/_machines/${written.data.id}`, { state: savedState(written) });
    await reload();
  };
  const state = (label: string, value: string, set: (next: string) => void, wrong?: string): ReactElement => (
    <Autocomplete
      freeSolo
      size="small"
      options={[...(chosen?.states ?? [])]}
      inputValue={value}
      value={value}
      onInputChange={(_, next) => set(next)}
      renderInput={(params) => <TextField {...params} label={label} error={wrong !== undefined} helperText={wrong} />}
    />
  );
  const key = (choice: Choice): string => `${choice.entity}.${choice.field}`;
  return (
    <Dialog open onClose={onClose} aria-labelledby={id} fullWidth maxWidth="sm">
      <DialogTitle id={id}>{t('new')}</DialogTitle>
      <DialogContent>
        <Problem error={error} />
        {chosen === undefined ? (
          t('no_fields')
        ) : (
          <Stack spacing={2} sx={{ pt: 1 }}>
            <TextField
              select
              size="small"
              label={t('field')}
              value={key(chosen)}
              onChange={(event) => {
                const next = choices.find((choice) => key(choice) === event.target.value);
                setChosen(next);
                setInitial(next?.states[0] ?? '');
                setTo(next?.states[1] ?? '');
              }}
            >
              {choices.map((choice) => (
                <MenuItem key={key(choice)} value={key(choice)}>
                  {`${entityNamed(discovery, choice.entity)?.label ?? choice.entity}: ${choice.field}`}
                </MenuItem>
              ))}
            </TextField>
            {state(t('initial'), initial, setInitial, errorAt(error, 'definition.initial'))}
            {state(t('leads_to'), to, setTo, errorAt(error, 'definition'))}
          </Stack>
        )}
      </DialogContent>
      <DialogActions>
        <Button onClick={onClose}>{t('cancel')}</Button>
        <Button
          variant="contained"
          disabled={chosen === undefined || initial === '' || to === ''}
          onClick={() => (setError(undefined), void save().catch(setError))}
        >
          {t('create')}
        </Button>
      </DialogActions>
    </Dialog>
  );
}
