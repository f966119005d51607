/**
 * One typed edit between two versions of a schema document. Clients of the older version do not notice `compatible` changes;
 * after `breaking` ones they are served in the older shape for as long as the grace period lasts. What would lose data or
 * cannot be done online is refused with UNSAFE_CHANGE.
 */
import { AppError } from '../errors.ts';

export type ChangeKind =
  | 'add_entity'
  | 'drop_entity'
  | 'rename_entity'
  | 'set_table'
  | 'set_column'
  | 'set_primary_key'
  | 'set_soft_delete'
  | 'set_entity'
  | 'add_field'
  | 'drop_field'
  | 'rename_field'
  | 'change_type'
  | 'set_required'
  | 'set_default'
  | 'set_unique'
  | 'transform_fields'
  | 'move_field'
  | 'split_entity'
  | 'merge_entity'
  | 'set_enum'
  | 'set_limit'
  | 'set_field'
  | 'add_index'
  | 'drop_index'
  | 'add_unique'
  | 'drop_unique'
  | 'add_relation'
  | 'drop_relation'
  | 'rename_relation'
  | 'set_relation'
  | 'add_rule'
  | 'set_rule'
  | 'drop_rule'
  | 'add_state_machine'
  | 'set_state_machine'
  | 'drop_state_machine'
  | 'add_workflow'
  | 'set_workflow'
  | 'drop_workflow'
  | 'add_calendar'
  | 'set_calendar'
  | 'drop_calendar'
  | 'add_sla'
  | 'set_sla'
  | 'drop_sla'
  | 'add_permission'
  | 'set_permission'
  | 'drop_permission'
  | 'add_webhook'
  | 'set_webhook'
  | 'drop_webhook'
  | 'add_function'
  | 'set_function'
  | 'drop_function'
  | 'add_role'
  | 'set_role'
  | 'drop_role'
  | 'set_settings'
  | 'set_ui_configs'
  | 'change_storage';

export interface Change {
  readonly kind: ChangeKind;
  readonly class: 'compatible' | 'breaking';
  readonly entity?: string;
  readonly field?: string;
  readonly fields?: readonly string[];
  readonly relation?: string;
  /** Name of a rule, machine, workflow, permission, webhook, function or role; what one without a name says. */
  readonly item?: string;
  readonly property?: string;
  readonly from?: unknown;
  readonly to?: unknown;
  /** Of a breaking change: what it does, and the way out. */
  readonly message?: string;
  readonly hint?: string;
  /** The change is not done at all. */
  readonly refused?: true;
  /** Stored values may not fit: they are counted before anything begins, and again before the switch. */
  readonly isTightened?: true;
  /** What stays in the tables until the retention ends although the new version does not serve it. */
  readonly held?: readonly Held[];
  readonly conversion?: Conversion;
  readonly move?: Move;
  readonly split?: Split;
  /** Stable ids of what a breaking change is about: until its grace ends no other change touches them. */
  readonly touches?: readonly string[];
}

/** A table, or one column of it, and the stable id of the field, relation or entity whose values it holds. */
export interface Held {
  readonly id: string;
  readonly table: string;
  readonly column?: string;
  /** The column's type. */
  readonly type?: string;
}

/** A migration in grace that is taken back: both of its shapes are in step, so nothing is converted again. */
export interface Undone {
  readonly migration: string;
  /** The version it led to: what it made in the database is named by it. */
  readonly version: number;
  readonly conversions: readonly Conversion[];
  /** Missing from plans that were made before fields could move. */
  readonly moves?: readonly Move[];
  /** Missing from plans that were made before entities could be split. */
  readonly splits?: readonly Split[];
}

/** How values get from the fields of one version into those of the next, and back: JSONata over `record` in the other shape. */
export interface Conversion {
  /** As the new version calls it. */
  readonly entity: string;
  readonly kind: 'convert' | 'transform' | 'fill';
  /** Fields as the old version calls them; none for a fill. */
  readonly from: readonly string[];
  /** Fields as the new version calls them. */
  readonly to: readonly string[];
  /** By new field. */
  readonly up: Readonly<Record<string, string>>;
  /** By old field. */
  readonly down: Readonly<Record<string, string>>;
}

/** A field goes from the records of one entity to the one record that each of them refers to. */
export interface Move {
  /** As the old version calls it. */
  readonly from: FieldPath;
  /** As the new version calls it. */
  readonly to: FieldPath;
  /** The relation, or its end, as the old version calls it. */
  readonly via: string;
}

/**
 * Fields of one entity, the whole, that another has in records of its own, its parts. The whole is called as the version with the fields
 * there calls it, the part and the relation as the version that has the part.
 */
export interface Split {
  /** `split`: the new version has the part; `merge`: the old one. */
  readonly direction: 'split' | 'merge';
  readonly whole: string;
  readonly part: string;
  readonly fields: readonly { readonly whole: string; readonly part: string }[];
  /** The relation by which a part leads to its whole. */
  readonly via: string;
}

export interface FieldPath {
  readonly entity: string;
  readonly field: string;
}

export const classOf = (changes: readonly Change[]): 'compatible' | 'breaking' =>
  changes.some((change) => change.class === 'breaking') ? 'breaking' : 'compatible';

/** Refuses a publish as a whole, naming every change of it that cannot be done. */
export function refuseUnsafe(changes: readonly Change[]): void {
  const unsafe = changes.filter((change) => change.refused === true);
  if (unsafe.length === 0) return;
  const first = unsafe[0];
  const rest = unsafe.length === 1 ? '' : ` (and ${unsafe.length - 1} more)`;
  throw new AppError('UNSAFE_CHANGE', `${first?.message ?? 'This change cannot be done.'}${rest} Nothing was changed.`, {
    details: unsafe.map((change) => ({
      kind: change.kind,
      ...(change.entity === undefined ? {} : { entity: change.entity }),
      ...(change.field === undefined ? {} : { field: change.field }),
      ...(change.relation === undefined ? {} : { relation: change.relation }),
      rule: 'unsafe_change',
      message: change.message ?? 'This change cannot be done.',
      ...(change.hint === undefined ? {} : { hint: change.hint }),
    })),
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  });
}
