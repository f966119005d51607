import type { Condition } from './permission.ts';

/** In the order in which they are offered. Named here, since the document's own list would bring its whole reader along. */
export const CONDITION_OPERATORS: readonly Condition['operator'][] = [
  'eq',
  'neq',
  'in',
  'not_in',
  'gt',
  'gte',
  'lt',
  'lte',
  'between',
  'contains',
  'icontains',
  'starts_with',
  'ends_with',
  'like',
  'ilike',
  'is_null',
  'not_null',
  'is_empty',
];
