/** `json`: any JSON value of at most 32 levels. Bound as its text: drivers would turn an array into a Postgres array. */
import { accepted, hasUnstorable, refused, type FieldKind } from './field-kind.ts';

export const MAX_JSON_DEPTH = 32;

export const jsonField: FieldKind = {
  column: () => 'jsonb',
  coerce(field, value) {
    const problem = problemOf(value, 1);
    return problem === undefined ? accepted(JSON.stringify(value), value) : refused(field, 'type', problem);
  },
  fromText(text) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      return text;
    }
  },
  operators: ['eq', 'neq', 'contains', 'is_null', 'not_null', 'is_empty'],
  input: 'json',
};

function problemOf(value: unknown, depth: number): string | undefined {
  switch (typeof value) {
    case 'string':
      return hasUnstorable(value) ? 'must not contain the NUL character or half a surrogate pair' : undefined;
    case 'number':
      return Number.isFinite(value) ? undefined : 'must contain finite numbers only';
    case 'boolean':
      return undefined;
    case 'object':
      return value === null ? undefined : problemWithin(value, depth);
    default:
      return 'must be a JSON value';
  }
}

function problemWithin(value: object, depth: number): string | undefined {
  if (depth > MAX_JSON_DEPTH) return `must not be nested deeper than ${String(MAX_JSON_DEPTH)} levels`;
  for (const [key, member] of Object.entries(value)) {
    const problem = (hasUnstorable(key) ? problemOf(key, depth) : undefined) ?? problemOf(member, depth + 1);
    if (problem !== undefined) return problem;
  }
  return undefined;
}
