/** What a value of each type is as text: to be read, to be typed, and in a file for spreadsheets. Pure. */
import type { DiscoveredEntity, DiscoveredField } from '../discovery.ts';
import type { Format } from '../i18n/format.ts';
import type { Translate } from '../i18n/words.ts';

export type FieldTranslate = Translate<'yes' | 'no' | 'nothing'>;

const NUMBERS: ReadonlySet<string> = new Set(['int', 'float', 'bigint', 'decimal']);

/** Right aligned, digits beneath digits. */
export const isNumeric = (field: DiscoveredField): boolean => NUMBERS.has(field.type) && field.enum === null && field.references === null;

export const isChoice = (field: DiscoveredField): boolean => field.enum !== null;

export const isSortable = (field: DiscoveredField): boolean => field.type !== 'json' && field.type !== 'file';

/** `in_progress` is stored, "in progress" is read. */
export const choiceWord = (value: unknown): string => String(value as string).replaceAll('_', ' ');

/** The states a machine knows, in the order in which its transitions name them. */
export function statesOf(entity: DiscoveredEntity, field: string): readonly string[] {
  const machine = entity.state_machines.find((one) => one.field === field);
  if (machine === undefined) return [];
  return [...new Set([machine.initial, ...machine.transitions.flatMap(({ from, to }) => [...from, to])])];
}

/** What a field may be chosen from; undefined where anything can be typed. */
export function choicesOf(field: DiscoveredField, entity?: DiscoveredEntity): readonly (string | number | boolean)[] | undefined {
  if (field.enum !== null) return field.enum;
  if (field.type === 'boolean') return [true, false];
  const states = entity === undefined ? [] : statesOf(entity, field.name);
  return states.length === 0 ? undefined : states;
}

interface FileValue {
  readonly filename: string;
  readonly size?: number;
}

export const fileOf = (value: unknown): FileValue | undefined =>
  typeof value === 'object' && value !== null && 'filename' in value && typeof value.filename === 'string'
    ? (value as FileValue)
    : undefined;

/** A value as one reads it, in one line and in the chosen language. */
export function plainText(field: DiscoveredField, value: unknown, format: Format, t: FieldTranslate): string {
  if (value === null || value === undefined) return '';
  switch (field.type) {
    case 'int':
    case 'float':
    case 'bigint':
    case 'decimal':
      return field.enum === null && field.references === null ? numberText(value, format) : String(value as string);
    case 'boolean':
      return t(value === true ? 'yes' : 'no');
    case 'timestamp':
      return format.time(String(value as string));
    case 'date':
      return format.day(String(value as string));
    case 'time':
      return timeText(String(value as string));
    case 'json':
      return JSON.stringify(value);
    case 'file':
      return fileOf(value)?.filename ?? String(value as string);
    default:
      return field.enum === null ? String(value as string) : choiceWord(value);
  }
}

const numberText = (value: unknown, format: Format): string =>
  format.exact(typeof value === 'number' ? digits(value) : String(value as string));

/** Without an exponent, which no reader of tables expects. */
const digits = (value: number): string =>
  /e/i.test(String(value)) ? value.toLocaleString('en', { useGrouping: false, maximumFractionDigits: 20 }) : String(value);

/** `09:30:00` has no seconds worth reading. */
const timeText = (time: string): string => time.replace(/^(\d\d:\d\d):00(\.0+)?$/, '$1');

/** As it stands in an input, where everything is text. */
export function inputText(field: DiscoveredField, value: unknown): string {
  if (value === null || value === undefined) return '';
  switch (field.type) {
    case 'json':
      return typeof value === 'string' ? value : JSON.stringify(value, null, 2);
    case 'timestamp':
      return localTime(String(value as string));
    case 'time':
      return timeText(String(value as string));
    case 'file':
      return fileOf(value)?.filename ?? '';
    default:
      return String(value as string);
  }
}

/** The browser's own clock, which is what `datetime-local` speaks. */
export function localTime(iso: string): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return '';
  const local = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return local.toISOString().slice(0, 16);
}

/** What was typed, as the API takes it; null for nothing. What cannot be read stays text, for the API to refuse by name. */
export function fromInput(field: DiscoveredField, typed: string): unknown {
  if (typed === '') return null;
  if (field.enum !== null) return field.enum.find((choice) => String(choice) === typed) ?? typed;
  switch (field.type) {
    case 'int':
    case 'float':
      return field.references === null && Number.isFinite(Number(typed)) ? Number(typed) : typed;
    case 'boolean':
      return typed === 'true';
    case 'timestamp':
      return instantOf(typed);
    case 'json':
      return parsed(typed);
    default:
      return typed;
  }
}

export function instantOf(local: string): string {
  const at = new Date(local);
  return Number.isNaN(at.getTime()) ? local : at.toISOString();
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/** One cell of a CSV file, as the API's exports write it: exact values, and no formula that a spreadsheet would run. */
export function csvText(field: DiscoveredField, value: unknown): string {
  if (value === null || value === undefined) return '';
  const text = typeof value === 'object' ? (fileOf(value)?.filename ?? JSON.stringify(value)) : String(value as string);
  const isText = !NUMBERS.has(field.type) && field.type !== 'json';
  const safe = isText && isFormula(text) ? `'${text}` : text;
  return safe === '' || /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** Begins as a formula would; a signed number alone is none. */
const isFormula = (text: string): boolean => /^[=@\t\r]/.test(text) || (/^[+-]/.test(text) && !/^[+-]?[\d.,]+$/.test(text));

/** A record's name; its key where the title is empty. */
export function titleOf(record: Readonly<Record<string, unknown>>, displayField: string): string {
  const title = record[displayField];
  return typeof title === 'number' || (typeof title === 'string' && title.trim() !== '') ? String(title) : String(record['id'] as string);
}
