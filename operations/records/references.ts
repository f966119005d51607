/**
 * `{"$ref": "customer.id"}` in a batch: the value a field of an earlier result has. It stands where a field's value stands, also in
 * nested rows; the values of json fields are taken as they are, so that a document with `$ref` in it can be stored.
 */
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { knownField, reachedBy, readableField } from './body.ts';
import type { Operation, Outcome } from './operation.ts';
import type { Write } from './write-state.ts';

/** Whose names count: to a hidden one nothing is looked up, as to one that nothing has. */
type Caller = Pick<Write, 'ctx' | 'authority'>;

const FORM = /^([A-Za-z][A-Za-z0-9_]{0,62})\.([a-z_][a-z0-9_]{0,62})$/;

interface Found {
  readonly given: unknown;
  readonly path: string;
}

const isReference = (given: unknown): given is Record<string, unknown> => isObject(given) && '$ref' in given;

type Replace = (found: Found) => unknown;

/** The body with every reference replaced; anything else is passed on as it is. */
function replaced(caller: Caller, entity: EntityModel, body: unknown, path: string, replace: Replace): unknown {
  if (!isObject(body)) return body;
  return Object.fromEntries(
    Object.entries(body).map(([name, given]) => [name, replacedValue(caller, entity, name, given, `${path}.${name}`, replace)]),
  );
}

function replacedValue(caller: Caller, entity: EntityModel, name: string, given: unknown, path: string, replace: Replace): unknown {
  if (knownField(caller, entity, name)?.type === 'json' || typeof given !== 'object' || given === null) return given;
  if (isReference(given)) return replace({ given: given['$ref'], path });
  const end = entity.ends.get(name);
  const child = end === undefined ? undefined : reachedBy(caller, end);
  if (child === undefined) return given;
  const row = (one: unknown, at: string): unknown =>
    isReference(one) ? replace({ given: one['$ref'], path: at }) : replaced(caller, child, one, at, replace);
  const rows = (list: unknown, at: string): unknown =>
    Array.isArray(list) ? list.map((one, index) => row(one, `${at}.${String(index)}`)) : row(list, at);
  const isWrapped = isObject(given) && ('data' in given || '_write_mode' in given);
  return isWrapped ? { ...given, data: rows(given['data'] ?? [], `${path}.data`) } : rows(given, path);
}

/** The operations with what they need; what is wrong with their references, all at once, before anything is written. */
export function withReferences(caller: Caller, operations: readonly Operation[]): readonly Operation[] {
  const named = new Map(operations.flatMap((operation) => (operation.ref === undefined ? [] : [[operation.ref, operation] as const])));
  const errors: ErrorDetail[] = [];
  const linked = operations.map((operation) => {
    const needed = new Set<string>();
    eachReference(caller, operation, ({ given, path }) => {
      const [, name = '', field = ''] = typeof given === 'string' ? (FORM.exec(given) ?? []) : [];
      const other = named.get(name);
      const problem =
        name === ''
          ? '$ref must be text like "customer.id": the ref of an earlier operation and a field of its result'
          : other === undefined
            ? `no operation has the ref "${name}"`
            : operations.indexOf(other) >= operations.indexOf(operation)
              ? `"${name}" comes later: a $ref leads to an earlier operation`
              : knows(caller, other, field)
                ? undefined
                : `the result of "${name}" has no "${field}"`;
      if (problem === undefined) needed.add(name);
      else errors.push({ field: '$ref', rule: 'reference', path, message: problem });
    });
    return { ...operation, needs: [...needed] };
  });
  if (errors.length === 0) return linked;
  throw new AppError('VALIDATION_FAILED', `A $ref leads nowhere: ${errors[0]?.message ?? ''}.`, { details: errors });
}

const knows = (caller: Caller, { entity, kind }: Operation, field: string): boolean =>
  entity.key.some((key) => key.name === field) || (kind !== 'delete' && readableField(caller, entity, field) !== undefined);

function eachReference(caller: Caller, operation: Operation, visit: (found: Found) => void): void {
  const note: Replace = (found) => {
    visit(found);
    return null;
  };
  if (isReference(operation.id)) note({ given: operation.id['$ref'], path: `${operation.path}.id` });
  replaced(caller, operation.entity, operation.body, operation.bodyPath, note);
}

/** The operation with the values of earlier results in the place of its references. */
export function resolved(caller: Caller, operation: Operation, results: ReadonlyMap<string, Outcome>): Operation {
  if (operation.needs.length === 0) return operation;
  const lookUp: Replace = ({ given, path }) => {
    const [, name = '', field = ''] = FORM.exec(String(given)) ?? [];
    const record = JSON.parse(results.get(name)?.text ?? '{}') as Record<string, unknown>;
    if (field in record) return record[field];
    throw new AppError('VALIDATION_FAILED', `The result of "${name}" has no "${field}" that you may read.`, {
      details: [{ field: '$ref', rule: 'reference', path, message: `the result of "${name}" has no "${field}"` }],
    });
  };
  return {
    ...operation,
    id: isReference(operation.id) ? lookUp({ given: operation.id['$ref'], path: `${operation.path}.id` }) : operation.id,
    body: replaced(caller, operation.entity, operation.body, operation.bodyPath, lookUp) as Operation['body'],
  };
}
