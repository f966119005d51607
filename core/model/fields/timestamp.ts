/** `timestamp`: a point in time, kept to the microsecond; answered in UTC. */
import { readTimestamp } from './calendar.ts';
import { accepted, checkBounds, ORDER_OPERATORS, refused, type FieldKind } from './field-kind.ts';

export const timestampField: FieldKind = {
  column: () => 'timestamptz',
  coerce(field, value) {
    const text = typeof value === 'string' ? readTimestamp(value) : undefined;
    if (text === undefined) return refused(field, 'type', 'must be a time like 2026-01-31T09:30:00Z');
    const at = Date.parse(text);
    return checkBounds(field, text, (bound) => at - Date.parse(readTimestamp(String(bound)) ?? '')) ?? accepted(text);
  },
  fromText: (text) => text.trim(),
  operators: ORDER_OPERATORS,
  input: 'datetime',
};
