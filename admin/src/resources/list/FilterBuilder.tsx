import { Autocomplete, Box, Button, Checkbox, MenuItem, Stack, TextField } from '@mui/material';
import { useState, type ReactElement } from 'react';
import { operandsOf, operatorsOf, splitValues, type Condition, type Operator } from '../../fields/conditions.ts';
import { choicesOf, choiceWord, statesOf } from '../../fields/values.ts';
import { useRecordOptions, ValueInput, type RecordOption } from '../../fields/ValueInput.tsx';
import { FIELDS } from '../../fields/words.ts';
import type { DiscoveredEntity, DiscoveredField } from '../../discovery.ts';
import { useWords } from '../../i18n/words.ts';
import { ordered } from '../shape.ts';
import { LIST } from './words.ts';

interface FilterBuilderProps {
  readonly entity: DiscoveredEntity;
  /** To be changed; left out, a new one is made. */
  readonly condition?: Condition;
  readonly onDone: (condition: Condition) => void;
}

/** Field, condition, value, from top to bottom; Enter applies. */
export function FilterBuilder({ entity, condition, onDone }: FilterBuilderProps): ReactElement {
  const t = useWords(LIST);
  const words = useWords(FIELDS);
  const fields = ordered(
    entity,
    entity.fields.filter((field) => field.readable),
  );
  const [name, setName] = useState(condition?.field ?? fields[0]?.name ?? '');
  const field = fields.find((one) => one.name === name);
  const operators = field === undefined ? [] : operatorsOf(field, statesOf(entity, field.name).length > 0);
  const [op, setOp] = useState<Operator>(condition?.op ?? operators[0] ?? 'eq');
  const [values, setValues] = useState<readonly string[]>(condition?.values ?? []);
  if (field === undefined) return <Box />;
  const current = operators.includes(op) ? op : (operators[0] ?? 'eq');
  const isComplete = isWhole(current, values);
  const chooseField = (next: DiscoveredField): void => {
    setName(next.name);
    setOp(operatorsOf(next, statesOf(entity, next.name).length > 0)[0] ?? 'eq');
    setValues([]);
  };
  return (
    <Stack
      component="form"
      spacing={2}
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) onDone({ field: field.name, op: current, values: operandsOf(current) === 'none' ? [] : values });
      }}
    >
      <Autocomplete
        size="small"
        options={[...fields]}
        value={field}
        disableClearable
        openOnFocus={condition === undefined}
        getOptionLabel={(one) => one.label}
        getOptionKey={(one) => one.name}
        onChange={(_, next) => chooseField(next)}
        renderInput={(input) => <TextField {...input} label={t('field')} autoFocus={condition === undefined} />}
      />
      <TextField
        select
        size="small"
        label={t('operator')}
        value={current}
        autoFocus={condition !== undefined}
        onChange={(event) => {
          setOp(event.target.value as Operator);
          setValues((before) => fitting(event.target.value as Operator, before));
        }}
      >
        {operators.map((operator) => (
          <MenuItem key={operator} value={operator}>
            {words(`op_${operator}`)}
          </MenuItem>
        ))}
      </TextField>
      <Operand entity={entity} field={field} op={current} values={values} onChange={setValues} />
      <Button type="submit" variant="contained" size="small" disabled={!isComplete}>
        {t('apply')}
      </Button>
    </Stack>
  );
}

/** What was typed for one operator is kept for another where it can be. */
function fitting(op: Operator, before: readonly string[]): readonly string[] {
  const operands = operandsOf(op);
  if (operands === 'span') return before.filter((value) => /^\d+[hdw]$/.test(value)).slice(0, 1);
  const plain = before.filter((value) => !/^\d+[hdw]$/.test(value));
  return operands === 'one' ? plain.slice(0, 1) : operands === 'two' ? plain.slice(0, 2) : plain;
}

function isWhole(op: Operator, values: readonly string[]): boolean {
  switch (operandsOf(op)) {
    case 'none':
      return true;
    case 'two':
      return values.length === 2 && values.every((value) => value !== '');
    default:
      return values.length > 0 && values.every((value) => value.trim() !== '');
  }
}

interface OperandProps {
  readonly entity: DiscoveredEntity;
  readonly field: DiscoveredField;
  readonly op: Operator;
  readonly values: readonly string[];
  readonly onChange: (values: readonly string[]) => void;
}

function Operand(props: OperandProps): ReactElement | null {
  const { entity, field, op, values, onChange } = props;
  const t = useWords(FIELDS);
  switch (operandsOf(op)) {
    case 'none':
      return null;
    case 'span':
      return <Span value={values[0] ?? ''} onChange={(span) => onChange([span])} />;
    case 'two':
      return (
        <Stack spacing={2}>
          {(['value_from', 'value_to'] as const).map((label, index) => (
            <ValueInput
              key={label}
              entity={entity}
              field={field}
              label={t(label)}
              value={values[index] ?? ''}
              onChange={(value) => onChange(index === 0 ? [value, values[1] ?? ''] : [values[0] ?? '', value])}
            />
          ))}
        </Stack>
      );
    case 'many':
      return <Several {...props} />;
    case 'one':
      // A text is looked for as it is: its type is asked of whole values only.
      return (
        <ValueInput entity={entity} field={field} label={t('value')} value={values[0] ?? ''} onChange={(value) => onChange([value])} />
      );
  }
}

function Span({ value, onChange }: { readonly value: string; readonly onChange: (span: string) => void }): ReactElement {
  const t = useWords(FIELDS);
  const count = /^\d+/.exec(value)?.[0] ?? '';
  const unit = /[hdw]$/.exec(value)?.[0] ?? 'd';
  return (
    <Stack direction="row" spacing={1}>
      <TextField
        size="small"
        type="number"
        label={t('amount')}
        value={count}
        onChange={(event) => onChange(/^[1-9]\d{0,4}$/.test(event.target.value) ? `${event.target.value}${unit}` : '')}
        slotProps={{ htmlInput: { min: 1, max: 99999 } }}
      />
      <TextField
        select
        size="small"
        fullWidth
        label={t('unit')}
        value={unit}
        onChange={(event) => onChange(`${count === '' ? '1' : count}${event.target.value}`)}
      >
        <MenuItem value="h">{t('hours')}</MenuItem>
        <MenuItem value="d">{t('days')}</MenuItem>
        <MenuItem value="w">{t('weeks')}</MenuItem>
      </TextField>
    </Stack>
  );
}

function Several(props: OperandProps): ReactElement {
  const t = useWords(FIELDS);
  const { entity, field, values, onChange } = props;
  if (field.references !== null) return <SeveralRecords {...props} target={field.references} />;
  const choices = choicesOf(field, entity)?.map(String);
  if (choices === undefined) {
    return (
      <TextField
        size="small"
        label={t('value')}
        helperText={t('values_hint')}
        defaultValue={values.join(', ')}
        onChange={(event) =>
          onChange(
            splitValues(event.target.value)
              .map((value) => value.trim())
              .filter((value) => value !== ''),
          )
        }
      />
    );
  }
  return (
    <Autocomplete
      multiple
      size="small"
      disableCloseOnSelect
      options={choices}
      value={[...values]}
      getOptionLabel={choiceWord}
      onChange={(_, next) => onChange(next)}
      renderOption={({ key, ...option }, choice, { selected }) => (
        <li key={key} {...option}>
          <Checkbox size="small" checked={selected} tabIndex={-1} disableRipple slotProps={{ input: { 'aria-hidden': true } }} />
          {choiceWord(choice)}
        </li>
      )}
      renderInput={(input) => <TextField {...input} label={t('value')} />}
    />
  );
}

function SeveralRecords({ target, values, onChange }: OperandProps & { readonly target: string }): ReactElement {
  const t = useWords(FIELDS);
  const [typed, setTyped] = useState('');
  const { found, chosen } = useRecordOptions(target, typed, values);
  return (
    <Autocomplete<RecordOption, true>
      multiple
      size="small"
      options={[...found]}
      value={[...chosen]}
      filterOptions={(options) => options}
      filterSelectedOptions
      getOptionLabel={(option) => option.title}
      getOptionKey={(option) => option.id}
      isOptionEqualToValue={(a, b) => a.id === b.id}
      noOptionsText={t('no_records')}
      onInputChange={(_, text, reason) => setTyped(reason === 'input' ? text : '')}
      onChange={(_, next) => onChange(next.map(({ id }) => id))}
      renderInput={(input) => <TextField {...input} label={t('value')} placeholder={t('search_records')} />}
    />
  );
}
