/** One step of a write that has several, and what became of it. */
import type { AppError, ErrorDetail } from '../../core/errors.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';

export type OperationKind = 'create' | 'update' | 'upsert' | 'delete' | 'restore';

export interface Operation {
  readonly kind: OperationKind;
  readonly entity: EntityModel;
  /** Where it stands in the body: `create[3]`, `operations[0]`. */
  readonly path: string;
  /** Where its record stands: the same in `_bulk`, `operations[0].body` in a batch. */
  readonly bodyPath: string;
  readonly index: number;
  /** `delete` and `restore` have none. */
  readonly body: Readonly<Record<string, unknown>>;
  /** Undefined for `create` and `upsert`; may be a reference in a batch. */
  readonly id: unknown;
  readonly on?: readonly FieldModel[];
  readonly ifMatch?: string | undefined;
  /** The name later operations refer to it by. */
  readonly ref?: string | undefined;
  /** The names of earlier operations whose results it uses. */
  readonly needs: readonly string[];
}

export interface Outcome {
  readonly id: string;
  /** Undefined after a delete. */
  readonly version?: string;
  /** The record as the caller may read it; the id alone after a delete. */
  readonly text: string;
  readonly isCreated: boolean;
}

/** What became of one operation: exactly one of the three. */
export interface Settled {
  readonly operation: Operation;
  readonly outcome?: Outcome;
  readonly error?: AppError;
  /** Why it was not tried. */
  readonly skipped?: string;
}

export interface Failure {
  readonly operation: Operation;
  readonly error: AppError;
}

/** The mistakes of one operation, each with its way through the body. */
export function placed({ operation, error }: Failure): ErrorDetail[] {
  const details = error.details.length > 0 ? error.details : [{ message: error.message }];
  return details.map((detail) => {
    const inner = detail.path ?? detail.field;
    const isWhole = inner === undefined || inner.startsWith(operation.path);
    return { ...detail, code: error.code, path: isWhole ? (inner ?? operation.path) : `${operation.bodyPath}.${inner}` };
  });
}
