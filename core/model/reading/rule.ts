/** Reading rules. */
import { clean, isRaw, ITEM_NOISE, snakeCase, synonym, withValue, type Raw, type Reading } from './reading.ts';

const OPERATOR_SYNONYMS: Readonly<Record<string, string>> = {
  '=': 'eq',
  '==': 'eq',
  equals: 'eq',
  ne: 'neq',
  '!=': 'neq',
  not_equals: 'neq',
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
  enum: 'in',
  one_of: 'in',
  notin: 'not_in',
  regex: 'pattern',
  regexp: 'pattern',
  matches: 'pattern',
  minlength: 'min_length',
  maxlength: 'max_length',
  min_value: 'min',
  max_value: 'max',
  notempty: 'not_empty',
};

const DEFINITION_KEYS = ['field', 'operator', 'value', 'fields', 'condition', 'message', 'stop_on_fail', 'expression', 'related_load'];

export function readRule(reading: Reading, raw: Raw, path: string): Raw {
  const rule = clean(raw, { rename: { enabled: 'active', is_active: 'active' }, drop: ITEM_NOISE });
  const type = synonym(rule['type'], { validation: 'field', record: 'expression' });
  const isFlat = rule['definition'] === undefined;
  const outer = isFlat ? Object.fromEntries(Object.entries(rule).filter(([key]) => !DEFINITION_KEYS.includes(key))) : rule;
  const inner = isFlat ? Object.fromEntries(Object.entries(rule).filter(([key]) => DEFINITION_KEYS.includes(key))) : rule['definition'];
  return {
    ...outer,
    ...withValue('type', type),
    ...withValue('hook', typeof rule['hook'] === 'string' ? snakeCase(rule['hook']) : rule['hook']),
    definition: isRaw(inner) ? readDefinition(reading, inner, isFlat ? path : `${path}.definition`, type) : inner,
  };
}

function readDefinition(reading: Reading, raw: Raw, path: string, type: unknown): Raw {
  const definition = clean(raw, {
    rename: {
      error_message: 'message',
      error: 'message',
      when: 'condition',
      op: 'operator',
      formula: 'expression',
      stopOnFail: 'stop_on_fail',
    },
    keepNull: ['value'],
  });
  if (definition['value'] === null && definition['operator'] !== 'eq' && definition['operator'] !== 'neq') delete definition['value'];
  for (const key of ['expression', 'condition']) {
    if (definition[key] !== undefined) definition[key] = reading.expression(`${path}.${key}`, definition[key]);
  }
  if (type !== 'field') {
    // Forms of other systems send every key of every kind of rule, empty.
    return { ...clean(definition), ...withValue('related_load', readRelatedLoad(definition['related_load'])) };
  }
  const isLike = definition['operator'] === 'like' && typeof definition['value'] === 'string';
  if (isLike) return { ...definition, operator: 'pattern', value: likeAsPattern(definition['value'] as string) };
  return { ...definition, ...withValue('operator', operatorOf(definition['operator'])) };
}

const operatorOf = (operator: unknown): unknown =>
  typeof operator === 'string' && Object.hasOwn(OPERATOR_SYNONYMS, operator)
    ? OPERATOR_SYNONYMS[operator]
    : synonym(operator, OPERATOR_SYNONYMS);

function readRelatedLoad(load: unknown): unknown {
  if (!Array.isArray(load)) return load;
  return load.map((entry: unknown) => {
    if (typeof entry === 'string') return { relation: entry };
    return isRaw(entry) ? clean(entry) : entry;
  });
}

/** SQL's LIKE as a regular expression over the whole text. */
const likeAsPattern = (like: string): string =>
  `^${like
    .replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll('%', '.*')
    .replaceAll('_', '.')}$`;
