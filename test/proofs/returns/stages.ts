/** Where the time between a return and the effects went, read from the histories of what fell due. */
import { Client, Connection } from '@temporalio/client';
import { quantile } from '../../support/webhook-proof.ts';

/** Values of `temporal.api.enums.v1.EventType`. */
const NAMES = new Map([
  [2, 'workflow completed'],
  [5, 'task scheduled'],
  [6, 'task started'],
  [7, 'task completed'],
  [8, 'task timed out'],
  [10, 'activity scheduled'],
  [11, 'activity started'],
  [12, 'activity completed'],
  [18, 'timer fired'],
]);
const TIMER_FIRED = 18;

/** A line per stage that a clock or run goes through from the firing of its timer on, in milliseconds from the return. */
export async function stagesOf(address: string, dueAt: number, backAt: number): Promise<string[]> {
  const connection = await Connection.connect({ address });
  const stages = new Map<string, number[]>();
  try {
    const { workflow } = new Client({ connection });
    for await (const { workflowId } of workflow.list({ query: `WorkflowType in ('clock', 'process')` })) {
      const { events } = await workflow.getHandle(workflowId).fetchHistory();
      const told = (events ?? []).map(({ eventType, eventTime }) => ({
        type: eventType ?? 0,
        at: Number(eventTime?.seconds ?? 0) * 1_000 + Math.floor((eventTime?.nanos ?? 0) / 1e6),
      }));
      const fired = told.findIndex(({ type, at }) => type === TIMER_FIRED && at >= dueAt);
      if (fired >= 0) count(stages, told.slice(fired), backAt);
    }
  } finally {
    await connection.close();
  }
  return [...stages].map(
    ([name, ms]) => `  ${name}: ${ms.length} times, first ${Math.min(...ms)}, half ${quantile(ms, 0.5)}, last ${Math.max(...ms)} ms`,
  );
}

/** The second task of a workflow is another stage than its first. */
function count(stages: Map<string, number[]>, events: readonly { readonly type: number; readonly at: number }[], backAt: number): void {
  const seen = new Map<number, number>();
  for (const { type, at } of events) {
    const name = NAMES.get(type);
    if (name === undefined) continue;
    seen.set(type, (seen.get(type) ?? 0) + 1);
    const key = `${name} ${seen.get(type) ?? 0}`;
    stages.set(key, [...(stages.get(key) ?? []), at - backAt]);
  }
}
