import { entityOf } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { needsCascade } from './delete-one.ts';
import { runWrite, type WriteOptions } from './write.ts';
import { rulesOf } from './write-state.ts';

/** Deletes a record, softly where its entity says so, and does to related records what their relations ask for. */
export async function deleteRecord(
  ctx: AppContext,
  entityName: string,
  recordId: string,
  options: WriteOptions = {},
): Promise<{ id: string }> {
  const entity = entityOf(ctx.app.model, entityName);
  const isWide = needsCascade(entity, rulesOf(ctx, entity));
  const id = await runWrite<string>({
    ctx,
    entity,
    options,
    isWide,
    touched: (deleted) => [{ entity, action: 'delete', id: deleted }],
    needsTransaction: isWide,
    work: (write) =>
      write.steps.delete(write, entity, { recordId, ...(options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch }) }),
  });
  return { id };
}
