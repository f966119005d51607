import { entityOf } from '../../core/model/model.ts';
import type { AppContext } from '../context.ts';
import { hasNested, readBody } from './body.ts';
import { runWrite, type WriteOptions, type WrittenRecord } from './write.ts';
import { rulesOf } from './write-state.ts';

/** Changes the given fields of a record, found by its key or slug, and the rows nested in it. */
export async function updateRecord(
  ctx: AppContext,
  entityName: string,
  recordId: string,
  body: Readonly<Record<string, unknown>>,
  options: WriteOptions = {},
): Promise<WrittenRecord> {
  const entity = entityOf(ctx.app.model, entityName);
  const plan = rulesOf(ctx, entity);
  const isWide = hasNested(entity, body);
  return runWrite({
    ctx,
    entity,
    options,
    isWide,
    touched: ({ id, text }) => [{ entity, action: 'update', id, text }],
    needsTransaction: isWide || plan.afterWrite.length > 0 || plan.needsDatabase || plan.machines.some(hasCreations),
    work: (write) =>
      write.steps.update(write, entity, {
        recordId,
        draft: readBody({ write, entity, action: 'update', body }),
        isTop: true,
        ...(options.ifMatch === undefined ? {} : { ifMatch: options.ifMatch }),
      }),
  });
}

const hasCreations = (machine: ReturnType<typeof rulesOf>['machines'][number]): boolean =>
  machine.definition.definition.transitions.some((transition) => transition.actions.some((action) => action.type === 'create_record'));
