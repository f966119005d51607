/** Schedules of Temporal follow what is published; their times start runs. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { scheduledStartWorkflowId, scheduleId } from '../../workflows/contracts/ids.ts';
import { startScheduled } from '../../operations/processes/scheduled.ts';
import { recordHistories } from '../replay/record.ts';
import { processWorld, type ProcessWorld } from './process-world.ts';

const DAILY = {
  id: 'daily',
  name: 'daily',
  trigger: { type: 'schedule', cron: '0 8 * * mon-fri', timezone: 'Europe/Berlin' },
  context: { at: 'trigger.at' },
  steps: [{ id: 'make', type: 'action', actions: [{ type: 'create_record', entity: 'agent', fields: { email: 'daily@example.com' } }] }],
};

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([DAILY]);
}, 60_000);
const recorded = new Map<string, string>();
afterAll(() => recordHistories(world.services, 'scheduledStart', recorded));

const SCHEDULE = scheduleId('aaaaaaaaaaaa', 'daily');
const runs = async (): Promise<{ status: string; context: { at: string } }[]> =>
  (await world.services.pool.query<{ status: string; context: { at: string } }>('select status, context from app_aaaaaaaaaaaa._runs')).rows;

it('is made by the worker, and its time starts a run by the definition as it is then', async () => {
  const { schedule, workflow } = await world.services.temporal.client();
  const handle = schedule.getHandle(SCHEDULE);
  await expect
    .poll(
      () =>
        handle.describe().then(
          ({ state }) => state.paused,
          () => 'none',
        ),
      { timeout: 20_000 },
    )
    .toBe(false);
  const { spec, policies } = await handle.describe();
  expect(spec.timezone).toBe('Europe/Berlin');
  // From Friday to Monday, and a day for what the clocks do.
  expect(policies.catchupWindow).toBe(4 * 86_400_000);
  await handle.trigger();
  await expect.poll(async () => (await runs()).map((run) => run.status), { timeout: 20_000 }).toEqual(['completed']);
  expect(Date.parse((await runs())[0]?.context.at ?? '')).not.toBeNaN();
  for await (const { workflowId } of workflow.list({ query: `WorkflowType = 'scheduledStart'` })) recorded.set(workflowId, 'started');
  expect([...recorded.keys()][0]).toContain(scheduledStartWorkflowId('aaaaaaaaaaaa', 'daily'));
}, 60_000);

it('lets only the last of the times through that were missed', async () => {
  const now = '2026-03-11T10:00:00.000Z';
  const at = (day: string) => startScheduled(world.services, world.app, { definition: 'daily', at: `2026-03-${day}T07:00:00.000Z`, now });
  expect([await at('09'), await at('10'), await at('11')]).toEqual(['missed', 'missed', 'started']);
});

it('is removed with its definition, and with its app', async () => {
  const { schedule } = await world.services.temporal.client();
  await world.services.pool.query(`update durabase.apps set status = 'retiring'`);
  const describe = (): Promise<string> =>
    schedule
      .getHandle(SCHEDULE)
      .describe()
      .then(
        () => 'there',
        (error: Error) => error.name,
      );
  await expect.poll(describe, { timeout: 20_000 }).toBe('ScheduleNotFoundError');
  expect((await world.services.pool.query('select 1 from durabase.schedules')).rows).toEqual([]);
});
