/** Cells of a file as the values that writes take: numbers and dates as the file has them, not as JSON would. */
import { isTimeZone, offsetAt } from '../calendar/zone.ts';
import { readDate, readTime, readTimestamp } from '../model/fields/calendar.ts';
import { valueFromText } from '../model/field-types.ts';
import type { FieldModel } from '../model/model.ts';
import { withFormula } from '../csv.ts';

export interface CellFormat {
  readonly trim: boolean;
  /** The sign before the fraction; undefined: numbers are as JSON has them. The other one may group digits. */
  readonly decimal?: '.' | ',' | undefined;
  /** The order of day, month and year where a date is not ISO 8601. */
  readonly dates: 'iso' | 'dmy' | 'mdy' | 'ymd';
  /** Of times without an offset. */
  readonly time_zone: string;
}

export { isTimeZone };

/** The value of a cell that is not empty. What cannot be read stays as it is: the field's own check then says what it takes. */
export function valueOfCell(field: Pick<FieldModel, 'type' | 'definition'>, cell: string, format: CellFormat): unknown {
  const text = withFormula(format.trim ? cell.trim() : cell);
  switch (field.type) {
    case 'int':
    case 'bigint':
    case 'float':
    case 'decimal':
      return valueFromText(field, plainNumber(text, format.decimal));
    case 'boolean':
      return WORDS.get(text.trim().toLowerCase()) ?? valueFromText(field, text);
    case 'date':
      return plainDate(text, format.dates) ?? valueFromText(field, text);
    case 'timestamp':
      return plainTimestamp(text, format) ?? valueFromText(field, text);
    case 'enum':
      return listed(field, text);
    case 'string':
    case 'text':
    case 'email':
    case 'url':
    case 'uuid':
    case 'time':
    case 'json':
    case 'file':
      return valueFromText(field, text);
  }
}

const WORDS: ReadonlyMap<string, boolean> = new Map([
  ...['yes', 'y', 'on', 'x', 'ja', 'j', 'wahr'].map((word) => [word, true] as const),
  ...['no', 'n', 'off', 'nein', 'falsch'].map((word) => [word, false] as const),
]);

const GROUPED = { ',': /^[+-]?\d{1,3}(?:[. '\u00a0\u202f]\d{3})*(?:,\d+)?$/, '.': /^[+-]?\d{1,3}(?:[, '\u00a0\u202f]\d{3})*(?:\.\d+)?$/ };
const SIMPLE = { ',': /^[+-]?\d*,?\d+$/, '.': /^[+-]?\d*\.?\d+$/ };

/** `1.234,50` as `1234.50`. */
function plainNumber(text: string, decimal: CellFormat['decimal']): string {
  const trimmed = text.trim();
  if (decimal === undefined) return trimmed;
  if (!SIMPLE[decimal].test(trimmed) && !GROUPED[decimal].test(trimmed)) return trimmed;
  const digits = trimmed.replace(decimal === ',' ? /[. '\u00a0\u202f]/g : /[, '\u00a0\u202f]/g, '');
  return digits.replace(',', '.');
}

const DATE = /^(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})$/;
const ORDERS = { dmy: [2, 1, 0], mdy: [2, 0, 1], ymd: [0, 1, 2] } as const;

/** `31.12.2026` as `2026-12-31`; undefined for what is no date in this order. Years have four digits. */
function plainDate(text: string, order: CellFormat['dates']): string | undefined {
  if (order === 'iso') return undefined;
  const match = DATE.exec(text.trim());
  if (match === null) return undefined;
  const parts = [match[1], match[3], match[4]];
  const [year = '', month = '', day = ''] = ORDERS[order].map((index) => parts[index] ?? '');
  if (year.length !== 4 || month.length > 2 || day.length > 2) return undefined;
  return readDate(`${year}-${month.padStart(2, '0')}-${day.padStart(2, '0')}`);
}

const HAS_OFFSET = /(?:[zZ]|[+-]\d{2}:?(?:\d{2})?)$/;

function plainTimestamp(text: string, format: CellFormat): string | undefined {
  const [day = '', clock] = text.trim().split(/[T ]+(.*)/, 2);
  const date = plainDate(day, format.dates) ?? readDate(day);
  if (date === undefined) return undefined;
  const time = clock === undefined || clock === '' ? '00:00:00' : readTime(/^\d:/.test(clock) ? `0${clock}` : clock);
  // With an offset of its own it is ISO 8601 but for its day.
  if (time === undefined) return clock !== undefined && HAS_OFFSET.test(clock) ? readTimestamp(`${date}T${clock}`) : undefined;
  return atZone(`${date}T${time}`, format.time_zone);
}

/** The instant at which the clocks of the zone show this; of two the first, and where they skip it, as far after the change as it says. */
function atZone(local: string, zone: string): string {
  if (zone === 'UTC') return `${local}Z`;
  const shown = Date.parse(`${local.slice(0, 19)}Z`);
  const early = shown - offsetAt(zone, shown - DAY_MS);
  const late = shown - offsetAt(zone, shown + DAY_MS);
  const isEarly = early + offsetAt(zone, early) === shown;
  const instant = isEarly || late + offsetAt(zone, late) !== shown ? early : late;
  return `${new Date(instant).toISOString().slice(0, 19)}${local.slice(19)}Z`;
}

const DAY_MS = 86_400_000;

/** A value of the list, whatever its case, unless two differ in nothing else. */
function listed({ definition }: Pick<FieldModel, 'definition'>, text: string): string {
  const values = (definition.enum ?? []).map(String);
  if (values.includes(text)) return text;
  const alike = values.filter((one) => one.toLowerCase() === text.toLowerCase());
  return alike.length === 1 ? (alike[0] ?? text) : text;
}
