import { entityOf } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { restoreOne } from './restore-one.ts';
import { runWrite, type WriteOptions, type WrittenRecord } from './write.ts';

/** Undoes the soft delete of a record, and of everything that delete had cascaded to. */
export function restoreRecord(ctx: AppContext, entityName: string, recordId: string, options: WriteOptions = {}): Promise<WrittenRecord> {
  const entity = entityOf(ctx.app.model, entityName);
  return runWrite({
    ctx,
    entity,
    options,
    isWide: false,
    needsTransaction: true,
    touched: ({ id, text }) => [{ entity, action: 'delete', id, text }],
    work: (write) => restoreOne(write, entity, { recordId, ifMatch: options.ifMatch }),
  });
}
