import type { EntityModel } from '../../core/model/model.ts';
import { entityOf } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { readBody } from './body.ts';
import { runWrite, type WriteOptions, type WrittenRecord } from './write.ts';
import { rulesOf } from './write-state.ts';

/** Creates a record, and the rows nested in it. */
export async function createRecord(
  ctx: AppContext, entityName: string, body: Readonly<Record<string, unknown>>, options: WriteOptions = {},
): Promise<WrittenRecord> {
  const entity = entityOf(ctx.app.model, entityName);
  return runWrite({
    ctx, entity, options,
    needsTransaction: () => needsTransaction(ctx, entity, body),
    work: (write) => write.steps.create(write, entity, { draft: readBody({ write, entity, action: 'create', body }), isTop: true }),
  });
}

/** Nested rows and rules after the write need one transaction; everything before the write is judged without a lock. */
function needsTransaction(ctx: AppContext, entity: EntityModel, body: Readonly<Record<string, unknown>>): boolean {
  const plan = rulesOf(ctx, entity);
  return plan.afterWrite.length > 0 || plan.needsDatabase || Object.entries(body).some(([key, given]) => entity.ends.get(key)?.canNest === true && given !== undefined);
}
