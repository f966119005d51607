/** The lock an act takes on its table, as the manual of Postgres lists them, and whether writers wait behind it. */
import type { Act } from './acts.ts';

export type LockName =
  'ACCESS EXCLUSIVE' | 'EXCLUSIVE' | 'SHARE ROW EXCLUSIVE' | 'SHARE' | 'SHARE UPDATE EXCLUSIVE' | 'ROW EXCLUSIVE' | 'none';

export function lockOf(act: Act): LockName {
  switch (act.kind) {
    case 'validate_constraint':
      return 'SHARE UPDATE EXCLUSIVE';
    case 'add_constraint':
      return act.constraint.kind === 'foreign_key' ? 'SHARE ROW EXCLUSIVE' : 'ACCESS EXCLUSIVE';
    case 'create_trigger':
      return 'SHARE ROW EXCLUSIVE';
    case 'create_index':
      return act.isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE';
    case 'reindex':
      return act.isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'SHARE';
    case 'detach_partition':
      return act.isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE';
    case 'refresh_view':
      return act.isConcurrent ? 'EXCLUSIVE' : 'ACCESS EXCLUSIVE';
    case 'drop':
      return act.isConcurrent ? 'SHARE UPDATE EXCLUSIVE' : 'ACCESS EXCLUSIVE';
    case 'change_data':
      return 'ROW EXCLUSIVE';
    case 'create_table':
    case 'create_other':
    case 'alter_other':
    case 'add_enum_value':
    case 'set':
    case 'transaction':
    case 'query':
    case 'permission':
    case 'unknown':
      return 'none';
    case 'add_column':
    case 'drop_column':
    case 'alter_type':
    case 'set_not_null':
    case 'drop_not_null':
    case 'set_default':
    case 'drop_default':
    case 'drop_expression':
    case 'set_column':
    case 'drop_constraint':
    case 'rename':
    case 'rewrite_table':
    case 'set_table':
    case 'drop_trigger':
    case 'truncate':
      return 'ACCESS EXCLUSIVE';
  }
}

export const stopsWriters = (lock: LockName): boolean => ['ACCESS EXCLUSIVE', 'EXCLUSIVE', 'SHARE ROW EXCLUSIVE', 'SHARE'].includes(lock);
