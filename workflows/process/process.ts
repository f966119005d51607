/** The workflow type of runs: interprets a workflow definition as it was when the run started. */
import { allHandlersFinished, CancellationScope, condition } from '@temporalio/workflow';
import type { ProcessInput, ProcessResult } from '../contracts/types.ts';
import { listen } from './messages.ts';
import { Run } from './run.ts';

export async function process(input: ProcessInput): Promise<ProcessResult> {
  const run = new Run(input);
  listen(run);
  try {
    return await run.toEnd();
  } finally {
    await CancellationScope.nonCancellable(() => condition(allHandlersFinished));
  }
}
