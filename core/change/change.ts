/**
 * One typed edit between two versions of a schema document. `compatible` changes are done while clients write; `breaking` ones
 * are refused with UNSAFE_CHANGE until a migration can serve both shapes.
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
  | 'add_permission'
  | 'set_permission'
  | 'drop_permission'
  | 'add_webhook'
  | 'set_webhook'
  | 'drop_webhook'
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
  /** Name of a rule, machine, workflow, permission, webhook or role; what one without a name says. */
  readonly item?: string;
  readonly property?: string;
  readonly from?: unknown;
  readonly to?: unknown;
  /** Of a breaking change: what it would do, and the way out. */
  readonly message?: string;
  readonly hint?: string;
}

export const classOf = (changes: readonly Change[]): 'compatible' | 'breaking' =>
  changes.some((change) => change.class === 'breaking') ? 'breaking' : 'compatible';

/** Refuses a publish as a whole, naming every change of it that is not additive. */
export function refuseUnsafe(changes: readonly Change[]): void {
  const unsafe = changes.filter((change) => change.class === 'breaking');
  if (unsafe.length === 0) return;
  const first = unsafe[0];
  const rest = unsafe.length === 1 ? '' : ` (and ${unsafe.length - 1} more)`;
  throw new AppError('UNSAFE_CHANGE', `${first?.message ?? 'This change is not additive.'}${rest} Nothing was changed.`, {
    details: unsafe.map((change) => ({
      kind: change.kind,
      ...(change.entity === undefined ? {} : { entity: change.entity }),
      ...(change.field === undefined ? {} : { field: change.field }),
      ...(change.relation === undefined ? {} : { relation: change.relation }),
      rule: 'unsafe_change',
      message: change.message ?? 'This change is not additive.',
      ...(change.hint === undefined ? {} : { hint: change.hint }),
    })),
    ...(first?.hint === undefined ? {} : { hint: first.hint }),
  });
}
