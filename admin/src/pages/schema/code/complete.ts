/** What may be written at a place of a document: names of options and their values from the meta-schema, names of the document itself. */
import { entitiesOf, relationsOf, type DocumentInput } from '../../../document/types.ts';
import type { JsonSchema } from '../meta-schema.ts';
import type { Context } from './context.ts';

export interface Proposal {
  readonly label: string;
  readonly detail?: string;
  readonly kind: 'property' | 'enum' | 'constant' | 'class' | 'variable';
}

/** Every schema that a value at these steps may follow: references followed, unions opened. */
export function schemasAt(meta: JsonSchema, path: readonly string[]): readonly JsonSchema[] {
  let schemas = opened(meta, meta);
  for (const step of path) {
    schemas = schemas.flatMap((schema) => {
      const next = step === '*' ? schema.items : (schema.properties?.[step] ?? membersOf(schema));
      return next === undefined ? [] : opened(meta, next);
    });
  }
  return schemas;
}

const membersOf = ({ additionalProperties: members }: JsonSchema): JsonSchema | undefined =>
  typeof members === 'object' ? members : undefined;

/** `depth` keeps schemas that contain themselves (steps within steps) from opening without end. */
function opened(meta: JsonSchema, schema: JsonSchema, depth = 0): readonly JsonSchema[] {
  if (depth > 8) return [];
  if (schema.$ref !== undefined) {
    const name = schema.$ref.replace('#/$defs/', '');
    const target = schema.$ref === '#' ? meta : meta.$defs?.[name];
    return target === undefined ? [] : opened(meta, target, depth + 1);
  }
  const options = schema.anyOf ?? schema.oneOf;
  return options === undefined ? [schema] : options.flatMap((option) => opened(meta, option, depth + 1));
}

export function proposals(meta: JsonSchema, context: Context, document: DocumentInput, entity: string | undefined): readonly Proposal[] {
  const schemas = schemasAt(meta, context.path);
  const values = context.mode === 'value' ? schemasOfValue(meta, schemas, context) : [];
  if (context.mode === 'value') return unique([...valuesOf(values), ...namesFor(context, document, entity)]);
  const keys = schemas.flatMap((schema) =>
    Object.entries(schema.properties ?? {}).map(([label, own]): Proposal => ({
      label,
      kind: 'property',
      detail: typeOf(own, schema.required?.includes(label) ?? false),
    })),
  );
  // What stands behind a dash may be a plain value as well.
  return unique([...keys, ...(keys.length === 0 ? [...valuesOf(schemas), ...namesFor(context, document, entity)] : [])]);
}

const schemasOfValue = (meta: JsonSchema, schemas: readonly JsonSchema[], { key }: Context): readonly JsonSchema[] =>
  key === undefined
    ? schemas
    : schemas.flatMap((schema) => (schema.properties?.[key] === undefined ? [] : opened(meta, schema.properties[key])));

function valuesOf(schemas: readonly JsonSchema[]): readonly Proposal[] {
  return schemas.flatMap((schema): Proposal[] => [
    ...(schema.enum ?? []).map((value): Proposal => ({ label: String(value), kind: 'enum' })),
    ...(schema.const === undefined ? [] : [{ label: String(schema.const as string), kind: 'enum' as const }]),
    ...(schema.type === 'boolean' ? (['true', 'false'] as const).map((label): Proposal => ({ label, kind: 'constant' })) : []),
  ]);
}

function typeOf(schema: JsonSchema, isRequired: boolean): string {
  const type =
    schema.enum !== undefined ? 'choice' : Array.isArray(schema.type) ? schema.type.join(', ') : (schema.type as string | undefined);
  return [type, isRequired ? 'required' : ''].filter(Boolean).join(' · ');
}

const ENTITY_KEYS = new Set(['entity', 'source', 'target', 'into']);
const FIELD_KEYS = new Set([
  'field',
  'display_field',
  'slug',
  'source',
  'from',
  'to',
  'fields',
  'read',
  'write',
  'unique',
  'was',
  'target_field',
]);

/** Names that the document has: of entities, of the fields of the entity that is spoken of, of roles and whatever else has a name. */
function namesFor({ key, path }: Context, document: DocumentInput, entity: string | undefined): readonly Proposal[] {
  const said = key ?? path.filter((step) => step !== '*').at(-1) ?? '';
  const isInEntity = path[0] === 'entities';
  const named = (names: readonly string[], kind: Proposal['kind']): Proposal[] => names.map((label) => ({ label, kind }));
  if (said === 'roles')
    return named(
      (document.roles ?? []).map(({ name }) => name),
      'variable',
    );
  if (said === 'calendar')
    return named(
      (document.calendars ?? []).map(({ name }) => name),
      'variable',
    );
  if (said === 'workflow')
    return named(
      (document.workflows ?? []).map(({ name }) => name),
      'variable',
    );
  if (said === 'relation')
    return named(
      relationsOf(document).map(({ name }) => name),
      'variable',
    );
  if (ENTITY_KEYS.has(said) && !(isInEntity && said === 'source'))
    return named(
      entitiesOf(document).map(({ name }) => name),
      'class',
    );
  if (!FIELD_KEYS.has(said)) return [];
  const owners = entitiesOf(document).filter(({ name }) => entity === undefined || name === entity);
  return owners.flatMap((owner) => owner.fields.map(({ name }): Proposal => ({ label: name, kind: 'variable', detail: owner.name })));
}

function unique(all: readonly Proposal[]): readonly Proposal[] {
  return [...new Map(all.map((one) => [one.label, one])).values()];
}

/** Whose fields are meant: the `entity` of the item that the cursor is in, or the entity itself. */
export function entityAround(text: string, at: number): string | undefined {
  const lines = text.split('\n');
  let line = text.slice(0, at).split('\n').length - 1;
  const columnOf = (each: string): number => /^\s*(?:- )?/.exec(each)?.[0].length ?? 0;
  const said = /^\s*(?:- )?["']?(entity|name)["']?:\s*["']?([a-z][a-z0-9_]*)/;
  let limit = Infinity;
  for (; line >= 0; line -= 1) {
    const each = lines[line] ?? '';
    if (/^["']?[a-z_]+["']?:/.test(each)) return undefined;
    const match = said.exec(each);
    const column = columnOf(each);
    if (match !== null && (match[1] === 'entity' || (column <= 4 && column < limit))) return match[2];
    if (each.trim() !== '') limit = Math.min(limit, column + (each.trimStart().startsWith('- ') ? 0 : 1));
  }
  return undefined;
}
