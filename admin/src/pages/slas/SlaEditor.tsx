import DeleteOutlined from '@mui/icons-material/DeleteOutlined';
import { Alert, Box, Button, Checkbox, FormControlLabel, IconButton, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { lazy, Suspense, useMemo, useState, type ReactElement } from 'react';
import { useParams } from 'react-router-dom';
import { DefinitionForm } from '../../definitions/DefinitionForm.tsx';
import { errorAt, useDefinitions, type Listed } from '../../definitions/definitions.ts';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { useDiscovery } from '../../shell/discovery-context.ts';
import { readList } from '../../ui/json.ts';
import { Loading, Page } from '../../ui/Page.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { TextsInput } from '../../ui/TextsInput.tsx';
import { emptySla, isWhole, slaBodyOf, slaDraftOf, type Calendar, type Sla, type SlaDraft } from './sla.ts';
import { SlaTrial } from './SlaTrial.tsx';
import { SLAS } from './words.ts';

const CodeEditor = lazy(() => import('../../ui/CodeEditor.tsx'));

export function SlaEditor(): ReactElement {
  const t = useWords(SLAS);
  const { id } = useParams();
  const slas = useDefinitions<Sla>('slas');
  const stored = slas.data?.data.find((sla) => sla.id === id);
  return (
    <Page title={t(id === undefined ? 'new' : 'edit')}>
      <Problem error={slas.error} onRetry={() => void slas.refetch()} />
      {slas.isPending ? <Loading lines={8} /> : null}
      {slas.data === undefined ? null : id !== undefined && stored === undefined ? (
        <Alert severity="warning">{t('gone')}</Alert>
      ) : (
        <Editor key={id} stored={stored} version={slas.data.meta.schema_version} />
      )}
    </Page>
  );
}

function Editor({ stored, version }: { readonly stored: Listed<Sla> | undefined; readonly version: number }): ReactElement {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const base = `/t/${discovery.app.name}/_slas`;
  const [draft, setDraft] = useState(() => (stored === undefined ? emptySla(discovery.entities[0]?.name ?? '') : slaDraftOf(stored)));
  const body = useMemo(() => slaBodyOf(draft), [draft]);
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
        section="slas"
        stored={stored}
        version={version}
        body={body}
        label={t(stored === undefined ? 'new' : 'edit')}
        save={t('save')}
        cancel={t('cancel')}
        from={base}
      >
        {(error) => <Form draft={draft} onChange={setDraft} error={error} isNew={stored === undefined} />}
      </DefinitionForm>
      <SlaTrial key={draft.entity} entity={draft.entity} body={isWhole(draft) ? body : undefined} />
    </Box>
  );
}

interface FormProps {
  readonly draft: SlaDraft;
  readonly onChange: (draft: SlaDraft) => void;
  readonly error: unknown;
}

interface PartProps extends FormProps {
  readonly set: (part: Partial<SlaDraft>) => void;
}

function Form({ draft, onChange, error, isNew }: FormProps & { readonly isNew: boolean }): ReactElement {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const set = (part: Partial<SlaDraft>): void => onChange({ ...draft, ...part });
  const part: PartProps = { draft, onChange, error, set };
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
          disabled={!isNew}
          label={t('entity')}
          value={draft.entity}
          onChange={(event) => set({ entity: event.target.value })}
        >
          {discovery.entities.map(({ name, label }) => (
            <MenuItem key={name} value={name}>
              {label}
            </MenuItem>
          ))}
        </TextField>
      </Box>
      <TextField
        size="small"
        label={t('describe')}
        value={draft.description}
        onChange={(event) => set({ description: event.target.value })}
        multiline
      />
      <Conditions {...part} />
      <Targets {...part} />
      <Warnings {...part} />
      <Stack direction="row" useFlexGap sx={{ flexWrap: 'wrap' }}>
        <FormControlLabel
          control={<Checkbox size="small" checked={draft.active} onChange={(event) => set({ active: event.target.checked })} />}
          label={t('active')}
        />
        <FormControlLabel
          control={<Checkbox size="small" checked={draft.retroactive} onChange={(event) => set({ retroactive: event.target.checked })} />}
          label={t('retroactive')}
        />
      </Stack>
    </Stack>
  );
}

const CONDITIONS = ['start', 'stop', 'pause', 'resume', 'reset'] as const;

function Conditions({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const scope = useMemo<Scope>(() => ({ place: 'sla', discovery, entity: draft.entity }), [discovery, draft.entity]);
  return (
    <>
      {CONDITIONS.filter((name) => name !== 'resume' || draft.pause.trim() !== '').map((name) => (
        <Expression
          key={name}
          label={t(name)}
          {...(name === 'start' || name === 'stop' ? {} : { hint: t('optional') })}
          value={draft[name]}
          onChange={(typed) => set({ [name]: typed })}
          scope={scope}
          truth={{ yes: t('holds'), no: t('not_holds') }}
          error={errorAt(error, name)}
        />
      ))}
    </>
  );
}

function Targets({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(SLAS);
  const discovery = useDiscovery();
  const calendars = useDefinitions<Calendar>('calendars');
  const scope = useMemo<Scope>(() => ({ place: 'sla', discovery, entity: draft.entity }), [discovery, draft.entity]);
  const put = (at: number, part: Partial<SlaDraft['targets'][number]>): void =>
    set({ targets: draft.targets.map((each, index) => (index === at ? { ...each, ...part } : each)) });
  return (
    <>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
        <TextField
          size="small"
          label={t('target')}
          value={draft.target}
          onChange={(event) => set({ target: event.target.value })}
          error={errorAt(error, 'target') !== undefined}
          helperText={errorAt(error, 'target') ?? t('target_hint')}
        />
        <TextField
          select
          size="small"
          label={t('calendar')}
          value={draft.calendar}
          onChange={(event) => set({ calendar: event.target.value })}
          slotProps={{ select: { displayEmpty: true }, inputLabel: { shrink: true } }}
        >
          <MenuItem value="">
            <em>{t('always')}</em>
          </MenuItem>
          {[...new Set([...(calendars.data?.data.map(({ name }) => name) ?? []), ...(draft.calendar === '' ? [] : [draft.calendar])])].map(
            (name) => (
              <MenuItem key={name} value={name}>
                {name}
              </MenuItem>
            ),
          )}
        </TextField>
      </Box>
      <Stack spacing={1} role="group" aria-label={t('targets')}>
        <Typography component="h2" variant="body2" sx={{ fontWeight: 500 }}>
          {t('targets')}
        </Typography>
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('targets_hint')}
        </Typography>
        {draft.targets.map((each, index) => (
          <Box
            key={index}
            sx={{ display: 'grid', gap: 1, gridTemplateColumns: { xs: '1fr', sm: 'minmax(0, 2fr) 1fr 40px' }, alignItems: 'end' }}
          >
            <Expression
              label={`${t('target_when')} ${index + 1}`}
              value={each.when}
              onChange={(when) => put(index, { when })}
              scope={scope}
              error={errorAt(error, `targets.${index}.when`)}
            />
            <TextField
              size="small"
              label={`${t('target')} ${index + 1}`}
              value={each.target}
              onChange={(event) => put(index, { target: event.target.value })}
              sx={{ mb: 3 }}
            />
            <IconButton
              aria-label={`${t('remove_target')} ${index + 1}`}
              onClick={() => set({ targets: draft.targets.filter((_, at) => at !== index) })}
              sx={{ mb: 3 }}
            >
              <DeleteOutlined fontSize="small" />
            </IconButton>
          </Box>
        ))}
        <Button
          size="small"
          variant="outlined"
          sx={{ alignSelf: 'start' }}
          onClick={() => set({ targets: [...draft.targets, { when: '', target: '1h' }] })}
        >
          {t('add_target')}
        </Button>
      </Stack>
    </>
  );
}

const LISTS = [
  ['onWarn', 'on_warn'],
  ['onBreach', 'on_breach'],
  ['escalate', 'escalate'],
] as const;

function Warnings({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(SLAS);
  return (
    <>
      <TextsInput
        label={t('warn_at')}
        options={['50%', '80%', '30m']}
        value={draft.warnAt}
        onChange={(warnAt) => set({ warnAt })}
        error={errorAt(error, 'warn_at') !== undefined}
        helperText={errorAt(error, 'warn_at') ?? t('warn_hint')}
      />
      <Typography component="h2" variant="body2" sx={{ fontWeight: 500 }}>
        {t('actions')}
      </Typography>
      {LISTS.map(([name, place]) => (
        <div key={name}>
          <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mb: 0.5 }}>
            {t(place)}
          </Typography>
          <Suspense fallback={<Loading lines={2} />}>
            <CodeEditor
              isSmall
              language="json"
              label={t(place)}
              value={draft[name]}
              onChange={(text) => set({ [name]: text })}
              minHeight={44}
              maxHeight={240}
              placeholder="[]"
            />
          </Suspense>
          <Typography role="status" variant="caption" sx={{ color: 'error.main' }}>
            {readList(draft[name]) === undefined ? t('json_broken') : (errorAt(error, place) ?? '')}
          </Typography>
        </div>
      ))}
    </>
  );
}
