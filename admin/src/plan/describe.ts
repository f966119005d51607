/** A typed change as a line: what it is about, what becomes of it, and its values. */
import type { Translate } from '../i18n/words.ts';
import type { PLAN } from './words.ts';
import type { Change } from './types.ts';

type Word = keyof (typeof PLAN)['byLocale']['en'];
type T = Translate<Word>;

export interface ChangeLine {
  readonly sign: '+' | '−' | '~';
  /** `Field`, `Relation`, … */
  readonly noun: string;
  /** Its name as people write it: `ticket.priority`. */
  readonly subject: string;
  /** `added`, `is called urgency`, … */
  readonly verb: string;
  /** `string → int`; empty when there is nothing to show. */
  readonly values: string;
}

export function describe(change: Change, t: T): ChangeLine {
  const { kind } = change;
  return {
    sign: kind.startsWith('add_') ? '+' : kind.startsWith('drop_') ? '−' : '~',
    noun: t(nounOf(change)),
    subject: subjectOf(change),
    verb: verbOf(change, t),
    values: valuesOf(change),
  };
}

/** The line as text, where there is no room for its parts. */
export const lineOf = (change: Change, t: T): string => {
  const { noun, subject, verb, values } = describe(change, t);
  return [noun, subject, verb, values].filter((part) => part !== '').join(' ');
};

const NOUNS: Readonly<Record<string, Word>> = {
  entity: 'entity',
  field: 'field',
  fields: 'fields',
  relation: 'relation',
  index: 'index',
  unique: 'unique',
  rule: 'rule',
  state_machine: 'state_machine',
  workflow: 'workflow',
  calendar: 'calendar',
  sla: 'sla',
  permission: 'permission',
  webhook: 'webhook',
  function: 'function',
  role: 'role',
  settings: 'settings',
  ui_configs: 'ui_configs',
};

function nounOf({ kind, field, relation, entity }: Change): Word {
  const named = NOUNS[kind.replace(/^(?:add|drop|rename|set|split|merge|move|transform)_/, '')];
  // Of one field `unique` is a property, of several a definition.
  if (named !== undefined && !(named === 'unique' && field !== undefined)) return named;
  if (field !== undefined) return 'field';
  if (relation !== undefined) return 'relation';
  return entity === undefined ? 'storage' : 'entity';
}

function verbOf({ kind, to }: Change, t: T): string {
  if (kind.startsWith('add_')) return t('added');
  if (kind.startsWith('drop_')) return t('dropped');
  if (kind.startsWith('rename_')) return t('renamed', { to: short(to) });
  if (kind === 'change_type') return t('retyped');
  if (kind === 'transform_fields') return t('transformed');
  if (kind === 'move_field') return t('moved');
  if (kind === 'split_entity') return t('split');
  if (kind === 'merge_entity') return t('merged');
  return t('changed');
}

function subjectOf({ entity, field, fields, relation, item, property }: Change): string {
  const name =
    field !== undefined
      ? `${entity ?? ''}.${field}`
      : fields !== undefined
        ? `${entity ?? ''} (${fields.join(', ')})`
        : relation !== undefined
          ? [entity, relation].filter((part) => part !== undefined).join('.')
          : (item ?? entity ?? '');
  return property === undefined ? name : `${name} ${property}`.trim();
}

function valuesOf({ kind, from, to }: Change): string {
  if (kind.startsWith('rename_') || (from === undefined && to === undefined)) return '';
  return from === undefined ? short(to) : `${short(from)} → ${short(to)}`;
}

const LONGEST = 60;

function short(value: unknown): string {
  if (value === null || value === undefined) return '–';
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST - 1)}…`;
}
