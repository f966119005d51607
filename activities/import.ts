/** The side effects of an import: some seconds of its work, and its end where it cannot come to one itself. */
import { Context } from '@temporalio/activity';
import { endImport } from '../operations/imports/command.ts';
import { workOnImport } from '../operations/imports/work.ts';
import type { Services } from '../operations/context.ts';
import type { AppError } from '../core/errors.ts';
import type { ImportInput, ImportSlice, ImportState } from '../workflows/contracts/types.ts';
import { whileAlive } from './while-alive.ts';

export interface ImportActivities {
  workOnImport(input: ImportInput & { readonly isFirst: boolean }): Promise<ImportSlice>;
  /** Undefined where there is nothing to end. */
  endImport(input: ImportInput & { readonly end: ImportEnd }): Promise<ImportState | undefined>;
}

export type ImportEnd =
  { readonly state: 'cancelled' } | { readonly state: 'failed'; readonly code: AppError['code']; readonly message: string };

/** Then another import has its turn. */
const SLICE_MS = 10_000;

export function createImportActivities(services: Services): ImportActivities {
  return {
    workOnImport({ isFirst, ...input }) {
      const { cancellationSignal, info } = Context.current();
      const until = performance.now() + SLICE_MS;
      return whileAlive(() =>
        workOnImport(services, input, {
          isResumed: info.attempt > 1 || (isFirst && input.isRestart === true),
          isOver: () => cancellationSignal.aborted || performance.now() > until,
        }),
      );
    },
    endImport: ({ end, ...input }) => endImport(services, input, end),
  };
}
