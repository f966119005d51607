/** SLAs as clients and admins meet them: definitions, clocks, forecast, trial, recount, and who sees what. */
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

const DOCUMENT = {
  version: 1,
  roles: [{ name: 'agent' }, { name: 'guest' }],
  entities: [
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'string' },
        { name: 'priority', type: 'string' },
        { name: 'owner', type: 'string' },
      ],
    },
    { name: 'note', fields: [{ name: 'text', type: 'text' }] },
  ],
  calendars: [{ name: 'office', timezone: 'Europe/Berlin', week: { mon: ['09:00-17:00'] }, holidays: ['12-25', '2026-05-01'] }],
  slas: [
    {
      name: 'first answer',
      entity: 'ticket',
      start: "record.status == 'open'",
      pause_when: "record.status == 'waiting'",
      stop: "record.status == 'done'",
      targets: [{ when: "record.priority == 'high'", target: '1h' }],
      target: '8h',
      warnings: [50, '30m'],
      on_breach: [{ type: 'set_field', field: 'title', value: 'late' }],
    },
    {
      name: 'by_office',
      entity: 'ticket',
      start: "record.status = 'open'",
      stop: "record.status = 'done'",
      target: '4h',
      calendar: 'office',
    },
  ],
  permissions: [
    { entity: 'ticket', action: '*', roles: ['agent'] },
    { entity: 'ticket', action: 'read', roles: ['guest'], conditions: [{ field: 'owner', value: '$user.email' }] },
    { entity: 'note', action: 'read', roles: ['guest'] },
  ],
};

let world: World;
let admin: string;
let agent: string;
let guest: string;
const send = (method: string, path: string, body?: unknown, token = admin): Promise<Reply> =>
  world.send(method, `/api/desk/${path}`, { token, ...(body === undefined ? {} : { body }) });
const ticket = async (fields: object): Promise<string> => {
  const reply = await send('POST', 'ticket', fields, agent);
  expect(reply.status).toBe(201);
  return String(reply.body.data.id);
};
const until = async (ask: () => Promise<Reply>, holds: (reply: Reply) => boolean): Promise<Reply> => {
  const end = Date.now() + 20_000;
  for (;;) {
    const reply = await ask();
    if (holds(reply)) return reply;
    if (Date.now() > end) throw new Error(`not reached: ${reply.text}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};

beforeAll(async () => {
  world = await startWorld();
  admin = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token: admin, body: { name: 'desk' } });
  await until(
    () => send('GET', '_discovery'),
    ({ status }) => status === 200,
  );
  const imported = await send('POST', '_admin/import', DOCUMENT);
  expect([imported.status, imported.body.errors ?? []]).toEqual([imported.status < 300 ? imported.status : 200, []]);
  for (const role of ['agent', 'guest'])
    await send('POST', '_admin/users', { email: `${role}@desk.test`, password: 'longer-password', roles: [role] });
  agent = await world.login('desk', 'agent@desk.test', 'longer-password');
  guest = await world.login('desk', 'guest@desk.test', 'longer-password');
}, 60_000);

describe('definitions', () => {
  it('are read in familiar spellings and exported in one', async () => {
    const { body } = await send('GET', '_admin/slas/first_answer');
    expect(body.data).toMatchObject({ name: 'first_answer', start: "record.status = 'open'", warn_at: ['50%', '30m'], retroactive: false });
    const exported = await send('GET', '_admin/export');
    const document = exported.body.data ?? exported.body;
    expect(document.calendars).toMatchObject([{ name: 'office', holidays: [{ yearly: '12-25' }, { date: '2026-05-01' }] }]);
    expect(document.slas).toHaveLength(2);
    const again = await send('POST', '_admin/import', document);
    expect(again.body.data?.changes ?? again.body.changes).toEqual([]);
  });

  it.each<[string, string, object, string]>([
    ['a zone that is none', 'calendars', { name: 'x', timezone: 'Europe/Nowhere' }, 'timezone'],
    ['hours that end at once', 'calendars', { name: 'x', timezone: 'UTC', week: { mon: ['09:00-09:00'] } }, 'hours'],
    ['hours that are none', 'calendars', { name: 'x', timezone: 'UTC', week: { mon: ['25:00-26:00'] } }, ''],
    ['a holiday without a day', 'calendars', { name: 'x', timezone: 'UTC', holidays: [{ name: 'y' }] }, 'required'],
    ['a range that ends first', 'calendars', { name: 'x', timezone: 'UTC', holidays: [{ from: '2026-02-01', to: '2026-01-01' }] }, 'range'],
    ['a target of centuries', 'slas', { name: 'x', entity: 'ticket', start: 'true', stop: 'false', target: '99999w' }, 'range'],
    ['no target', 'slas', { name: 'x', entity: 'ticket', start: 'true', stop: 'false' }, 'required'],
    [
      'a calendar that is not there',
      'slas',
      { name: 'x', entity: 'ticket', start: 'true', stop: 'false', target: '1h', calendar: 'offices' },
      'unknown_calendar',
    ],
    [
      'a condition on the caller',
      'slas',
      { name: 'x', entity: 'ticket', start: "user.id = 'a'", stop: 'false', target: '1h' },
      'expression',
    ],
    [
      'an action on a field that is not there',
      'slas',
      {
        name: 'x',
        entity: 'ticket',
        start: 'true',
        stop: 'false',
        target: '1h',
        on_breach: [{ type: 'set_field', field: 'nothing', value: 1 }],
      },
      'unknown_field',
    ],
    [
      'a resume without a pause',
      'slas',
      { name: 'x', entity: 'ticket', start: 'true', stop: 'false', target: '1h', resume: 'true' },
      'required',
    ],
    ['a name that is taken', 'slas', { name: 'by_office', entity: 'ticket', start: 'true', stop: 'false', target: '1h' }, 'CONFLICT'],
  ])('refuse %s', async (_, section, definition, rule) => {
    const { status, body } = await send('POST', `_admin/${section}`, definition);
    expect([409, 422]).toContain(status);
    if (rule === 'CONFLICT') expect(body.error.code).toBe('CONFLICT');
    else if (rule !== '') expect(body.error.details.map((detail: { rule: string }) => detail.rule)).toContain(rule);
  });
});

describe('clocks of a record', () => {
  it('are there with the change that starts them, with what has counted and what is left', async () => {
    const id = await ticket({ title: 'a', status: 'open', priority: 'high' });
    const { body } = await until(
      () => send('GET', `ticket/${id}/_slas`, undefined, agent),
      (reply) => reply.body.data.length === 2,
    );
    const clock = body.data.find(({ sla }: { sla: string }) => sla === 'first_answer');
    expect(clock).toMatchObject({
      state: 'running',
      target_ms: 3_600_000,
      entity: 'ticket',
      record_id: id,
      is_paused: false,
      stopped_at: null,
    });
    expect(Date.parse(clock.due_at) - Date.parse(clock.started_at)).toBe(3_600_000);
    expect(clock.elapsed_ms + clock.remaining_ms).toBe(3_600_000);
    expect(clock.history.map(({ what }: { what: string }) => what)).toEqual(['started']);
    // A change counts at once, before its workflow has looked.
    await send('PATCH', `ticket/${id}`, { status: 'waiting' }, agent);
    const paused = (await send('GET', `ticket/${id}/_slas?`, undefined, agent)).body.data.find(
      ({ sla }: { sla: string }) => sla === 'first_answer',
    );
    expect(paused).toMatchObject({ state: 'paused', due_at: null, next_at: null });
    await send('PATCH', `ticket/${id}`, { status: 'done' }, agent);
    const { body: met } = await send('GET', `ticket/${id}/_slas`, undefined, agent);
    expect(met.data.map(({ state }: { state: string }) => state)).toEqual(['met', 'met']);
  });

  it('are shown to those who may read the record', async () => {
    const [own, other] = [await ticket({ status: 'open', owner: 'guest@desk.test' }), await ticket({ status: 'open', owner: 'x' })];
    await until(
      () => send('GET', `ticket/${other}/_slas`, undefined, agent),
      (reply) => reply.body.data.length === 2,
    );
    expect((await send('GET', `ticket/${own}/_slas`, undefined, guest)).body.data).toHaveLength(2);
    expect((await send('GET', `ticket/${other}/_slas`, undefined, guest)).status).toBe(404);
    expect((await send('GET', `note/${other}/_slas`, undefined, agent)).status).toBe(403);
    const listed = await send('GET', '_slas?per_page=100', undefined, guest);
    expect(listed.body.data.map((clock: { record_id: string }) => clock.record_id)).toEqual([own, own]);
    expect(listed.body.meta.total).toBe(2);
    expect((await send('GET', '_slas', undefined, agent)).body.meta.total).toBeGreaterThanOrEqual(4);
  });
});

describe('the list', () => {
  it('takes what it says', async () => {
    const id = await ticket({ status: 'open' });
    await until(
      () => send('GET', `_slas?record_id=${id}`),
      (reply) => reply.body.meta.total === 2,
    );
    const total = async (query: string): Promise<number> => (await send('GET', `_slas?record_id=${id}&${query}`)).body.meta.total;
    expect(await Promise.all(['state=running', 'state=met', 'open=true', 'open=false'].map(total))).toEqual([2, 0, 2, 0]);
    expect(await Promise.all(['sla=first_answer', 'sla=none', 'entity=ticket', 'entity=note'].map(total))).toEqual([1, 0, 2, 0]);
    const soon = new Date(Date.now() + 9 * 3_600_000).toISOString();
    expect(await Promise.all([`sla=first_answer&due_before=${soon}`, 'sla=first_answer&due_before=2020-01-01'].map(total))).toEqual([1, 0]);
  });

  it.each([
    'state=late',
    'open=perhaps',
    'due_before=soon',
    'due_before=2026-13-45',
    'due_before=0000-01-01',
    'entity=%00',
    'page=0',
    'what=ever',
  ])('refuses %s', async (query) => {
    const { status, body } = await send('GET', `_slas?${query}`);
    expect([status, body.error.code]).toEqual([400, query.startsWith('what') ? 'UNKNOWN_PARAMETER' : 'INVALID_VALUE']);
  });
});

describe('admins', () => {
  it('see what falls due in the next hours', async () => {
    await ticket({ status: 'open', priority: 'high' });
    const { body } = await until(
      () => send('GET', '_admin/slas/forecast?hours=2'),
      (reply) => reply.body.data?.[0]?.slas?.first_answer > 0,
    );
    expect(body.data).toHaveLength(2);
    expect(body.meta).toMatchObject({ hours: 2, breached: expect.any(Number), paused: expect.any(Number) });
    for (const hours of ['0', 'x', '745']) expect((await send('GET', `_admin/slas/forecast?hours=${hours}`)).status).toBe(400);
    expect((await send('GET', '_admin/slas/forecast', undefined, agent)).status).toBe(403);
  });

  it('try a definition on changes, with a calendar of its own, and nothing is kept', async () => {
    const trial = {
      definition: {
        name: 'trial',
        entity: 'ticket',
        start: "record.status = 'open'",
        stop: "record.status = 'done'",
        target: '8h',
        warn_at: ['50%'],
      },
      calendar: { name: 'day', timezone: 'Europe/Berlin', week: { mon: ['09:00-17:00'], tue: ['09:00-17:00'] } },
      events: [
        { at: '2026-01-12T15:00:00Z', record: { status: 'open' } },
        { at: '2026-01-13T16:00:00Z', record: { status: 'done' } },
        { at: '2026-01-19T08:00:00Z', record: { status: 'open' } },
      ],
      now: '2026-01-19T09:00:00Z',
    };
    const { status, body } = await send('POST', '_admin/slas/try', trial);
    expect([status, body.error]).toEqual([200, undefined]);
    expect(body.data.clocks).toMatchObject([
      { state: 'breached', due_at: '2026-01-13T15:00:00.000Z', breached_at: '2026-01-13T15:00:00.000Z' },
      { state: 'running', elapsed_ms: 3_600_000, due_at: '2026-01-19T16:00:00.000Z' },
    ]);
    expect(body.data.clocks[0].history.map(({ what }: { what: string }) => what)).toEqual(['started', 'warned', 'breached', 'stopped']);
    expect((await send('GET', '_admin/slas')).body.meta.total).toBe(2);
  });

  it('try a definition by name on a stored record, and are told what is wrong', async () => {
    const id = await ticket({ status: 'open', priority: 'high' });
    const { body } = await send('POST', '_admin/slas/try', { definition: 'first_answer', record_id: id });
    expect(body.data.clocks).toMatchObject([{ state: 'running', target_ms: 3_600_000 }]);
    const refusals = await Promise.all(
      [
        { definition: 'first_answer' },
        { definition: 'nothing', record_id: id },
        { definition: 'first_answer', record_id: 'nobody' },
        { definition: { name: 'x' }, record_id: id },
        { definition: { name: 'x', entity: 'ticket', start: 'true', stop: 'false', target: '1h', calendar: 'none' }, record_id: id },
        { definition: 'first_answer', record_id: id, now: '2126-01-01T00:00:00Z' },
        { definition: 'first_answer', record_id: id, more: 1 },
        {},
      ].map(async (given) => {
        const reply = await send('POST', '_admin/slas/try', given);
        return [reply.status, reply.body.error.code];
      }),
    );
    expect(refusals).toEqual([
      [400, 'INVALID_PAYLOAD'],
      [404, 'NOT_FOUND'],
      [404, 'NOT_FOUND'],
      [422, 'VALIDATION_FAILED'],
      [422, 'VALIDATION_FAILED'],
      [400, 'INVALID_PAYLOAD'],
      [400, 'UNKNOWN_FIELD'],
      [400, 'INVALID_PAYLOAD'],
    ]);
  });

  it('change a target for clocks that run by a recount', async () => {
    const id = await ticket({ status: 'open' });
    const due = async (): Promise<number> => {
      const { body } = await send('GET', `_slas?record_id=${id}&sla=first_answer`);
      const clock = body.data[0];
      return clock === undefined ? NaN : Date.parse(clock.due_at) - Date.parse(clock.started_at);
    };
    await until(
      () => send('GET', `_slas?record_id=${id}`),
      (reply) => reply.body.meta.total === 2,
    );
    const changed = await send('PATCH', '_admin/slas/first_answer', { target: '6h' });
    expect(changed.body.changes.map(({ kind, class: kindOf }: { kind: string; class: string }) => [kind, kindOf])).toEqual([
      ['set_sla', 'compatible'],
    ]);
    expect(await due()).toBe(8 * 3_600_000);
    const { status, body } = await send('POST', '_admin/slas/first_answer/recompute');
    expect([status, body.data.sla]).toEqual([202, 'first_answer']);
    await until(
      () => send('GET', `_slas?record_id=${id}&sla=first_answer`),
      (reply) => Date.parse(reply.body.data[0].due_at) - Date.parse(reply.body.data[0].started_at) === 6 * 3_600_000,
    );
    expect((await send('POST', '_admin/slas/none/recompute')).status).toBe(404);
  });

  it('end clocks by removing their definition', async () => {
    const id = await ticket({ status: 'open' });
    await until(
      () => send('GET', `_slas?record_id=${id}`),
      (reply) => reply.body.meta.total === 2,
    );
    await send('DELETE', '_admin/slas/by_office');
    await until(
      () => send('GET', `_slas?record_id=${id}&sla=by_office`),
      (reply) => reply.body.data[0]?.state === 'cancelled',
    );
    expect((await send('GET', `_slas?record_id=${id}&sla=first_answer`)).body.data[0].state).toBe('running');
  }, 30_000);
});
