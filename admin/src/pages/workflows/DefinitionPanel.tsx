/** What a definition is called, what starts it, and what its runs begin with. */
import { Button, Checkbox, FormControlLabel, MenuItem, Stack, TextField, Typography } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { appPath, useSend } from '../../api/use-api.ts';
import { RecordInput } from '../../definitions/RecordInput.tsx';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { Code } from '../../ui/Code.tsx';
import { Problem } from '../../ui/Problem.tsx';
import { useBuilder } from './builder.ts';
import { MapInput } from './MapInput.tsx';
import { TRIGGER_PARTS } from './parts.ts';
import { Parts } from './Parts.tsx';
import { TRIGGERS, withPart, type Raw, type Trigger, type TriggerKind, type Workflow } from './workflow.ts';
import { WORKFLOWS } from './words.ts';

interface DefinitionPanelProps {
  readonly workflow: Workflow;
  /** As it is published; undefined for a new one. */
  readonly stored: Workflow | undefined;
  readonly onChange: (workflow: Workflow) => void;
  /** The record that expressions are tried on. */
  readonly record: string;
  readonly onRecord: (id: string) => void;
}

export function DefinitionPanel(props: DefinitionPanelProps): ReactElement {
  const { workflow, stored, onChange } = props;
  const t = useWords(WORKFLOWS);
  const { errorAt } = useBuilder();
  return (
    <Stack spacing={2.5}>
      <TextField
        size="small"
        required
        label={t('name')}
        value={workflow.name}
        onChange={(event) => onChange({ ...workflow, name: event.target.value })}
        error={errorAt('name') !== undefined}
        helperText={errorAt('name')}
        slotProps={{ htmlInput: { spellCheck: false } }}
      />
      <TextField
        size="small"
        multiline
        label={t('describe')}
        value={workflow.description ?? ''}
        onChange={(event) => onChange(withPart(workflow as Workflow & Raw, 'description', event.target.value))}
      />
      <TriggerForm {...props} />
      {stored?.trigger.type === 'webhook' ? <HookToken name={stored.name} /> : null}
      <div>
        <MapInput
          label={t('context')}
          value={workflow.context}
          onChange={(context) => onChange({ ...workflow, context: context ?? {} })}
          error={errorAt('context')}
        />
        <Typography variant="caption" sx={{ color: 'text.secondary' }}>
          {t('context_hint')}
        </Typography>
      </div>
      <Sample {...props} />
      <FormControlLabel
        control={
          <Checkbox size="small" checked={workflow.active} onChange={(event) => onChange({ ...workflow, active: event.target.checked })} />
        }
        label={t('active')}
      />
    </Stack>
  );
}

function TriggerForm({ workflow, onChange }: DefinitionPanelProps): ReactElement {
  const t = useWords(WORKFLOWS);
  const { trigger } = workflow;
  const choose = (type: TriggerKind): void => {
    const keys = new Set<string>(TRIGGER_PARTS[type].map(({ key }) => key));
    const kept = Object.fromEntries(Object.entries(trigger).filter(([key]) => keys.has(key)));
    onChange({ ...workflow, trigger: { ...kept, type } as Trigger });
  };
  return (
    <Stack spacing={2} role="group" aria-label={t('starts')}>
      <TextField
        select
        size="small"
        label={t('starts')}
        value={trigger.type}
        onChange={(event) => choose(event.target.value as TriggerKind)}
      >
        {TRIGGERS.map((type) => (
          <MenuItem key={type} value={type}>
            {t(`trigger_${type}`)}
          </MenuItem>
        ))}
      </TextField>
      <Parts
        key={trigger.type}
        parts={TRIGGER_PARTS[trigger.type]}
        value={trigger}
        path="trigger"
        onChange={(next) => onChange({ ...workflow, trigger: next })}
      />
    </Stack>
  );
}

function Sample({ workflow, record, onRecord }: DefinitionPanelProps): ReactElement | null {
  const t = useWords(WORKFLOWS);
  const entity = entityNamed(useDiscovery(), workflow.trigger.entity ?? '');
  if (entity === undefined) return null;
  return (
    <div>
      <RecordInput entity={entity} value={record} label={t('sample')} onChange={(id) => onRecord(id)} />
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('sample_hint')}
      </Typography>
    </div>
  );
}

/** What a caller of the inbound hook sends with it; a new one replaces the one before. */
function HookToken({ name }: { readonly name: string }): ReactElement {
  const t = useWords(WORKFLOWS);
  const { app } = useDiscovery();
  const send = useSend();
  const [token, setToken] = useState<string | undefined>();
  const [error, setError] = useState<unknown>();
  const ask = (): void => {
    setError(undefined);
    send<{ readonly data: { readonly token: string } }>(
      'POST',
      `${appPath(app.name)}/_admin/workflows/${encodeURIComponent(name)}/token`,
    ).then(({ data }) => setToken(data.token), setError);
  };
  return (
    <Stack spacing={1}>
      <Problem error={error} />
      <Code label={t('hook')} text={`POST ${appPath(app.name)}/_hooks/${name}`} />
      <Typography variant="caption" sx={{ color: 'text.secondary' }}>
        {t('token_hint')}
      </Typography>
      {token === undefined ? null : <Code label={t('token')} text={token} />}
      <Button size="small" variant="outlined" sx={{ alignSelf: 'start' }} onClick={ask}>
        {t('new_token')}
      </Button>
    </Stack>
  );
}
