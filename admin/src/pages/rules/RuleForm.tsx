import {
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
import { useMemo, type ReactElement } from 'react';
import type { ExpressionScope } from '../../../../core/expression/expression.ts';
import { errorAt } from '../../definitions/definitions.ts';
import type { DiscoveredEntity } from '../../discovery.ts';
import { Expression } from '../../expressions/Expression.tsx';
import type { Scope } from '../../expressions/scope.ts';
import { useWords } from '../../i18n/words.ts';
import { entityNamed, useDiscovery } from '../../shell/discovery-context.ts';
import { FieldValue } from '../../trial/FieldValue.tsx';
import { RelatedLoads } from './RelatedLoads.tsx';
import { operatorsFor, takesLength, takesList, takesValue, type Operator, type Rule, type RuleDraft } from './rule.ts';
import { RULES } from './words.ts';
import { TextsInput } from '../../ui/TextsInput.tsx';

interface RuleFormProps {
  readonly draft: RuleDraft;
  readonly onChange: (draft: RuleDraft) => void;
  readonly sample: ExpressionScope;
  readonly error: unknown;
  readonly isNew: boolean;
}

interface PartProps extends RuleFormProps {
  readonly entity: DiscoveredEntity | undefined;
  readonly scope: Scope;
  readonly set: (part: Partial<RuleDraft>) => void;
}

const KINDS: readonly Rule['type'][] = ['field', 'expression', 'computed'];
const HOOKS: readonly Rule['hook'][] = ['before_write', 'before_delete', 'after_write'];

export function RuleForm(props: RuleFormProps): ReactElement {
  const { draft, onChange, isNew } = props;
  const t = useWords(RULES);
  const discovery = useDiscovery();
  const entity = entityNamed(discovery, draft.entity);
  const scope = useMemo<Scope>(
    () => ({ place: 'rule', discovery, entity: draft.entity, related: draft.related.map(({ relation }) => relation) }),
    [discovery, draft.entity, draft.related],
  );
  const part: PartProps = { ...props, entity, scope, set: (changed) => onChange({ ...draft, ...changed }) };
  return (
    <Stack spacing={2}>
      <TextField
        select
        size="small"
        required
        label={t('entity')}
        value={draft.entity}
        disabled={!isNew}
        onChange={(event) => part.set({ entity: event.target.value, field: '', fields: [], related: [] })}
      >
        {discovery.entities.map(({ name, label }) => (
          <MenuItem key={name} value={name}>
            {label}
          </MenuItem>
        ))}
      </TextField>
      <div>
        <ToggleButtonGroup
          exclusive
          size="small"
          color="primary"
          aria-label={t('kind')}
          value={draft.type}
          onChange={(_, type: Rule['type'] | null) => part.set({ type: type ?? draft.type })}
          sx={{ flexWrap: 'wrap' }}
        >
          {KINDS.map((kind) => (
            <ToggleButton key={kind} value={kind} sx={{ textTransform: 'none' }}>
              {t(`kind_${kind}`)}
            </ToggleButton>
          ))}
        </ToggleButtonGroup>
        <Typography variant="caption" component="div" sx={{ color: 'text.secondary', mt: 0.5 }}>
          {t(`kind_${draft.type}_says`)}
        </Typography>
      </div>
      {draft.type === 'field' ? <FieldPart {...part} /> : <ExpressionPart {...part} />}
      <Rest {...part} />
    </Stack>
  );
}

function FieldPart(props: PartProps): ReactElement {
  const { draft, entity, set, error, scope, sample } = props;
  const t = useWords(RULES);
  const field = entity?.fields.find(({ name }) => name === draft.field);
  const isRequired = draft.operator === 'required_if';
  return (
    <>
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '1fr 1fr' } }}>
        <FieldChoice {...props} />
        <TextField
          select
          size="small"
          label={t('operator')}
          value={draft.operator}
          onChange={(event) => set({ operator: event.target.value as Operator, value: undefined })}
        >
          {operatorsFor(field, draft.operator).map((operator) => (
            <MenuItem key={operator} value={operator}>
              {t(`pick_${operator}`)}
            </MenuItem>
          ))}
        </TextField>
      </Box>
      <ValuePart {...props} />
      <Expression
        label={t(isRequired ? 'condition_required' : 'condition')}
        {...(isRequired ? {} : { hint: t('condition_hint') })}
        value={draft.condition}
        onChange={(condition) => set({ condition })}
        scope={scope}
        sample={sample}
        truth={{ yes: t('met'), no: t('unmet') }}
        error={errorAt(error, 'definition.condition')}
      />
    </>
  );
}

function FieldChoice({ draft, entity, set, error }: PartProps): ReactElement {
  const t = useWords(RULES);
  const isOptional = draft.type === 'expression';
  const wrong = errorAt(error, 'definition.field');
  return (
    <TextField
      select
      size="small"
      required={!isOptional}
      label={t('field')}
      value={draft.field}
      onChange={(event) => set({ field: event.target.value, ...(draft.type === 'field' ? { value: undefined } : {}) })}
      error={wrong !== undefined}
      helperText={wrong ?? (isOptional ? t('field_hint') : undefined)}
    >
      {isOptional ? <MenuItem value="">–</MenuItem> : null}
      {(entity?.fields ?? []).map(({ name, label, type, references }) => (
        <MenuItem key={name} value={name}>
          {label === name ? name : `${label} (${name})`}
          <Typography component="span" variant="caption" sx={{ color: 'text.secondary', ml: 1 }}>
            {references ?? type}
          </Typography>
        </MenuItem>
      ))}
    </TextField>
  );
}

function ValuePart({ draft, entity, set, error }: PartProps): ReactElement | null {
  const t = useWords(RULES);
  const field = entity?.fields.find(({ name }) => name === draft.field);
  const wrong = errorAt(error, 'definition.value');
  const { operator, value } = draft;
  if (operator === 'unique') {
    return (
      <Autocomplete
        multiple
        size="small"
        options={(entity?.fields ?? []).map(({ name }) => name).filter((name) => name !== draft.field)}
        value={[...draft.fields]}
        onChange={(_, fields) => set({ fields })}
        renderInput={(params) => <TextField {...params} label={t('with_fields')} />}
      />
    );
  }
  if (!takesValue(operator)) return null;
  if (takesList(operator)) return <ListInput value={value} wrong={wrong} onChange={(list) => set({ value: list })} />;
  if (takesLength(operator) || operator === 'pattern' || field === undefined || entity === undefined) {
    return (
      <TextField
        size="small"
        required
        label={t('value')}
        value={value === undefined ? '' : String(value as string)}
        onChange={(event) => set({ value: event.target.value === '' ? undefined : event.target.value })}
        error={wrong !== undefined}
        helperText={wrong ?? (operator === 'pattern' ? t('pattern_hint') : undefined)}
        slotProps={{ htmlInput: operator === 'pattern' ? { spellCheck: false } : takesLength(operator) ? { inputMode: 'numeric' } : {} }}
      />
    );
  }
  return (
    <FieldValue
      entity={entity}
      field={field}
      label={t('value')}
      value={value}
      error={wrong}
      isLoose
      onChange={(next) => set({ value: next })}
    />
  );
}

interface ListInputProps {
  readonly value: unknown;
  readonly wrong: string | undefined;
  readonly onChange: (list: readonly (string | number)[]) => void;
}

function ListInput({ value, wrong, onChange }: ListInputProps): ReactElement {
  const t = useWords(RULES);
  const items = Array.isArray(value) ? value.map(String) : [];
  return (
    <TextsInput label={t('values')} value={items} onChange={onChange} error={wrong !== undefined} helperText={wrong ?? t('values_hint')} />
  );
}

function ExpressionPart(props: PartProps): ReactElement {
  const { draft, entity, set, error, scope, sample } = props;
  const t = useWords(RULES);
  const isComputed = draft.type === 'computed';
  return (
    <>
      {isComputed ? <FieldChoice {...props} /> : null}
      <Expression
        label={t(isComputed ? 'computed_as' : 'violated_when')}
        value={draft.expression}
        onChange={(expression) => set({ expression })}
        scope={scope}
        sample={sample}
        {...(isComputed ? {} : { truth: { yes: t('violated'), no: t('holds') } })}
        error={errorAt(error, 'definition.expression')}
      />
      {isComputed ? null : <FieldChoice {...props} />}
      {entity === undefined ? null : (
        <RelatedLoads entity={entity} loads={draft.related} onChange={(related) => set({ related })} error={error} />
      )}
    </>
  );
}

function Rest({ draft, set, error }: PartProps): ReactElement {
  const t = useWords(RULES);
  const isComputed = draft.type === 'computed';
  const wrongPriority = errorAt(error, 'priority');
  return (
    <>
      {isComputed ? null : (
        <TextField
          size="small"
          label={t('message')}
          value={draft.message}
          onChange={(event) => set({ message: event.target.value })}
          helperText={t('message_hint')}
          multiline
        />
      )}
      <Box sx={{ display: 'grid', gap: 2, gridTemplateColumns: { xs: '1fr', sm: '2fr 1fr 2fr' }, alignItems: 'start' }}>
        {isComputed ? null : (
          <TextField
            select
            size="small"
            label={t('when')}
            value={draft.hook}
            onChange={(event) => set({ hook: event.target.value as Rule['hook'] })}
          >
            {HOOKS.map((hook) => (
              <MenuItem key={hook} value={hook}>
                {t(hook)}
              </MenuItem>
            ))}
          </TextField>
        )}
        <TextField
          size="small"
          label={t('priority')}
          value={draft.priority}
          onChange={(event) => set({ priority: event.target.value })}
          error={wrongPriority !== undefined}
          helperText={wrongPriority ?? t('priority_hint')}
          slotProps={{ htmlInput: { inputMode: 'numeric' } }}
        />
        <TextField
          size="small"
          label={t('name')}
          value={draft.name}
          onChange={(event) => set({ name: event.target.value })}
          helperText={t('name_hint')}
        />
      </Box>
      <Stack direction="row" useFlexGap sx={{ flexWrap: 'wrap' }}>
        <FormControlLabel
          control={<Checkbox size="small" checked={draft.active} onChange={(event) => set({ active: event.target.checked })} />}
          label={t('active_label')}
        />
        {isComputed ? null : (
          <FormControlLabel
            control={<Checkbox size="small" checked={draft.stop} onChange={(event) => set({ stop: event.target.checked })} />}
            label={t('stop')}
          />
        )}
      </Stack>
    </>
  );
}
