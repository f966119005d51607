import {
  Alert,
  Autocomplete,
  Box,
  Checkbox,
  FormControlLabel,
  MenuItem,
  Stack,
  TextField,
  ToggleButton,
  ToggleButtonGroup,
  Typography,
} from '@mui/material';
import { lazy, Suspense, useMemo, useState, type ReactElement } from 'react';
import { useParams, useSearchParams } from 'react-router-dom';
import { DefinitionForm } from '../../definitions/DefinitionForm.tsx';
import { errorAt, useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { readList } from '../../ui/json.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import {
  attachmentBodyOf,
  attachmentDraftOf,
  emptyAttachment,
  EVENTS,
  type Attachment,
  type AttachmentDraft,
  type FunctionEvent,
  type RegistryFunction,
} from './attachment.ts';
import { FunctionTrial } from './FunctionTrial.tsx';
import { useRegistry } from './Registry.tsx';
import { FUNCTIONS } from './words.ts';

const CodeEditor = lazy(() => import('../../ui/CodeEditor.tsx'));

export function AttachmentEditor(): ReactElement {
  const t = useWords(FUNCTIONS);
  const { id } = useParams();
  const attachments = useDefinitions<Attachment>('function-attachments');
  const registry = useRegistry();
  const stored = attachments.data?.data.find((each) => each.id === id);
  const error = attachments.error ?? registry.error;
  return (
    <Page title={t(id === undefined ? 'new' : 'edit')}>
      <Problem error={error} onRetry={() => (void attachments.refetch(), void registry.refetch())} />
      {attachments.isPending || registry.isPending ? <Loading lines={8} /> : null}
      {attachments.data === undefined || registry.data === undefined ? null : id !== undefined && stored === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <Editor key={id} stored={stored} version={attachments.data.meta.schema_version} registry={registry.data.data} />
      )}
    </Page>
  );
}

interface EditorProps {
  readonly stored: Listed<Attachment> | undefined;
  readonly version: number;
  readonly registry: readonly RegistryFunction[];
}

function Editor({ stored, version, registry }: EditorProps): ReactElement {
  const t = useWords(FUNCTIONS);
  const discovery = useDiscovery();
  const [search] = useSearchParams();
  const base = `/t/${discovery.app.name}/_functions`;
  const [draft, setDraft] = useState(() =>
    stored === undefined ? emptyAttachment(discovery.entities[0]?.name ?? '', search.get('function') ?? '') : attachmentDraftOf(stored),
  );
  const body = attachmentBodyOf(draft);
  return (
    <Box
      sx={{
        display: 'grid',
        gap: 2,
        gridTemplateColumns: { xs: 'minmax(0, 1fr)', lg: 'minmax(0, 3fr) minmax(0, 2fr)' },
        alignItems: 'start',
      }}
    >
      <DefinitionForm
        section="function-attachments"
        stored={stored}
        version={version}
        body={body}
        label={t(stored === undefined ? 'new' : 'edit')}
        save={t('save')}
        cancel={t('cancel')}
        from={base}
      >
        {(error) => <Form draft={draft} onChange={setDraft} error={error} registry={registry} />}
      </DefinitionForm>
      <FunctionTrial key={draft.entity} draft={draft} />
    </Box>
  );
}

interface FormProps {
  readonly draft: AttachmentDraft;
  readonly onChange: (draft: AttachmentDraft) => void;
  readonly error: unknown;
  readonly registry: readonly RegistryFunction[];
}

interface PartProps extends FormProps {
  readonly set: (part: Partial<AttachmentDraft>) => void;
  readonly scope: Scope;
}

function Form(props: FormProps): ReactElement {
  const { draft, onChange, error } = props;
  const t = useWords(FUNCTIONS);
  const discovery = useDiscovery();
  const scope = useMemo<Scope>(() => ({ place: 'guard', discovery, entity: draft.entity }), [discovery, draft.entity]);
  const set = (part: Partial<AttachmentDraft>): void => onChange({ ...draft, ...part });
  const part: PartProps = { ...props, set, scope };
  return (
    <Stack spacing={2}>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
        <TextField
          size="small"
          required
          label={t('name')}
          value={draft.name}
          onChange={(event) => set({ name: event.target.value })}
          error={errorAt(error, 'name') !== undefined}
          helperText={errorAt(error, 'name')}
        />
        <TextField
          select
          size="small"
          required
          label={t('entity')}
          value={draft.entity}
          onChange={(event) => set({ entity: event.target.value, field: '', into: '' })}
        >
          {discovery.entities.map(({ name, label }) => (
            <MenuItem key={name} value={name}>
              {label}
            </MenuItem>
          ))}
        </TextField>
      </Box>
      <Autocomplete
        multiple
        disableCloseOnSelect
        size="small"
        options={EVENTS}
        value={[...draft.on]}
        getOptionLabel={(event: FunctionEvent) => t(event)}
        onChange={(_, on) => set({ on })}
        renderInput={(params) => (
          <TextField {...params} label={t('events')} error={errorAt(error, 'on') !== undefined} helperText={errorAt(error, 'on')} />
        )}
      />
      <What {...part} />
      <Fields {...part} />
      <Expression
        label={t('when')}
        value={draft.when}
        onChange={(when) => set({ when })}
        scope={scope}
        truth={{ yes: t('when_yes'), no: t('when_no') }}
        error={errorAt(error, 'when')}
      />
      <Rest {...part} />
    </Stack>
  );
}

function What(props: PartProps): ReactElement {
  const { draft, set, registry, error } = props;
  const t = useWords(FUNCTIONS);
  const spec = registry.find(({ name }) => name === draft.function);
  return (
    <>
      <ToggleButtonGroup
        exclusive
        size="small"
        aria-label={t('what')}
        value={draft.isScript ? 'script' : 'function'}
        onChange={(_, kind: string | null) => set({ isScript: (kind ?? (draft.isScript ? 'script' : 'function')) === 'script' })}
      >
        <ToggleButton value="function">{t('function')}</ToggleButton>
        <ToggleButton value="script">{t('script')}</ToggleButton>
      </ToggleButtonGroup>
      {draft.isScript ? (
        <div>
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mb: 0.5 }}>
            {t('script_hint')}
          </Typography>
          <Suspense fallback={<Loading lines={3} />}>
            <CodeEditor
              language="text"
              label={t('script_label')}
              value={draft.script}
              onChange={(script) => set({ script })}
              minHeight={120}
            />
          </Suspense>
          <Typography variant="caption" sx={{ color: 'error.main' }}>
            {errorAt(error, 'script') ?? ''}
          </Typography>
        </div>
      ) : (
        <>
          <Autocomplete
            size="small"
            options={registry.map(({ name }) => name)}
            value={draft.function === '' ? null : draft.function}
            onChange={(_, name) => set({ function: name ?? '', params: {} })}
            renderInput={(params) => (
              <TextField
                {...params}
                label={t('function')}
                error={errorAt(error, 'function') !== undefined}
                helperText={errorAt(error, 'function') ?? spec?.summary}
              />
            )}
          />
          {spec === undefined ? null : <Params {...props} spec={spec} />}
        </>
      )}
    </>
  );
}

function Params({ draft, set, spec, error }: PartProps & { readonly spec: RegistryFunction }): ReactElement {
  const t = useWords(FUNCTIONS);
  const known = Object.entries(spec.parameters.properties ?? {});
  return (
    <Stack spacing={1.5} role="group" aria-label={t('params')}>
      <Typography component="h2" variant="body2" sx={{ fontWeight: 500 }}>
        {t('params')}
      </Typography>
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('param_hint')}
      </Typography>
      {known.map(([name, { description }]) => (
        <TextField
          key={name}
          size="small"
          multiline
          required={spec.parameters.required?.includes(name) === true}
          label={name}
          value={draft.params[name] ?? ''}
          onChange={(event) => set({ params: { ...draft.params, [name]: event.target.value } })}
          error={errorAt(error, `params.${name}`) !== undefined}
          helperText={errorAt(error, `params.${name}`) ?? description}
          slotProps={{ htmlInput: { spellCheck: false } }}
        />
      ))}
    </Stack>
  );
}

function Fields({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(FUNCTIONS);
  const discovery = useDiscovery();
  const fields = entityNamed(discovery, draft.entity)?.fields ?? [];
  return (
    <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
      {(['field', 'into'] as const).map((part) => (
        <TextField
          key={part}
          select
          size="small"
          label={t(part)}
          value={draft[part]}
          onChange={(event) => set({ [part]: event.target.value })}
          error={errorAt(error, part) !== undefined}
          helperText={errorAt(error, part)}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        >
          <MenuItem value="">
            <em>{t('no_field')}</em>
          </MenuItem>
          {fields.map(({ name }) => (
            <MenuItem key={name} value={name}>
              {name}
            </MenuItem>
          ))}
        </TextField>
      ))}
    </Box>
  );
}

const SWITCHES = ['active', 'async', 'log'] as const;
const SWITCH_WORDS = { active: 'is_active', async: 'is_async', log: 'is_logged' } as const;

function Rest({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(FUNCTIONS);
  return (
    <>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '3fr 1fr' }, alignItems: 'start' }}>
        <TextField
          size="small"
          label={t('own_message')}
          helperText={t('own_message_hint')}
          value={draft.message}
          onChange={(event) => set({ message: event.target.value })}
        />
        <TextField
          size="small"
          label={t('priority')}
          value={draft.priority}
          onChange={(event) => set({ priority: event.target.value })}
          error={errorAt(error, 'priority') !== undefined}
          slotProps={{ htmlInput: { inputMode: 'numeric' } }}
        />
      </Box>
      <Stack direction="row" useFlexGap sx={{ flexWrap: 'wrap' }}>
        {SWITCHES.map((part) => (
          <FormControlLabel
            key={part}
            control={<Checkbox size="small" checked={draft[part]} onChange={(event) => set({ [part]: event.target.checked })} />}
            label={t(SWITCH_WORDS[part])}
          />
        ))}
      </Stack>
      <div>
        <Typography component="h2" variant="body2" sx={{ fontWeight: 500 }}>
          {t('tests_json')}
        </Typography>
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mb: 0.5, overflowWrap: 'anywhere' }}>
          {t('tests_hint')}
        </Typography>
        <Suspense fallback={<Loading lines={2} />}>
          <CodeEditor
            isSmall
            language="json"
            label={t('tests_json')}
            value={draft.tests}
            onChange={(tests) => set({ tests })}
            minHeight={44}
            maxHeight={300}
            placeholder="[]"
          />
        </Suspense>
        <Typography role="status" variant="caption" sx={{ color: 'error.main' }}>
          {readList(draft.tests) === undefined ? t('json_broken') : (errorAt(error, 'tests') ?? '')}
        </Typography>
      </div>
    </>
  );
}
