import { beforeAll, describe, expect, it } from 'vitest';
import type { AppRuntime } from '../../../operations/context.ts';
import { listRecords, queryRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';
import { COMPANY, CUSTOMER, FILE, seedHelpdesk, TICKET, USER } from '../../support/tickets.ts';

let world: ReadingWorld;
let app: AppRuntime;

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('one', HELPDESK);
  await seedHelpdesk(world, app);
  // A second app with the same ids: nothing of it may ever appear.
  await seedHelpdesk(world, await world.app('two', HELPDESK), 30);
});

const idsOf = (text: string): string[] => (JSON.parse(text) as { data: { id: string }[] }).data.map((row) => row.id).sort();

async function truth(where: string): Promise<string[]> {
  const rows = await world.pool.query<{ id: string }>(`select t.id from app_one.ticket t where t.deleted_at is null and (${where})`);
  return rows.rows.map((row) => row.id).sort();
}

const list = async (query: string): Promise<string[]> =>
  idsOf((await listRecords(world.context(app), 'ticket', new URLSearchParams(`per_page=100&${query}`))).text);

const CASES: [query: string, where: string][] = [
  ['filter[status]=open', `status = 'open'`],
  ['filter[status.eq]=open', `status = 'open'`],
  ['filter[status][eq]=open', `status = 'open'`],
  ['filter[status.neq]=open', `status is distinct from 'open'`],
  ['filter[status][ne]=open', `status is distinct from 'open'`],
  ['filter[priority.gt]=3', 'priority > 3'],
  ['filter[priority][gte]=3', 'priority >= 3'],
  ['filter[priority.lt]=3', 'priority < 3'],
  ['filter[priority][lte]=3', 'priority <= 3'],
  ['filter[status.in]=open,held', `status in ('open','held')`],
  ['filter[status][in]=open&filter[status][in]=held', `status in ('open','held')`],
  ['filter[status][in][]=open&filter[status][in][]=held', `status in ('open','held')`],
  ['filter[status][in][0]=open&filter[status][in][1]=held', `status in ('open','held')`],
  ['filter[status]=open&filter[status]=held', `status in ('open','held')`],
  ['filter[status.not_in]=open,held', `status is null or status not in ('open','held')`],
  ['filter[priority.in]=', 'false'],
  ['filter[priority.not_in]=', 'true'],
  ['filter[title.in]=a\\,b,alpha', `title in ('a,b','alpha')`],
  ['filter[title.like]=%25a%25', `title like '%a%'`],
  ['filter[title][ilike]=al%25', `title ilike 'al%'`],
  ['filter[title.contains]=%25', `position('%' in title) > 0`],
  ['filter[title.contains]=_', `position('_' in title) > 0`],
  ['filter[title.contains]=%5C', `position(E'\\\\' in title) > 0`],
  ['filter[title.icontains]=ALPHA', `lower(title) like '%alpha%'`],
  ['filter[title.starts_with]=100%25', `left(title, 4) = '100%'`],
  ['filter[title][ends_with]=slash', `right(title, 5) = 'slash'`],
  ['filter[priority.between]=2,4', 'priority between 2 and 4'],
  ['filter[created_at.between]=2026-06-03,2026-06-05T00:00:00Z', `created_at between '2026-06-03Z' and '2026-06-05Z'`],
  ['filter[body.is_null]=true', 'body is null'],
  ['filter[body.is_null]=false', 'body is not null'],
  ['filter[body][not_null]=1', 'body is not null'],
  ['filter[body.not_null]=false', 'body is null'],
  ['filter[title.is_empty]=true', `title is null or title = ''`],
  ['filter[title.is_empty]=false', `title <> ''`],
  ['filter[meta.is_empty]=true', `meta is null or meta in ('{}', '[]', '""', 'null')`],
  ['filter[priority.is_empty]=true', 'priority is null'],
  ['filter[meta.contains]={"a":1}', `meta @> '{"a":1}'`],
  ['filter[meta]=5', `meta = '5'`],
  ['filter[views.gt]=9007199254740993', 'views > 9007199254740993'],
  ['filter[views]=9007199254740993', 'views = 9007199254740993'],
  ['filter[score.lte]=2.5', 'score <= 2.5'],
  ['filter[price]=7.50', 'price = 7.5'],
  ['filter[urgent]=true', 'urgent'],
  ['filter[urgent.neq]=true', 'urgent is distinct from true'],
  ['filter[due_on.lt]=2026-06-10', `due_on < '2026-06-10'`],
  ['filter[opens_at.gte]=12:30', `opens_at >= '12:30'`],
  ['filter[created_at.gt]=2026-06-10T00:00:00%2B02:00', `created_at > '2026-06-10T00:00:00+02:00'`],
  ['filter[created_at.gt]=2026-06-10T00:00:00+02:00', `created_at > '2026-06-10T00:00:00+02:00'`],
  ['filter[created_at.gt]=$now-7d', `created_at > '2026-06-08T12:00:00Z'`],
  ['filter[created_at.lte]=$now', `created_at <= '2026-06-15T12:00:00Z'`],
  ['filter[due_on.gt]=$now-1w', `due_on > '2026-06-08'`],
  [`filter[attachment]=${FILE}`, `attachment = '${FILE}'`],
  [`filter[id]=${TICKET(3)}`, `id = '${TICKET(3)}'`],
  [`filter[customer_id]=${CUSTOMER(1)}`, `customer_id = '${CUSTOMER(1)}'`],
  [`filter[customer]=${CUSTOMER(1)}`, `customer_id = '${CUSTOMER(1)}'`],
  ['filter[customer.is_null]=true', 'customer_id is null'],
  ['filter[customer.name]=Customer+1', `exists (select 1 from app_one.customer c where c.id = customer_id and c.name = 'Customer 1')`],
  [
    `filter[customer.company]=${COMPANY(1)}`,
    `exists (select 1 from app_one.customer c where c.id = customer_id and c.company_id = '${COMPANY(1)}')`,
  ],
  [
    'filter[customer.company.name.like]=A%25',
    `exists (select 1 from app_one.customer c join app_one.company o on o.id = c.company_id where c.id = customer_id and o.name like 'A%')`,
  ],
  [
    'filter[customer][company][region][neq]=north',
    `exists (select 1 from app_one.customer c join app_one.company o on o.id = c.company_id where c.id = customer_id and o.region <> 'north')`,
  ],
  [
    'filter[comment.some.is_internal]=true',
    `exists (select 1 from app_one.comment c where c.ticket_id = t.id and c.is_internal and c.deleted_at is null)`,
  ],
  [
    'filter[comment.is_internal]=true',
    `exists (select 1 from app_one.comment c where c.ticket_id = t.id and c.is_internal and c.deleted_at is null)`,
  ],
  [
    'filter[comment.none.is_internal]=true',
    `not exists (select 1 from app_one.comment c where c.ticket_id = t.id and c.is_internal and c.deleted_at is null)`,
  ],
  ['filter[comment.is_empty]=true', `not exists (select 1 from app_one.comment c where c.ticket_id = t.id and c.deleted_at is null)`],
  [
    'filter[tags.some.label]=tag1',
    `exists (select 1 from app_one.ticket_tag l join app_one.tag g on g.id = l.tag_id where l.ticket_id = t.id and g.label = 'tag1')`,
  ],
  ['filter[tags.not_null]=true', `exists (select 1 from app_one.ticket_tag l where l.ticket_id = t.id)`],
  [
    'filter[parent.parent.status]=open',
    `exists (select 1 from app_one.ticket p join app_one.ticket q on q.id = p.parent_id where p.id = t.parent_id and p.deleted_at is null and q.deleted_at is null and q.status = 'open')`,
  ],
  [
    'filter={"or":[{"field":"status","op":"eq","value":"open"},{"field":"priority","op":"gte","value":5}]}',
    `status = 'open' or priority >= 5`,
  ],
  ['filter={"not":{"field":"priority","op":"gt","value":2}}', '(priority > 2) is not true'],
  ['filter={"status":"open"}&filter[priority.gt]=2', `status = 'open' and priority > 2`],
  ['filter={"field":"body","op":"eq","value":null}', 'body is null'],
  ['filter={"field":"status","op":"in","value":["open","held"]}', `status in ('open','held')`],
  ['filter={"field":"status","op":"in","value":[]}', 'false'],
  [
    'filter={"field":"comment","op":"some","value":{"and":[{"field":"is_internal","op":"eq","value":true},{"field":"text","op":"ends_with","value":"3"}]}}',
    `exists (select 1 from app_one.comment c where c.ticket_id = t.id and c.is_internal and c.text like '%3' and c.deleted_at is null)`,
  ],
  ['filter={"and":[]}', 'true'],
  ['filter={"or":[]}', 'false'],
];

describe('filters answer what SQL computes', () => {
  it.each(CASES)('%s', async (query, where) => {
    expect(await list(query)).toEqual(await truth(where));
  });

  it('compares with the caller by $user values', async () => {
    const ctx = { ...world.context(app), actor: { ...world.context(app).actor, id: USER(2), email: 'c2@example.com' } };
    const own = await listRecords(ctx, 'ticket', new URLSearchParams('per_page=100&filter[owner_id]=$user.id'));
    expect(idsOf(own.text)).toEqual(await truth(`owner_id = '${USER(2)}'`));
    const mail = await listRecords(ctx, 'ticket', new URLSearchParams('per_page=100&filter[customer.email]=$user.email'));
    expect(idsOf(mail.text)).toEqual(await truth(`customer_id = '${CUSTOMER(2)}'`));
  });

  it('takes the same tree in the body of _query', async () => {
    const body = {
      filter: {
        or: [
          { field: 'status', op: 'eq', value: 'open' },
          { field: 'customer.name', op: 'like', value: '%3' },
        ],
      },
      per_page: 100,
      sort: ['-priority', 'id'],
      fields: ['id'],
    };
    const answer = await queryRecords(world.context(app), 'ticket', body);
    expect(idsOf(answer.text)).toEqual(await truth(`status = 'open' or customer_id = '${CUSTOMER(3)}'`));
  });
});

const REFUSED: [query: string, code: string, says: RegExp][] = [
  ['filter[statu]=x', 'UNKNOWN_FIELD', /statu/],
  ['filter[customer.nam]=x', 'UNKNOWN_FIELD', /customer.* has no field or relation .*nam/],
  ['filter[nobody.name]=x', 'UNKNOWN_FIELD', /nobody/],
  ['filter[status.equals]=x', 'UNKNOWN_OPERATOR', /equals/],
  ['filter[priority.like]=x', 'UNKNOWN_OPERATOR', /does not fit/],
  ['filter[urgent.gt]=true', 'UNKNOWN_OPERATOR', /does not fit/],
  ['filter[priority]=high', 'INVALID_VALUE', /priority/],
  ['filter[priority]=99999999999', 'INVALID_VALUE', /priority/],
  ['filter[priority.between]=1', 'INVALID_VALUE', /two values/],
  ['filter[priority.gt]=1&filter[priority.gt]=2', 'INVALID_VALUE', /more than once/],
  ['filter[created_at]=yesterday', 'INVALID_VALUE', /created_at/],
  ['filter[due_on]=2026-02-30', 'INVALID_VALUE', /due_on/],
  ['filter[id]=7', 'INVALID_VALUE', /UUID/],
  ['filter[title]=%00', 'INVALID_VALUE', /NUL/],
  ['filter[title.like]=x%5C', 'INVALID_VALUE', /backslash/],
  ['filter[body.is_null]=maybe', 'INVALID_VALUE', /true or false/],
  ['filter[owner_id]=$user.shoe_size', 'INVALID_VALUE', /dynamic/],
  ['filter[created_at]=$now-7parsecs', 'INVALID_VALUE', /dynamic/],
  ['filter={', 'INVALID_VALUE', /JSON/],
  ['filter=[1]', 'INVALID_VALUE', /tree/],
  ['filter={"field":"status","op":"eq","value":"open","x":1}', 'INVALID_VALUE', /tree/],
  ['filter[a', 'UNKNOWN_PARAMETER', /filter\[a/],
  ['sort=nothing', 'UNKNOWN_FIELD', /nothing/],
  ['sort=name:up', 'INVALID_VALUE', /sort/],
  ['sort=comment.text', 'INVALID_VALUE', /many/],
  ['fields=id,nothing', 'UNKNOWN_FIELD', /nothing/],
  ['include=nothing', 'UNKNOWN_FIELD', /nothing/],
  ['include=customer.nothing', 'UNKNOWN_FIELD', /nothing/],
  ['include=parent.parent.parent.parent', 'INVALID_VALUE', /deep/],
  ['filter[parent.parent.parent.parent.title]=x', 'INVALID_VALUE', /relations/],
  ['fliter[status]=open', 'UNKNOWN_PARAMETER', /fliter/],
  ['status=open', 'UNKNOWN_PARAMETER', /status/],
  ['count=maybe', 'INVALID_VALUE', /count/],
  ['with_deleted=perhaps', 'INVALID_VALUE', /with_deleted/],
  [`filter[priority.in]=${Array.from({ length: 1001 }, (_, n) => n).join(',')}`, 'TOO_LARGE', /1000 values/],
  [
    `filter=${JSON.stringify({ or: Array.from({ length: 200 }, () => ({ field: 'priority', op: 'eq', value: 1 })) })}`,
    'TOO_LARGE',
    /200 conditions/,
  ],
];

describe('a mistake in a query is a 4xx that names it', () => {
  it.each(REFUSED)('%s', async (query, code, says) => {
    const refusal = await list(query).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'AppError', code, status: code === 'TOO_LARGE' ? 413 : 400 });
    expect(JSON.stringify([(refusal as Error).message, (refusal as { details: unknown }).details])).toMatch(says);
  });

  it('suggests near names', async () => {
    await expect(list('filter[prioriti]=1')).rejects.toMatchObject({ hint: expect.stringContaining('priority') as string });
    await expect(list('filter[title.contain]=1')).rejects.toMatchObject({
      details: [{ allowed: expect.arrayContaining(['contains']) as string[] }],
    });
  });
});
