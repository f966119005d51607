/** Served attachments for writes in an older shape: those that run inside the write; events speak the served shape. */
import { eventsOf, runsInWrite } from '../../functions/attachment.ts';
import { isObject } from '../../is-object.ts';
import type { FunctionAttachment, SchemaDocument } from '../../model/document.ts';
import { Words } from './behaviour.ts';
import type { OlderNames } from './names.ts';

export function olderFunctions(names: OlderNames, served: SchemaDocument, older: SchemaDocument): FunctionAttachment[] {
  const dropped = new Set(names.dropped().map((entity) => entity.name));
  const inWrite = (one: FunctionAttachment): boolean => eventsOf(one).some((event) => runsInWrite(one, event));
  return [
    ...served.functions
      .filter(inWrite)
      .flatMap((one) => translated(names, one) ?? older.functions.filter((old) => old.id !== undefined && old.id === one.id)),
    ...older.functions.filter((one) => dropped.has(one.entity) && inWrite(one)),
  ];
}

/** Undefined when it names what the older shape lacks. */
function translated(names: OlderNames, one: FunctionAttachment): FunctionAttachment | undefined {
  const entity = names.entity(one.entity)?.name;
  if (entity === undefined || (one.script !== undefined && !isSameNames(names, one.entity))) return undefined;
  const words = new Words(names, one.entity);
  return words.all(() => ({
    ...one,
    entity,
    ...(one.field === undefined ? {} : { field: words.field(one.field) }),
    ...(one.into === undefined ? {} : { into: words.field(one.into) }),
    ...(one.when === undefined ? {} : { when: words.expression(one.when) }),
    params: inWords(words, one.params) as FunctionAttachment['params'],
  }));
}

/** A script says names that nobody can translate: it is taken over where none of them changed. */
const isSameNames = (names: OlderNames, entity: string): boolean =>
  [...(names.served.entities.get(entity)?.fields.keys() ?? [])].every((name) => names.comparable(entity, name)?.name === name);

const PATHS = /(^|\{\{\s*)(\$?(?:record|old)\.)([A-Za-z_][A-Za-z0-9_]*)/g;

function inWords(words: Words, value: unknown): unknown {
  if (typeof value === 'string')
    return value.replace(PATHS, (_, start: string, root: string, field: string) => `${start}${root}${words.field(field)}`);
  if (Array.isArray(value)) return value.map((item) => inWords(words, item));
  if (!isObject(value)) return value;
  const keys = Object.keys(value);
  if (keys.length === 1 && keys[0] === 'literal') return value;
  if (keys.length === 1 && typeof value['expression'] === 'string') return { expression: words.expression(value['expression']) };
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, inWords(words, member)]));
}
