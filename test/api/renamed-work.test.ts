/** Open clocks and runs whose entity and fields get other names while they wait, and get the old ones back. */
import pg from 'pg';
import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Installed, type Reply, type World } from './world.ts';

interface Names {
  readonly entity: string;
  readonly title: string;
  readonly status: string;
}
const OLD: Names = { entity: 'ticket', title: 'title', status: 'status' };
const NEW: Names = { entity: 'issue', title: 'subject', status: 'stage' };

/** Actions that read a field which is dropped. */
const READERS = {
  reads_path: { type: 'set_field', field: 'note', value: 'record.doomed' },
  reads_whole: { type: 'set_field', field: 'note', expression: '$join($map([record.doomed], function($v) { $v }))' },
  reads_text: { type: 'notify', to: 'role:lead', message: 'See {{record.doomed}}' },
  writes: { type: 'update_record', fields: { doomed: 'x' } },
};

const was = (name: string, before: string): object => (name === before ? { name } : { name, was: before });
const documentIn = ({ entity, title, status }: Names, from: Names, extra: readonly object[] = [{ name: 'doomed', type: 'string' }]) => ({
  version: 1,
  settings: { migrations: { approval: 'never', grace: '1h', retention: '1h' } },
  roles: [{ name: 'lead' }],
  entities: [
    { name: 'person', fields: [{ name: 'email', type: 'email' }] },
    {
      ...was(entity, from.entity),
      fields: [
        { ...was(title, from.title), type: 'string' },
        { ...was(status, from.status), type: 'string' },
        { name: 'note', type: 'string' },
        { name: 'size', type: extra.length === 0 ? 'int' : 'string' },
        { name: 'owner', type: 'relation', target: 'person' },
        ...extra,
      ],
    },
  ],
  slas: [
    {
      name: 'answer',
      entity,
      start: `record.${status} = 'open'`,
      pause: `record.${status} = 'on_hold'`,
      stop: `record.${status} = 'done'`,
      target: '8h',
    },
    {
      name: 'quick',
      entity,
      start: `record.${status} = 'open'`,
      stop: `record.${status} = 'done'`,
      target: '8h',
      on_breach: [{ type: 'set_field', field: 'note', value: 'late' }],
    },
  ],
  workflows: [
    {
      name: 'handle',
      trigger: { type: 'record_created', entity, condition: `record.${title} != 'plain'` },
      steps: [
        { id: 'ask', type: 'approval', assignee: { type: 'role', role: 'lead' }, on_approve: 'again' },
        {
          id: 'again',
          type: 'approval',
          assignee: { type: 'relation', path: 'owner.email' },
          allow_self_approval: true,
          on_approve: 'mark',
        },
        {
          id: 'mark',
          type: 'action',
          actions: [
            { type: 'set_field', field: title, expression: `record.${title} & '!'` },
            { type: 'create_record', entity, fields: { [title]: 'plain', note: `trigger.record.${title}` } },
          ],
          then: 'listen',
        },
        {
          id: 'listen',
          type: 'wait',
          event: 'record_updated',
          match: `event.record.${status} = 'go' and event.entity = '${entity}' and record.${status} = 'go'`,
          then: 'choose',
        },
        {
          id: 'choose',
          type: 'condition',
          expression: `record.${title} = 'x!' and record.size & '' = '7'`,
          on_true: 'close',
          on_false: 'end',
        },
        {
          id: 'close',
          type: 'action',
          actions: [{ type: 'update_record', entity, record_id: 'trigger.record_id', fields: { note: 'closed', [status]: 'done' } }],
        },
      ],
    },
    ...Object.entries(READERS).map(([name, action]) => ({
      name,
      trigger: { type: 'manual', entity },
      steps: [
        { id: 'ask', type: 'approval', allow_self_approval: true, on_approve: 'read' },
        { id: 'read', type: 'action', actions: [extra.length === 0 ? { type: 'set_field', field: 'note', value: 'x' } : action] },
      ],
    })),
  ],
});

let world: World;
let tokens: Installed['tokens'];
const send = (who: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token: tokens[who] ?? '', ...(body === undefined ? {} : { body }) });
const publish = async (document: object): Promise<void> => {
  const reply = await send('admin', 'POST', '_admin/versions?confirm=drop', document);
  expect(reply.status, reply.text).toBe(201);
};
async function until(ask: () => Promise<Reply>, holds: (reply: Reply) => boolean): Promise<Reply> {
  const end = Date.now() + 20_000;
  for (;;) {
    const reply = await ask();
    if (holds(reply)) return reply;
    if (Date.now() > end) throw new Error(`not reached: ${reply.text}`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}
/** With its task shown, where the step has one; at null it has ended. */
const isAt = (run: { current_step: string | null; status: string; task: unknown } | undefined, step: string | null): boolean =>
  run?.current_step === step && (step === null ? run.status !== 'running' : run.task !== null || !['ask', 'again'].includes(step));
const runAt = async (record: string, step: string | null): Promise<Reply['body']> => {
  const reply = await until(
    () => send('admin', 'GET', `_workflows?workflow=handle&record_id=${record}`),
    ({ body }) => isAt(body.data[0], step),
  );
  return reply.body.data[0];
};
const made = async (names: Names, owner?: string): Promise<string> => {
  const reply = await send('admin', 'POST', names.entity, {
    [names.title]: 'x',
    [names.status]: 'open',
    size: names === OLD ? '7' : 7,
    owner_id: owner ?? null,
  });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.body.data.id);
};
const clockIs = (names: Names, record: string, word: string): Promise<Reply> =>
  until(
    () => send('admin', 'GET', `_slas?entity=${names.entity}&record_id=${record}&sla=answer`),
    ({ body }) => body.data[0]?.state === word,
  );
const approve = async (who: string, run: string): Promise<void> => {
  const reply = await send(who, 'POST', `_workflows/${run}/approve`, {});
  expect(reply.status, reply.text).toBe(200);
};

beforeAll(async () => {
  world = await startWorld();
  ({ tokens } = await world.install(documentIn(OLD, OLD), { ann: ['lead'], ben: [] }));
}, 120_000);

describe('a rename under open work', () => {
  let record: string;
  let listening: string;
  const stuck = new Map<string, string>();
  let late: string;
  beforeAll(async () => {
    const owner = await send('admin', 'POST', 'person', { email: 'ben@example.com' });
    record = await made(OLD, owner.body.data.id as string);
    listening = await made(OLD, owner.body.data.id as string);
    await runAt(record, 'ask');
    const { id } = await runAt(listening, 'ask');
    await approve('ann', id as string);
    await runAt(listening, 'again');
    await approve('ben', id as string);
    await runAt(listening, 'listen');
    await clockIs(OLD, record, 'running');
    late = await made(OLD);
    await clockIs(OLD, late, 'running');
    for (const name of Object.keys(READERS)) {
      const started = await send('admin', 'POST', `_workflows/start/${name}`, { record_id: record });
      stuck.set(name, started.body.data.id as string);
    }
    await publish({ ...documentIn(NEW, OLD, []), migrate: [{ convert: { entity: 'issue', field: 'size' } }] });
  }, 120_000);

  it('is followed by clocks: they pause, go on, show themselves under the new name', async () => {
    expect((await send('admin', 'PUT', `issue/${record}`, { stage: 'on_hold' })).status).toBe(200);
    const paused = await clockIs(NEW, record, 'paused');
    expect(paused.body.data[0]).toMatchObject({ entity: 'issue', sla: 'answer' });
    expect((await send('admin', 'PUT', `issue/${record}`, { stage: 'open' })).status).toBe(200);
    await clockIs(NEW, record, 'running');
    const own = await send('admin', 'GET', `issue/${record}/_slas`);
    const [clock] = (own.body.data as { sla: string; history: { what: string }[] }[]).filter(({ sla }) => sla === 'answer');
    expect(clock?.history.map(({ what }) => what)).toEqual(['started', 'paused', 'resumed']);
    expect(own.body.data).toHaveLength(2);
    expect((await send('admin', 'GET', `_slas?entity=ticket`)).body.data).toEqual([]);
  });

  it('is followed by what a breach does', async () => {
    const client = new pg.Client({ connectionString: world.databaseUrl });
    await client.connect();
    await client.query(`update durabase.events set at = at - interval '9 hours' where record_id = $1`, [late]);
    await client.end();
    expect((await send('admin', 'PUT', `issue/${late}`, { stage: 'slow' })).status).toBe(200);
    await until(
      () => send('admin', 'GET', `issue/${late}`),
      ({ body }) => body.data.note === 'late',
    );
    const clocks = await until(
      () => send('admin', 'GET', `_slas?record_id=${late}&sla=quick`),
      ({ body }) => body.data[0]?.fired.length === 1,
    );
    expect(clocks.body.data).toMatchObject([{ entity: 'issue', state: 'breached', error: null }]);
  });

  it('counts anew from the start by the definition in new names', async () => {
    expect((await send('admin', 'POST', '_admin/slas/answer/recompute')).status).toBeLessThan(300);
    await until(
      () => send('admin', 'GET', `issue/${record}/_slas`),
      ({ body }) => body.data.every(({ state }: { state: string }) => state === 'running'),
    );
    await clockIs(NEW, record, 'running');
  });

  it('is followed by runs: approvals, actions, waits and decisions find the record', async () => {
    const { id, entity } = await runAt(record, 'ask');
    expect(entity).toBe('issue');
    expect((await send('admin', 'GET', '_workflows?entity=ticket')).body.data).toEqual([]);
    await approve('ann', id as string);
    await runAt(record, 'again');
    await approve('ben', id as string);
    await runAt(record, 'listen');
    expect((await send('admin', 'GET', `issue/${record}`)).body.data).toMatchObject({ subject: 'x!' });
    for (const one of [record, listening]) {
      expect((await send('admin', 'PUT', `issue/${one}`, { stage: 'go' })).status).toBe(200);
      expect(await runAt(one, null)).toMatchObject({ status: 'completed', error: null });
      expect((await send('admin', 'GET', `issue/${one}`)).body.data).toMatchObject({ subject: 'x!', note: 'closed', stage: 'done' });
      await clockIs(NEW, one, 'met');
    }
    const plain = await send('admin', 'GET', 'issue?filter[subject.eq]=plain');
    expect(plain.body.data).toMatchObject([{ note: 'x' }, { note: 'x' }]);
  });

  it.each(Object.keys(READERS))('stops a run at what is gone, and says its name: %s', async (name) => {
    const run = stuck.get(name) ?? '';
    await approve('admin', run);
    const reply = await until(
      () => send('admin', 'GET', `_workflows/${run}`),
      ({ body }) => body.data.is_stuck === true,
    );
    expect(reply.body.data.error).toMatch(/"doomed".*version/);
  });

  it('is followed back by a rollback in grace', async () => {
    const open = await made(NEW);
    const { id } = await runAt(open, 'ask');
    await clockIs(NEW, open, 'running');
    const back = await send('admin', 'POST', '_admin/versions/1/rollback');
    expect(back.status, back.text).toBeLessThan(300);
    await until(
      () => send('admin', 'GET', `ticket/${open}/_history`),
      ({ status }) => status === 200,
    );
    expect((await send('admin', 'PUT', `ticket/${open}`, { status: 'on_hold' })).status).toBe(200);
    await clockIs(OLD, open, 'paused');
    expect(await runAt(open, 'ask')).toMatchObject({ id, entity: 'ticket' });
    await approve('ann', id as string);
    await runAt(open, 'again');
    await approve('admin', id as string);
    await runAt(open, 'listen');
    expect((await send('admin', 'GET', `ticket/${open}`)).body.data).toMatchObject({ title: 'x!' });
    expect((await send('admin', 'PUT', `ticket/${open}`, { status: 'go' })).status).toBe(200);
    expect(await runAt(open, null)).toMatchObject({ status: 'completed', error: null });
    expect((await send('admin', 'GET', `ticket/${open}`)).body.data).toMatchObject({ note: 'closed', status: 'done' });
  });
});
