/** What a statement does, as far as a rule asks: each part of an ALTER TABLE is an act of its own. */
import type { ObjectName } from './reader.ts';
import type { Token } from './tokens.ts';

export interface ColumnText {
  readonly name: string;
  /** Without length, in small letters: `character varying`. */
  readonly type: string;
  /** The inside of `(10,2)`. */
  readonly typeArguments: string;
  readonly isRequired: boolean;
  readonly isKey: boolean;
  readonly isUnique: boolean;
  readonly hasCheck: boolean;
  readonly hasReference: boolean;
  readonly isIdentity: boolean;
  readonly isStored: boolean;
  readonly default: readonly Token[] | undefined;
}

export interface ConstraintText {
  readonly name: string | undefined;
  readonly kind: 'check' | 'foreign_key' | 'unique' | 'primary_key' | 'exclude' | 'not_null' | 'other';
  readonly columns: readonly string[];
  readonly isNotValid: boolean;
  readonly usesIndex: boolean;
  readonly references: ObjectName | undefined;
  /** Columns a check proves to hold no null. */
  readonly proves: readonly string[];
}

interface OnTable {
  readonly table: ObjectName;
}

interface OnColumn extends OnTable {
  readonly column: string;
}

export type Act =
  | (OnTable & {
      readonly kind: 'create_table';
      readonly columns: readonly ColumnText[];
      readonly constraints: readonly ConstraintText[];
      /** Tables its columns refer to. */
      readonly references: readonly ObjectName[];
      /** A copy, a partition or a child: its columns are written elsewhere. */
      readonly isDerived: boolean;
      readonly isGuarded: boolean;
    })
  | (OnTable & {
      readonly kind: 'add_column';
      readonly column: ColumnText;
      readonly isGuarded: boolean;
      readonly references: readonly ObjectName[];
    })
  | (OnColumn & { readonly kind: 'drop_column'; readonly isGuarded: boolean })
  | (OnColumn & { readonly kind: 'alter_type'; readonly type: string; readonly typeArguments: string; readonly hasUsing: boolean })
  | (OnColumn & { readonly kind: 'set_not_null' | 'drop_not_null' | 'set_default' | 'drop_default' | 'drop_expression' | 'set_column' })
  | (OnTable & { readonly kind: 'add_constraint'; readonly constraint: ConstraintText })
  | (OnTable & { readonly kind: 'drop_constraint'; readonly name: string; readonly isGuarded: boolean })
  | (OnTable & { readonly kind: 'validate_constraint'; readonly name: string })
  | (OnTable & { readonly kind: 'rename'; readonly object: 'table' | 'column' | 'other'; readonly from: string; readonly to: string })
  | (OnTable & { readonly kind: 'rewrite_table' | 'set_table'; readonly words: string; readonly isRepeatable: boolean })
  | (OnTable & { readonly kind: 'detach_partition'; readonly isConcurrent: boolean })
  | (OnTable & {
      readonly kind: 'create_index';
      readonly index: ObjectName;
      /** btree when none is said. */
      readonly method: string;
      readonly isConcurrent: boolean;
      readonly isUnique: boolean;
      readonly isGuarded: boolean;
    })
  | (OnTable & { readonly kind: 'reindex'; readonly isConcurrent: boolean })
  | (OnTable & { readonly kind: 'refresh_view'; readonly isConcurrent: boolean })
  | (OnTable & { readonly kind: 'create_trigger'; readonly runs: ObjectName; readonly isGuarded: boolean })
  /** Policies and rules of a table go the same way. */
  | (OnTable & { readonly kind: 'drop_trigger'; readonly isGuarded: boolean })
  | {
      readonly kind: 'drop';
      readonly object: string;
      readonly names: readonly ObjectName[];
      readonly isConcurrent: boolean;
      readonly isGuarded: boolean;
    }
  | (OnTable & {
      readonly kind: 'change_data';
      readonly verb: 'insert' | 'update' | 'delete' | 'merge' | 'copy';
      readonly hasWhere: boolean;
    })
  | { readonly kind: 'truncate'; readonly tables: readonly ObjectName[] }
  | { readonly kind: 'add_enum_value'; readonly type: ObjectName; readonly isPlaced: boolean; readonly isGuarded: boolean }
  | { readonly kind: 'create_other'; readonly object: string; readonly name: ObjectName; readonly isRepeatable: boolean }
  | { readonly kind: 'alter_other'; readonly object: string; readonly name: ObjectName; readonly isRepeatable: boolean }
  | { readonly kind: 'set'; readonly name: string; readonly value: string }
  | { readonly kind: 'transaction' | 'query' | 'permission' }
  | { readonly kind: 'unknown'; readonly words: string };

export type ActOf<Kind extends Act['kind']> = Extract<Act, { readonly kind: Kind }>;

/** Changes the catalogue. */
export const isDdl = (act: Act): boolean => !['change_data', 'query', 'set', 'transaction', 'permission', 'unknown'].includes(act.kind);
