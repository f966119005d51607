import { entityOf } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { hasNested, readBody } from './body.ts';
import { runWrite, type WriteOptions, type WrittenRecord } from './write.ts';
import { rulesOf } from './write-state.ts';

/** Creates a record, and the rows nested in it. */
export async function createRecord(
  ctx: AppContext,
  entityName: string,
  body: Readonly<Record<string, unknown>>,
  options: WriteOptions = {},
): Promise<WrittenRecord> {
  const entity = entityOf(ctx.app.model, entityName);
  const isWide = hasNested(entity, body);
  const plan = rulesOf(ctx, entity);
  return runWrite({
    ctx,
    entity,
    options,
    isWide,
    touched: ({ id, text }) => [{ entity, action: 'create', id, text }],
    // Nested rows and rules after the write need one transaction; the rest is judged without a lock.
    needsTransaction: isWide || plan.afterWrite.length > 0 || plan.needsDatabase,
    work: (write) => write.steps.create(write, entity, { draft: readBody({ write, entity, action: 'create', body }), isTop: true }),
  });
}
