import { Autocomplete, Box, Checkbox, FormControlLabel, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useMemo, type ReactElement, type ReactNode } from 'react';
import { errorAt, useDefinitions } from '../../definitions/definitions.ts';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { HeaderRows } from './HeaderRows.tsx';
import {
  BACKOFFS,
  EVENTS,
  EVERY_ENTITY,
  HOOKS,
  isAskedFirst,
  METHODS,
  type Backoff,
  type WebhookDraft,
  type WebhookEvent,
} from './webhook.ts';
import { WEBHOOKS } from './words.ts';

interface FormProps {
  readonly draft: WebhookDraft;
  readonly onChange: (draft: WebhookDraft) => void;
  readonly error: unknown;
}

interface PartProps extends FormProps {
  readonly set: (part: Partial<WebhookDraft>) => void;
}

export function WebhookForm(props: FormProps): ReactElement {
  const { draft, onChange } = props;
  const part: PartProps = { ...props, set: (changed) => onChange({ ...draft, ...changed }) };
  return (
    <Stack spacing={2}>
      <Where {...part} />
      <When {...part} />
      <What {...part} />
      {isAskedFirst(draft) ? null : <Retries {...part} />}
      <Switch name="active" {...part} />
    </Stack>
  );
}

const Two = ({ children }: { readonly children: ReactNode }): ReactElement => (
  <Box
    sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: 'repeat(2, minmax(0, 1fr))' }, alignItems: 'start' }}
  >
    {children}
  </Box>
);

const Heading = ({ children }: { readonly children: ReactNode }): ReactElement => (
  <Typography component="h2" variant="subtitle2">
    {children}
  </Typography>
);

function Switch({ name, draft, set }: PartProps & { readonly name: 'active' | 'ordered' | 'isThin' }): ReactElement {
  const t = useWords(WEBHOOKS);
  return (
    <FormControlLabel
      control={<Checkbox size="small" checked={draft[name]} onChange={(event) => set({ [name]: event.target.checked })} />}
      label={t(name === 'isThin' ? 'thin' : name)}
    />
  );
}

function Where(props: PartProps): ReactElement {
  const { draft, set, error } = props;
  const t = useWords(WEBHOOKS);
  return (
    <>
      <TextField
        size="small"
        label={t('name')}
        value={draft.name}
        onChange={(event) => set({ name: event.target.value })}
        error={errorAt(error, 'name') !== undefined}
        helperText={errorAt(error, 'name')}
      />
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: 'minmax(0, 1fr)', sm: '120px minmax(0, 1fr)' }, alignItems: 'start' }}>
        <TextField
          select
          size="small"
          label={t('method')}
          value={draft.method}
          onChange={(event) => set({ method: event.target.value as WebhookDraft['method'] })}
        >
          {METHODS.map((method) => (
            <MenuItem key={method} value={method}>
              {method}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          size="small"
          required
          type="url"
          label={t('url')}
          placeholder="https://example.com/hook"
          value={draft.url}
          onChange={(event) => set({ url: event.target.value })}
          error={errorAt(error, 'url') !== undefined}
          helperText={errorAt(error, 'url')}
        />
      </Box>
      <HeaderRows headers={draft.headers} onChange={(headers) => set({ headers })} />
    </>
  );
}

function When(props: PartProps): ReactElement {
  const { draft, set, error } = props;
  const t = useWords(WEBHOOKS);
  const discovery = useDiscovery();
  const entity = draft.entity === EVERY_ENTITY ? undefined : draft.entity;
  const scope = useMemo<Scope>(() => ({ place: 'guard', discovery, entity }), [discovery, entity]);
  const isBefore = draft.hook.startsWith('before_');
  return (
    <>
      <Heading>{t('when')}</Heading>
      <Two>
        <TextField
          select
          size="small"
          label={t('entity')}
          value={draft.entity}
          onChange={(event) => set({ entity: event.target.value, fields: [] })}
        >
          <MenuItem value={EVERY_ENTITY}>{t('every_entity')}</MenuItem>
          {discovery.entities.map(({ name, label }) => (
            <MenuItem key={name} value={name}>
              {label}
            </MenuItem>
          ))}
        </TextField>
        <TextField
          select
          size="small"
          label={t('hook')}
          value={draft.hook}
          onChange={(event) => set({ hook: event.target.value as WebhookDraft['hook'], events: [] })}
          error={errorAt(error, 'hook') !== undefined}
          helperText={errorAt(error, 'hook')}
        >
          {HOOKS.map((hook) => (
            <MenuItem key={hook} value={hook}>
              {t(`hook_${hook}`)}
            </MenuItem>
          ))}
        </TextField>
      </Two>
      <Autocomplete
        multiple
        disableCloseOnSelect
        size="small"
        options={EVENTS}
        value={[...draft.events]}
        getOptionLabel={(event: WebhookEvent) => t(event)}
        onChange={(_, events) => set({ events })}
        renderInput={(params) => (
          <TextField
            {...params}
            label={t('events')}
            error={errorAt(error, 'events') !== undefined}
            helperText={errorAt(error, 'events') ?? t('events_hint')}
          />
        )}
      />
      {isBefore ? null : (
        <FormControlLabel
          control={<Checkbox size="small" checked={!draft.async} onChange={(event) => set({ async: !event.target.checked })} />}
          label={t('async_off')}
        />
      )}
      <Expression
        label={t('condition')}
        hint={t('optional')}
        value={draft.condition}
        onChange={(condition) => set({ condition })}
        scope={scope}
        truth={{ yes: t('sent'), no: t('not_sent') }}
        error={errorAt(error, 'condition')}
      />
    </>
  );
}

function What(props: PartProps): ReactElement {
  const { draft, set, error } = props;
  const t = useWords(WEBHOOKS);
  const discovery = useDiscovery();
  const roles = useDefinitions<{ readonly name: string }>('roles');
  const fields = entityNamed(discovery, draft.entity)?.fields ?? [];
  return (
    <>
      <Heading>{t('payload')}</Heading>
      <Two>
        <Autocomplete
          multiple
          freeSolo
          disableCloseOnSelect
          size="small"
          options={fields.map(({ name }) => name)}
          value={[...draft.fields]}
          onChange={(_, chosen) => set({ fields: chosen })}
          renderInput={(params) => (
            <TextField
              {...params}
              label={t('fields')}
              error={errorAt(error, 'fields') !== undefined}
              helperText={errorAt(error, 'fields') ?? t('fields_hint')}
            />
          )}
        />
        <Autocomplete
          freeSolo
          size="small"
          options={roles.data?.data.map(({ name }) => name) ?? []}
          inputValue={draft.asRole}
          onInputChange={(_, asRole) => set({ asRole })}
          renderInput={(params) => (
            <TextField
              {...params}
              label={t('as_role')}
              error={errorAt(error, 'as_role') !== undefined}
              helperText={errorAt(error, 'as_role') ?? t('optional')}
            />
          )}
        />
      </Two>
      <Stack direction="row" useFlexGap sx={{ flexWrap: 'wrap' }}>
        <Switch name="isThin" {...props} />
        {isAskedFirst(draft) ? null : <Switch name="ordered" {...props} />}
      </Stack>
    </>
  );
}

/** What is used where a limit is left out. */
const USUAL = { breakAfter: 10, concurrency: 32 } as const;

function Retries({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(WEBHOOKS);
  const number = (
    name: 'maxAttempts' | 'breakAfter' | 'concurrency',
    word: 'max_attempts' | 'break_after' | 'concurrency',
  ): ReactElement => (
    <TextField
      size="small"
      label={t(word)}
      value={draft[name]}
      onChange={(event) => set({ [name]: event.target.value })}
      error={errorAt(error, word) !== undefined}
      helperText={errorAt(error, word) ?? (name === 'maxAttempts' ? undefined : t('default_is', { value: USUAL[name] }))}
      slotProps={{ htmlInput: { inputMode: 'numeric' } }}
    />
  );
  return (
    <>
      <Heading>{t('retries')}</Heading>
      <Two>
        {number('maxAttempts', 'max_attempts')}
        <TextField
          select
          size="small"
          label={t('backoff')}
          value={draft.backoff}
          onChange={(event) => set({ backoff: event.target.value as Backoff })}
        >
          {BACKOFFS.map((backoff) => (
            <MenuItem key={backoff} value={backoff}>
              {t(`backoff_${backoff}`)}
            </MenuItem>
          ))}
        </TextField>
        {draft.backoff === 'custom' ? (
          <Autocomplete
            multiple
            freeSolo
            autoSelect
            size="small"
            options={[] as string[]}
            value={[...draft.schedule]}
            onChange={(_, schedule) => set({ schedule })}
            renderInput={(params) => (
              <TextField
                {...params}
                label={t('schedule')}
                error={errorAt(error, 'schedule') !== undefined}
                helperText={errorAt(error, 'schedule') ?? t('schedule_hint')}
              />
            )}
          />
        ) : (
          <TextField
            size="small"
            label={t('initial')}
            value={draft.initial}
            onChange={(event) => set({ initial: event.target.value })}
            error={errorAt(error, 'initial') !== undefined}
            helperText={errorAt(error, 'initial')}
          />
        )}
        {number('breakAfter', 'break_after')}
        {number('concurrency', 'concurrency')}
      </Two>
    </>
  );
}
