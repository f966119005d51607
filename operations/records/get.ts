import { AppError } from '../../core/errors.ts';
import { keyCondition } from '../../core/filter/key.ts';
import { parseRecordQuery } from '../../core/filter/parse.ts';
import { columnOf } from '../../core/filter/scope.ts';
import { RECORD_ALIAS, recordStatement } from '../../core/filter/statements.ts';
import type { AppContext } from '../context.ts';
import { runRead } from './read-run.ts';
import { readableEntity, readScope } from './read-scope.ts';

/** One record by id or slug. `text` is the whole JSON body, `{data}`; `version` is what the ETag is made of. */
export async function getRecord(
  ctx: AppContext, name: string, idOrSlug: string, query: URLSearchParams,
): Promise<{ text: string; version: string }> {
  const parsed = parseRecordQuery(query);
  const scope = readScope(ctx, parsed.withDeleted);
  const entity = readableEntity(ctx, scope, name);
  const seesSlug = entity.slugField !== undefined && columnOf(scope, entity, entity.slugField.name)?.access.mode === 'always';
  const key = keyCondition(entity, RECORD_ALIAS, idOrSlug, seesSlug);
  const row = key === undefined ? undefined : await runRead(ctx, recordStatement(scope, entity, key, parsed, ctx.app.model.settings));
  if (row === undefined) throw new AppError('NOT_FOUND', `There is no "${name}" record "${idOrSlug.slice(0, 100)}".`);
  return { text: `{"data":${row.data}}`, version: row.version ?? '1' };
}
