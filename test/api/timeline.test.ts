/** The story of a record: everything that happened to it in one order, as each caller may see it. */
import http from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/api.ts';
import { startWorld, type Installed, type Reply, type World } from './world.ts';

const DOCUMENT = {
  version: 1,
  settings: { migrations: { approval: 'never' } },
  entities: [
    {
      name: 'ticket',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'enum', enum: ['open', 'done'] },
        { name: 'note', type: 'string' },
        { name: 'owner', type: 'uuid' },
      ],
    },
    { name: 'plain', comments: ['lead'], fields: [{ name: 'n', type: 'int' }] },
  ],
  state_machines: [{ entity: 'ticket', field: 'status', definition: { initial: 'open', transitions: [{ from: 'open', to: 'done' }] } }],
  permissions: [
    { entity: 'ticket', action: 'read', roles: ['agent'], fields: { read: ['id', 'title', 'status', 'owner'] } },
    { entity: 'plain', action: 'read', roles: ['agent'] },
  ],
  slas: [{ name: 'answer', entity: 'ticket', start: "record.status = 'open'", stop: "record.status = 'done'", target: '1s' }],
  workflows: [
    {
      name: 'check',
      trigger: { type: 'record_created', entity: 'ticket', condition: "record.title = 'whole'" },
      steps: [{ id: 'ask', type: 'approval', assignee: { type: 'role', role: 'lead' }, on_approve: 'end' }],
    },
  ],
};

interface Entry {
  readonly type: string;
  readonly at: string;
  readonly [more: string]: unknown;
}

let world: World;
let installed: Installed;
let receiver: http.Server;
beforeAll(async () => {
  receiver = http.createServer((_request, response) => response.end('{}')).listen(0, '127.0.0.1');
  world = await startWorld();
  const { port } = receiver.address() as { port: number };
  const webhooks = [{ name: 'hook', entity: 'ticket', url: `http://127.0.0.1:${String(port)}/` }];
  installed = await world.install({ ...DOCUMENT, webhooks }, { ann: ['agent'], lea: ['lead', 'agent'] });
}, 120_000);
afterAll(() => void receiver.close());

const send = (who: string, method: string, path: string, body?: unknown): Promise<Reply> =>
  world.send(method, `/api/main/${path}`, { token: installed.tokens[who] ?? '', ...(body === undefined ? {} : { body }) });
const ok = async (who: string, method: string, path: string, body?: unknown): Promise<Reply> => {
  const reply = await send(who, method, path, body);
  expect(reply.status, reply.text).toBeLessThan(300);
  return reply;
};
const make = async (body: object, entity = 'ticket'): Promise<string> =>
  `${entity}/${String((await ok('admin', 'POST', entity, body)).body.data.id)}`;
const story = async (who: string, record: string, query = ''): Promise<Entry[]> =>
  (await ok(who, 'GET', `${record}/_timeline?${query}`)).body.data as Entry[];
const kinds = (entries: readonly Entry[]): string[] =>
  entries.map(({ type, action, event, mark, decision }) => [type, action ?? event ?? mark ?? decision ?? ''].join(' ').trim());

describe('the timeline of a record', () => {
  let record: string;
  beforeAll(async () => {
    record = await make({ title: 'whole', note: 'hidden' });
    const waits = async (): Promise<Entry[]> => story('admin', record, 'types=run,delivery,clock');
    await eventually(waits, (found) => ['run', 'delivery', 'clock'].every((type) => found.some((entry) => entry.type === type)));
    await ok('ann', 'POST', `${record}/_comments`, { body: `Who decides, @[${installed.ids['lea'] ?? ''}]?` });
    const [run] = (await ok('lea', 'GET', '_workflows/pending?assignee=me')).body.data as { id: string }[];
    await ok('lea', 'POST', `_workflows/${run?.id ?? ''}/approve`, { comment: 'fine' });
    await ok('admin', 'PATCH', record, { status: 'done', note: 'hidden too' });
    await ok('admin', 'PATCH', record, { title: 'ended' });
    await eventually(
      waits,
      (found) => found.some(({ event }) => event === 'ended') && found.filter(({ type }) => type === 'delivery').length === 3,
    );
  }, 120_000);

  it('has all that happened, the newest first', async () => {
    const all = await story('admin', record, 'limit=100');
    expect([...all].sort((a, b) => (a.at < b.at ? 1 : -1)).map(({ at }) => at)).toEqual(all.map(({ at }) => at));
    expect(
      kinds(all)
        .filter((kind) => !kind.startsWith('delivery'))
        .sort(),
    ).toEqual([
      'change create',
      'change update',
      'clock breach',
      'comment',
      'run begun',
      'run ended',
      'transition update',
      'vote approved',
    ]);
    const entry = (type: string): Entry => all.find((one) => one.type === type) as Entry;
    expect(entry('transition')).toMatchObject({
      transitions: [{ field: 'status', from: 'open', to: 'done' }],
      changes: { note: { old: 'hidden', new: 'hidden too' } },
      actor: { kind: 'user', name: 'admin' },
      version: '2',
    });
    expect(entry('comment')).toMatchObject({ comment: { author: { name: 'ann' }, mentions: [{ name: 'lea' }] } });
    expect(entry('vote')).toMatchObject({ workflow: 'check', step: 'ask', comment: 'fine', actor: { name: 'lea' } });
    expect(all.find(({ event }) => event === 'ended')).toMatchObject({ workflow: 'check', status: 'completed' });
    expect(entry('clock')).toMatchObject({ sla: 'answer', mark: 'breach' });
    expect(entry('delivery')).toMatchObject({ webhook: { name: 'hook' }, status: 'delivered' });
  });

  it('shows each caller what the caller may see', async () => {
    const anns = await story('ann', record, 'limit=100');
    expect(JSON.stringify(anns)).not.toContain('note');
    // Neither the run nor its vote is hers, and deliveries are for admins.
    expect(kinds(anns).sort()).toEqual(['change create', 'change update', 'clock breach', 'comment', 'transition update']);
    expect(kinds(await story('lea', record, 'types=vote,run,delivery')).sort()).toEqual(['run begun', 'run ended', 'vote approved']);
    expect(await story('ann', record, 'types=delivery')).toEqual([]);
    const plain = await make({ n: 1 }, 'plain');
    await ok('lea', 'POST', `${plain}/_comments`, { body: 'x' });
    expect([kinds(await story('ann', plain)), kinds(await story('lea', plain))]).toEqual([['change create'], ['comment', 'change create']]);
  });

  it('is of the types that are asked for', async () => {
    expect(kinds(await story('admin', record, 'types=transition'))).toEqual(['transition update']);
    expect(kinds(await story('admin', record, 'types=change,clock'))).toEqual(['change update', 'clock breach', 'change create']);
    const refused = await send('admin', 'GET', `${record}/_timeline?types=change,gossip`);
    expect([refused.status, refused.body.error.details[0].field]).toEqual([400, 'types']);
  });

  it.each([1, 2, 3, 7])('is the same in pages of %i', async (limit) => {
    const whole = await story('admin', record, 'limit=100');
    const paged: Entry[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const { body } = await ok('admin', 'GET', `${record}/_timeline?limit=${String(limit)}&cursor=${cursor}`);
      paged.push(...(body.data as Entry[]));
      cursor = body.page.next_cursor as string | null;
    }
    expect(paged).toEqual(whole);
  });

  it('goes on behind the reader, whatever comes before', async () => {
    const other = await make({ title: 'x' });
    for (const title of ['y', 'z']) await ok('admin', 'PATCH', other, { title });
    const first = await ok('admin', 'GET', `${other}/_timeline?types=change,comment&limit=1`);
    await ok('ann', 'POST', `${other}/_comments`, { body: 'later' });
    await ok('admin', 'PATCH', other, { title: 'later' });
    const next = await story('admin', other, `types=change,comment&cursor=${String(first.body.page.next_cursor)}`);
    expect(next.map(({ version }) => version)).toEqual(['2', '1']);
  });

  it('refuses what is no cursor of it', async () => {
    const odd = [{}, { until: 'x', last: {} }, { until: '2026-01-01T00:00:00.000000Z', last: { change: ['x'] } }].map((place) =>
      Buffer.from(JSON.stringify(place)).toString('base64url'),
    );
    for (const cursor of ['x', '-', ...odd]) expect((await send('admin', 'GET', `${record}/_timeline?cursor=${cursor}`)).status).toBe(400);
    for (const query of ['limit=0', 'page=1']) expect((await send('admin', 'GET', `${record}/_timeline?${query}`)).status).toBe(400);
  });

  it('of a record that is gone is for admins, and of one that never was for nobody', async () => {
    const gone = await make({ title: 'short' });
    await ok('admin', 'DELETE', gone);
    expect(kinds(await story('admin', gone, 'types=change'))).toEqual(['change delete', 'change create']);
    expect((await send('ann', 'GET', `${gone}/_timeline`)).status).toBe(404);
    expect((await send('admin', 'GET', `ticket/${installed.ids['ann'] ?? ''}/_timeline`)).status).toBe(404);
  });
});
