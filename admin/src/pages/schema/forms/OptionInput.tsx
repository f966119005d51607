/** One option, as the meta-schema describes it: a switch, a choice, a number, a text, names, a list, or a value of the field's type. */
import { Autocomplete, FormControlLabel, MenuItem, Switch, TextField } from '@mui/material';
import type { ReactElement } from 'react';
import { useWords } from '../../../i18n/words.ts';
import type { FieldInput } from '../../../document/types.ts';
import { readJson } from '../../../ui/json.ts';
import type { JsonSchema } from '../meta-schema.ts';
import { isNumeric, type Widget } from '../options.ts';
import { Committed } from './Committed.tsx';
import { FORMS } from './words.ts';

export interface OptionInputProps {
  readonly label: string;
  readonly schema: JsonSchema;
  readonly widget?: Widget | undefined;
  readonly value: unknown;
  readonly onChange: (value: unknown) => void;
  readonly isDisabled?: boolean;
  readonly isRequired?: boolean;
  /** Names to choose from, for widgets of names. */
  readonly names?: readonly string[];
  /** The field whose value it is, for `value` and `values`. */
  readonly field?: FieldInput;
}

export function OptionInput(props: OptionInputProps): ReactElement {
  const { schema, widget = 'plain' } = props;
  switch (widget) {
    case 'entity':
    case 'field':
    case 'target_field':
      return <Choice {...props} choices={props.names ?? []} />;
    case 'fields':
      return <List {...props} choices={props.names ?? []} />;
    case 'values':
      return <List {...props} parse={(typed) => scalarOf(typed, props.field)} />;
    case 'value':
      return <ValueInput {...props} />;
    case 'long':
    case 'expression':
      return <Plain {...props} isLong isCode={widget === 'expression'} />;
    case 'plain':
    case 'object':
      if (schema.type === 'boolean') return <Toggle {...props} />;
      if (schema.enum !== undefined) return <Choice {...props} choices={schema.enum.map(String)} />;
      if (schema.type === 'integer' || schema.type === 'number') return <NumberInput {...props} />;
      if (schema.type === 'array') return <List {...props} />;
      return <Plain {...props} />;
  }
}

/** What only repeats the default is not written. An option without a default is yes, no or not said. */
function Toggle({ label, schema, value, onChange, isDisabled }: OptionInputProps): ReactElement {
  const form = useWords(FORMS);
  if (typeof schema.default !== 'boolean') {
    const shown = value === undefined ? '' : String(value);
    return (
      <TextField
        select
        size="small"
        fullWidth
        label={label}
        value={shown}
        disabled={isDisabled ?? false}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value === 'true')}
      >
        <MenuItem value="">{form('unset')}</MenuItem>
        <MenuItem value="true">{form('yes')}</MenuItem>
        <MenuItem value="false">{form('no')}</MenuItem>
      </TextField>
    );
  }
  const isOn = typeof value === 'boolean' ? value : schema.default;
  return (
    <FormControlLabel
      label={label}
      disabled={isDisabled ?? false}
      control={<Switch size="small" checked={isOn} onChange={(_, next) => onChange(next === schema.default ? undefined : next)} />}
      sx={{ mr: 1 }}
    />
  );
}

function Choice({
  label,
  schema,
  value,
  onChange,
  choices,
  isDisabled,
  isRequired,
}: OptionInputProps & { readonly choices: readonly string[] }): ReactElement {
  const form = useWords(FORMS);
  const shown = typeof value === 'string' ? value : typeof schema.default === 'string' ? schema.default : '';
  // What the document says is shown even when it names nothing that is there.
  const all = shown === '' || choices.includes(shown) ? choices : [shown, ...choices];
  return (
    <TextField
      select
      size="small"
      fullWidth
      label={label}
      value={shown}
      disabled={isDisabled ?? false}
      onChange={({ target }) => onChange(target.value === '' || target.value === schema.default ? undefined : target.value)}
    >
      {isRequired === true || schema.default !== undefined ? null : <MenuItem value="">{form('unset')}</MenuItem>}
      {all.map((choice) => (
        <MenuItem key={choice} value={choice}>
          {choice}
        </MenuItem>
      ))}
    </TextField>
  );
}

function NumberInput({ label, schema, value, onChange, isDisabled }: OptionInputProps): ReactElement {
  const isWhole = schema.type === 'integer';
  return (
    <Committed
      label={label}
      type="number"
      disabled={isDisabled ?? false}
      value={typeof value === 'number' ? String(value) : ''}
      onCommit={(typed) => onChange(typed.trim() === '' ? undefined : Number(typed))}
      slotProps={{
        htmlInput: {
          step: isWhole ? 1 : 'any',
          min: schema.minimum,
          max: schema.maximum === Number.MAX_SAFE_INTEGER ? undefined : schema.maximum,
        },
      }}
    />
  );
}

function Plain({
  label,
  schema,
  value,
  onChange,
  isDisabled,
  isLong = false,
  isCode = false,
}: OptionInputProps & { readonly isLong?: boolean; readonly isCode?: boolean }): ReactElement {
  return (
    <Committed
      label={label}
      disabled={isDisabled ?? false}
      multiline={isLong}
      {...(isLong ? { minRows: 2, maxRows: 8 } : {})}
      value={typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value)}
      onCommit={(typed) => onChange(typed === '' ? undefined : typed)}
      slotProps={{
        htmlInput: {
          maxLength: schema.maxLength,
          spellCheck: !isCode,
          ...(isCode ? { style: { fontFamily: 'monospace', fontSize: 12 } } : {}),
        },
      }}
    />
  );
}

interface ListProps extends OptionInputProps {
  readonly choices?: readonly string[];
  readonly parse?: (typed: string) => unknown;
}

/** Typed or chosen, one chip each. */
function List({ label, value, onChange, choices, parse = (typed) => typed, isDisabled }: ListProps): ReactElement {
  const items = Array.isArray(value) ? value.map(String) : [];
  return (
    <Autocomplete
      multiple
      freeSolo={choices === undefined}
      autoSelect={choices === undefined}
      size="small"
      options={choices ?? []}
      value={items}
      disabled={isDisabled ?? false}
      onChange={(_, next) => onChange(next.length === 0 ? undefined : [...new Set(next)].map((item) => parse(item)))}
      renderInput={(params) => <TextField {...params} label={label} />}
    />
  );
}

/** A value of the field's own type: chosen where there is a list, a number where it is one, JSON for json. */
function ValueInput(props: OptionInputProps): ReactElement {
  const form = useWords(FORMS);
  const { label, value, onChange, field, isDisabled, schema } = props;
  if (field?.type === 'boolean') return <Toggle {...props} schema={{ type: 'boolean' }} />;
  if (field?.enum !== undefined && field.enum.length > 0 && !Array.isArray(schema.type)) {
    const scalars = field.enum;
    return (
      <Choice
        {...props}
        value={value === undefined ? undefined : String(value as string)}
        choices={scalars.map(String)}
        onChange={(chosen) => onChange(chosen === undefined ? undefined : scalars.find((one) => String(one) === chosen))}
      />
    );
  }
  const isJson = field?.type === 'json';
  return (
    <Committed
      label={label}
      disabled={isDisabled ?? false}
      value={value === undefined ? '' : typeof value === 'string' && !isJson ? value : JSON.stringify(value)}
      check={(typed) => (isJson && typed !== '' && readJson(typed) === undefined ? form('not_json') : undefined)}
      onCommit={(typed) => onChange(typed === '' ? undefined : isJson ? readJson(typed) : scalarOf(typed, field))}
    />
  );
}

/** Digits of exact types stay text, so that none is lost. */
const scalarOf = (typed: string, field: FieldInput | undefined): string | number =>
  isNumeric(field?.type) && typed.trim() !== '' && Number.isFinite(Number(typed)) ? Number(typed) : typed;
