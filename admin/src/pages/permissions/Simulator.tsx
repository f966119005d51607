/** What somebody may do, and why. Everything that is asked stands in the address: `?role=&user=&entity=&action=&record=`. */
import { Alert, Autocomplete, Box, MenuItem, Paper, Stack, TextField, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { useMemo, useState, type ReactElement } from 'react';
import { useSearchParams } from 'react-router-dom';
import { appPath, useAsk, useRead, useRested } from '../../api/use-api.ts';
import { RecordInput } from '../../definitions/RecordInput.tsx';
import { RolesInput } from '../../definitions/RolesInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { readObject } from '../../ui/json.ts';
import { Problem } from '../../ui/Problem.tsx';
import { useDraft } from './draft.ts';
import { RECORD_ACTIONS, type RecordAction } from './permission.ts';
import { Simulated, type Simulation } from './Simulated.tsx';
import { PERMISSIONS } from './words.ts';

interface Asked {
  readonly kind: 'role' | 'user';
  readonly roles: readonly string[];
  readonly user: string;
  readonly entity: string;
  readonly action: RecordAction;
  readonly record: string;
}

function useAsked(): readonly [asked: Asked, set: (part: Partial<Asked>) => void] {
  const [search, setSearch] = useSearchParams();
  const { entities } = useDiscovery();
  const asked = useMemo<Asked>(() => {
    const user = search.get('user');
    const action = RECORD_ACTIONS.find((each) => each === search.get('action')) ?? 'read';
    return {
      kind: user === null ? 'role' : 'user',
      roles: (search.get('role') ?? '').split(',').filter((role) => role !== ''),
      user: user ?? '',
      entity: search.get('entity') ?? entities[0]?.name ?? '',
      action,
      record: search.get('record') ?? '',
    };
  }, [search, entities]);
  const set = (part: Partial<Asked>): void => {
    const { kind, roles, user, entity, action, record } = { ...asked, ...part };
    setSearch(
      {
        ...(kind === 'user' ? { user } : { role: roles.join(',') }),
        entity,
        action,
        ...(record === '' || action === 'create' ? {} : { record }),
      },
      { replace: true },
    );
  };
  return [asked, set];
}

export function Simulator(): ReactElement {
  const t = useWords(PERMISSIONS);
  const { app } = useDiscovery();
  const draft = useDraft();
  const [asked, set] = useAsked();
  const [candidate, setCandidate] = useState('');
  const record = readObject(candidate);
  const takesCandidate = asked.action === 'create' || (asked.action === 'update' && asked.record !== '');
  const question = useMemo(() => {
    if (asked.entity === '' || (asked.kind === 'user' ? asked.user === '' : asked.roles.length === 0)) return undefined;
    const given = takesCandidate ? readObject(candidate) : undefined;
    return {
      // Everybody who is signed in has no role by that name.
      as: asked.kind === 'user' ? asked.user : { roles: asked.roles.filter((role) => role !== '*') },
      entity: asked.entity,
      action: asked.action,
      ...(asked.record === '' ? {} : { record_id: asked.record }),
      ...(given === undefined ? {} : { record: given }),
      ...(draft.asked === undefined ? {} : { draft: draft.asked }),
    };
  }, [asked, candidate, takesCandidate, draft.asked]);
  const answer = useAsk<{ readonly data: Simulation }>(`${appPath(app.name)}/_admin/permissions/simulate`, useRested(question, 150));
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', md: '340px minmax(0, 1fr)' }, alignItems: 'start' }}>
      <Paper variant="outlined" component="section" aria-label={t('tab_simulate')} sx={{ p: 2 }}>
        <Typography variant="body2" sx={{ color: 'text.secondary', mb: 2 }}>
          {t('sim_description')}
        </Typography>
        <Question asked={asked} set={set} />
        {takesCandidate ? (
          <TextField
            size="small"
            fullWidth
            multiline
            minRows={3}
            sx={{ mt: 2 }}
            label={t('candidate')}
            value={candidate}
            onChange={(event) => setCandidate(event.target.value)}
            error={candidate.trim() !== '' && record === undefined}
            helperText={t(candidate.trim() !== '' && record === undefined ? 'candidate_broken' : 'candidate_hint')}
            slotProps={{ htmlInput: { spellCheck: false } }}
          />
        ) : null}
      </Paper>
      <Box aria-live="polite" sx={{ minWidth: 0 }}>
        {question === undefined ? <Alert severity="info">{t('sim_wait')}</Alert> : null}
        {question === undefined ? null : <Problem error={answer.error} />}
        {question === undefined || answer.error !== null || answer.data === undefined ? null : (
          <Simulated simulation={answer.data.data} entity={asked.entity} />
        )}
      </Box>
    </Box>
  );
}

interface QuestionProps {
  readonly asked: Asked;
  readonly set: (part: Partial<Asked>) => void;
}

function Question({ asked, set }: QuestionProps): ReactElement {
  const t = useWords(PERMISSIONS);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, asked.entity);
  return (
    <Stack spacing={2}>
      <ToggleButtonGroup
        exclusive
        fullWidth
        size="small"
        aria-label={t('as')}
        value={asked.kind}
        onChange={(_, kind: Asked['kind'] | null) => set({ kind: kind ?? asked.kind })}
      >
        <ToggleButton value="role">{t('as_role')}</ToggleButton>
        <ToggleButton value="user">{t('as_user')}</ToggleButton>
      </ToggleButtonGroup>
      {asked.kind === 'role' ? (
        <RolesInput label={t('sim_roles')} value={asked.roles} onChange={(roles) => set({ roles })} besides={['*', 'admin']} />
      ) : (
        <UserInput value={asked.user} onChange={(user) => set({ user })} />
      )}
      <TextField
        select
        size="small"
        label={t('action')}
        value={asked.action}
        onChange={(event) => set({ action: event.target.value as RecordAction })}
      >
        {RECORD_ACTIONS.map((action) => (
          <MenuItem key={action} value={action}>
            {t(`do_${action}`)}
          </MenuItem>
        ))}
      </TextField>
      <TextField
        select
        size="small"
        label={t('entity')}
        value={entity?.name ?? ''}
        onChange={(event) => set({ entity: event.target.value, record: '' })}
      >
        {discovery.entities.map(({ name, label }) => (
          <MenuItem key={name} value={name}>
            {label}
          </MenuItem>
        ))}
      </TextField>
      {entity === undefined || asked.action === 'create' ? null : (
        <RecordInput key={entity.name} entity={entity} label={t('record')} value={asked.record} onChange={(record) => set({ record })} />
      )}
    </Stack>
  );
}

interface UserRow {
  readonly id: string;
  readonly email: string;
  readonly roles: readonly string[];
}

function UserInput({ value, onChange }: { readonly value: string; readonly onChange: (id: string) => void }): ReactElement {
  const t = useWords(PERMISSIONS);
  const { app } = useDiscovery();
  const [typed, setTyped] = useState('');
  const base = `${appPath(app.name)}/_admin/users`;
  const found = useRead<{ readonly data: readonly UserRow[] }>(
    `${base}?per_page=20&filter[active]=true&q=${encodeURIComponent(useRested(typed))}`,
  );
  const chosen = useRead<{ readonly data: UserRow }>(value === '' ? undefined : `${base}/${encodeURIComponent(value)}`);
  const options = found.data?.data ?? [];
  const current = value === '' ? null : (options.find(({ id }) => id === value) ?? chosen.data?.data ?? null);
  return (
    <Autocomplete
      size="small"
      options={current === null || options.some(({ id }) => id === current.id) ? options : [current, ...options]}
      value={current}
      filterOptions={(all) => all}
      getOptionLabel={({ email, roles }) => (roles.length === 0 ? email : `${email} (${roles.join(', ')})`)}
      getOptionKey={({ id }) => id}
      isOptionEqualToValue={(one, other) => one.id === other.id}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onChange={(_, user) => onChange(user?.id ?? '')}
      renderInput={(params) => <TextField {...params} label={t('user')} />}
    />
  );
}
