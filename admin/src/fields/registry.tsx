/**
 * What a field type means, from one place: how it is edited here; how it is shown in `FieldValue.tsx`, compared in `Change.tsx`, typed
 * outside of forms in `ValueInput.tsx`, written as text in `values.ts`, and asked for in `conditions.ts`.
 */
import type { ReactElement, ReactNode } from 'react';
import {
  BooleanInput,
  DateInput,
  DateTimeInput,
  maxLength,
  maxValue,
  minValue,
  NullableBooleanInput,
  NumberInput,
  required,
  SelectInput,
  TextInput,
  TimeInput,
  useRecordContext,
  useResourceContext,
} from 'react-admin';
import type { DiscoveredField } from '../discovery.ts';
import { useWords } from '../i18n/words.ts';
import { entityNamed, useDiscovery } from '../shell/discovery-context.ts';
import { FieldValue, type Place } from './FieldValue.tsx';
import { JsonInput } from './JsonInput.tsx';
import { choiceWord } from './values.ts';
import { FIELDS } from './words.ts';

export { isNumeric } from './values.ts';

type Validator = ReturnType<typeof required> | ReturnType<typeof maxLength>;

interface CommonInput {
  readonly source: string;
  readonly label: string;
  readonly validate: Validator[];
  readonly helperText: ReactNode;
  readonly disabled: boolean;
  readonly fullWidth?: boolean;
}

type InputOf = (field: DiscoveredField, common: CommonInput) => ReactElement;

const text: InputOf = (_, common) => <TextInput {...common} slotProps={{ htmlInput: { dir: 'auto' } }} />;

const number: InputOf = (field, common) => (
  <NumberInput {...common} min={asNumber(field.min)} max={asNumber(field.max)} step={field.type === 'int' ? 1 : 'any'} />
);

/** Digits that a JS number would lose are edited as text. */
const exactNumber: InputOf = (_, common) => <TextInput {...common} slotProps={{ htmlInput: { inputMode: 'decimal' } }} />;

const INPUTS: Readonly<Record<DiscoveredField['type'], InputOf>> = {
  string: text,
  text: (_, common) => <TextInput {...common} multiline minRows={3} maxRows={16} slotProps={{ htmlInput: { dir: 'auto' } }} />,
  email: (_, common) => <TextInput {...common} type="email" />,
  url: (_, common) => <TextInput {...common} type="url" />,
  enum: (field, common) => (
    <SelectInput
      {...common}
      translateChoice={false}
      choices={(field.enum ?? []).map((choice) => ({ id: choice, name: choiceWord(choice) }))}
    />
  ),
  int: number,
  float: number,
  bigint: exactNumber,
  decimal: exactNumber,
  boolean: (field, common) => (field.required ? <BooleanInput {...common} /> : <NullableBooleanInput {...common} />),
  uuid: text,
  timestamp: (_, common) => <DateTimeInput {...common} />,
  date: (_, common) => <DateInput {...common} />,
  time: (_, common) => <TimeInput {...common} parse={(value: string) => value} />,
  json: (_, common) => <JsonInput {...common} />,
  file: (_, common) => <FileName {...common} />,
};

const asNumber = (limit: number | string | null): number | undefined =>
  limit === null || Number.isNaN(Number(limit)) ? undefined : Number(limit);

function FileName(common: CommonInput): ReactElement {
  const t = useWords(FIELDS);
  return <TextInput {...common} disabled helperText={t('files_by_api')} />;
}

/** A field of the record around it, as it is shown in a list or on the record's page. */
export const columnFor = (field: DiscoveredField, place: Place = 'list'): ReactElement => <RecordValue field={field} place={place} />;

interface RecordValueProps {
  readonly field: DiscoveredField;
  readonly place: Place;
  /** For react-admin's tables and labels, which read them off the element. */
  readonly source?: string;
  readonly label?: string;
}

export function RecordValue({ field, place }: RecordValueProps): ReactElement | null {
  const record = useRecordContext();
  const entity = entityNamed(useDiscovery(), useResourceContext() ?? '');
  if (record === undefined || entity === undefined) return null;
  return <FieldValue entity={entity} field={field} value={record[field.name]} record={record} place={place} />;
}

/** A field in a form, under the name it has there. Fields that lead to records of another entity have an input of their own. */
export function inputFor(field: DiscoveredField, source: string): ReactElement {
  const common: CommonInput = {
    source,
    label: field.label,
    helperText: field.description ?? false,
    disabled: !field.writable || field.auto,
    fullWidth: true,
    validate: [...validatorsOf(field)],
  };
  return INPUTS[field.enum === null ? field.type : 'enum'](field, common);
}

/** What can be said before the API is asked; all the rest is its to judge. */
export function validatorsOf(field: DiscoveredField): readonly Validator[] {
  const [min, max] = [asNumber(field.min), asNumber(field.max)];
  const isNumber = field.type === 'int' || field.type === 'float';
  return [
    ...(field.required && field.default === null && !field.auto ? [required()] : []),
    ...(field.max_length === null ? [] : [maxLength(field.max_length)]),
    ...(isNumber && min !== undefined ? [minValue(min)] : []),
    ...(isNumber && max !== undefined ? [maxValue(max)] : []),
  ];
}
