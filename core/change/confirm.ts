/** Nothing vanishes by accident: a drop is said, and what may have been meant as a rename is asked. */
import { AppError, type ErrorDetail } from '../errors.ts';
import type { SchemaDocument } from '../model/document.ts';
import type { Instruction } from '../model/instructions.ts';
import type { Change, Split } from './change.ts';
import { columnTypeOf } from './storage.ts';

export interface Confirmation {
  readonly instructions: readonly Instruction[];
  /** `?confirm=drop`, or a plan that somebody approves. */
  readonly isConfirmed: boolean;
}

const DROPS = new Set(['drop_entity', 'drop_field', 'drop_relation']);

export type Question = ErrorDetail & { readonly hint: string };

/** Every drop that no instruction says. */
export const questionsOf = (changes: readonly Change[], next: SchemaDocument, instructions: readonly Instruction[]): Question[] =>
  changes
    .filter((change) => DROPS.has(change.kind) && !isSaid(change, changes, instructions))
    .map((change) => unconfirmed(change, lookalike(change, changes, next)));

/** Throws UNSAFE_CHANGE naming every drop that nobody confirmed. */
export function refuseUnconfirmed(changes: readonly Change[], next: SchemaDocument, { instructions, isConfirmed }: Confirmation): void {
  const details = isConfirmed ? [] : questionsOf(changes, next, instructions);
  const [first] = details;
  if (first === undefined) return;
  const rest = details.length === 1 ? '' : ` (and ${String(details.length - 1)} more)`;
  throw new AppError('UNSAFE_CHANGE', `${first.message}${rest} Nothing was changed.`, { details, hint: first.hint });
}

function isSaid(change: Change, changes: readonly Change[], instructions: readonly Instruction[]): boolean {
  // A conversion names the entity as the new version does, a drop as the old one.
  const renamed = changes.find(({ kind, from }) => kind === 'rename_entity' && from === change.entity);
  const entity = renamed === undefined ? change.entity : renamed.to;
  const isMoved = changes.some(
    ({ conversion, move, split }) =>
      (split !== undefined && isCarried(change, split)) ||
      (conversion !== undefined && change.field !== undefined && conversion.from.includes(change.field) && conversion.entity === entity) ||
      (change.kind === 'drop_field' && move?.from.entity === change.entity && move?.from.field === change.field),
  );
  return (
    isMoved ||
    instructions.some((one) => {
      if (!('drop' in one)) return false;
      if ('relation' in one.drop) return one.drop.relation === change.relation;
      return change.kind !== 'drop_relation' && one.drop.entity === change.entity && one.drop.field === change.field;
    })
  );
}

/** A split takes fields of the whole; a merge takes the part as a whole, and its relation. */
function isCarried({ kind, entity, field, relation }: Change, { direction, whole, part, fields, via }: Split): boolean {
  if (direction === 'split') return kind === 'drop_field' && entity === whole && fields.some((one) => one.whole === field);
  return (kind === 'drop_entity' && entity === part) || (kind === 'drop_relation' && relation === via);
}

/** Something new of the same kind in the same place, whose name looks like it or whose type is the same and there is no other. */
function lookalike(change: Change, changes: readonly Change[], next: SchemaDocument): string | undefined {
  const kind = change.kind === 'drop_field' ? 'add_field' : change.kind === 'drop_entity' ? 'add_entity' : 'add_relation';
  const added = changes.filter((other) => other.kind === kind && (kind !== 'add_field' || other.entity === change.entity));
  const nameOf = (other: Change): string =>
    (kind === 'add_field' ? other.field : kind === 'add_entity' ? other.entity : other.relation) ?? '';
  const gone = nameOf(change);
  const similar = added.find((other) => isSimilar(gone, nameOf(other)));
  if (similar !== undefined) return nameOf(similar);
  if (
    kind !== 'add_field' ||
    added.length !== 1 ||
    changes.filter((other) => other.kind === 'drop_field' && other.entity === change.entity).length !== 1
  )
    return undefined;
  const [only] = added;
  const field = next.entities.find((one) => one.name === change.entity)?.fields.find((other) => other.name === only?.field);
  return field !== undefined && columnTypeOf(field, next) === change.held?.[0]?.type ? only?.field : undefined;
}

/** One within the other, or a third of the letters apart at most. */
function isSimilar(a: string, b: string): boolean {
  if (a.length > 2 && b.length > 2 && (a.includes(b) || b.includes(a))) return true;
  return distance(a, b) <= Math.floor(Math.max(a.length, b.length) / 3);
}

/** Levenshtein's edit distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...a].entries()) {
    row = [...b].reduce(
      (next, other, j) => [...next, Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1))],
      [i + 1],
    );
  }
  return row[b.length] ?? 0;
}

function unconfirmed(change: Change, lookalike: string | undefined): Question {
  const at = {
    kind: change.kind,
    ...(change.entity === undefined ? {} : { entity: change.entity }),
    ...(change.field === undefined ? {} : { field: change.field }),
    ...(change.relation === undefined ? {} : { relation: change.relation }),
  };
  const named =
    change.relation !== undefined
      ? { relation: change.relation }
      : { entity: change.entity, ...(change.field === undefined ? {} : { field: change.field }) };
  const drop = JSON.stringify({ drop: named });
  const title = change.relation ?? [change.entity, change.field].filter((part) => part !== undefined).join('.');
  if (lookalike === undefined) {
    const message = change.message ?? `"${title}" is dropped.`;
    return {
      ...at,
      rule: 'confirm_drop',
      message,
      hint: `Say that it is meant: repeat with ?confirm=drop, or add ${drop} to \`migrate\`.`,
    };
  }
  return {
    ...at,
    rule: 'rename_or_drop',
    message: `"${title}" is gone and "${lookalike}" is new: is it the same under another name?`,
    hint: `Say which: add ${JSON.stringify({ rename: { ...named, to: lookalike } })} to \`migrate\`, or ${drop}.`,
  };
}
