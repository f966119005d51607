import { beforeAll, describe, expect, it } from 'vitest';
import type { Actor, AppRuntime } from '../../../operations/context.ts';
import { getRecord, type FoundRecord } from '../../../operations/records/get.ts';
import { listRecords, queryRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, uuid, type ReadingWorld } from '../../support/records.ts';
import { CUSTOMER, seedHelpdesk, TICKET } from '../../support/tickets.ts';

type Row = Record<string, unknown> & { comment: Row[] };

let world: ReadingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('inc', {
    ...HELPDESK,
    permissions: [
      { entity: 'ticket', action: 'read', roles: ['agent'] },
      { entity: 'comment', action: 'read', roles: ['agent'], fields: { read: ['text', 'ticket_id'] } },
    ],
  });
  await seedHelpdesk(world, app);
  await world.pool.query('delete from app_inc.comment');
  await world.insert(
    app,
    'comment',
    Array.from({ length: 12 }, (_, n) => ({
      id: uuid(0x9000 + n),
      text: `c${(n * 5) % 12}`,
      is_internal: n % 3 === 0,
      ticket_id: TICKET(1),
    })),
  );
});

const list = async (query: string, actor: Partial<Actor> = {}): Promise<Row[]> =>
  (JSON.parse((await listRecords(world.context(app, actor), 'ticket', new URLSearchParams(query))).text) as { data: Row[] }).data;
const body = async (given: unknown): Promise<Row[]> =>
  (JSON.parse((await queryRecords(world.context(app), 'ticket', given)).text) as { data: Row[] }).data;
const texts = (rows: Row[] | undefined): unknown[] => (rows ?? []).map((row) => row['text']);

const ONE = `filter[id]=${TICKET(1)}`;

describe('an include', () => {
  it('has a filter, a sort, a limit and fields of its own', async () => {
    const [row] = await list(
      `${ONE}&include[comment][filter][is_internal]=false&include[comment][sort]=-text&include[comment][limit]=3&include[comment][fields]=text`,
    );
    const all = (await list(`${ONE}&include=comment`))[0]?.comment ?? [];
    const wanted = texts(all.filter((comment) => comment['is_internal'] === false))
      .sort()
      .reverse()
      .slice(0, 3);
    expect(row?.comment).toEqual(wanted.map((text) => ({ text })));
    expect(row).toHaveProperty('title');
  });

  it('says the same in the body of _query, and for one record', async () => {
    const comment = {
      relation: 'comment',
      filter: { field: 'is_internal', op: 'eq', value: false },
      sort: ['-text'],
      limit: 3,
      fields: ['text'],
    };
    const [row] = await body({ filter: { id: TICKET(1) }, include: ['customer', comment] });
    const query =
      'include=customer&include[comment][filter.is_internal.eq]=false&include[comment][sort]=text:desc&include[comment][limit]=3&include[comment][fields]=text';
    expect((await list(`${ONE}&${query}`))[0]).toEqual(row);
    const single = await getRecord(world.context(app), 'ticket', TICKET(1), new URLSearchParams(query));
    expect((JSON.parse(single.text) as { data: Row }).data).toEqual(row);
  });

  it('reaches deep relations, by dots and by nesting', async () => {
    const nested = {
      relation: 'customer',
      include: [{ relation: 'ticket', sort: '-id', limit: 2, fields: 'id', include: { relation: 'comment', limit: 1, fields: ['text'] } }],
    };
    const [row] = await body({ filter: { id: TICKET(1) }, fields: ['id'], include: nested });
    const customer = row?.['customer'] as { ticket: Row[] };
    expect(customer.ticket).toHaveLength(2);
    for (const ticket of customer.ticket) expect(Object.keys(ticket).sort()).toEqual(['comment', 'id']);
    const query =
      'fields=id&include[customer.ticket][sort]=-id&include[customer.ticket][limit]=2&include[customer.ticket][fields]=id&include[customer.ticket.comment][limit]=1&include[customer.ticket.comment][fields]=text';
    expect((await list(`${ONE}&${query}&include=customer`))[0]).toEqual(row);
  });

  it('of one record can be filtered away', async () => {
    const rows = await list('sort=id&per_page=5&include[customer][filter][name]=Customer 1&filter[customer.not_null]=true');
    expect(rows.map((row) => row['customer'] === null)).toEqual(rows.map((row) => row['customer_id'] !== CUSTOMER(1)));
  });

  it('takes trees, dynamic values and paths in its filter', async () => {
    const tree = encodeURIComponent('{"or":[{"text":"c1"},{"field":"text","op":"eq","value":"c2"}]}');
    expect(texts((await list(`${ONE}&include[comment][filter]=${tree}&include[comment][sort]=text`))[0]?.comment)).toEqual(['c1', 'c2']);
    expect(texts((await list(`${ONE}&include[comment][filter][ticket.created_at.gt]=$now-1000w`))[0]?.comment)).toHaveLength(12);
  });

  it('with a limit is cut, and without one refused, beyond 1,000 records', async () => {
    await world.pool.query(
      `insert into app_inc.comment (id, text, ticket_id) select gen_random_uuid(), 'many', $1 from generate_series(1, 1001)`,
      [TICKET(2)],
    );
    await expect(list(`filter[id]=${TICKET(2)}&include=comment`)).rejects.toMatchObject({ code: 'TOO_LARGE' });
    expect((await list(`filter[id]=${TICKET(2)}&include[comment][limit]=1000`))[0]?.comment).toHaveLength(1000);
  });

  it('cannot be filtered or sorted by what the caller does not see', async () => {
    const agent = { roles: ['agent'] };
    expect(texts((await list(`${ONE}&include[comment][filter][text]=c1`, agent))[0]?.comment)).toEqual(['c1']);
    for (const query of ['[filter][is_internal]=true', '[sort]=is_internal', '[fields]=is_internal', '[filter][ticket.customer.name]=x']) {
      await expect(list(`${ONE}&include[comment]${query}`, agent)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    }
    await expect(list(`${ONE}&include[customer][filter][name]=x`, agent)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
  });

  it.each([
    ['include[comment]=x', 'UNKNOWN_PARAMETER'],
    ['include[comment][order]=x', 'UNKNOWN_PARAMETER'],
    ['include[comment][sort][x]=x', 'UNKNOWN_PARAMETER'],
    ['include[][limit]=5', 'UNKNOWN_PARAMETER'],
    ['include[comment', 'UNKNOWN_PARAMETER'],
    ['include[comment][limit]=0', 'INVALID_VALUE'],
    ['include[comment][limit]=1001', 'INVALID_VALUE'],
    ['include[comment][limit]=x', 'INVALID_VALUE'],
    ['include[customer][limit]=1', 'INVALID_VALUE'],
    ['include[customer][sort]=name', 'INVALID_VALUE'],
    ['include[comment][filter]={', 'INVALID_VALUE'],
    ['include[nothing][limit]=5', 'UNKNOWN_FIELD'],
    ['include[__proto__][limit]=5', 'UNKNOWN_FIELD'],
    ['include[comment][filter][nothing]=5', 'UNKNOWN_FIELD'],
    ['include[comment][filter][text.equals]=5', 'UNKNOWN_OPERATOR'],
    ['include[parent.parent.parent.parent][limit]=5', 'INVALID_VALUE'],
  ])('%s is refused by name', async (query, code) => {
    await expect(list(query)).rejects.toMatchObject({ code });
  });

  it.each([
    [[{ relation: 'comment', order: 'x' }], 'UNKNOWN_PARAMETER'],
    [[{ filter: {} }], 'INVALID_VALUE'],
    [[5], 'INVALID_VALUE'],
    [[{ relation: 'comment', limit: {} }], 'INVALID_VALUE'],
    [[{ relation: 'comment', sort: 5 }], 'INVALID_VALUE'],
    [
      [
        { relation: 'comment', limit: 5 },
        { relation: 'comment', limit: 6 },
      ],
      'INVALID_VALUE',
    ],
    [Array.from({ length: 100_000 }, () => 'comment'), 'INVALID_VALUE'],
  ])('in a body is refused by name too (%#)', async (include, code) => {
    await expect(body({ include })).rejects.toMatchObject({ code });
  });
});

describe('the tag of a record', () => {
  const read = (query: string): Promise<FoundRecord> => getRecord(world.context(app), 'ticket', TICKET(1), new URLSearchParams(query));

  it('comes with related records and changes with them', async () => {
    expect((await read('')).isAlone).toBe(true);
    const before = await read('include=comment');
    expect((await read('include=comment')).tag).toBe(before.tag);
    expect((await read('fields=id,customer.name')).isAlone).toBe(false);
    await world.pool.query(`update app_inc.comment set text = 'new' where id = $1`, [uuid(0x9000)]);
    const after = await read('include=comment');
    expect(after.version).toBe(before.version);
    expect(after.tag).not.toBe(before.tag);
  });
});
