/** `date`: a day of the calendar, without a time zone. */
import { readDate, readTimestamp } from './calendar.ts';
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

export const dateField: FieldKind = {
  column: () => 'date',
  coerce(field, value) {
    const text = typeof value === 'string' ? dayOf(value) : undefined;
    if (text === undefined) return refused(field, 'type', 'must be a date like 2026-01-31');
    return checkBounds(field, text, (bound) => compareDays(text, dayOf(String(bound)))) ?? accepted(text);
  },
  fromText: (text) => text.trim(),
  operators: ORDER_OPERATORS,
  input: 'date',
};

/** Forms and older clients send a whole timestamp for a date: its day as written counts. */
function dayOf(text: string): string | undefined {
  return readDate(text) ?? (readTimestamp(text) === undefined ? undefined : readDate(text.trim().slice(0, 10)));
}

const compareDays = (day: string, bound: string | undefined): number =>
  bound === undefined ? Number.NaN : day < bound ? -1 : day > bound ? 1 : 0;
