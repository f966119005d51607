/** Reading permissions and roles. */
import { clean, isRaw, ITEM_NOISE, listOf, snakeCase, synonym, withValue, type Raw, type Reading } from './reading.ts';

const OPERATOR_SYNONYMS: Readonly<Record<string, string>> = {
  '=': 'eq',
  '==': 'eq',
  equals: 'eq',
  ne: 'neq',
  '!=': 'neq',
  '<>': 'neq',
  '>': 'gt',
  '>=': 'gte',
  '<': 'lt',
  '<=': 'lte',
  notin: 'not_in',
  startswith: 'starts_with',
  endswith: 'ends_with',
  isnull: 'is_null',
  isnotnull: 'not_null',
  is_not_null: 'not_null',
};
const ACTION_SYNONYMS: Readonly<Record<string, string>> = { list: 'read', get: 'read', view: 'read', edit: 'update', all: '*', '*': '*' };

/** One permission says one action; a document may list several, which are as many permissions. */
export function readPermissions(reading: Reading, raw: Raw, path: string): Raw[] {
  const permission = clean(raw, {
    rename: {
      role: 'roles',
      allowed_roles: 'roles',
      actions: 'action',
      where: 'conditions',
      condition: 'expression',
      condition_json: 'conditions',
    },
    drop: ITEM_NOISE,
  });
  const effect = permission['effect'];
  delete permission['effect'];
  const read = {
    ...permission,
    ...(effect === 'deny' ? { deny: true } : effect === undefined || effect === 'allow' ? {} : { effect }),
    ...withValue('roles', permission['roles'] === undefined ? undefined : listOf(permission['roles'])),
    ...withValue('conditions', readConditions(permission['conditions'])),
    ...withValue(
      'fields',
      Array.isArray(permission['fields']) ? { read: permission['fields'], write: permission['fields'] } : permission['fields'],
    ),
    ...withValue(
      'expression',
      permission['expression'] === undefined ? undefined : reading.expression(`${path}.expression`, permission['expression']),
    ),
  };
  const actions = listOf(permission['action']);
  if (actions.length === 0) return [read];
  return actions.map((action) => ({ ...read, action: synonym(action, ACTION_SYNONYMS) }));
}

function readConditions(conditions: unknown): unknown {
  if (isRaw(conditions) && typeof conditions['owner_field'] === 'string') {
    return [{ field: conditions['owner_field'], operator: 'eq', value: '$user.id' }];
  }
  if (isRaw(conditions) && !('field' in conditions)) {
    return Object.entries(conditions).map(([field, value]) => ({ field, operator: Array.isArray(value) ? 'in' : 'eq', value }));
  }
  if (conditions === undefined) return undefined;
  return listOf(conditions).map((condition) => {
    if (!isRaw(condition)) return condition;
    const { operator, ...rest } = clean(condition, { rename: { op: 'operator' }, keepNull: ['value'] });
    return { ...rest, ...withValue('operator', readOperator(operator)) };
  });
}

function readOperator(operator: unknown): unknown {
  if (typeof operator !== 'string') return operator;
  if (Object.hasOwn(OPERATOR_SYNONYMS, operator)) return OPERATOR_SYNONYMS[operator];
  const word = snakeCase(operator);
  return Object.hasOwn(OPERATOR_SYNONYMS, word) ? OPERATOR_SYNONYMS[word] : word;
}

export const readRole = (role: unknown): unknown =>
  typeof role === 'string' ? { name: role } : isRaw(role) ? clean(role, { drop: ITEM_NOISE }) : role;
