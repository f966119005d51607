/**
 * An entity whose records get another key: a field that every record has already, and no two share. The former key stays a field, by
 * which older clients and relations go on to name records. See ADR 32 and docs/migrations.md.
 */
import type { EntityDefinition, FieldDefinition, SchemaDocument } from '../../model/document.ts';
import type { Change } from '../change.ts';
import type { FieldContext } from '../diff-fields.ts';
import { isLinkMove } from '../links/move.ts';
import { isSame, pair } from '../pair.ts';
import { columnOf, keyColumnOf, keyOf } from './key-of.ts';

/** A change of the version that is one, and is done. */
export const changesKey = (change: Change): boolean => change.kind === 'set_primary_key' && change.refused !== true;

interface Refusal {
  readonly message: string;
  readonly hint: string;
}

export function diffKey(context: FieldContext): Change[] {
  const { before, after } = context;
  const [was, is] = [keyOf(before), keyOf(after)];
  const [from, to] = [keyColumnOf(before), keyColumnOf(after)];
  if (from !== undefined && from === to && was.type === is.type && was.generated === is.generated) return [];
  if (from === undefined && isSame(was, is)) return [];
  const facts = { kind: 'set_primary_key' as const, class: 'breaking' as const, entity: after.name, from: was, to: is };
  const refusal = refusalOf(context, from, to);
  if (refusal !== undefined) return [{ ...facts, refused: true, ...refusal }];
  const field = fieldAt(after, to ?? '');
  return [
    {
      ...facts,
      field: field?.name ?? 'id',
      message: `Records of "${after.name}" are named by "${field?.name ?? 'id'}"; clients of the older version name them by "${was.fields.join()}" for the grace period.`,
      touches: touchedBy(context, [from, to]),
    },
  ];
}

const fieldAt = (entity: EntityDefinition, column: string): FieldDefinition | undefined =>
  entity.fields.find((field) => columnOf(field) === column);

/** Of a key that is not declared, too. */
const nameAt = (entity: EntityDefinition, column: string): string | undefined =>
  fieldAt(entity, column)?.name ?? (keyColumnOf(entity) === column ? column : undefined);

/** The entity, its two keys and its relations: whatever else changes them would have to know of both keys. */
const touchedBy = ({ before, after, next }: FieldContext, columns: readonly (string | undefined)[]): string[] => [
  ...(after.id === undefined ? [] : [after.id]),
  ...[before, after].flatMap((entity) => columns.flatMap((column) => fieldAt(entity, column ?? '')?.id ?? [])),
  ...next.relations.filter(({ source, target }) => source === after.name || target === after.name).flatMap(({ id }) => id ?? []),
];

function refusalOf(context: FieldContext, from: string | undefined, to: string | undefined): Refusal | undefined {
  const { after } = context;
  if (from === undefined || to === undefined) {
    return {
      message: `The primary key of entity "${after.name}" cannot be changed: only a key of one field can become another field.`,
      hint: 'Keep the key, and add a field with `required: true` and `unique: true`.',
    };
  }
  if (from === to) {
    return {
      message: `The primary key of entity "${after.name}" is the same field as before, so neither its type nor \`generated\` can be changed.`,
      hint: 'Add a field of the other type with `required: true` and `unique: true`, and make it the key in a later version.',
    };
  }
  return unfitKey(context, to) ?? lostKey(context, from) ?? besides(context, from, to);
}

/** What the new key must have been in the served version already. */
function unfitKey({ before, after }: FieldContext, column: string): Refusal | undefined {
  const [old, now] = [fieldAt(before, column), fieldAt(after, column)];
  const title = `"${after.name}.${now?.name ?? column}"`;
  const isMade = before.primary_key?.former?.some((one) => one.column === column && one.generated) === true;
  if (old === undefined || !old.unique || !(old.required || old.nullable === false || isMade)) {
    return {
      message: `${title} cannot become the key of its records: the served version does not say that every record has it and no two share it.`,
      hint: 'Publish the field with `required: true` and `unique: true` first; make it the key in the version after that.',
    };
  }
  const { generated, type } = keyOf(after);
  if (generated && type !== 'uuid' && !isMade) {
    return {
      message: `${title} cannot become a generated key: clients of the served version choose its values.`,
      hint: 'Say `generated: false` in `primary_key`.',
    };
  }
  const made = (['auto', 'computed', 'default'] as const).find((option) => now?.[option] !== undefined);
  const isDerived = after.slug?.field === now?.name && after.slug?.regenerate_on_update === true;
  if (made === undefined && !isDerived) return undefined;
  return {
    message: `${title} cannot become the key of its records: ${made === undefined ? 'its slug is derived again on update' : `it has \`${made}\``}, and a key is given once by whoever creates the record.`,
    hint: `Publish the field without \`${made ?? 'regenerate_on_update'}\` first.`,
  };
}

/** Older clients, relations and the log go on with the key that was. */
function lostKey({ before, after }: FieldContext, column: string): Refusal | undefined {
  const now = fieldAt(after, column);
  const { type, generated } = keyOf(before);
  const name = now?.name ?? fieldAt(before, column)?.name ?? column;
  const wanted = { name, type: fieldAt(before, column)?.type ?? type, unique: true, ...(generated ? {} : { required: true }) };
  if (now === undefined || !now.unique || !(generated || now.required) || now.type !== wanted.type) {
    return {
      message: `The former key "${after.name}.${name}" must stay a unique field: clients of the older version and what happened before name records by it.`,
      hint: `Declare it among the fields: ${JSON.stringify(wanted)}. It may be dropped in a later version.`,
    };
  }
  if (after.primary_key?.former?.some((one) => one.column === column && one.until > 0) === true) return undefined;
  return {
    message: `This version knows nothing of "${after.name}.${name}" as a former key, by which records were named meanwhile.`,
    hint: 'Publish it as a version of its own: POST _admin/versions/:n/rollback.',
  };
}

/** What else would have to be done by both keys at once. */
function besides(context: FieldContext, from: string, to: string): Refusal | undefined {
  const { before, after, conversions, isMoving, previous, next } = context;
  const renamed = [from, to].find((column) => nameAt(before, column) !== nameAt(after, column));
  const what =
    renamed !== undefined
      ? `the name of "${renamed}"`
      : conversions.length > 0
        ? 'values of its records'
        : before.soft_delete !== after.soft_delete
          ? 'its soft delete'
          : isMoving
            ? 'where its fields are'
            : movesItsLinks(previous, next, after.name)
              ? 'where its links are'
              : undefined;
  if (what === undefined) return undefined;
  return {
    message: `The version changes the key of entity "${after.name}" and ${what}: both at once cannot be served in two shapes.`,
    hint: 'Publish one after the other; the grace of the first ends before the second.',
  };
}

const movesItsLinks = (previous: SchemaDocument, next: SchemaDocument, entity: string): boolean =>
  pair(previous.relations, next.relations, ({ name }) => name).kept.some(
    ([old, now]) => isLinkMove(old.type, now.type) && (now.source === entity || now.target === entity),
  );
