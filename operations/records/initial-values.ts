/** What the engine puts into a record by itself: presets, keys, defaults, stamps, first states, slugs. */
import { uuidv7 } from '../../adapters/ids.ts';
import { run } from '../../adapters/postgres/run.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { coerceValue } from '../../core/model/field-types.ts';
import type { EntityModel, FieldModel, StoredType } from '../../core/model/model.ts';
import type { Access } from '../../core/policy/access.ts';
import { isEmpty } from '../../core/rules/field-rule.ts';
import { freeSlug, slugify } from '../../core/rules/slug.ts';
import { id, sql, value } from '../../core/sql/sql.ts';
import { moment } from '../rules/chain.ts';
import { hasMachine } from './body.ts';
import type { Draft, FieldValue } from './draft.ts';
import { isLive } from './record-key.ts';
import type { Assignment } from './statements.ts';
import { prepared, type ParentLink, type Write } from './write-state.ts';

export interface Values {
  readonly values: Map<string, FieldValue>;
  readonly errors: ErrorDetail[];
}

/** A new record as rules see it: every field, null where nothing was given. */
export const plainRecord = (entity: EntityModel, values: ReadonlyMap<string, FieldValue>): Record<string, unknown> =>
  Object.fromEntries([...entity.fields.keys()].map((name) => [name, values.get(name)?.plain ?? null]));

/** Everything a new record starts with, except its slug. */
export function initialValues(write: Write, draft: Draft, access: Access, link: ParentLink | undefined): Values {
  const { entity } = draft;
  const state: Values = { values: new Map(draft.given), errors: [] };
  for (const [name, preset] of Object.entries(access.presets)) put(state, entity.fields.get(name), preset);
  if (link !== undefined) linkTo(state, access, entity.fields.get(link.field), link.value);
  for (const field of entity.fields.values()) {
    const given = state.values.get(field.name);
    if (given === undefined || (isEmpty(given.plain) && hasMachine(entity, field))) fillIn(write, state, entity, field);
  }
  return state;
}

function put(state: Values, field: FieldModel | undefined, plain: unknown): void {
  if (field === undefined) return;
  const coerced = coerceValue(field, plain);
  if (coerced.ok) state.values.set(field.name, { field, value: coerced.value, plain: coerced.plain });
  else state.errors.push({ field: field.name, rule: coerced.rule, message: coerced.message });
}

/** The parent of a nested row is the client's choice: it does not win over a preset either. */
function linkTo(state: Values, access: Access, field: FieldModel | undefined, parent: unknown): void {
  if (field === undefined) return;
  const preset = state.values.get(field.name);
  if (access.presets[field.name] !== undefined && preset !== undefined && String(preset.plain) !== String(parent)) {
    throw new AppError('FORBIDDEN', `You may not choose "${field.name}": your permissions put in another value.`, {
      details: [{ field: field.name, rule: 'permission', message: `${field.name} is preset for you` }],
      hint: 'Nest it under the record that the preset names, or create it by itself.',
    });
  }
  put(state, field, parent);
}

function fillIn(write: Write, state: Values, entity: EntityModel, field: FieldModel): void {
  const { ctx, options } = write;
  if (field.isGenerated && (field.type === 'uuid' || field.type === 'string')) return put(state, field, uuidv7());
  if (field.definition.auto !== undefined) return put(state, field, stampOf(write, field));
  const machine = entity.machines.find((candidate) => candidate.field === field.name);
  if (machine !== undefined && options.asSampleData !== true) return put(state, field, machine.definition.initial);
  const { default: given } = field.definition;
  if (given === undefined || given === null) return;
  const isNow = typeof given === 'string' && /^\$?now(\(\))?$/i.test(given) && STAMPED.has(field.type);
  put(state, field, isNow ? moment(field, ctx.now) : given);
}

const STAMPED: ReadonlySet<StoredType> = new Set<StoredType>(['timestamp', 'date', 'time']);

/** When, or by whom: an `auto` field of a type that is no time holds the caller's id. */
const stampOf = ({ ctx }: Write, field: FieldModel): unknown => (STAMPED.has(field.type) ? moment(field, ctx.now) : ctx.actor.id);

/** `auto: update` fields of a change. */
export function updateStamps(write: Write, entity: EntityModel): Assignment[] {
  return [...entity.fields.values()].flatMap((field) =>
    field.definition.auto === 'update' ? [{ field, value: stampOf(write, field) }] : [],
  );
}

// --- slugs -----------------------------------------------------------------------------------------------------------

/** Derives the slug of a record whose client gave none. An explicit one wins, and clashes as any unique value does. */
export async function fillSlug(
  write: Write,
  entity: EntityModel,
  values: Map<string, FieldValue>,
  old: Readonly<Record<string, unknown>> | null,
): Promise<void> {
  const { slugField: field } = entity;
  const { source, regenerate_on_update: regenerates = false } = entity.definition.slug ?? {};
  if (field === undefined || source === undefined) return;
  const given = values.get(field.name);
  if (given !== undefined && !isEmpty(given.plain)) return;
  if (old !== null && given === undefined && !(regenerates && values.has(source))) return;
  const text = values.has(source) ? values.get(source)?.plain : old?.[source];
  if (isEmpty(text)) return;
  const base = slugify(String(text)) || slugify(entity.name) || 'record';
  const slug = await uniqueSlug(write, entity, field, base, old);
  values.set(field.name, { field, value: slug, plain: slug });
}

/** `base`, or with a number the first that no other live record has at this moment; a clash with one written since is tried again. */
export async function uniqueSlug(
  write: Write,
  entity: EntityModel,
  field: FieldModel,
  base: string,
  old: Readonly<Record<string, unknown>> | null,
): Promise<string> {
  const current = old?.[field.name];
  const taken = await takenSlugs(write, entity, field, base);
  if (typeof current === 'string') taken.delete(current);
  write.derivedSlugs.add(slugName(entity, field));
  return freeSlug(base, taken);
}

/** How a slug that the engine made is remembered. */
export const slugName = (entity: EntityModel, field: FieldModel): string => `${entity.table} ${field.column}`;

async function takenSlugs(write: Write, entity: EntityModel, field: FieldModel, base: string): Promise<Set<string>> {
  const live = isLive(entity, 't');
  const column = id('t', field.column);
  // A slug holds no character that `like` or a range would read differently.
  const rows = await run<{ slug: string }>(
    write.db,
    sql`select ${column} as slug from ${id(write.ctx.app.storage, entity.rows)} "t"
    where (${column} = ${value(base, 'text')} or ${column} like ${value(`${base}-%`, 'text')})${live === undefined ? sql`` : sql` and ${live}`}`,
    prepared(write),
  );
  return new Set(rows.map((row) => row.slug));
}
