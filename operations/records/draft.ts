/** A write's body once it was read: values coerced, nested rows found, mistakes noted. */
import type { ErrorDetail } from '../../core/errors.ts';
import type { WriteMode } from '../../core/model/document.ts';
import type { EntityModel, FieldModel, RelationEnd } from '../../core/model/model.ts';

export interface FieldValue {
  readonly field: FieldModel;
  /** As it is bound. */
  readonly value: unknown;
  /** As rules see it. */
  readonly plain: unknown;
}

/** A body that was read. */
export interface Draft {
  readonly entity: EntityModel;
  readonly action: 'create' | 'update';
  readonly given: ReadonlyMap<string, FieldValue>;
  /** Fields whose value was refused; expressions over them would only repeat it. */
  readonly bad: ReadonlySet<string>;
  readonly nested: readonly NestedPart[];
  readonly errors: readonly ErrorDetail[];
  /** Key fields in the body of an update, by name: they must be the record's own. */
  readonly claimedKey: ReadonlyMap<string, string>;
}

export interface NestedPart {
  readonly end: RelationEnd;
  /** As the body calls it. */
  readonly name: string;
  readonly mode: WriteMode;
  readonly rows: readonly NestedRow[];
  readonly errors: readonly ErrorDetail[];
}

export type NestedRow = { readonly index: number } &
  /** `read` reads the row again as the other action, for what only the database can tell. */
  (
    | { readonly kind: 'write'; readonly key: string | undefined; readonly draft: Draft; read(action: 'create' | 'update'): Draft }
    | { readonly kind: 'delete'; readonly key: string }
    | { readonly kind: 'link' | 'unlink'; readonly key: string }
    | { readonly kind: 'ignored' }
  );
