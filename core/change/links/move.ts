/**
 * A relation whose links move between a key of its many side and a link table. Of a one_to_many the target holds the key, and its
 * ends stay the same entities. Both places are kept in step from the expand to the end of the grace; see ADR 21.
 */
import type { RelationDefinition } from '../../model/document.ts';
import { foreignKeyOf, type AppModel, type EntityModel, type FieldModel, type RelationEnd } from '../../model/model.ts';
import type { Change } from '../change.ts';
import { madeNames } from '../names.ts';
import { pair } from '../pair.ts';
import { shapeOf } from '../shape.ts';

export interface LinkMove {
  readonly storage: string;
  /** The relation as the next version calls it. */
  readonly relation: string;
  readonly direction: 'to_links' | 'to_key';
  /** The side of which a record had, or gets, one link; `key` is what links refer to it by, `held` the key that it holds itself. */
  readonly many: { readonly entity: EntityModel; readonly key: FieldModel; readonly held: FieldModel };
  readonly one: { readonly entity: EntityModel; readonly key: FieldModel };
  readonly join: { readonly table: string; readonly one: string; readonly many: string };
  /** Of a function, and of the trigger that runs it. */
  object(verb: string): string;
}

export interface MoveInput {
  readonly previous: AppModel;
  readonly next: AppModel;
  readonly storage: string;
  /** What is made in the database is named by it. */
  readonly version: number;
}

export const isLinkMove = (from: RelationDefinition['type'], to: RelationDefinition['type']): boolean =>
  (from === 'one_to_many' && to === 'many_to_many') || (from === 'many_to_many' && to === 'one_to_many');

/** A change of the version that is such a move. */
export const movesLinks = (change: Change): boolean =>
  change.kind === 'set_relation' && change.property === 'type' && change.refused !== true;

export function linkMoves(input: MoveInput): LinkMove[] {
  const { kept } = pair(input.previous.document.relations, input.next.document.relations, (relation) => relation.name);
  return kept.flatMap(([before, after]) => (isLinkMove(before.type, after.type) ? (resolve(before, after, input) ?? []) : []));
}

function resolve(before: RelationDefinition, after: RelationDefinition, input: MoveInput): LinkMove | undefined {
  const isToLinks = after.type === 'many_to_many';
  const [keyed, keyedBy] = isToLinks ? [input.previous, before] : [input.next, after];
  const [linked, linkedBy] = isToLinks ? [input.next, after] : [input.previous, before];
  const end = linkEnd(linkedBy, linked);
  const holder = keyed.entities.get(keyedBy.target);
  const held = holder?.fields.get(foreignKeyOf(keyedBy));
  const many = linked.entities.get(linkedBy.target);
  const one = linked.entities.get(linkedBy.source);
  const manyKey = many?.fields.get(end?.targetField ?? '');
  const oneKey = one?.fields.get(end?.localField ?? '');
  if (end?.join === undefined || held === undefined || many === undefined || one === undefined) return undefined;
  if (manyKey === undefined || oneKey === undefined) return undefined;
  const { table, localColumn, targetColumn } = end.join;
  return {
    storage: input.storage,
    relation: after.name,
    direction: isToLinks ? 'to_links' : 'to_key',
    many: { entity: many, key: manyKey, held },
    one: { entity: one, key: oneKey },
    join: { table, one: localColumn, many: targetColumn },
    object: madeNames(table, input.version, [table, many.table, held.column], ROOM).object,
  };
}

/** For the digit that puts a trigger before those of foreign keys. */
const ROOM = 2;

const linkEnd = (relation: RelationDefinition, model: AppModel): RelationEnd | undefined =>
  model.entities.get(relation.source)?.relations.find((end) => end.relation === relation && end.direction === 'link');

/** What cannot be kept in step. */
export function linkRefusals(moves: readonly LinkMove[], { previous, next }: MoveInput): Change[] {
  return moves.flatMap((move) => {
    const refused = refusal(move, previous, next);
    if (refused === undefined) return [];
    const change: Change = {
      kind: 'set_relation',
      class: 'breaking',
      refused: true,
      relation: move.relation,
      property: 'type',
      message: `The type of relation "${move.relation}" cannot be changed: ${refused.problem}`,
      hint: refused.hint,
    };
    return [change];
  });
}

function refusal(move: LinkMove, previous: AppModel, next: AppModel): { problem: string; hint: string } | undefined {
  const { many, join } = move;
  const title = `"${many.entity.name}.${many.held.name}"`;
  const entities = [...previous.entities.values(), ...next.entities.values()];
  const declared = entities.find((entity) => entity.table === join.table);
  if (declared !== undefined) {
    return {
      problem: `its link table "${join.table}" belongs to the entity "${declared.name}", whose records have keys and events of their own.`,
      hint: 'Set another `join_table`, or add another relation and copy the links by a client.',
    };
  }
  if (many.entity.key.length !== 1 || many.entity.key[0] !== many.key) {
    return {
      problem: `its links refer to "${many.entity.name}" by "${many.key.name}", which is not its primary key.`,
      hint: 'Leave `target_key` out.',
    };
  }
  const isToLinks = move.direction === 'to_links';
  const other = isToLinks ? next : previous;
  const holder = [...other.entities.values()].find((entity) => entity.table === many.entity.table);
  if ([...(holder?.fields.values() ?? [])].some((field) => field.column === many.held.column)) {
    return isToLinks
      ? {
          problem: `its key ${title} would go on as a field of its own, and nobody could say which of the two counts.`,
          hint: `Drop the field ${title} in the same version.`,
        }
      : { problem: `the field ${title} is there already, with values of its own.`, hint: 'Give the key another name by `target_key`.' };
  }
  const keyed = shapeOf(isToLinks ? previous : next).tables.get(many.entity.table);
  const unique = [...(keyed?.indexes.values() ?? [])].some((index) => index.isUnique && index.columns.includes(many.held.column));
  if (!unique) return undefined;
  return {
    problem: `its key ${title} is part of something unique, which links need not keep to.`,
    hint: isToLinks ? 'Drop that uniqueness in a version of its own first.' : 'Add that uniqueness in a later version.',
  };
}
