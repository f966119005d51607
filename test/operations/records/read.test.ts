import { beforeAll, describe, expect, it } from 'vitest';
import type { AppRuntime } from '../../../operations/context.ts';
import { getRecord } from '../../../operations/records/get.ts';
import { listRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, uuid, type ReadingWorld } from '../../support/records.ts';
import { COMMENT, COMPANY, CUSTOMER, FILE, seedHelpdesk, TAG, TICKET, USER } from '../../support/tickets.ts';

type Row = Record<string, unknown>;
interface Page {
  data: Row[];
  meta: { page: number; per_page: number; total?: number };
}

let world: ReadingWorld;
let app: AppRuntime;
let other: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('one', HELPDESK);
  other = await world.app('two', HELPDESK);
  await seedHelpdesk(world, app);
  await seedHelpdesk(world, other, 7);
});

const list = async (query: string, entity = 'ticket', of = app): Promise<Page> =>
  JSON.parse((await listRecords(world.context(of), entity, new URLSearchParams(query))).text) as Page;
const get = async (entity: string, id: string, query = ''): Promise<Row> =>
  (JSON.parse((await getRecord(world.context(app), entity, id, new URLSearchParams(query))).text) as { data: Row }).data;

describe('a list', () => {
  it('answers a page with its total and never a deleted record or one of another app', async () => {
    const page = await list('');
    expect(page.meta).toEqual({ page: 1, per_page: 25, total: 56 });
    expect(page.data).toHaveLength(25);
    expect(page.data[0]).not.toHaveProperty('_version');
    expect(page.data[0]).not.toHaveProperty('deleted_at');
    expect((await list('', 'ticket', other)).meta.total).toBe(7);
  });

  it('turns pages without repeating or skipping, whatever the sort', async () => {
    for (const sort of ['', 'status', '-priority', 'status:desc,priority:asc', 'customer.name', '-customer.company.region']) {
      const seen: unknown[] = [];
      for (const page of [1, 2, 3, 4])
        seen.push(...(await list(`sort=${sort}&per_page=17&page=${page}&count=none`)).data.map((row) => row['id']));
      expect(new Set(seen).size).toBe(56);
    }
  });

  it('sorts in both spellings, along relations too', async () => {
    const rows = (await list('sort=-priority,title&per_page=100&filter[priority.not_null]=true')).data;
    const priorities = rows.map((row) => row['priority'] as number);
    expect(priorities).toEqual([...priorities].sort((a, b) => b - a));
    expect((await list('sort=priority:desc,title:asc&per_page=100&filter[priority.not_null]=true')).data).toEqual(rows);
    const names = (await list('sort=customer.name&per_page=100&include=customer&filter[customer.not_null]=true')).data.map(
      (row) => (row['customer'] as Row)['name'],
    );
    expect(names).toEqual([...names].sort());
  });

  it.each(['page=0', 'page=-1', 'page=x', 'page=1.5', 'page=99999999999999999999', 'per_page=0', 'per_page=', 'per_page=abc'])(
    'falls back to the default for %s',
    async (query) => {
      expect((await list(query)).meta).toMatchObject({ page: 1, per_page: 25 });
    },
  );

  it('caps per_page and answers an empty page beyond the end', async () => {
    expect((await list('per_page=5000')).meta.per_page).toBe(100);
    expect(await list('page=4000')).toEqual({ data: [], meta: { page: 4000, per_page: 25, total: 56 } });
  });

  it.each(['page=4002', 'page=1000000000', 'page=11&per_page=10001'])('refuses to skip more than 100,000 records: %s', async (query) => {
    const wide = { ...app, model: { ...app.model, settings: { ...app.model.settings, max_per_page: 10_001 } } };
    await expect(list(query, 'ticket', wide)).rejects.toMatchObject({
      code: 'INVALID_VALUE',
      hint: expect.stringContaining('cursor') as string,
    });
  });

  it('leaves the total out with count=none', async () => {
    expect((await list('count=none')).meta).toEqual({ page: 1, per_page: 25 });
  });

  it('takes one statement, whatever is asked', async () => {
    for (const query of [
      '',
      'include=customer.company,comment,tags&filter[customer.company.region]=north&sort=-customer.name&fields=id,title',
    ]) {
      await list(query);
      world.statements.length = 0;
      await list(query);
      expect(world.statements).toHaveLength(1);
    }
  });

  it('shows deleted records to admins who ask', async () => {
    const page = await list('with_deleted=true&per_page=100');
    expect(page.meta.total).toBe(60);
    expect(page.data.filter((row) => row['deleted_at'] !== null)).toHaveLength(4);
    const gone = await list('with_deleted=only&per_page=100');
    expect(gone.data).toEqual(page.data.filter((row) => row['deleted_at'] !== null));
    expect(gone.meta.total).toBe(4);
    expect((await list('with_deleted=only', 'company')).data).toEqual([]);
    const plain = listRecords(world.context(app, { roles: ['agent'] }), 'ticket', new URLSearchParams('with_deleted=only'));
    await expect(plain).rejects.toMatchObject({ code: 'FORBIDDEN' });
  });
});

describe('a record', () => {
  it('shows every type the same way: exact numbers as text, times in UTC, files as metadata', async () => {
    const row = await get('ticket', TICKET(10));
    expect(row).toEqual({
      id: TICKET(10),
      title: null,
      body: 'body 10',
      status: 'held',
      priority: 1,
      views: '9007199254741000',
      score: 10 / 3,
      price: null,
      urgent: false,
      due_on: '2026-06-11',
      opens_at: '10:30:00',
      created_at: '2026-06-11T10:00:00.01+00:00',
      meta: {},
      attachment: { id: FILE, filename: 'a.pdf', size: 1234, mime_type: 'application/pdf' },
      secret_note: 'secret 10',
      owner_id: USER(2),
      link: 'https://example.com/',
      customer_id: CUSTOMER(2),
      parent_id: null,
    });
    expect((await list(`filter[id]=${TICKET(10)}`)).data).toEqual([row]);
  });

  it('answers its version for the ETag', async () => {
    await world.pool.query('update app_one.ticket set _version = 7 where id = $1', [TICKET(1)]);
    expect((await getRecord(world.context(app), 'ticket', TICKET(1), new URLSearchParams())).version).toBe('7');
  });

  it('is found by its slug as well, and not by a slug that looks like an id', async () => {
    expect(await get('customer', 'customer-2')).toMatchObject({ id: CUSTOMER(2) });
    await world.pool.query('update app_one.customer set slug = $1 where id = $2', [uuid(999), CUSTOMER(3)]);
    await expect(get('customer', uuid(999))).rejects.toMatchObject({ code: 'NOT_FOUND' });
  });

  it.each(['nonsense', '1', '../x', "' or 1=1 --", '', '\0', TICKET(14), uuid(5)])('is 404 for %j', async (id) => {
    await expect(get('ticket', id)).rejects.toMatchObject({ code: 'NOT_FOUND', status: 404 });
  });

  it('refuses parameters that only lists have, and unknown includes', async () => {
    await expect(get('ticket', TICKET(1), 'page=2')).rejects.toMatchObject({ code: 'UNKNOWN_PARAMETER' });
    await expect(get('ticket', TICKET(1), 'include=nothing')).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
  });
});

describe('includes', () => {
  it('bring objects and arrays from both sides, several at once', async () => {
    const row = await get('ticket', TICKET(1), 'include=customer,comment,tags,parent');
    expect(row['customer']).toMatchObject({ id: CUSTOMER(1), company_id: COMPANY(1) });
    expect((row['comment'] as Row[]).map((comment) => comment['id'])).toEqual([COMMENT(1), COMMENT(21)]);
    expect(row['tags']).toEqual([{ id: TAG(1), label: 'tag1' }]);
    expect(row['parent']).toBeNull();
    expect((await get('ticket', TICKET(9), 'include=customer'))['customer']).toBeNull();
    expect((await get('ticket', TICKET(30), 'include=comment'))['comment']).toEqual([]);
  });

  it('go three levels deep, in lists too', async () => {
    const rows = (await list('include=customer.company,comment.ticket.customer&sort=id&per_page=2')).data;
    expect(((rows[1]?.['customer'] as Row)['company'] as Row)['name']).toBe('Beta');
    const comment = (rows[1]?.['comment'] as Row[])[0];
    expect(((comment?.['ticket'] as Row)['customer'] as Row)['id']).toBe(CUSTOMER(1));
  });

  it('accept the relation by its name, the other entity and the prefixed name', async () => {
    for (const name of ['ticket_tags', 'tags', 'tag', 'ticket_customer', 'customer'])
      expect(await get('ticket', TICKET(1), `include=${name}`)).toHaveProperty(name);
    expect(await get('company', COMPANY(0), 'include=customer')).toHaveProperty('customer.0.id', CUSTOMER(0));
  });

  it('leave deleted records out at every level', async () => {
    const parent = TICKET(14);
    await world.pool.query('update app_one.ticket set parent_id = $1 where id = $2', [parent, TICKET(2)]);
    expect(await get('ticket', TICKET(2), 'include=parent')).toMatchObject({ parent_id: parent, parent: null });
    const all = await get('ticket', TICKET(2), 'include=parent&with_deleted=true');
    expect(all['parent']).toMatchObject({ id: parent, deleted_at: '2026-06-10T00:00:00+00:00' });
  });

  it('are chosen by fields as well', async () => {
    expect(await get('ticket', TICKET(1), 'fields=title,customer.name')).toEqual({ title: '100% sure', customer: { name: 'Customer 1' } });
    const row = await get('ticket', TICKET(1), 'fields=title,customer.name&include=tags');
    expect(row).toEqual({ title: '100% sure', customer: { name: 'Customer 1' }, tags: [{ id: TAG(1), label: 'tag1' }] });
  });

  it('refuse more than 20 relations and more than 1,000 rows of one relation', async () => {
    const many = Array.from(
      { length: 21 },
      (_, n) =>
        ['parent', 'ticket_parent', 'customer', 'ticket_customer', 'tags', 'tag', 'comment'][n % 7] +
        (n < 7 ? '' : n < 14 ? '.ticket' : '.ticket.customer'),
    ).join(',');
    await expect(list(`include=${many},parent.tags,parent.tag`)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    await world.pool.query(`insert into app_two.comment (id, ticket_id) select gen_random_uuid(), $1 from generate_series(1, 1001)`, [
      TICKET(1),
    ]);
    await expect(list('include=comment', 'ticket', other)).rejects.toMatchObject({ code: 'TOO_LARGE', status: 413 });
    await world.pool.query(
      `delete from app_two.comment where id = (select id from app_two.comment where ticket_id = $1 and text is null limit 1)`,
      [TICKET(1)],
    );
    await world.pool.query(`delete from app_two.comment where ticket_id = $1 and text is not null`, [TICKET(1)]);
    const rows = (await list('include=comment&sort=id', 'ticket', other)).data;
    expect(rows[1]?.['comment']).toHaveLength(1000);
  });

  it('come without being asked where the relation is eager', async () => {
    const eager = await world.app('eager', {
      version: 1,
      entities: [
        { name: 'order', fields: [{ name: 'no', type: 'int' }] },
        { name: 'item', fields: [{ name: 'sku', type: 'string' }] },
      ],
      relations: [{ name: 'order_items', type: 'one_to_many', source: 'order', target: 'item', fetch: 'eager' }],
    });
    await world.insert(eager, 'order', [{ id: uuid(1), no: 1 }]);
    await world.insert(eager, 'item', [{ id: uuid(2), sku: 'a', order_id: uuid(1) }]);
    const page = await list('', 'order', eager);
    expect(page.data).toEqual([{ id: uuid(1), no: 1, items: [{ id: uuid(2), sku: 'a', order_id: uuid(1) }] }]);
    expect((await list('fields=no', 'order', eager)).data).toEqual([{ no: 1 }]);
  });
});

describe('settings and shapes', () => {
  it('answers exact numbers as numbers where the app says so', async () => {
    const numbers = await world.app('numbers', { ...HELPDESK, settings: { exact_numbers: 'number' } });
    await seedHelpdesk(world, numbers, 2);
    const { text } = await getRecord(world.context(numbers), 'ticket', TICKET(1), new URLSearchParams('fields=views,price'));
    expect(text).toBe('{"data":{"views":9007199254740991,"price":1.50}}');
  });

  it('reads entities with more than fifty fields and with compound keys', async () => {
    const wide = await world.app('wide', {
      version: 1,
      entities: [
        { name: 'wide', fields: Array.from({ length: 120 }, (_, n) => ({ name: `f${n}`, type: 'int' })) },
        {
          name: 'line',
          primary_key: { fields: ['order_no', 'pos'], generated: false },
          fields: [
            { name: 'order_no', type: 'int' },
            { name: 'pos', type: 'int' },
            { name: 'sku', type: 'string' },
          ],
        },
      ],
    });
    await world.insert(wide, 'wide', [{ id: uuid(1), f119: 7 }]);
    await world.insert(wide, 'line', [{ order_no: 1, pos: 2, sku: 'x' }]);
    expect((await list('', 'wide', wide)).data[0]).toMatchObject({ f119: 7, f0: null });
    const { text } = await getRecord(world.context(wide), 'line', '1,2', new URLSearchParams());
    expect(text).toBe('{"data":{"order_no":1,"pos":2,"sku":"x"}}');
  });

  it('is 404 UNKNOWN_ENTITY for an entity that is not there', async () => {
    await expect(list('', 'nothing')).rejects.toMatchObject({ code: 'UNKNOWN_ENTITY' });
  });
});
