import { digestOf } from '../../adapters/digest.ts';
import { parseRecordQuery } from '../../core/filter/parse.ts';
import { checkProjection } from '../../core/filter/projection.ts';
import type { ListQuery } from '../../core/filter/query.ts';
import { columnOf, type ReadScope } from '../../core/filter/scope.ts';
import { ROWS_ALIAS, recordStatement } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { shapeOf } from '../../core/policy/shape.ts';
import { opened, render, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { keptStatement } from './kept.ts';
import { runRead } from './read-run.ts';
import { bindingsOf, readableEntity, readScope } from './read-scope.ts';
import { notFound, recordCondition } from './record-key.ts';

export interface FoundRecord {
  /** The whole JSON body, `{data}`. */
  readonly text: string;
  /** The record's own version, which `If-Match` asks for. */
  readonly version: string;
  /** With the version: differs when anything that is shown differs, a newer schema or other rights included. */
  readonly tag: string;
  /** Whether related records are shown too, which the version does not cover. */
  readonly isAlone: boolean;
}

/** One record by id or slug. */
export async function getRecord(ctx: AppContext, name: string, idOrSlug: string, query: URLSearchParams): Promise<FoundRecord> {
  const parsed = parseRecordQuery(query);
  const scope = readScope(ctx, parsed.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const key = recordCondition(bySlug(scope, entity), ctx.app.storage, ROWS_ALIAS, idOrSlug);
  if (key === undefined) throw notFound(entity, idOrSlug);
  const isPlain = parsed.fields === undefined && parsed.include.length === 0 && !scope.withDeleted && !hasEager(entity);
  const read = isPlain ? { statement: keptRecord(ctx, scope, entity, key, parsed), isAlone: true } : made(ctx, scope, entity, key, parsed);
  const row = await runRead(ctx, read.statement);
  if (row === undefined) throw notFound(entity, idOrSlug);
  const tag = (isPlain ? shapeTag(ctx, scope, entity) : undefined) ?? digestOf(row.data).slice(0, 22);
  return { text: `{"data":${row.data}}`, version: row.version ?? '1', tag, isAlone: read.isAlone };
}

const TAGS = {};

/**
 * What beside its version decides how a whole record looks: the schema and the caller's field rules. Undefined where the fields
 * shown depend on the row, and so on other records and the time too.
 */
function shapeTag({ app }: AppContext, scope: ReadScope, entity: EntityModel): string | undefined {
  const tags = app.memo(TAGS, () => new Map<string, string | undefined>());
  const access = scope.access(entity);
  const key = `${entity.name} ${access.key}`;
  if (tags.has(key)) return tags.get(key);
  const isFixed = [...entity.fields.keys()].every((name) => access.field(name).mode !== 'conditional');
  const tag = isFixed ? digestOf(`${app.generation} ${key}`).slice(0, 8) : undefined;
  if (tags.size >= MAX_TAGS) tags.clear();
  tags.set(key, tag);
  return tag;
}

const MAX_TAGS = 5_000;

/** The whole record alone is what is asked most, and depends on nothing but the entity and its policy: its text is kept. */
function keptRecord(ctx: AppContext, scope: ReadScope, entity: EntityModel, key: Sql, query: ListQuery): Sql {
  const shape = shapeOf(scope.access(entity), entity);
  const { text, values } = render(key);
  return keptStatement(ctx.app, `get ${entity.name} ${text}; ${shape.key}`, [...values, ...shape.values], () => {
    const open = { ...scope, access: () => shape.open(values.length) };
    return made(ctx, open, entity, opened(key, 0), query).statement;
  });
}

/** `isAlone`: no related record is shown with it. */
function made(
  ctx: AppContext,
  scope: ReadScope,
  entity: EntityModel,
  key: Sql,
  query: ListQuery,
): { readonly statement: Sql; readonly isAlone: boolean } {
  const projection = checkProjection(scope, entity, query, bindingsOf(ctx));
  return { statement: recordStatement(scope, key, projection, ctx.app.model.settings, query), isAlone: projection.includes.length === 0 };
}

const hasEager = (entity: EntityModel): boolean => entity.relations.some((end) => end.isEager);

/** A slug that the caller may not read in every row cannot be guessed by asking for it. */
export function bySlug(scope: ReadScope, entity: EntityModel): EntityModel {
  const { slugField } = entity;
  const isOpen = slugField === undefined || columnOf(scope, entity, slugField.name)?.access.mode === 'always';
  return isOpen ? entity : { ...entity, slugField: undefined };
}
