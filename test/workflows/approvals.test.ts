import { randomUUID } from 'node:crypto';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dataConverter } from '../../adapters/temporal/data-converter.ts';
import { commentRun, decideRun, delegateRun, reassignRun } from '../../operations/approvals/decide.ts';
import { recordDecision } from '../../operations/approvals/record-decision.ts';
import type { Actor } from '../../operations/context.ts';
import { listPending } from '../../operations/processes/list.ts';
import type { RunAnswer } from '../../operations/processes/runs.ts';
import { recordHistories } from '../replay/record.ts';
import { workflowBundle } from '../support/temporal.ts';
import { approvalWorld, manual, story, type ApprovalWorld } from './approval-world.ts';

const role = (name: string) => ({ type: 'role', role: name });

const WORKFLOWS = [
  manual('two', { assignee: role('board'), quorum: 2 }),
  manual('majority', { assignee: role('jury'), quorum: 'all', reject: 'majority' }),
  manual('groups', {
    groups: [
      { name: 'team', assignee: role('team') },
      { name: 'hr', assignee: role('hr'), quorum: 2 },
    ],
    order: 'sequence',
  }),
  manual('both', { groups: [{ assignee: role('left') }, { assignee: role('right') }] }),
  manual('single', { assignee: role('single'), on_send_back: 'requester', comment_required: ['send_back'] }),
  manual('boss', { assignee: { type: 'manager' } }),
  manual('grand', { assignee: { type: 'manager', level: 2 } }),
  manual('fixed', { assignee: role('fixed'), delegation: 'forbidden', substitution: 'forbidden' }),
  manual('back', { assignee: role('writer'), on_approve: 'step1' }, { assignee: role('editor'), on_send_back: 'step0', on_approve: 'end' }),
  manual('alarmed', {
    assignee: role('slow'),
    reminders: [{ after: '300ms', every: '300ms', max: 2 }],
    escalate: [
      { after: '1s', to: role('chief') },
      { after: '1500ms', to: { type: 'user', user: 'president@example.com' }, mode: 'replace' },
    ],
    mail: { reminder: { subject: 'Please: {{record.title}}', text: 'Look at {{record.title}} ({{context.why}}, {{record.nothing}}).' } },
  }),
  manual(
    'edge',
    { assignee: role('edge'), timeout: '2s', on_approve: 'step2', on_timeout: 'step1' },
    { assignee: role('late') },
    { assignee: role('next') },
  ),
  manual('lost', {
    assignee: role('lost'),
    escalate: [{ after: '300ms', to: { type: 'expression', expression: '$error()' } }],
  }),
  manual('robots', { assignee: role('robots') }),
  manual('nobody', { reminders: [{ after: '300ms' }] }),
  manual('urgent', { assignee: role('urgent'), timeout: '1h' }),
];

let world: ApprovalWorld;
beforeAll(async () => {
  world = await approvalWorld(WORKFLOWS);
}, 60_000);

afterAll(() => recordHistories(world.services, 'process', recorded));
const recorded = new Map<string, string>();
const keep = (run: RunAnswer, name: string): void => void recorded.set(run.temporal_workflow_id, `approval-${name}`);

const approve = (run: RunAnswer, as: Actor, body: Record<string, unknown> = {}): Promise<RunAnswer> =>
  decideRun(world.as(as), run.id, 'approved', body);
const reject = (run: RunAnswer, as: Actor, body: Record<string, unknown> = {}): Promise<RunAnswer> =>
  decideRun(world.as(as), run.id, 'rejected', body);
const code = (wanted: string, words = '') => ({ code: wanted, message: expect.stringContaining(words) as string });

describe('a quorum', () => {
  it('waits for so many people, whoever they are, and counts each once', async () => {
    const [ann, ben, out] = [await world.person('ann', 'board'), await world.person('ben', 'board'), await world.person('out')];
    const run = await world.begin('two');
    expect(run.task?.groups).toMatchObject([{ quorum: 2, required: 2, approved: 0 }]);
    expect(run.task?.waiting_for.map(({ user }) => user).sort()).toEqual([ann.id, ben.id].sort());
    const first = await approve(run, ann, { comment: 'fine' });
    expect(first).toMatchObject({
      status: 'running',
      task: { groups: [{ approved: 1 }], votes: [{ decided_by: ann.id, comment: 'fine' }] },
    });
    expect(first.history).toMatchObject([{ status: 'voted', decision: 'approved', by: ann.id, comment: 'fine' }]);
    expect(first.task).toMatchObject({ can_decide: false, reason: expect.stringContaining('already') as string });
    await expect(approve(run, ann)).rejects.toMatchObject(code('INVALID_STATE', 'already'));
    await expect(reject(run, ann)).rejects.toMatchObject(code('INVALID_STATE', 'already'));
    await expect(approve(run, out)).rejects.toMatchObject(code('FORBIDDEN', 'board'));
    const done = await approve(run, ben);
    expect(story(done)).toEqual(['step0:voted', 'step0:approved']);
    expect(done.status).toBe('completed');
    keep(done, 'quorum');
  });

  it('takes one of two who decide the last place in the same moment, and tells the other', async () => {
    const people = [await world.person('gus', 'board'), await world.person('hal', 'board'), await world.person('ida', 'board')];
    const run = await world.begin('two');
    const answers = await Promise.allSettled(people.map((person) => approve(run, person)));
    const refused = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
    expect(refused).toHaveLength(1);
    expect(refused[0]).toMatchObject({ code: 'INVALID_STATE' });
    const { rows } = await world.services.pool.query(`select 1 from ${world.app.storage}._votes where task_id = $1`, [run.task?.id]);
    expect(rows).toHaveLength(2);
  });

  it('goes on by its history after votes of the same moment, whichever of them was written first', async () => {
    const people = [await world.person('vea', 'board'), await world.person('vic', 'board'), await world.person('val', 'board')];
    const client = await world.services.temporal.client();
    for (let round = 0; round < 6; round++) {
      const run = await world.begin('two');
      await Promise.allSettled(people.map((person) => approve(run, person)));
      const history = await client.workflow.getHandle(run.temporal_workflow_id).fetchHistory();
      await Worker.runReplayHistory({ workflowBundle: { codePath: await workflowBundle() }, dataConverter }, history);
    }
  }, 60_000);

  it('that is out of reach ends the approval at once', async () => {
    const [a, b, c] = [await world.person('ja', 'jury'), await world.person('jb', 'jury'), await world.person('jc', 'jury')];
    const run = await world.begin('majority');
    await approve(run, a);
    const done = await reject(run, b);
    expect(done.history.at(-1)).toMatchObject({ status: 'rejected', by: b.id });
    await expect(approve(run, c)).rejects.toMatchObject(code('INVALID_STATE'));
  });

  it('of several groups is met one after the other, and nobody decides in two', async () => {
    const [team, both, hr] = [
      await world.person('team', 'team'),
      await world.person('both', 'team', 'hr'),
      await world.person('hr1', 'hr'),
    ];
    const late = await world.person('hr2', 'hr');
    const run = await world.begin('groups');
    await expect(approve(run, hr)).rejects.toMatchObject(code('FORBIDDEN', 'turn'));
    expect((await approve(run, both)).task?.groups.map(({ is_open: isOpen }) => isOpen)).toEqual([false, true]);
    await expect(approve(run, team)).rejects.toMatchObject(code('FORBIDDEN'));
    await expect(approve(run, both)).rejects.toMatchObject(code('INVALID_STATE', 'once'));
    expect((await approve(run, hr)).status).toBe('running');
    expect((await approve(run, late)).status).toBe('completed');
    expect(await world.mailsTo(hr, 1)).toHaveLength(1);
  });

  it('of parallel groups lets one person of both fill one place only', async () => {
    const [both, right] = [await world.person('lr', 'left', 'right'), await world.person('rr', 'right')];
    const run = await world.begin('both');
    expect((await approve(run, both)).status).toBe('running');
    expect((await approve(run, right)).status).toBe('completed');
  });

  it('lets an admin take the place of one person, not of all', async () => {
    const [ann, boss] = [await world.person('q1', 'board'), await world.person('boss', 'admin')];
    const run = await world.begin('two');
    expect((await approve(run, boss)).task?.votes).toMatchObject([{ decided_by: boss.id, as_admin: true }]);
    expect((await approve(run, ann)).status).toBe('completed');
  });
});

describe('roles and accounts', () => {
  it('are read as they are when somebody decides', async () => {
    const [gone, off] = [await world.person('gone', 'single'), await world.person('off', 'single')];
    const run = await world.begin('single');
    await world.services.pool.query(`update ${world.app.storage}._users set roles = '{}' where id = $1`, [gone.id]);
    await world.services.pool.query(`update ${world.app.storage}._users set active = false where id = $1`, [off.id]);
    await expect(approve(run, gone)).rejects.toMatchObject(code('FORBIDDEN'));
    // The activity asks for itself, too.
    const decision = {
      taskId: run.task?.id ?? '',
      decision: 'approved',
      actor: { kind: 'user', id: off.id, roles: off.roles },
      key: 'k',
    } as const;
    await expect(recordDecision(world.services, world.app, decision, new Date().toISOString())).rejects.toMatchObject(
      code('FORBIDDEN', 'switched off'),
    );
    await world.end(run);
  });

  it('find the manager of who asked, and the manager\u2019s manager', async () => {
    const [asker, boss, grand] = [await world.person('asker'), await world.person('mgr'), await world.person('grand')];
    const setManager = (user: Actor, manager: Actor) =>
      world.services.pool.query(`update ${world.app.storage}._users set manager = $2 where id = $1`, [user.id, manager.id]);
    await setManager(asker, boss);
    await setManager(boss, grand);
    expect((await world.begin('boss', asker)).task?.assignee).toEqual({ type: 'user', user_ids: [boss.id] });
    expect((await world.begin('grand', asker)).task?.assignee).toEqual({ type: 'user', user_ids: [grand.id] });
    expect((await world.begin('boss', grand)).task?.assignee).toEqual({ type: 'admin' });
  });
});

describe('a key with roles of its own', () => {
  it('decides where its roles are asked, and is nobody\u2019s substitute for it', async () => {
    const id = randomUUID();
    await world.services.pool.query(
      `insert into ${world.app.storage}._api_keys (id, name, prefix, hash, scopes, roles) values ($1, 'robot', 'p', $2, '{}', '{robots}')`,
      [id, id],
    );
    const key: Actor = { kind: 'api_key', id, email: null, roles: ['robots'], isAdmin: false, sessionId: null };
    const run = await world.begin('robots');
    expect((await approve(run, key)).history.at(-1)).toMatchObject({ status: 'approved', by: id });
    const other = await world.begin('single');
    await expect(approve(other, key)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await world.services.pool.query(`update ${world.app.storage}._api_keys set revoked_at = now() where id = $1`, [id]);
    await expect(approve(await world.begin('robots'), key)).rejects.toMatchObject(code('FORBIDDEN', 'switched off'));
    await world.end(other);
  });
});

describe('an admin who acts as somebody', () => {
  it('does not approve what they asked for themselves', async () => {
    const [boss, lead] = [await world.person('acts', 'admin'), await world.person('acted', 'single')];
    const run = await world.begin('single', boss);
    await expect(approve(run, { ...lead, by: { kind: 'user', id: boss.id } })).rejects.toMatchObject(code('FORBIDDEN', 'caused'));
    expect((await approve(run, lead)).status).toBe('completed');
  });
});

describe('delegation', () => {
  it('gives one part to somebody else, who decides for them and is told', async () => {
    const [own, other, third] = [await world.person('own', 'single'), await world.person('other'), await world.person('third')];
    const run = await world.begin('single');
    const given = await delegateRun(world.as(own), run.id, { to: 'other@example.com', comment: 'please' });
    expect(given.task?.delegations).toMatchObject([{ from: own.id, to: other.id, comment: 'please' }]);
    expect(given.history.at(-1)).toMatchObject({ status: 'delegated', by: own.id, to: [other.id], told: 1 });
    expect((await world.mailsTo(other, 1))[0]).toContain('please');
    const pending = await listPending(world.as(other), new URLSearchParams({ assignee: 'me' }));
    expect(pending.data.map(({ id }) => id)).toEqual([run.id]);
    // Asked again, nothing is told again.
    expect((await delegateRun(world.as(own), run.id, { to: 'other@example.com' })).history).toHaveLength(1);
    await expect(delegateRun(world.as(other), run.id, { to: 'own@example.com' })).rejects.toMatchObject(code('INVALID_STATE', 'back'));
    await expect(delegateRun(world.as(third), run.id, { to: 'other@example.com' })).rejects.toMatchObject(code('FORBIDDEN'));
    const done = await approve(run, other);
    expect(done.history.at(-1)).toMatchObject({ status: 'approved', by: other.id, on_behalf_of: own.id });
    keep(done, 'delegated');
    await expect(approve(run, own)).rejects.toMatchObject(code('INVALID_STATE'));
  });

  it('ends with its date', async () => {
    const [own, other] = [await world.person('own2', 'single'), await world.person('other2')];
    const run = await world.begin('single');
    await delegateRun(world.as(own), run.id, { to: 'other2@example.com', until: new Date(Date.now() + 3_000).toISOString() });
    expect((await world.get(run, other)).task?.can_decide).toBe(true);
    await world.untilRun(run, (one) => Date.parse(one.task?.delegations[0]?.until ?? '') < Date.now());
    await expect(approve(run, other)).rejects.toMatchObject(code('FORBIDDEN'));
    expect((await approve(run, own)).status).toBe('completed');
  });

  it('is no way round the rule on self-approval, and may be forbidden', async () => {
    const [asker, own] = [await world.person('asker3', 'fixed'), await world.person('own3', 'single')];
    const run = await world.begin('single', asker);
    await expect(delegateRun(world.as(own), run.id, { to: 'asker3@example.com' })).rejects.toMatchObject(code('INVALID_STATE', 'caused'));
    await expect(delegateRun(world.as(own), run.id, { to: 'nobody@example.com' })).rejects.toMatchObject(code('VALIDATION_FAILED'));
    const fixed = await world.begin('fixed');
    await expect(delegateRun(world.as(asker), fixed.id, { to: 'own3@example.com' })).rejects.toMatchObject(
      code('INVALID_STATE', 'delegated'),
    );
    await world.end(run);
    await world.end(fixed);
  });
});

describe('absence', () => {
  it('that begins while a task is open lets the substitute decide for who is away', async () => {
    const [away, substitute] = [await world.person('away', 'urgent'), await world.person('subst')];
    const run = await world.begin('urgent');
    await expect(approve(run, substitute)).rejects.toMatchObject(code('FORBIDDEN'));
    await world.away(away, substitute);
    const mine = await listPending(world.as(substitute), new URLSearchParams({ assignee: 'me' }));
    expect(mine.data.map(({ id, task }) => [id, task?.on_behalf_of])).toEqual([[run.id, away.id]]);
    const done = await approve(run, substitute);
    expect(done.history.at(-1)).toMatchObject({ by: substitute.id, on_behalf_of: away.id });
  });

  it('gives nobody two votes, and no requester a voice', async () => {
    const [one, two] = [await world.person('b1', 'left'), await world.person('b2', 'right')];
    await world.away(one, two);
    const run = await world.begin('both');
    expect((await approve(run, two)).status).toBe('running');
    await expect(approve(run, two, { on_behalf_of: one.id })).rejects.toMatchObject(code('INVALID_STATE', 'once'));
    await world.end(run);
    // The one who asked is the substitute, or stands between.
    const [boss, asker, friend] = [await world.person('b3', 'edge'), await world.person('b4'), await world.person('b5')];
    await world.away(boss, asker);
    await world.away(asker, friend);
    const own = await world.begin('edge', asker);
    for (const person of [asker, friend]) await expect(approve(own, person)).rejects.toMatchObject(code('FORBIDDEN'));
    await world.end(own);
  });

  it('in a circle ends at admins, and does nothing where the step forbids it', async () => {
    const [one, two] = [await world.person('c1', 'late'), await world.person('c2')];
    await world.away(one, two);
    await world.away(two, one);
    const [fixed, standIn, boss] = [await world.person('c3', 'fixed'), await world.person('c4'), await world.person('c5', 'admin')];
    await world.away(fixed, standIn);
    const run = await world.begin('fixed');
    await expect(approve(run, standIn)).rejects.toMatchObject(code('FORBIDDEN'));
    expect((await approve(run, boss)).status).toBe('completed');
  });
});

describe('sending back', () => {
  it('to who asked opens the task anew when they bring it again, with the history kept', async () => {
    const [asker, decider] = [await world.person('s1'), await world.person('s2', 'single')];
    const run = await world.begin('single', asker);
    await expect(decideRun(world.as(decider), run.id, 'sent_back', {})).rejects.toMatchObject(code('VALIDATION_FAILED', 'comment'));
    await expect(decideRun(world.as(asker), run.id, 'resubmitted', {})).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const back = await decideRun(world.as(decider), run.id, 'sent_back', { comment: 'which printer?' });
    expect(back.task).toMatchObject({ kind: 'resubmission', assignee: { user_ids: [asker.id] } });
    expect((await world.mailsTo(asker, 1))[0]).toContain('which printer?');
    await expect(approve(run, decider)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    await expect(approve(run, asker)).rejects.toMatchObject(code('INVALID_STATE', 'resubmitted'));
    const again = await decideRun(world.as(asker), run.id, 'resubmitted', { comment: 'the red one' });
    expect(again.task).toMatchObject({ kind: 'approval', votes: [] });
    expect(again.task?.id).not.toBe(run.task?.id);
    await decideRun(world.as(decider), run.id, 'sent_back', { comment: 'how red?' });
    await decideRun(world.as(asker), run.id, 'resubmitted', {});
    const done = await approve(run, decider);
    expect(story(done)).toEqual(['step0:sent_back', 'step0:resubmitted', 'step0:sent_back', 'step0:resubmitted', 'step0:approved']);
    keep(done, 'sent-back');
  });

  it('to an earlier step goes there, and without on_send_back nowhere', async () => {
    const [writer, editor] = [await world.person('w1', 'writer'), await world.person('e1', 'editor')];
    const run = await world.begin('back');
    await expect(decideRun(world.as(writer), run.id, 'sent_back', {})).rejects.toMatchObject(code('INVALID_STATE', 'sent back'));
    await approve(run, writer);
    const back = await decideRun(world.as(editor), run.id, 'sent_back', {});
    expect(back.current_step).toBe('step0');
    await approve(run, writer);
    expect(story(await approve(run, editor))).toEqual(['step0:approved', 'step1:sent_back', 'step0:approved', 'step1:approved']);
  });
});

describe('alarms', () => {
  it('remind, bring the task to others, and then to others instead, each once and with a mail', async () => {
    const [slow, chief, president] = [
      await world.person('slow', 'slow'),
      await world.person('chief', 'chief'),
      await world.person('president'),
    ];
    const run = await world.begin('alarmed', undefined, { why: '<b>fire</b>' });
    const escalated = await world.untilRun(run, (one) => one.history.length === 4);
    expect(story(escalated)).toEqual(['step0:reminded', 'step0:reminded', 'step0:escalated', 'step0:escalated']);
    expect(escalated.task).toMatchObject({ reminders_sent: 2, assignee: { type: 'user', user_ids: [president.id] } });
    const mails = await world.mailsTo(slow, 3);
    expect(mails.filter((mail) => mail.includes('Subject: Please: A <new> printer'))).toHaveLength(2);
    expect(mails.at(-1)).toContain('(<b>fire</b>, )');
    expect(mails.at(-1)).toContain('&lt;b&gt;fire&lt;/b&gt;');
    expect(await world.mailsTo(chief, 1)).toHaveLength(1);
    expect((await world.mailsTo(president, 1))[0]).toContain('Brought to you');
    await expect(approve(run, slow)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    const done = await approve(run, president);
    expect(done.status).toBe('completed');
    keep(done, 'alarms');
  }, 60_000);

  it('tell admins of what only they can decide', async () => {
    const chief = await world.person('onlyadmin', 'admin');
    const run = await world.begin('nobody');
    await world.untilRun(run, (one) => one.history.length === 1);
    const mails = await world.mailsTo(chief, 2);
    expect(mails.map((mail) => /Subject: (.*)/.exec(mail)?.[1]?.trim())).toEqual(['To decide: step0', 'Still to decide: step0']);
    await world.end(run);
  });

  it('stays open where nobody can tell whom to escalate to', async () => {
    const run = await world.begin('lost');
    const rung = await world.untilRun(run, (one) => one.history.length > 0);
    expect(rung.history).toMatchObject([{ status: 'escalated', error: expect.stringContaining('not allowed') as string }]);
    expect(rung).toMatchObject({ status: 'running', is_stuck: false, task: { step: 'step0' } });
  });
});

describe('the deadline', () => {
  it('gives way to a decision that was recorded before it and whose answer was lost', async () => {
    const edge = await world.person('edge', 'edge');
    const run = await world.begin('edge');
    const decision = {
      taskId: run.task?.id ?? '',
      decision: 'approved',
      actor: { kind: 'user', id: edge.id, roles: [] },
      key: 'lost',
      comment: 'yes',
    } as const;
    await recordDecision(world.services, world.app, decision, new Date().toISOString());
    const after = await world.untilRun(run, (one) => one.current_step !== 'step0');
    expect(after.history).toMatchObject([{ step: 'step0', status: 'approved', by: edge.id, comment: 'yes' }]);
    expect(after.current_step).toBe('step2');
    keep(await world.end(run), 'at-the-edge');
  });

  it('ends a task for good: decisions that come with it are counted or refused, never both', async () => {
    const edge = await world.person('edge2', 'edge');
    const run = await world.begin('edge');
    let isAccepted = false;
    // From shortly before the deadline until it is over.
    await world.untilRun(run, (one) => Date.parse(one.task?.due_at ?? '') - Date.now() < 60);
    for (let isOver = false; !isOver;) {
      const answer = await approve(run, edge).catch((error: unknown) => error as { code: string });
      if ('code' in answer) isOver = true;
      else isAccepted = isOver = true;
    }
    const after = await world.untilRun(run, (one) => one.current_step !== 'step0');
    expect(after.history.map(({ status }) => status)).toEqual([isAccepted ? 'approved' : 'timed_out']);
    expect(after.current_step).toBe(isAccepted ? 'step2' : 'step1');
    await world.end(run);
  });
});

describe('operating', () => {
  it('asks others by an admin\u2019s word, and keeps what people say', async () => {
    const [named, other, boss] = [await world.person('n1', 'single'), await world.person('n2'), await world.person('n3', 'admin')];
    const run = await world.begin('single');
    await expect(reassignRun(world.as(named), run.id, { assignee: { type: 'user', user: 'n2@example.com' } })).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
    const asked = await reassignRun(world.as(boss), run.id, { assignee: { type: 'user', user: 'n2@example.com' }, comment: 'holiday' });
    expect(asked.history.at(-1)).toMatchObject({ status: 'reassigned', by: boss.id, to: [other.id], comment: 'holiday' });
    await expect(approve(run, named)).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect((await commentRun(world.as(other), run.id, { comment: 'looking' })).history.at(-1)).toMatchObject({
      status: 'commented',
      by: other.id,
      comment: 'looking',
    });
    const done = await approve(run, other);
    expect(done.status).toBe('completed');
    keep(done, 'reassigned');
    await expect(commentRun(world.as(other), run.id, { comment: 'late' })).rejects.toMatchObject(code('INVALID_STATE'));
  });

  it('lists what waits, by due time, entity, workflow and lateness, with counts', async () => {
    const lead = await world.person('lead', 'urgent', 'single');
    const [single, urgent] = [await world.begin('single'), await world.begin('urgent')];
    const list = async (query: Record<string, string>) => listPending(world.as(lead), new URLSearchParams({ assignee: 'me', ...query }));
    expect((await list({ sort: 'due_at' })).data.map(({ id }) => id)).toEqual([urgent.id, single.id]);
    expect((await list({ workflow: 'single' })).data.map(({ id }) => id)).toEqual([single.id]);
    expect((await list({ entity: 'agent' })).data).toEqual([]);
    expect((await list({ overdue: 'true' })).data).toEqual([]);
    expect((await list({})).meta).toMatchObject({ total: 2, overdue: 0, by_workflow: { single: 1, urgent: 1 } });
    await world.services.pool.query(`update ${world.app.storage}._tasks set due_at = now() - interval '1 minute' where run_id = $1`, [
      urgent.id,
    ]);
    expect((await list({ overdue: 'true' })).data.map(({ id }) => id)).toEqual([urgent.id]);
    await expect(list({ sort: 'name' })).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    for (const run of [single, urgent]) await world.end(run);
  });
});
