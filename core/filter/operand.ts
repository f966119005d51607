/** Values of conditions: typed by their field, or one of the few dynamic ones (`$now`, `$now-7d`, `$user.id`, `self`, ...). */
import { coerceOperand, valueFromText, type FilterOperator } from '../model/field-types.ts';
import type { FieldModel, StoredType } from '../model/model.ts';
import type { PolicyActor } from '../policy/access.ts';
import { invalidValue, MAX_LIST_VALUES, tooLarge, type Operand } from './query.ts';

/** A value in the form Postgres binds, or a name that is looked up when the statement is made. */
export type BoundOperand = { readonly kind: 'bound'; readonly value: unknown } | { readonly kind: 'dynamic'; readonly token: string };

/** What dynamic values stand for in one request. */
export interface Bindings {
  readonly actor: Pick<PolicyActor, 'id' | 'email' | 'roles'>;
  readonly now: Date;
}

const NOW = /^\$now(?:\s?([+-])\s?(\d{1,6})(s|m|h|d|w))?$/;
const UNIT_MS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };
const USER_TOKENS = ['$user.id', '$user.email', '$user.roles'];
const MAX_TEXT = 10_000;

export const LIST_OPERATORS: ReadonlySet<FilterOperator> = new Set(['in', 'not_in', 'between']);
const PATTERN_OPERATORS: ReadonlySet<FilterOperator> = new Set(['like', 'ilike']);

/** True for `$now...` and `$user...`; other texts that begin with a dollar sign are themselves. */
export const isDynamic = (given: unknown): given is string => typeof given === 'string' && /^\$(now|user)(?![a-z0-9_])/.test(given);

/** The value behind a dynamic name; null where the caller has none; undefined when there is no such name. */
export function dynamicValue(token: string, bindings: Bindings): unknown {
  if (token === '$user.id' || token === 'self') return bindings.actor.id;
  if (token === '$user.email') return bindings.actor.email;
  if (token === '$user.roles') return bindings.actor.roles;
  const match = NOW.exec(token);
  if (match === null) return undefined;
  const distance = Number(match[2] ?? 0) * (UNIT_MS[match[3] ?? 's'] ?? 0);
  return new Date(bindings.now.getTime() + (match[1] === '-' ? -distance : distance)).toISOString();
}

/** The raw values of an operand: comma lists are cut (`\,` is a comma of the value) where the operator takes several. */
export function rawValues(field: FieldModel, operator: FilterOperator, operand: Operand, label: string): unknown[] {
  if (operand.kind === 'text') {
    const texts = LIST_OPERATORS.has(operator) ? operand.texts.flatMap((text) => splitList(field, text)) : operand.texts;
    return limited(
      texts.map((text) => (isDynamic(text) ? text : valueFromText(field, restoreOffset(field, text)))),
      label,
    );
  }
  if (!LIST_OPERATORS.has(operator)) return [operand.value];
  if (Array.isArray(operand.value)) return limited(operand.value, label);
  if (typeof operand.value !== 'string' || isDynamic(operand.value)) return [operand.value];
  return limited(
    splitList(field, operand.value).map((text) => (isDynamic(text) ? text : valueFromText(field, text))),
    label,
  );
}

function limited(values: unknown[], label: string): unknown[] {
  if (values.length > MAX_LIST_VALUES) throw tooLarge(label, `"${label}" has more than ${MAX_LIST_VALUES} values.`);
  return values;
}

/** The empty text is no number, date or id: `filter[n.in]=` is the empty list there, and one empty text for text fields. */
function splitList(field: FieldModel, text: string): string[] {
  if (text === '' && !TEXT_TYPES.has(field.type)) return [];
  return text.includes('\\,') ? text.split(/(?<!\\),/).map((part) => part.replaceAll('\\,', ',')) : text.split(',');
}

export const TEXT_TYPES: ReadonlySet<StoredType> = new Set<StoredType>(['string', 'text', 'email', 'url', 'enum']);

/** A query string turns the unescaped "+" of "2026-01-01T00:00:00+02:00" into a space. */
const restoreOffset = (field: FieldModel, text: string): string =>
  field.type === 'timestamp' && text.includes('T') ? text.replace(/ (\d{2}:?\d{2})$/, '+$1') : text;

/** The stored form of one value, or why it is none. */
export function readOperand(
  field: FieldModel,
  operator: FilterOperator,
  given: unknown,
): { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly message: string } {
  if (typeof given === 'string' && given.length > MAX_TEXT)
    return { ok: false, message: `${field.name} is compared with a text of more than ${MAX_TEXT} characters` };
  const coerced = coerceOperand(field, given);
  if (!coerced.ok) return coerced;
  if (PATTERN_OPERATORS.has(operator) && /(^|[^\\])(\\\\)*\\$/.test(String(coerced.value))) {
    return { ok: false, message: `${field.name} is compared with a pattern that ends in a lone backslash` };
  }
  return { ok: true, value: coerced.value };
}

/** Reads a dynamic name strictly: `$user.foo` and `$now-7parsecs` are mistakes. */
export function readDynamic(token: string, label: string): string {
  if (USER_TOKENS.includes(token) || NOW.test(token)) return token;
  throw invalidValue(
    label,
    `"${label}" is compared with the unknown dynamic value "${token.slice(0, 50)}".`,
    'Known are $now, $now-7d (s, m, h, d, w), $user.id, $user.email and $user.roles.',
  );
}
