/** The sample that is tried, as a form or as JSON. */
import { Box, Button, Checkbox, FormControlLabel, Stack, ToggleButton, ToggleButtonGroup, Typography } from '@mui/material';
import { lazy, Suspense, useState, type ReactElement } from 'react';
import { RecordInput } from '../definitions/RecordInput.tsx';
import { RolesInput } from '../definitions/RolesInput.tsx';
import type { DiscoveredEntity } from '../discovery.ts';
import { useWords } from '../i18n/words.ts';
import { readObject } from '../ui/json.ts';
import { Loading } from '../ui/Page.tsx';
import { FieldValue } from './FieldValue.tsx';
import { actionOf, isWritable, NEW, type Row, type Sample } from './sample.ts';
import { TRIAL } from './words.ts';

const CodeEditor = lazy(() => import('../ui/CodeEditor.tsx'));

interface SampleEditorProps {
  readonly entity: DiscoveredEntity;
  readonly sample: Sample;
  readonly onChange: (sample: Sample) => void;
}

export function SampleEditor({ entity, sample, onChange }: SampleEditorProps): ReactElement {
  const t = useWords(TRIAL);
  const [view, setView] = useState<'form' | 'json'>('form');
  const action = actionOf(sample);
  return (
    <Stack spacing={1.5}>
      <RecordInput
        entity={entity}
        value={sample.id}
        label={t('start_from')}
        onChange={(id, record) =>
          onChange(record === undefined ? { ...NEW, roles: sample.roles } : { ...sample, id, old: record, record, isDeleted: false })
        }
      />
      <RolesInput
        label={t('as_roles')}
        helperText={t('as_you')}
        value={sample.roles}
        onChange={(roles) => onChange({ ...sample, roles })}
        besides={['admin']}
      />
      <Stack direction="row" useFlexGap spacing={1} sx={{ alignItems: 'center', flexWrap: 'wrap' }}>
        <Typography variant="body2" sx={{ flex: '1 0 200px' }}>
          {t(`kind_${action}`)}
        </Typography>
        {sample.old === null ? null : (
          <FormControlLabel
            control={
              <Checkbox
                size="small"
                checked={sample.isDeleted}
                onChange={(event) => onChange({ ...sample, isDeleted: event.target.checked })}
              />
            }
            label={t('deletes')}
          />
        )}
        <Button size="small" onClick={() => (setView('form'), onChange({ ...NEW, roles: sample.roles }))}>
          {t('reset')}
        </Button>
        <ToggleButtonGroup
          exclusive
          size="small"
          value={view}
          aria-label={t('view')}
          onChange={(_, next: typeof view | null) => setView(next ?? view)}
        >
          <ToggleButton value="form">{t('form')}</ToggleButton>
          <ToggleButton value="json">{t('json')}</ToggleButton>
        </ToggleButtonGroup>
      </Stack>
      {sample.isDeleted ? null : view === 'form' ? (
        <Fields entity={entity} record={sample.record} onChange={(record) => onChange({ ...sample, record })} />
      ) : (
        <Json key={sample.id} record={sample.record} onChange={(record) => onChange({ ...sample, record })} />
      )}
    </Stack>
  );
}

interface RowProps {
  readonly record: Row;
  readonly onChange: (record: Row) => void;
}

function Fields({ entity, record, onChange }: RowProps & { readonly entity: DiscoveredEntity }): ReactElement {
  const fields = entity.fields.filter((field) => isWritable(entity, field) && !field.hidden);
  return (
    <Box sx={{ display: 'grid', gap: 1.5, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' }, alignItems: 'start' }}>
      {fields.map((field) => (
        <FieldValue
          key={field.name}
          entity={entity}
          field={field}
          value={record[field.name]}
          onChange={(value) => onChange(withValue(record, field.name, value))}
        />
      ))}
    </Box>
  );
}

/** Emptied: null where there was something, absent where there was not. */
function withValue(record: Row, name: string, value: unknown): Row {
  if (value !== undefined) return { ...record, [name]: value };
  if (record[name] !== undefined && 'id' in record) return { ...record, [name]: null };
  const { [name]: _gone, ...rest } = record;
  return rest;
}

function Json({ record, onChange }: RowProps): ReactElement {
  const t = useWords(TRIAL);
  const [text, setText] = useState(() => JSON.stringify(record, null, 2));
  const [isBroken, setBroken] = useState(false);
  const take = (typed: string): void => {
    setText(typed);
    const read = readObject(typed);
    setBroken(read === undefined);
    if (read !== undefined) onChange(read);
  };
  return (
    <div>
      <Suspense fallback={<Loading lines={4} />}>
        <CodeEditor language="json" label={t('json_label')} value={text} onChange={take} minHeight={120} maxHeight={320} />
      </Suspense>
      <Typography role="status" variant="caption" sx={{ color: 'warning.main' }}>
        {isBroken ? t('json_broken') : ''}
      </Typography>
    </div>
  );
}
