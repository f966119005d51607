/**
 * A check, run or undo of an import, some seconds at a time until it rests. How far it is stands in Postgres, with what it has written:
 * a slice that is repeated goes on behind the last batch.
 */
import {
  CancellationScope,
  continueAsNew,
  isCancellation,
  proxyActivities,
  proxyLocalActivities,
  setCurrentDetails,
  upsertSearchAttributes,
  workflowInfo,
} from '@temporalio/workflow';
import type { ImportActivities, ImportEnd } from '../activities/import.ts';
import { codeOf, isActivityFailure, messageOf } from './activity-failure.ts';
import { brief, slice as options } from './activity-options.ts';
import { BULK_QUEUE } from './contracts/queues.ts';
import { stateAttribute } from './contracts/search-attributes.ts';
import type { ImportInput, ImportResult, ImportSlice, ImportState } from './contracts/types.ts';
import type { ErrorCode } from '../core/errors.ts';

const slicing = { ...options, taskQueue: BULK_QUEUE } as const;
const { workOnImport } = proxyActivities<ImportActivities>(slicing);
const { endImport } = proxyLocalActivities<ImportActivities>(brief);

const ACTIVE: readonly ImportState[] = ['checking', 'running', 'undoing'];

export async function recordImport(input: ImportInput): Promise<ImportResult> {
  let state: ImportState | undefined;
  try {
    state = await untilItRests(input);
  } catch (error) {
    // Whoever cancels the workflow in the Web UI means the import; a half of all or nothing is still taken back.
    const end = endOf(error);
    if (end === undefined) throw error;
    state = await CancellationScope.nonCancellable(async () => {
      const ended = await endImport.executeWithOptions({ ...brief, summary: end.state }, [{ ...input, end }]);
      return ended !== undefined && ACTIVE.includes(ended) ? untilItRests(input) : ended;
    });
  }
  if (state !== undefined) show(state);
  return { state: state ?? 'cancelled' };
}

function endOf(error: unknown): ImportEnd | undefined {
  if (isCancellation(error)) return { state: 'cancelled' };
  if (!isActivityFailure(error)) return undefined;
  return { state: 'failed', code: (codeOf(error) ?? 'INTERNAL_ERROR') as ErrorCode, message: messageOf(error) };
}

async function untilItRests(input: ImportInput): Promise<ImportState> {
  for (let isFirst = true; ; isFirst = false) {
    const slice = await workOnImport.executeWithOptions({ ...slicing, summary: `${input.entity}: the next rows` }, [{ ...input, isFirst }]);
    tell(input, slice);
    if (!slice.isOurs || !ACTIVE.includes(slice.state)) return slice.state;
    if (workflowInfo().continueAsNewSuggested) {
      const { isRestart: _isRestart, ...rest } = input;
      await continueAsNew<typeof recordImport>(rest);
    }
  }
}

/** The whole story for whoever has only the Web UI. */
function tell({ entity }: ImportInput, { state, task, done, total, created, updated, failed }: ImportSlice): void {
  const counts = task === 'check' ? `${created} would be created, ${updated} updated` : `${created} created, ${updated} updated`;
  setCurrentDetails(
    [`**Import of \`${entity}\`** is ${state}: ${task}, row ${done} of ${total}.`, `${counts}, ${failed} bad.`].join('\n\n'),
  );
}

const show = (state: ImportState): void => upsertSearchAttributes([{ key: stateAttribute, value: state }]);
