/** One entry per field type: how it is shown in a list, edited in a form and asked for in a filter. */
import type { ReactElement, ReactNode } from 'react';
import {
  BooleanField,
  BooleanInput,
  ChipField,
  DateField,
  DateInput,
  DateTimeInput,
  FunctionField,
  NullableBooleanInput,
  NumberField,
  NumberInput,
  ReferenceField,
  ReferenceInput,
  AutocompleteInput,
  required,
  SelectInput,
  TextField,
  TextInput,
  TimeInput,
  UrlField,
  EmailField,
} from 'react-admin';
import type { DiscoveredField } from '../discovery.ts';
import { JsonInput } from './JsonInput.tsx';

interface FieldKind {
  readonly column: (field: DiscoveredField) => ReactElement;
  readonly input: (field: DiscoveredField, common: CommonInput) => ReactElement;
  /** Operators offered as filters, the usual one first. */
  readonly operators: readonly string[];
  readonly isNumeric?: boolean;
}

interface CommonInput {
  readonly source: string;
  readonly label: string;
  readonly validate?: ReturnType<typeof required>[];
  readonly helperText: ReactNode;
  readonly disabled: boolean;
  readonly fullWidth?: boolean;
}

const text: FieldKind = {
  column: (field) => <TextField source={field.name} label={field.label} emptyText="–" />,
  input: (field, common) => <TextInput {...common} slotProps={{ htmlInput: { maxLength: field.max_length ?? undefined } }} />,
  operators: ['contains', 'eq', 'starts_with'],
};

const number: FieldKind = {
  column: (field) => <NumberField source={field.name} label={field.label} emptyText="–" options={{ maximumFractionDigits: 17 }} />,
  input: (field, common) => (
    <NumberInput {...common} min={asNumber(field.min)} max={asNumber(field.max)} step={field.type === 'int' ? 1 : 'any'} />
  ),
  operators: ['eq', 'gte', 'lte'],
  isNumeric: true,
};

/** Digits that a JS number would lose are edited as text. */
const exactNumber: FieldKind = {
  column: (field) => <TextField source={field.name} label={field.label} emptyText="–" textAlign="right" />,
  input: (_, common) => <TextInput {...common} slotProps={{ htmlInput: { inputMode: 'decimal' } }} />,
  operators: ['eq', 'gte', 'lte'],
  isNumeric: true,
};

const choices = (field: DiscoveredField): { id: string | number | boolean; name: string }[] =>
  (field.enum ?? []).map((choice) => ({ id: choice, name: String(choice) }));

const KINDS: Readonly<Record<DiscoveredField['type'], FieldKind>> = {
  string: text,
  text: { ...text, column: (field) => <LongText field={field} />, input: (_, common) => <TextInput {...common} multiline minRows={3} /> },
  email: {
    ...text,
    column: (field) => <EmailField source={field.name} label={field.label} emptyText="–" />,
    input: (_, common) => <TextInput {...common} type="email" />,
  },
  url: {
    ...text,
    column: (field) => <UrlField source={field.name} label={field.label} emptyText="–" />,
    input: (_, common) => <TextInput {...common} type="url" />,
  },
  enum: {
    column: (field) => <ChipField source={field.name} label={field.label} emptyText="–" size="small" clickable={false} />,
    input: (field, common) => <SelectInput {...common} choices={choices(field)} />,
    operators: ['eq'],
  },
  int: number,
  float: number,
  bigint: exactNumber,
  decimal: exactNumber,
  boolean: {
    column: (field) => <BooleanField source={field.name} label={field.label} valueLabelTrue="yes" valueLabelFalse="no" />,
    input: (field, common) => (field.required ? <BooleanInput {...common} /> : <NullableBooleanInput {...common} />),
    operators: ['eq'],
  },
  uuid: { ...text, operators: ['eq'] },
  timestamp: {
    column: (field) => <DateField source={field.name} label={field.label} showTime emptyText="–" />,
    input: (_, common) => <DateTimeInput {...common} />,
    operators: ['gte', 'lte'],
  },
  date: {
    column: (field) => <DateField source={field.name} label={field.label} emptyText="–" options={{ timeZone: 'UTC' }} />,
    input: (_, common) => <DateInput {...common} />,
    operators: ['gte', 'lte'],
  },
  time: { column: text.column, input: (_, common) => <TimeInput {...common} parse={(value: string) => value} />, operators: ['eq'] },
  json: {
    column: (field) => (
      <FunctionField
        source={field.name}
        label={field.label}
        sortable={false}
        render={(row: Record<string, unknown>) => shorten(JSON.stringify(row[field.name]) ?? '–')}
      />
    ),
    input: (_, common) => <JsonInput {...common} />,
    operators: [],
  },
  file: {
    column: (field) => (
      <FunctionField
        source={field.name}
        label={field.label}
        sortable={false}
        render={(row: Record<string, unknown>) => fileName(row[field.name])}
      />
    ),
    input: (_, common) => <TextInput {...common} disabled helperText="Files are uploaded through the API." />,
    operators: [],
  },
};

const asNumber = (limit: number | string | null): number | undefined =>
  limit === null || Number.isNaN(Number(limit)) ? undefined : Number(limit);
const shorten = (value: string): string => (value.length > 80 ? `${value.slice(0, 79)}…` : value);
const fileName = (file: unknown): string =>
  typeof file === 'object' && file !== null && 'filename' in file && typeof file.filename === 'string' ? file.filename : '–';

function LongText({ field }: { readonly field: DiscoveredField }): ReactElement {
  return (
    <FunctionField
      source={field.name}
      label={field.label}
      sortable={false}
      render={(row: Record<string, unknown>) => shorten(String((row[field.name] as string | null) ?? '–'))}
    />
  );
}

const kindOf = (field: DiscoveredField): FieldKind => (field.enum !== null ? KINDS.enum : KINDS[field.type]);

export const isNumeric = (field: DiscoveredField): boolean => kindOf(field).isNumeric === true && field.references === null;

/** A list's or a record page's view of one field; a reference shows the other record's title and links to it, a list shortens texts. */
export function columnFor(field: DiscoveredField, place: 'list' | 'record' = 'list'): ReactElement {
  if (place === 'record' && field.type === 'text') {
    return <TextField source={field.name} label={field.label} emptyText="–" sx={{ whiteSpace: 'pre-wrap', maxWidth: '80ch' }} />;
  }
  if (field.references === null) return kindOf(field).column(field);
  return <ReferenceField source={field.name} reference={field.references} label={field.label} link="show" emptyText="–" />;
}

export function inputFor(field: DiscoveredField, displayFieldOf: (entity: string) => string): ReactElement {
  const common: CommonInput = {
    source: field.name,
    label: field.label,
    helperText: field.description ?? false,
    disabled: !field.writable || field.auto,
    fullWidth: true,
    ...(field.required && field.default === null && !field.auto ? { validate: [required()] } : {}),
  };
  if (field.references === null) return kindOf(field).input(field, common);
  const display = displayFieldOf(field.references);
  return (
    <ReferenceInput source={field.name} reference={field.references} sort={{ field: display, order: 'ASC' }} perPage={25}>
      <AutocompleteInput
        label={field.label}
        optionText={display}
        helperText={field.description ?? false}
        disabled={!field.writable}
        filterToQuery={(typed: string) => (typed === '' ? {} : { [`${display}|icontains`]: typed })}
        {...(common.validate === undefined ? {} : { validate: common.validate })}
      />
    </ReferenceInput>
  );
}

const OPERATOR_WORDS: Readonly<Record<string, string>> = {
  contains: 'contains',
  eq: 'is',
  starts_with: 'starts with',
  gte: 'from',
  lte: 'to',
};

/** Filter inputs of one field; their source is `field|operator`, which the data provider turns into a query. */
export function filtersFor(field: DiscoveredField, displayFieldOf: (entity: string) => string): ReactElement[] {
  const label = (operator: string): string => `${field.label} ${OPERATOR_WORDS[operator] ?? operator}`;
  if (field.references !== null) {
    const display = displayFieldOf(field.references);
    return [
      <ReferenceInput
        key={field.name}
        source={`${field.name}|eq`}
        label={label('eq')}
        reference={field.references}
        sort={{ field: display, order: 'ASC' }}
      >
        <AutocompleteInput
          label={label('eq')}
          optionText={display}
          filterToQuery={(typed: string) => (typed === '' ? {} : { [`${display}|icontains`]: typed })}
        />
      </ReferenceInput>,
    ];
  }
  const kind = kindOf(field);
  return kind.operators.map((operator) => {
    const source = `${field.name}|${operator === 'contains' ? 'icontains' : operator}`;
    const input = kind.input({ ...field, required: false }, { source, label: label(operator), helperText: false, disabled: false });
    return field.type === 'text' ? (
      <TextInput key={source} source={source} label={label(operator)} />
    ) : (
      <input.type key={source} {...(input.props as object)} />
    );
  });
}
