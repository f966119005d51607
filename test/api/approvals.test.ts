/** Approvals over HTTP: what clients send, what they are told, and who is let in. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Installed, type Reply, type World } from './world.ts';

const DOCUMENT = {
  version: 1,
  entities: [{ name: 'order', fields: [{ name: 'title', type: 'string' }] }],
  workflows: [
    {
      name: 'sign',
      trigger: { type: 'manual' },
      steps: [
        {
          id: 'board',
          name: 'The board signs',
          type: 'approval',
          assignee: { type: 'role', role: 'board' },
          quorum: 2,
          timeout: '2d',
          on_timeout: 'end',
          on_send_back: 'requester',
          comment_required: ['reject'],
        },
      ],
    },
  ],
};

let world: World;
/** A run that refusals leave as it is. */
let waiting: string | undefined;
let tokens: Installed['tokens'];
let ids: Installed['ids'];
beforeAll(async () => {
  world = await startWorld();
  ({ tokens, ids } = await world.install(DOCUMENT, { ann: ['board'], ben: ['board'], sub: [], asker: [] }));
}, 120_000);

const send = (who: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token: tokens[who] ?? '', ...(body === undefined ? {} : { body }) });

async function begin(who = 'asker'): Promise<string> {
  const started = await send(who, 'POST', '_workflows/start/sign', {});
  expect(started.status, started.text).toBe(201);
  const id = started.body.data.id as string;
  while ((await send('admin', 'GET', `_workflows/${id}`)).body.data.task === null) await new Promise((resolve) => setTimeout(resolve, 30));
  return id;
}

describe('a task', () => {
  it('is voted on by two, shown to all it concerns, and to nobody else', async () => {
    const id = await begin();
    expect((await send('sub', 'GET', `_workflows/${id}`)).status).toBe(404);
    expect((await send('ann', 'GET', '_workflows/pending?assignee=me&sort=due_at')).body).toMatchObject({
      data: [{ id, tasks: [{ title: 'The board signs', groups: [{ required: 2 }], can_decide: true, can_send_back: true }] }],
      meta: { total: 1, overdue: 0, by_workflow: { sign: 1 } },
    });
    const first = await send('ann', 'POST', `_workflows/${id}/approve`, { comment: 'yes' });
    expect(first.body.data).toMatchObject({ status: 'running', task: { votes: [{ decided_by: ids['ann'], comment: 'yes' }] } });
    expect((await send('ann', 'GET', '_workflows/pending?assignee=me')).body.data).toEqual([]);
    const again = await send('ann', 'POST', `_workflows/${id}/approve`, {});
    expect([again.status, again.body.error.code]).toEqual([422, 'INVALID_STATE']);
    const own = await send('asker', 'POST', `_workflows/${id}/approve`, {});
    expect([own.status, own.body.error.code]).toEqual([403, 'FORBIDDEN']);
    const done = await send('ben', 'POST', `_workflows/${id}/approve`, {});
    expect(done.body.data).toMatchObject({ status: 'completed', task: null, history: [{ status: 'voted' }, { status: 'approved' }] });
    const late = await send('ben', 'POST', `_workflows/${id}/approve`, {});
    expect([late.status, late.body.error.code]).toEqual([422, 'INVALID_STATE']);
  });

  it('is delegated, sent back and brought again', async () => {
    const id = await begin();
    const given = await send('ann', 'POST', `_workflows/${id}/delegate`, { to: 'sub@example.com', until: '2999-01-01' });
    expect(given.body.data.task.delegations, given.text).toMatchObject([{ from: ids['ann'], to: ids['sub'] }]);
    const mine = await send('sub', 'GET', '_workflows/pending?assignee=me');
    expect(mine.body.data).toMatchObject([{ id, task: { on_behalf_of: ids['ann'] } }]);
    expect((await send('ann', 'GET', '_workflows/pending?assignee=me')).body.data).toEqual([]);
    const back = await send('sub', 'POST', `_workflows/${id}/send-back`, { comment: 'unclear' });
    expect(back.body.data).toMatchObject({
      task: { kind: 'resubmission' },
      history: [{ status: 'delegated' }, { status: 'sent_back', on_behalf_of: ids['ann'] }],
    });
    expect((await send('asker', 'GET', '_workflows/pending?assignee=me')).body.data).toMatchObject([{ id }]);
    const again = await send('asker', 'POST', `_workflows/${id}/resubmit`);
    expect(again.body.data.task, again.text).toMatchObject({ kind: 'approval', votes: [], delegations: [] });
    const commented = await send('asker', 'POST', `_workflows/${id}/comment`, { comment: 'clearer now' });
    expect(commented.body.data.history.at(-1)).toMatchObject({ status: 'commented', by: ids['asker'] });
    const moved = await send('admin', 'POST', `_workflows/${id}/reassign`, { assignee: ['user:sub@example.com', 'board'] });
    expect(moved.body.data.task.groups[0].assignees, moved.text).toEqual([
      { type: 'user', user_ids: [ids['sub']] },
      { type: 'role', role: 'board' },
    ]);
    const refused = await send('sub', 'POST', `_workflows/${id}/reject`, {});
    expect(refused.body.error.details).toMatchObject([{ field: 'comment', rule: 'required' }]);
    expect((await send('sub', 'POST', `_workflows/${id}/reject`, { comment: 'no' })).body.data.status).toBe('completed');
  });

  it.each<[string, unknown, string]>([
    ['approve', { comment: 5 }, 'INVALID_PAYLOAD'],
    ['approve', { comment: 'a\u0000b' }, 'INVALID_PAYLOAD'],
    ['approve', { task: 'first' }, 'INVALID_PAYLOAD'],
    ['approve', { task: '00000000-0000-4000-8000-000000000000' }, 'INVALID_STATE'],
    ['approve', { on_behalf_of: 'nobody' }, 'FORBIDDEN'],
    ['send-back', [], 'INVALID_PAYLOAD'],
    ['resubmit', {}, 'INVALID_STATE'],
    ['delegate', {}, 'INVALID_PAYLOAD'],
    ['delegate', undefined, 'INVALID_PAYLOAD'],
    ['delegate', { to: 'nobody@example.com' }, 'VALIDATION_FAILED'],
    ['delegate', { to: 'ben@example.com', until: 'soon' }, 'VALIDATION_FAILED'],
    ['delegate', { to: 'ben@example.com', until: '2001-01-01' }, 'VALIDATION_FAILED'],
    ['delegate', { to: 'ann@example.com' }, 'INVALID_STATE'],
    ['delegate', { to: 'asker@example.com' }, 'INVALID_STATE'],
    ['comment', {}, 'INVALID_PAYLOAD'],
    ['comment', { comment: '  ' }, 'INVALID_PAYLOAD'],
    ['reassign', { assignee: 'board' }, 'FORBIDDEN'],
  ])('refuses %s %j', async (verb, body, code) => {
    waiting ??= await begin();
    const reply = await send('ann', 'POST', `_workflows/${waiting}/${verb}`, body);
    expect(reply.body.error.code, reply.text).toBe(code);
    expect(reply.status).toBeLessThan(500);
  });

  it.each<[unknown, string]>([
    [{ assignee: { type: 'user', user: 'nobody@example.com' } }, 'VALIDATION_FAILED'],
    [{ assignee: { type: 'expression', expression: '(((' } }, 'VALIDATION_FAILED'],
    [{ assignee: { type: 'dog' } }, 'INVALID_PAYLOAD'],
    [{ assignee: [] }, 'INVALID_PAYLOAD'],
    [{ assignee: { type: 'role', role: 'a\u0000' } }, 'INVALID_PAYLOAD'],
  ])('is not reassigned to %j', async (body, code) => {
    waiting ??= await begin();
    const reply = await send('admin', 'POST', `_workflows/${waiting}/reassign`, body);
    expect(reply.body.error.code, reply.text).toBe(code);
  });

  it.each(['sort=title', 'overdue=maybe', 'assignee=ann', 'due=now'])('is not listed by %s', async (query) => {
    expect((await send('admin', 'GET', `_workflows/pending?${query}`)).status).toBe(400);
  });
});
