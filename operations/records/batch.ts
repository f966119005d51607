/** `POST /_batch`: writes over several entities in one request, with references to earlier results. */
import { AppError } from '../../core/errors.ts';
import { isObject } from '../../core/is-object.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { readMembers, unknownMembers } from '../payload.ts';
import { malformed, preconditionOf, tooMany } from './bulk.ts';
import { MAX_OPERATIONS, runOperations, type ManyOptions } from './many.ts';
import type { Operation, OperationKind, Settled } from './operation.ts';
import { withReferences } from './references.ts';
import { upsertFields } from './upsert-one.ts';

type Body = Readonly<Record<string, unknown>>;

const KINDS: readonly OperationKind[] = ['create', 'update', 'upsert', 'delete', 'restore'];
const KEYS = ['op', 'entity', 'id', 'body', 'on', 'ref', 'if_match'];
const REF = /^[A-Za-z][A-Za-z0-9_]{0,62}$/;

export async function batchRecords(ctx: AppContext, body: Body, options: ManyOptions): Promise<readonly Settled[]> {
  const { operations: given } = readMembers(body, '_batch', ['operations']);
  if (!Array.isArray(given)) throw malformed('operations', 'operations must be a list');
  if (given.length > MAX_OPERATIONS) throw tooMany(given.length);
  const operations = given.map((one: unknown, index) => operationOf(ctx, one, index));
  refuseRepeatedRefs(operations);
  return runOperations(ctx, withReferences({ ctx, authority: ctx.actor }, operations), options);
}

function operationOf(ctx: AppContext, given: unknown, index: number): Operation {
  const path = `operations[${String(index)}]`;
  if (!isObject(given)) throw malformed(path, `${path} must be an object`);
  const unknown = Object.keys(given).filter((key) => !KEYS.includes(key));
  if (unknown.length > 0) throw unknownMembers('An operation', unknown, KEYS, path);
  const kind = KINDS.find((one) => one === given['op']);
  if (kind === undefined) throw malformed(`${path}.op`, `${path}.op must be one of ${KINDS.join(', ')}`, 'enum');
  const entity = entityAt(ctx, given['entity'], path);
  const ref = given['ref'];
  if (ref !== undefined && (typeof ref !== 'string' || !REF.test(ref))) {
    throw malformed(`${path}.ref`, `${path}.ref must be a name of letters, digits and _`);
  }
  refuseMisplaced(given, kind, path);
  return {
    kind,
    entity,
    path,
    bodyPath: `${path}.body`,
    index,
    body: bodyOf(given['body'], kind, path),
    id: given['id'],
    ref,
    ifMatch: preconditionOf(path, given['if_match']),
    needs: [],
    ...(kind === 'upsert' ? { on: upsertFields({ ctx, authority: ctx.actor }, entity, given['on'], `${path}.on`) } : {}),
  };
}

function entityAt(ctx: AppContext, name: unknown, path: string): EntityModel {
  if (typeof name !== 'string') throw malformed(`${path}.entity`, `${path}.entity must be the name of an entity`);
  return entityOf(ctx.app.model, name);
}

/** An option that would do nothing is refused. */
function refuseMisplaced(given: Body, kind: OperationKind, path: string): void {
  const isNamed = kind === 'update' || kind === 'delete' || kind === 'restore';
  const misplaced = [
    given['id'] !== undefined && !isNamed ? 'id' : undefined,
    given['on'] !== undefined && kind !== 'upsert' ? 'on' : undefined,
    given['body'] !== undefined && (kind === 'delete' || kind === 'restore') ? 'body' : undefined,
    given['if_match'] !== undefined && kind === 'create' ? 'if_match' : undefined,
  ].find((name) => name !== undefined);
  if (misplaced !== undefined) throw malformed(`${path}.${misplaced}`, `${kind} takes no ${misplaced}`, 'unknown');
}

function bodyOf(given: unknown, kind: OperationKind, path: string): Body {
  if (kind === 'delete' || kind === 'restore') return {};
  if (isObject(given)) return given;
  throw malformed(`${path}.body`, `${path}.body must be an object`);
}

function refuseRepeatedRefs(operations: readonly Operation[]): void {
  const seen = new Set<string>();
  for (const { ref, path } of operations) {
    if (ref === undefined) continue;
    if (seen.has(ref)) {
      throw new AppError('VALIDATION_FAILED', `Two operations have the ref "${ref}".`, {
        details: [{ field: 'ref', rule: 'unique', path: `${path}.ref`, message: `the ref "${ref}" is taken by an earlier operation` }],
      });
    }
    seen.add(ref);
  }
}
