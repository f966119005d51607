import { parseRecordQuery } from '../../core/filter/parse.ts';
import { columnOf, type ReadScope } from '../../core/filter/scope.ts';
import { ROWS_ALIAS, recordStatement } from '../../core/filter/statements.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
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
  const row = key === undefined ? undefined : await runRead(ctx, recordStatement(scope, entity, key, parsed, ctx.app.model.settings));
  if (row === undefined) throw notFound(entity, idOrSlug);
  return { text: `{"data":${row.data}}`, version: row.version ?? '1' };
}

/** A slug that the caller may not read in every row cannot be guessed by asking for it. */
function bySlug(scope: ReadScope, entity: EntityModel): EntityModel {
  const { slugField } = entity;
  const isOpen = slugField === undefined || columnOf(scope, entity, slugField.name)?.access.mode === 'always';
  return isOpen ? entity : { ...entity, slugField: undefined };
}
