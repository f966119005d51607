/** The helpdesk example from a customer's question to its answer, seen from the API only. */
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { tellStory, type Send, type Story } from './story.ts';

let story: Story;
let customers: Readonly<Record<'cora' | 'carl', string>>;
let ticket = '';

const QUESTION = { title: 'The printer is on fire', description: 'It has been for an hour.', priority: 'high', category: 'bug' };

beforeAll(async () => {
  story = await tellStory('helpdesk-ticketing', { cora: ['customer'], carl: ['customer'], alice: ['agent'], lena: ['team_lead'] });
  const create = async (name: string): Promise<string> => {
    const made = await story.as('alice')('POST', 'customer', { name, email: `${name}@example.com` });
    expect(made.status, made.text).toBe(201);
    return made.body.data.id as string;
  };
  customers = { cora: await create('cora'), carl: await create('carl') };
}, 120_000);

const move = async (send: Send, status: string): Promise<void> => {
  const moved = await send('PATCH', `ticket/${ticket}`, { status });
  expect(moved.status, moved.text).toBe(200);
};

const clock = async (name: string, holds: (state: string) => boolean): Promise<void> => {
  await vi.waitUntil(
    async () => {
      const found = (await story.as('lena')('GET', `ticket/${ticket}/_slas`)).body.data as { sla: string; state: string }[];
      return found.some((one) => one.sla === name && holds(one.state));
    },
    { timeout: 20_000, interval: 50 },
  );
};

describe('a question', () => {
  it('is asked by a customer, whose mistakes are named', async () => {
    const cora = story.as('cora');
    const short = await cora('POST', 'ticket', { ...QUESTION, title: 'Fire', customer_id: customers.cora });
    expect([short.status, short.body.error.details[0].message]).toEqual([422, 'The title needs at least 5 characters.']);
    const made = await cora('POST', 'ticket', { ...QUESTION, customer_id: customers.cora });
    expect(made.status, made.text).toBe(201);
    expect(made.body.data).toMatchObject({ status: 'open', priority: 'high' });
    ticket = made.body.data.id as string;
    expect((await cora('PATCH', `ticket/${ticket}`, { priority: 'critical' })).status).toBe(403);
    expect((await story.as('carl')('GET', `ticket/${ticket}`)).status).toBe(404);
  });

  it('starts its clocks and tells the receiver', async () => {
    await clock('first_response', (state) => ['running', 'paused'].includes(state));
    await clock('resolution', (state) => ['running', 'paused'].includes(state));
    await vi.waitUntil(() => story.hooks('/helpdesk/ticket-created').some(({ record }) => record['id'] === ticket), { timeout: 10_000 });
  });

  it('becomes critical, and a team lead decides that it is taken', async () => {
    const [alice, lena] = [story.as('alice'), story.as('lena')];
    expect((await alice('PATCH', `ticket/${ticket}`, { priority: 'critical' })).status).toBe(200);
    const run = await story.run(ticket, (found) => found.task !== null);
    expect((await lena('GET', '_workflows/pending?assignee=me')).body.data).toMatchObject([{ id: run.id, current_step: 'lead_review' }]);
    expect((await alice('GET', '_workflows/pending?assignee=me')).body.data).toEqual([]);
    expect((await alice('POST', `_workflows/${run.id}/approve`)).status).toBe(403);
    const approved = await lena('POST', `_workflows/${run.id}/approve`, { comment: 'at once' });
    expect(approved.status, approved.text).toBe(200);
    await story.record('ticket', ticket, (record) => record['status'] === 'assigned');
    expect(await story.run(ticket, ({ status }) => status === 'completed')).toMatchObject({
      history: [
        { step: 'lead_review', status: 'approved', by: story.ids['lena'] },
        { step: 'assign', status: 'completed' },
      ],
    });
    await clock('first_response', (state) => state === 'met');
    expect((await lena('POST', `_workflows/${run.id}/approve`)).body.error.code).toBe('INVALID_STATE');
  });

  it('is worked on, waits, and is answered', async () => {
    const alice = story.as('alice');
    expect((await alice('PATCH', `ticket/${ticket}`, { status: 'closed' })).status).toBe(422);
    await move(alice, 'on_hold');
    await clock('resolution', (state) => state === 'paused');
    await move(alice, 'in_progress');
    const answer = { ticket_id: ticket, author_type: 'agent', author_id: story.ids['alice'] };
    expect((await alice('POST', 'response', { ...answer, body: 'Who sells such printers?', internal_note: true })).status).toBe(201);
    expect((await alice('POST', 'response', { ...answer, body: 'We have put it out.' })).status).toBe(201);
    await move(alice, 'resolved');
    await clock('resolution', (state) => state === 'met');
    const seen = await story.as('cora')('GET', `response?filter[ticket_id]=${ticket}`);
    expect(seen.body.data, seen.text).toMatchObject([{ body: 'We have put it out.' }]);
    expect((await story.as('cora')('GET', `ticket/${ticket}`)).body.data.resolved_at).not.toBeNull();
    await vi.waitUntil(() => story.hooks('/helpdesk/ticket-resolved').length === 1, { timeout: 10_000 });
  });

  it('can be read as a history of who did what, and as events', async () => {
    const history = await story.as('lena')('GET', `ticket/${ticket}/_history`);
    expect(history.status, history.text).toBe(200);
    const statuses = (history.body.data as { changes: Record<string, { new: unknown }> }[]).flatMap(
      ({ changes }) => changes['status']?.new ?? [],
    );
    expect(statuses.sort()).toEqual(['assigned', 'in_progress', 'on_hold', 'open', 'resolved'].sort());
    const events = await story.as('cora')('GET', '_events?entities=ticket&after=oldest&limit=500');
    expect(events.status, events.text).toBe(200);
    expect(new Set((events.body.data as { record_id: string }[]).map((event) => event.record_id))).toEqual(new Set([ticket]));
    expect((await story.as('carl')('GET', '_events?entities=ticket&after=oldest&limit=500')).body.data).toEqual([]);
  });
});

describe('a lead who does not answer', () => {
  it('is waited for until the deadline, then the ticket is assigned', async () => {
    const [definition] = (await story.admin('GET', '_admin/workflows')).body.data as { id: string; steps: Record<string, unknown>[] }[];
    const steps = definition?.steps.map((step) => (step['id'] === 'lead_review' ? { ...step, timeout: '1s' } : step));
    const changed = await story.admin('PATCH', `_admin/workflows/${definition?.id ?? ''}`, { steps });
    expect(changed.status, changed.text).toBe(200);
    const made = await story.as('cora')('POST', 'ticket', { ...QUESTION, priority: 'critical', customer_id: customers.cora });
    const id = made.body.data.id as string;
    await story.record('ticket', id, (record) => record['status'] === 'assigned');
    expect((await story.run(id, ({ status }) => status === 'completed')).history[0]).toMatchObject({
      step: 'lead_review',
      status: 'timed_out',
    });
  });
});
