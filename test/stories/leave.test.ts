/** The HR example: leave asked for, decided by a manager or who stands in for them, then by HR; seen from the API only. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { tellStory, type Story } from './story.ts';

let story: Story;
const employees: Record<string, string> = {};

beforeAll(async () => {
  story = await tellStory('employee-management', {
    emma: ['employee'],
    mark: ['manager', 'employee'],
    sam: ['employee'],
    hanna: ['hr'],
  });
  const hanna = story.as('hanna');
  const department = await hanna('POST', 'department', { name: 'Kitchen', code: 'KIT' });
  expect(department.status, department.text).toBe(201);
  const hire = async (name: string, manager?: string): Promise<void> => {
    const hired = await hanna('POST', 'employee', {
      first_name: name,
      last_name: 'Example',
      email: `${name}@example.com`,
      title: 'Cook',
      department_id: department.body.data.id as string,
      hire_date: '2024-01-01',
      ...(manager === undefined ? {} : { manager_id: employees[manager] }),
    });
    expect(hired.status, hired.text).toBe(201);
    employees[name] = hired.body.data.id as string;
  };
  await hire('mark');
  await hire('emma', 'mark');
}, 120_000);

async function ask(days: number): Promise<string> {
  const asked = await story.as('emma')('POST', 'leave_request', {
    employee_id: employees['emma'],
    type: 'annual',
    start_date: '2027-08-02',
    end_date: '2027-08-30',
    days,
    reason: 'The sea.',
  });
  expect(asked.status, asked.text).toBe(201);
  return asked.body.data.id as string;
}

const inbox = async (who: string): Promise<string[]> =>
  ((await story.as(who)('GET', '_workflows/pending?assignee=me')).body.data as { id: string }[]).map(({ id }) => id);

const mailed = (who: string, words: string): Promise<boolean> =>
  vi.waitUntil(() => story.smtp.mails.some((mail) => mail.to.includes(`${who}@example.com`) && mail.text.includes(words)), {
    timeout: 15_000,
  });

describe('leave', () => {
  it('of a few days is granted at once', async () => {
    const request = await ask(3);
    const record = await story.record('leave_request', request, ({ status }) => status === 'approved');
    expect(record['approved_at']).not.toBeNull();
    expect((await story.run(request, ({ status }) => status === 'completed')).history.map(({ status }) => status)).toEqual([
      'on_false',
      'completed',
    ]);
  });

  it('that ends before it begins, or of too many days, is refused with both reasons', async () => {
    const refused = await story.as('emma')('POST', 'leave_request', {
      employee_id: employees['emma'],
      type: 'annual',
      start_date: '2027-08-30',
      end_date: '2027-08-02',
      days: 31,
    });
    expect(refused.status).toBe(422);
    expect((refused.body.error.details as { field: string }[]).map(({ field }) => field).sort()).toEqual(['days', 'end_date']);
  });

  it('of many days is decided by the manager, who is written to, then by HR', async () => {
    const request = await ask(20);
    const run = await story.run(request, ({ task }) => task !== null);
    await mailed('mark', 'asks for 20 days');
    expect(await inbox('mark')).toEqual([run.id]);
    expect(await inbox('hanna')).toEqual([]);
    const own = await story.as('emma')('POST', `_workflows/${run.id}/approve`);
    expect([own.status, own.body.error.code]).toEqual([403, 'FORBIDDEN']);
    const unsaid = await story.as('mark')('POST', `_workflows/${run.id}/reject`);
    expect(unsaid.body.error.details).toMatchObject([{ field: 'comment', rule: 'required' }]);
    expect((await story.as('mark')('POST', `_workflows/${run.id}/approve`)).status).toBe(200);
    await story.record('leave_request', request, ({ status }) => status === 'manager_approved');
    await story.run(request, ({ current_step: step, task }) => step === 'hr_review' && task !== null);
    expect(await inbox('hanna')).toEqual([run.id]);
    expect((await story.as('hanna')('POST', `_workflows/${run.id}/approve`)).body.data.status).toBe('completed');
    await story.record('leave_request', request, ({ status }) => status === 'approved');
    await vi.waitUntil(() => story.hooks('/employees/leave-approved').some(({ record }) => record['id'] === request), { timeout: 10_000 });
  });

  it('is sent back with a question, brought again, and decided by who stands in for the manager', async () => {
    const request = await ask(10);
    const run = await story.run(request, ({ task }) => task !== null);
    const back = await story.as('mark')('POST', `_workflows/${run.id}/send-back`, { comment: 'Who cooks meanwhile?' });
    expect(back.status, back.text).toBe(200);
    expect(await inbox('emma')).toEqual([run.id]);
    expect((await story.as('emma')('POST', `_workflows/${run.id}/resubmit`, { comment: 'Sam does.' })).status).toBe(200);
    const away = await story.as('mark')('POST', '_absences', { until: '2999-01-01', substitute: 'sam@example.com' });
    expect(away.status, away.text).toBe(201);
    expect(await inbox('sam')).toEqual([run.id]);
    const decided = await story.as('sam')('POST', `_workflows/${run.id}/approve`);
    expect(decided.status, decided.text).toBe(200);
    await story.run(request, ({ current_step: step, task }) => step === 'hr_review' && task !== null);
    const refused = await story.as('hanna')('POST', `_workflows/${run.id}/reject`, { comment: 'Not in August.' });
    expect(refused.status, refused.text).toBe(200);
    await story.record('leave_request', request, ({ status }) => status === 'rejected');
    const { history } = await story.run(request, ({ status }) => status === 'completed');
    expect(history).toMatchObject([
      { step: 'check_days', status: 'on_true' },
      { step: 'manager_review', status: 'sent_back', by: story.ids['mark'] },
      { step: 'manager_review', status: 'resubmitted', by: story.ids['emma'] },
      { step: 'manager_review', status: 'approved', by: story.ids['sam'], on_behalf_of: story.ids['mark'] },
      { step: 'manager_approved', status: 'completed' },
      { step: 'hr_review', status: 'rejected', by: story.ids['hanna'] },
      { step: 'reject_leave', status: 'completed' },
    ]);
  });
});
