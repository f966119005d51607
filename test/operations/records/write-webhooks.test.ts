import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { createKeyring } from '../../../adapters/keys.ts';
import { createOutbound } from '../../../adapters/outbound.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

interface Call {
  readonly entity: string;
  readonly action: string;
  readonly record: Record<string, unknown> | null;
  readonly idempotency_key: string;
}

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;
let calls: Call[] = [];
let answer: (call: Call) => Promise<number> = () => Promise.resolve(200);
const server = http.createServer((request, response) => {
  let text = '';
  request.on('data', (chunk: Buffer) => (text += chunk.toString()));
  request.on('end', () => {
    const call = JSON.parse(text) as Call;
    calls.push(call);
    void answer(call).then((status) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end('{"message":"because"}');
    });
  });
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${String((server.address() as AddressInfo).port)}/hook`;
  world = await writingWorld({ outbound: createOutbound(['127.0.0.0/8']), keyring: createKeyring('k'.repeat(40)) });
  app = await world.app('hooks', {
    version: 1,
    entities: [
      {
        name: 'order',
        fields: [
          { name: 'title', type: 'string' },
          { name: 'total', type: 'int' },
        ],
      },
      { name: 'item', fields: [{ name: 'name', type: 'string' }] },
      { name: 'plain', fields: [{ name: 'name', type: 'string' }] },
    ],
    relations: [{ name: 'order_items', type: 'one_to_many', source: 'order', target: 'item', on_delete: 'cascade', source_name: 'items' }],
    rules: [{ entity: 'order', type: 'computed', definition: { field: 'total', expression: 'len(record.title)' } }],
    webhooks: [
      { entity: 'order', hook: 'before_write', url, async: false },
      { entity: 'item', hook: 'before_write', url, async: false },
      { entity: 'item', hook: 'before_delete', url, async: false },
    ],
  });
  ctx = world.context(app);
});
afterAll(() => new Promise((resolve) => server.close(resolve)));
beforeEach(() => {
  calls = [];
  answer = () => Promise.resolve(200);
});

const openTransactions = async (): Promise<number> =>
  Number(
    (
      await world.pool.query<{ count: string }>(
        `select count(*) from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`,
      )
    ).rows[0]?.count,
  );

describe('synchronous webhooks', () => {
  it('are shown the computed candidate, nested rows too, while no transaction is open', async () => {
    let open = -1;
    answer = async () => {
      open = Math.max(open, await openTransactions());
      return 200;
    };
    const made = await createRecord(ctx, 'order', { title: 'four', items: [{ name: 'a' }] });
    expect(calls.map((call) => [call.entity, call.action])).toEqual([
      ['order', 'create'],
      ['item', 'create'],
    ]);
    expect(calls[0]?.record).toMatchObject({ title: 'four', total: 4 });
    expect(open).toBe(0);
    expect((await world.events(app, 'order')).filter((event) => event.record_id === made.id)).toHaveLength(1);
  });

  it('refuse a write as a whole', async () => {
    answer = (call) => Promise.resolve(call.entity === 'item' ? 400 : 200);
    const before = (await world.events(app)).length;
    const error = await refusal(createRecord(ctx, 'order', { title: 'no', items: [{ name: 'a' }] }));
    expect([error.code, error.details[0]?.message]).toEqual(['WEBHOOK_REJECTED', 'because']);
    answer = () => Promise.resolve(503);
    expect((await refusal(createRecord(ctx, 'order', { title: 'down' }))).code).toBe('WEBHOOK_UNAVAILABLE');
    expect(await world.events(app)).toHaveLength(before);
  });

  it('are asked again, under the same key, when the record changed meanwhile, and then the write gives up with 409', async () => {
    const { id } = await createRecord(ctx, 'order', { title: 'race' });
    calls = [];
    const disturb = () => world.pool.query('update app_hooks.order set _version = _version + 1 where id = $1', [id]);
    answer = async () => {
      if (calls.length === 1) await disturb();
      return 200;
    };
    expect((await updateRecord(ctx, 'order', id, { title: 'second try' })).version).toBe('3');
    expect(calls).toHaveLength(2);
    expect(calls[0]?.idempotency_key).toBe(calls[1]?.idempotency_key);
    answer = async () => {
      await disturb();
      return 200;
    };
    expect((await refusal(updateRecord(ctx, 'order', id, { title: 'never' }))).code).toBe('CONFLICT');
  });

  it('hear of rows that a cascade takes, and not of writes that change nothing', async () => {
    const { id } = await createRecord(ctx, 'order', { title: 'gone', items: [{ name: 'x' }] });
    calls = [];
    await updateRecord(ctx, 'order', id, { title: 'gone' });
    expect(calls).toHaveLength(0);
    await deleteRecord(ctx, 'order', id);
    expect(calls.map((call) => [call.entity, call.action])).toEqual([['item', 'delete']]);
    world.statements.length = 0;
    await createRecord(ctx, 'plain', { name: 'unconcerned' });
    // The relay may be told of an earlier write meanwhile.
    expect(world.statements.filter((statement) => !statement.startsWith('notify'))).toHaveLength(1);
  });
});
