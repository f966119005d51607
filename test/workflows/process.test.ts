import { beforeAll, describe, expect, it } from 'vitest';
import { decideRun } from '../../operations/processes/decide.ts';
import { listPending } from '../../operations/processes/list.ts';
import { cancelRun } from '../../operations/processes/operate.ts';
import { APPROVER_ROLE, processWorld, type ProcessWorld } from './process-world.ts';

const ESCALATION = {
  id: 'escalation', name: 'escalation', trigger: { type: 'state_change', entity: 'ticket', field: 'priority', to: 'critical' },
  context: { ticket: 'trigger.record_id', title: 'trigger.record.title', kind: 'purchase_order' },
  steps: [
    { id: 'lead', type: 'approval', assignee: { type: 'role', role: APPROVER_ROLE }, timeout: '48h', on_approve: 'check', on_reject: 'end', on_timeout: 'end' },
    { id: 'check', type: 'condition', expression: 'context.kind = "purchase_order"', on_true: 'end', on_false: 'lead' },
  ],
};

let world: ProcessWorld;
beforeAll(async () => {
  world = await processWorld([ESCALATION]);
}, 60_000);

async function criticalTicket(by?: Parameters<ProcessWorld['change']>[4]): Promise<string> {
  const id = await world.ticket({ title: 'Printer on fire', priority: 'critical' });
  await world.change(id, 'update', { id, title: 'Printer on fire', priority: 'critical' }, { priority: 'low' }, by);
  return id;
}

describe('an approval', () => {
  it('opens a task for the role, and approving answers the advanced run', async () => {
    const lead = await world.user('lead@example.com', [APPROVER_ROLE]);
    const id = await criticalTicket();
    const run = await world.until(id, (one) => one.task !== null);
    expect(run).toMatchObject({
      status: 'running', current_step: 'lead', workflow_name: 'escalation', entity: 'ticket', record_id: id,
      context: { ticket: id, title: 'Printer on fire', kind: 'purchase_order' }, task: { assignee: { type: 'role', role: APPROVER_ROLE } },
    });
    const pending = await listPending(world.as(lead), new URLSearchParams({ assignee: 'me' }));
    expect(pending.data.map((one) => one.id)).toContain(run.id);
    const answer = await decideRun(world.as(lead), run.id, 'approved', { comment: 'go' });
    expect(answer).toMatchObject({
      status: 'completed', current_step: null, task: null,
      history: [{ step: 'lead', status: 'approved', by: lead.id, comment: 'go' }, { step: 'check', status: 'on_true' }],
    });
    await expect(decideRun(world.as(lead), run.id, 'approved', {})).rejects.toMatchObject({ code: 'INVALID_STATE' });
  });

  it('is refused to others, and to who caused the run', async () => {
    const lead = await world.user('causer@example.com', [APPROVER_ROLE]);
    const agent = await world.user('agent@example.com', ['agent']);
    const id = await criticalTicket(lead);
    const run = await world.until(id, (one) => one.task !== null);
    await expect(decideRun(world.as(agent), run.id, 'approved', {})).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining(APPROVER_ROLE) as string });
    await expect(decideRun(world.as(lead), run.id, 'approved', {})).rejects.toMatchObject({ code: 'FORBIDDEN', message: expect.stringContaining('caused') as string });
    const cancelled = await cancelRun(world.admin, run.id, 'wrong ticket');
    expect(cancelled).toMatchObject({ status: 'cancelled', task: null, history: [{ status: 'cancelled', by: 'operator', comment: 'wrong ticket' }] });
  });
});
