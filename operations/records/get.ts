import { parseRecordQuery } from '../../core/filter/parse.ts';
import { columnOf, type ReadScope } from '../../core/filter/scope.ts';
import { ROWS_ALIAS, recordStatement } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { shapeOf } from '../../core/policy/shape.ts';
import { opened, render, type Sql } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { keptStatement } from './kept.ts';
import { runRead } from './read-run.ts';
import { readableEntity, readScope } from './read-scope.ts';
import { notFound, recordCondition } from './record-key.ts';

/** One record by id or slug. `text` is the whole JSON body, `{data}`; `version` is what the ETag is made of. */
export async function getRecord(
  ctx: AppContext,
  name: string,
  idOrSlug: string,
  query: URLSearchParams,
): Promise<{ text: string; version: string }> {
  const parsed = parseRecordQuery(query);
  const scope = readScope(ctx, parsed.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const key = recordCondition(bySlug(scope, entity), ctx.app.storage, ROWS_ALIAS, idOrSlug);
  const row = key === undefined ? undefined : await runRead(ctx, statementFor(ctx, scope, entity, key, parsed));
  if (row === undefined) throw notFound(entity, idOrSlug);
  return { text: `{"data":${row.data}}`, version: row.version ?? '1' };
}

/** The whole record alone is what is asked most, and depends on nothing but the entity and its policy: its text is kept. */
function statementFor(ctx: AppContext, scope: ReadScope, entity: EntityModel, key: Sql, query: ReturnType<typeof parseRecordQuery>): Sql {
  const { settings } = ctx.app.model;
  const isPlain = query.fields === undefined && query.include.length === 0 && !scope.withDeleted && !hasEager(entity);
  if (!isPlain) return recordStatement(scope, entity, key, query, settings);
  const shape = shapeOf(scope.access(entity), entity);
  const { text, values } = render(key);
  return keptStatement(ctx.app, `get ${entity.name} ${text}; ${shape.key}`, [...values, ...shape.values], () =>
    recordStatement({ ...scope, access: () => shape.open(values.length) }, entity, opened(key, 0), query, settings),
  );
}

const hasEager = (entity: EntityModel): boolean => entity.relations.some((end) => end.isEager);

/** A slug that the caller may not read in every row cannot be guessed by asking for it. */
function bySlug(scope: ReadScope, entity: EntityModel): EntityModel {
  const { slugField } = entity;
  const isOpen = slugField === undefined || columnOf(scope, entity, slugField.name)?.access.mode === 'always';
  return isOpen ? entity : { ...entity, slugField: undefined };
}
