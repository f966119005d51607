/** A permission as forms hold it, what it says in a sentence, and drafts: edits that are published together. */
import type { PermissionDefinition } from '../../../../core/model/document.ts';
import type { Listed } from '../../definitions/definitions.ts';
import type { Translate } from '../../i18n/words.ts';
import type { PERMISSIONS } from './words.ts';

export type Permission = PermissionDefinition;
export type Condition = Permission['conditions'][number];
export type Action = Permission['action'];
export type RecordAction = Exclude<Action, '*'>;
export type PermissionTell = Translate<keyof (typeof PERMISSIONS)['byLocale']['en']>;

export const RECORD_ACTIONS: readonly RecordAction[] = ['read', 'create', 'update', 'delete'];

export const emptyPermission = (entity: string, action: Action, roles: readonly string[]): Permission => ({
  entity,
  action,
  roles: [...roles],
  conditions: [],
  deny: false,
});

/** One edit. The key of a change or removal is the id of what is stored. */
export type Edit =
  | { readonly kind: 'add'; readonly key: string; readonly permission: Permission }
  | { readonly kind: 'change'; readonly key: string; readonly permission: Permission }
  | { readonly kind: 'remove'; readonly key: string };

export type Edits = readonly Edit[];

/** As the API takes drafts: what has an id stands for what is stored, the others are added. */
export const askedOf = (edits: Edits): object[] =>
  edits.map((edit) => {
    if (edit.kind === 'remove') return { id: edit.key, deleted: true };
    const body = bodyOf(edit.permission);
    return edit.kind === 'change' ? { ...body, id: edit.key } : body;
  });

export interface ShownPermission {
  readonly key: string;
  readonly permission: Permission;
  readonly state: 'stored' | 'added' | 'changed' | 'removed';
}

/** What is stored with the edits over it; what is removed is still shown, as that. */
export function withEdits(stored: readonly Listed<Permission>[], edits: Edits): readonly ShownPermission[] {
  const byKey = new Map(edits.map((edit) => [edit.key, edit]));
  return [
    ...stored.map((permission): ShownPermission => {
      const edit = byKey.get(permission.id);
      if (edit?.kind === 'change') return { key: permission.id, permission: edit.permission, state: 'changed' };
      return { key: permission.id, permission, state: edit?.kind === 'remove' ? 'removed' : 'stored' };
    }),
    ...edits.flatMap((edit): ShownPermission[] =>
      edit.kind === 'add' ? [{ key: edit.key, permission: edit.permission, state: 'added' }] : [],
    ),
  ];
}

/** An edit more; changing what was added stays an addition, removing it leaves nothing. */
export function edited(edits: Edits, next: Edit): Edits {
  const before = edits.find(({ key }) => key === next.key);
  const rest = edits.filter(({ key }) => key !== next.key);
  if (before?.kind !== 'add') return [...rest, next];
  return next.kind === 'remove' ? rest : [...rest, { ...next, kind: 'add' }];
}

/** Of an edit whose stored permission is gone by now nothing is left to change. */
export const livingEdits = (stored: readonly Listed<Permission>[], edits: Edits): Edits =>
  edits.filter((edit) => edit.kind === 'add' || stored.some(({ id }) => id === edit.key));

/** Without the times of the list, and without what is not used. */
export function bodyOf(permission: Permission): Record<string, unknown> {
  const { name, entity, action, roles, conditions, expression, fields, presets, deny } = permission;
  return {
    ...(name === undefined || name === '' ? {} : { name }),
    entity,
    action,
    roles,
    conditions,
    ...(expression === undefined || expression.trim() === '' ? {} : { expression }),
    ...(fields?.read === undefined && fields?.write === undefined ? {} : { fields }),
    ...(presets === undefined || Object.keys(presets).length === 0 ? {} : { presets }),
    deny,
  };
}

/** `customer.email is $user.email and record.total > 0`; nothing for every record. */
export function conditionOf({ conditions, expression }: Permission, t: PermissionTell): string {
  const parts = conditions.map(({ field, operator, value }) => `${field} ${t(`cond_${operator}`)} ${valueText(value)}`.trim());
  return [...parts, ...(expression === undefined || expression === '' ? [] : [expression])].join(` ${t('and')} `);
}

export const valueText = (value: unknown): string =>
  value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);

/** What is typed as a value of a condition: numbers, true, false, null and lists are those, all else is text. */
export function readValue(typed: string): Condition['value'] {
  if (typed === '') return undefined;
  if (!/^(-?\d+(\.\d+)?|true|false|null|[[{].*[\]}])$/s.test(typed.trim())) return typed;
  try {
    return JSON.parse(typed) as Condition['value'];
  } catch (error) {
    if (error instanceof SyntaxError) return typed;
    throw error;
  }
}

/** In a sentence: who may do what to which records. */
export function sentenceOf(permission: Permission, t: PermissionTell): string {
  if (permission.name !== undefined && permission.name !== '') return permission.name;
  const { deny, roles, action, entity } = permission;
  const who = roles.map((role) => (role === '*' ? t('everybody') : role)).join(', ');
  const condition = conditionOf(permission, t);
  const what = { who, action: t(`do_${action === '*' ? 'all' : action}`), entity: entity === '*' ? t('every_entity') : entity };
  return `${t(deny ? 'says_deny' : 'says_grant', what)}${condition === '' ? '' : ` ${t('says_where', { condition })}`}`;
}
