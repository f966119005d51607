/**
 * Histories of real runs for the replay test. `RECORD_HISTORIES=1 npx vitest run test/workflows` writes them anew: the bytes as
 * the server has them, with the events' names beside them so that a change can be read in a diff.
 */
import fs from 'node:fs';
import path from 'node:path';
import proto from '@temporalio/proto';
import type { Services } from '../../operations/context.ts';

export const HISTORIES = import.meta.dirname;

const { History } = proto.temporal.api.history.v1;
export type RecordedHistory = ReturnType<typeof History.decode>;

/** `cases` names the workflow ids to keep. Without RECORD_HISTORIES it does nothing. */
export async function recordHistories(services: Pick<Services, 'temporal'>, workflowType: string, cases: ReadonlyMap<string, string>): Promise<void> {
  if (process.env['RECORD_HISTORIES'] !== '1') return;
  const client = await services.temporal.client();
  for (const [workflowId, name] of cases) {
    const history = History.fromObject(await client.workflow.getHandle(workflowId).fetchHistory());
    const events = history.events.map((event) => proto.temporal.api.enums.v1.EventType[event.eventType ?? 0]?.replace('EVENT_TYPE_', ''));
    const bytes = Buffer.from(History.encode(history).finish()).toString('base64');
    fs.mkdirSync(path.join(HISTORIES, workflowType), { recursive: true });
    fs.writeFileSync(path.join(HISTORIES, workflowType, `${name}.json`), `${JSON.stringify({ events, history: bytes }, null, 1)}\n`);
  }
}

export function readHistory(file: string): RecordedHistory {
  const { history } = JSON.parse(fs.readFileSync(file, 'utf8')) as { history: string };
  return History.decode(Buffer.from(history, 'base64'));
}
