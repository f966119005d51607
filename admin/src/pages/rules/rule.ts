/** A rule as the form holds it, what it says in a sentence, and which operators go with which field. */
import type { RuleDefinition } from '../../../../core/model/document.ts';
import type { DiscoveredField } from '../../discovery.ts';
import type { Listed } from '../../definitions/definitions.ts';
import type { Translate } from '../../i18n/words.ts';
import type { RULES } from './words.ts';

export type Rule = RuleDefinition;
export type FieldRule = Extract<Rule, { type: 'field' }>;
export type Operator = FieldRule['definition']['operator'];
export type RelatedLoad = Extract<Rule, { type: 'expression' }>['definition']['related_load'][number];
export type RuleTell = Translate<keyof (typeof RULES)['byLocale']['en']>;

/** All kinds at once: changing the kind loses nothing that was typed. */
export interface RuleDraft {
  readonly id?: string;
  readonly name: string;
  readonly entity: string;
  readonly type: Rule['type'];
  readonly hook: Rule['hook'];
  readonly priority: string;
  readonly active: boolean;
  readonly field: string;
  readonly operator: Operator;
  readonly value: unknown;
  readonly fields: readonly string[];
  readonly condition: string;
  readonly expression: string;
  readonly message: string;
  readonly stop: boolean;
  readonly related: readonly RelatedLoad[];
}

export const emptyDraft = (entity: string): RuleDraft => ({
  name: '',
  entity,
  type: 'field',
  hook: 'before_write',
  priority: '100',
  active: true,
  field: '',
  operator: 'required',
  value: undefined,
  fields: [],
  condition: '',
  expression: '',
  message: '',
  stop: false,
  related: [],
});

export function draftOf(rule: Listed<Rule>): RuleDraft {
  const { definition } = rule;
  const asField = rule.type === 'field' ? rule.definition : undefined;
  return {
    ...emptyDraft(rule.entity),
    id: rule.id,
    name: rule.name ?? '',
    type: rule.type,
    hook: rule.hook,
    priority: String(rule.priority),
    active: rule.active,
    field: definition.field ?? '',
    ...(asField === undefined ? {} : { operator: asField.operator, value: asField.value, fields: asField.fields ?? [] }),
    condition: asField?.condition ?? '',
    expression: 'expression' in definition ? definition.expression : '',
    message: 'message' in definition ? (definition.message ?? '') : '',
    stop: 'stop_on_fail' in definition && definition.stop_on_fail,
    related: 'related_load' in definition ? definition.related_load : [],
  };
}

const LENGTHS: readonly Operator[] = ['min_length', 'max_length'];
const LISTS: readonly Operator[] = ['in', 'not_in'];
const WITHOUT_VALUE: readonly Operator[] = ['required', 'not_empty', 'required_if', 'unique', 'email', 'url'];
export const takesList = (operator: Operator): boolean => LISTS.includes(operator);
export const takesLength = (operator: Operator): boolean => LENGTHS.includes(operator);
export const takesValue = (operator: Operator): boolean => !WITHOUT_VALUE.includes(operator);

const ANY: readonly Operator[] = ['required', 'required_if', 'not_empty', 'unique', 'eq', 'neq', 'in', 'not_in'];
const ORDERED: readonly Operator[] = ['min', 'max', 'gt', 'gte', 'lt', 'lte'];
const TEXTS: readonly Operator[] = [...LENGTHS, 'pattern', 'email', 'url'];

/** The usual ones of a type first; a stored rule may have another. */
export function operatorsFor(field: DiscoveredField | undefined, chosen: Operator): readonly Operator[] {
  const fitting = operatorsOf(field?.type);
  return fitting.includes(chosen) ? fitting : [...fitting, chosen];
}

function operatorsOf(type: DiscoveredField['type'] | undefined): readonly Operator[] {
  switch (type) {
    case undefined:
      return [...ANY, ...ORDERED, ...TEXTS];
    case 'int':
    case 'bigint':
    case 'float':
    case 'decimal':
    case 'timestamp':
    case 'date':
    case 'time':
      return [...ANY, ...ORDERED];
    case 'boolean':
    case 'uuid':
    case 'file':
      return ANY;
    case 'json':
      return ['required', 'required_if', 'not_empty', ...LENGTHS];
    default:
      return [...ANY, ...TEXTS];
  }
}

/** What is sent: only what this kind takes. */
export function bodyOf(draft: RuleDraft): Record<string, unknown> {
  return {
    name: draft.name.trim() === '' ? null : draft.name.trim(),
    entity: draft.entity,
    type: draft.type,
    hook: draft.type === 'computed' ? 'before_write' : draft.hook,
    priority: /^-?\d+$/.test(draft.priority) ? Number(draft.priority) : draft.priority,
    active: draft.active,
    definition: definitionOf(draft),
  };
}

function definitionOf(draft: RuleDraft): Record<string, unknown> {
  const { field, operator, value, fields, condition, expression, message, stop, related } = draft;
  const told = message.trim() === '' ? {} : { message: message.trim() };
  if (draft.type === 'computed') return { field, expression, related_load: related };
  if (draft.type === 'expression') {
    return { expression, ...told, ...(field === '' ? {} : { field }), stop_on_fail: stop, related_load: related };
  }
  return {
    field,
    operator,
    ...(takesValue(operator) && value !== undefined ? { value: valueOf(operator, value) } : {}),
    ...(operator === 'unique' && fields.length > 0 ? { fields } : {}),
    ...(condition.trim() === '' ? {} : { condition }),
    ...told,
    stop_on_fail: stop,
  };
}

const valueOf = (operator: Operator, value: unknown): unknown =>
  takesLength(operator) && /^\d+$/.test(String(value)) ? Number(value) : value;

/** Whether it is worth trying; what else is wrong the server says. */
export function isWhole(draft: RuleDraft): boolean {
  const has = (text: string): boolean => text.trim() !== '';
  if (draft.entity === '') return false;
  if (draft.type === 'computed') return has(draft.field) && has(draft.expression);
  if (draft.type === 'expression') return has(draft.expression);
  const hasValue = !takesValue(draft.operator) || (draft.value !== undefined && draft.value !== '' && !isEmptyList(draft.value));
  return has(draft.field) && hasValue && (draft.operator !== 'required_if' || has(draft.condition));
}

const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;

/** What it asks, in a sentence; its name when it has one. */
export function sentenceOf(rule: Rule, t: RuleTell): string {
  if ((rule.name ?? '') !== '') return rule.name ?? '';
  if (rule.type === 'expression') return t('op_expression', { value: shorten(rule.definition.expression) });
  if (rule.type === 'computed') return t('op_computed', { field: rule.definition.field, value: shorten(rule.definition.expression) });
  const { field, fields = [], operator, value, condition = '' } = rule.definition;
  return t(`op_${operator}`, { field: [field, ...fields].join(' + '), value: shown(value), condition: shorten(condition) });
}

const shown = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(', ') : String(value as string));
const shorten = (text: string): string => (text.length > 90 ? `${text.slice(0, 89)}…` : text);
