/** What a Temporal schedule starts: it has one run queued, by the definition as it is at that moment. */
import { proxyActivities, setCurrentDetails, workflowInfo } from '@temporalio/workflow';
import type { ScheduleActivities } from '../activities/schedule.ts';
import { quick } from './activity-options.ts';
import type { ScheduledStartInput } from './contracts/types.ts';

const { startScheduled } = proxyActivities<ScheduleActivities>(quick);

/** The time the schedule meant, which may be long past when the server was away. */
const timeMeant = (): Date => {
  const { searchAttributes, startTime } = workflowInfo();
  const [meant] = searchAttributes['TemporalScheduledStartTime'] ?? [];
  return meant instanceof Date ? meant : startTime;
};

export async function scheduledStart({ app, definition }: ScheduledStartInput): Promise<{ readonly outcome: string }> {
  const outcome = await startScheduled.executeWithOptions({ ...quick, summary: `start ${definition}` }, [
    { app, definition, at: timeMeant().toISOString(), now: new Date().toISOString() },
  ]);
  setCurrentDetails(`${definition}, for ${timeMeant().toISOString()}: ${outcome}`);
  return { outcome };
}
