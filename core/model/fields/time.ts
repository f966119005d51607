/** `time`: a time of day, without a date or time zone. */
import { readTime } from './calendar.ts';
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

export const timeField: FieldKind = {
  column: () => 'time',
  coerce(field, value) {
    const text = typeof value === 'string' ? readTime(value.trim()) : undefined;
    if (text === undefined) return refused(field, 'type', 'must be a time of day like 09:30 or 09:30:00');
    return checkBounds(field, text, (bound) => compareTimes(text, readTime(String(bound)))) ?? accepted(text);
  },
  fromText: (text) => text.trim(),
  operators: ORDER_OPERATORS,
  input: 'time',
};

const compareTimes = (time: string, bound: string | undefined): number =>
  bound === undefined ? Number.NaN : time < bound ? -1 : time > bound ? 1 : 0;
