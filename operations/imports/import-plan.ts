/** What an import's columns, mapping and options mean to an entity, for one caller. */
import { AppError } from '../../core/errors.ts';
import { readMapping, suggestMapping, type FieldView, type Mapping, type MappingRequest, type Target } from '../../core/import/mapping.ts';
import type { EntityModel, FieldModel } from '../../core/model/model.ts';
import type { TakingPayload } from '../../core/payloads/imports.ts';
import type { RecordAction } from '../../core/policy/access.ts';
import type { AppContext } from '../context.ts';
import { forbidden, knownField, readableField } from '../records/body.ts';
import { upsertFields } from '../records/upsert-one.ts';
import { accessOf } from '../records/write-state.ts';
import type { ImportOptions } from './import-row.ts';

export interface ImportPlan {
  readonly entity: EntityModel;
  readonly options: ImportOptions;
  /** What finds a record; empty where every row is a new one. */
  readonly on: readonly FieldModel[];
  readonly targets: ReadonlyMap<string, Target>;
}

const asking = (ctx: AppContext): { ctx: AppContext; authority: AppContext['actor'] } => ({ ctx, authority: ctx.actor });

const ACTIONS: Readonly<Record<ImportOptions['mode'], readonly RecordAction[]>> = {
  create: ['create'],
  update: ['update'],
  upsert: ['create', 'update'],
};

/** Whether the caller may see imports into this entity, of their own or at all. */
export const mayImport = (ctx: AppContext, entity: EntityModel): boolean =>
  accessOf(asking(ctx), entity, 'create').isGranted || accessOf(asking(ctx), entity, 'update').isGranted;

/** Every choice made; FORBIDDEN and VALIDATION_FAILED for what the caller may not choose. */
export function importOptions(
  ctx: AppContext,
  entity: EntityModel,
  given: TakingPayload & { readonly run?: boolean | undefined },
): ImportOptions {
  const { mode = 'create', events = 'normal', on } = given;
  for (const action of ACTIONS[mode]) if (!accessOf(asking(ctx), entity, action).isGranted) throw forbidden(entity, action);
  if (events === 'none' && !ctx.actor.isAdmin) {
    throw new AppError('FORBIDDEN', 'Only an admin of the app may import without events.', { hint: 'Leave "events" out.' });
  }
  if (mode === 'create' && on !== undefined) {
    throw new AppError('VALIDATION_FAILED', '"on" finds records, and with the mode create every row is a new one.', {
      details: [{ field: 'on', rule: 'unknown', message: 'on does nothing with the mode create' }],
      hint: 'Take the mode update or upsert, or leave "on" out.',
    });
  }
  return {
    mode,
    on: mode === 'create' ? [] : upsertFields(asking(ctx), entity, on, 'on').map((field) => field.name),
    on_error: given.on_error ?? 'all_or_nothing',
    events,
    empty: given.empty ?? 'default',
    trim: given.trim ?? true,
    ...(given.decimal === undefined ? {} : { decimal: given.decimal }),
    dates: given.dates ?? 'iso',
    time_zone: given.time_zone ?? 'UTC',
    run: given.run ?? false,
  };
}

export function fieldView(ctx: AppContext): FieldView {
  const caller = asking(ctx);
  return {
    entity: (name) => ctx.app.model.entities.get(name),
    isKnown: (entity, field) => knownField(caller, entity, field.name) !== undefined,
    isReadable: (entity, field) => readableField(caller, entity, field.name) !== undefined,
    isWritable: (entity, field) =>
      (['create', 'update'] as const).some((action) => {
        const access = accessOf(caller, entity, action);
        return access.isGranted && access.field(field.name).mode !== 'never';
      }),
  };
}

const requestOf = (ctx: AppContext, entity: EntityModel, options: ImportOptions): MappingRequest => ({
  entity,
  view: fieldView(ctx),
  namesRecords: options.mode !== 'create',
});

/** What is asked for over what the names suggest; every column has an entry. VALIDATION_FAILED where it cannot be. */
export function wholeMapping(
  ctx: AppContext,
  entity: EntityModel,
  options: ImportOptions,
  columns: readonly string[],
  given: Mapping = {},
): Mapping {
  const request = requestOf(ctx, entity, options);
  readMapping(request, columns, given);
  // A field that was asked for is not suggested for another column.
  const asked = new Set(Object.values(given).flatMap((text) => (text === null ? [] : [readableName(entity, text)])));
  const suggested = Object.entries(suggestMapping(request, columns)).map(([column, text]) => [
    column,
    text !== null && asked.has(readableName(entity, text)) ? null : text,
  ]);
  const mapping: Mapping = { ...(Object.fromEntries(suggested) as Mapping), ...given };
  const plan = importPlan(ctx, entity, options, columns, mapping);
  if (plan.targets.size === 0) {
    throw new AppError('VALIDATION_FAILED', `No column of the file goes to a field of ${entity.name}.`, {
      details: [{ field: 'mapping', rule: 'required', message: 'name the field of at least one column', columns: columns.slice(0, 100) }],
      hint: 'Is the delimiter right? Say it, or a mapping like {"Column": "field"}.',
    });
  }
  return mapping;
}

/** The own field that a target's text begins with. */
function readableName(entity: EntityModel, text: string): string {
  const name = text.split('.')[0] ?? '';
  const end = entity.ends.get(name);
  return entity.fields.has(name) || end?.direction !== 'forward' ? name : end.localField;
}

/** VALIDATION_FAILED where the mapping does not fit the entity, as the caller sees it. */
export function importPlan(
  ctx: AppContext,
  entity: EntityModel,
  options: ImportOptions,
  columns: readonly string[],
  mapping: Mapping,
): ImportPlan {
  const targets = readMapping(requestOf(ctx, entity, options), columns, mapping);
  const on = options.mode === 'create' ? [] : upsertFields(asking(ctx), entity, options.on, 'on');
  const filled = new Set([...targets.values()].map((target) => target.field.name));
  const missing = on.filter((field) => !filled.has(field.name));
  if (missing.length > 0) {
    const names = missing.map((field) => field.name).join(', ');
    throw new AppError('VALIDATION_FAILED', `No column goes to ${names}, by which records are found.`, {
      details: missing.map((field) => ({ field: field.name, rule: 'required', message: `a column must go to ${field.name}` })),
      hint: 'Name it in the mapping, or choose another field with "on".',
    });
  }
  return { entity, options, on, targets };
}
