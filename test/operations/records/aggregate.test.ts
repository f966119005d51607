import { beforeAll, describe, expect, it } from 'vitest';
import { isAppError, type AppError } from '../../../core/errors.ts';
import type { Actor, AppRuntime } from '../../../operations/context.ts';
import { aggregateByBody, aggregateRecords } from '../../../operations/records/aggregate.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';
import { CUSTOMER, seedHelpdesk, USER } from '../../support/tickets.ts';

type Row = Record<string, unknown>;
interface Groups {
  readonly data: Row[];
  readonly meta: { page: number; per_page: number; total: number; has_more: boolean };
}

const PERMISSIONS = [
  {
    entity: 'ticket',
    action: 'read',
    roles: ['customer'],
    conditions: [{ field: 'customer.user_id', operator: 'eq', value: '$user.id' }],
    fields: { read: ['status', 'customer_id', 'customer', 'priority', 'created_at'] },
  },
  { entity: 'ticket', action: 'read', roles: ['agent'], fields: { read: ['status', 'customer_id', 'owner_id', 'price', 'created_at'] } },
  {
    entity: 'ticket',
    action: 'read',
    roles: ['agent'],
    conditions: [{ field: 'owner_id', operator: 'eq', value: '$user.id' }],
  },
  { entity: 'customer', action: 'read', roles: ['agent'], conditions: [{ field: 'name', operator: 'neq', value: 'Customer 1' }] },
  { entity: 'company', action: 'read', roles: ['agent'] },
];

let world: ReadingWorld;
let app: AppRuntime;
beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('sums', { ...HELPDESK, permissions: PERMISSIONS });
  await seedHelpdesk(world, app);
});

const aggregate = async (query: string, actor: Partial<Actor> = {}, entity = 'ticket'): Promise<Groups> =>
  JSON.parse((await aggregateRecords(world.context(app, actor), entity, new URLSearchParams(query))).text) as Groups;
const byBody = async (body: unknown): Promise<Groups> =>
  JSON.parse((await aggregateByBody(world.context(app), 'ticket', body)).text) as Groups;
const rows = async (text: string): Promise<Row[]> => (await world.pool.query<Row>(text)).rows;

async function refusal(query: string, actor: Partial<Actor> = {}): Promise<AppError> {
  try {
    await aggregate(query, actor);
  } catch (error) {
    if (isAppError(error)) return error;
    throw error;
  }
  throw new Error(`${query} was answered`);
}

const T = 'app_sums.ticket where deleted_at is null';

describe('an aggregate', () => {
  it('counts the records of each group, nulls and all, and never deleted ones', async () => {
    const { data, meta } = await aggregate('group_by=status&count=*');
    expect(data).toEqual((await rows(`select status, count(*)::int as count from ${T} group by 1 order by 1`)).map((row) => ({ ...row })));
    expect(data.at(-1)).toHaveProperty('status', null);
    expect(meta).toEqual({ page: 1, per_page: 100, total: 4, has_more: false });
  });

  it('answers exact sums: decimals and bigints as texts, counts and sums of int as numbers', async () => {
    const { data } = await aggregate(
      'count=*,priority&count_distinct=owner_id&sum=price,views,priority,score&avg=priority,price&min=due_on,title&max=created_at',
    );
    const [sql] = await rows(
      `select count(*)::int as count, count(priority)::int as count_priority, count(distinct owner_id)::int as count_distinct_owner_id,
       sum(price)::text as sum_price, sum(views)::text as sum_views, sum(priority)::int as sum_priority, sum(score) as sum_score,
       avg(priority)::float as avg_priority, trim_scale(avg(price))::text as avg_price, min(due_on)::text as min_due_on, min(title) as min_title,
       to_json(max(created_at)) #>> '{}' as max_created_at from ${T}`,
    );
    expect(data).toHaveLength(1);
    expect(data[0]).toEqual({ ...sql, avg_priority: expect.closeTo(Number(sql?.['avg_priority']), 9) as number });
  });

  it('shows exact values as numbers where the app says so', async () => {
    const context = world.context({ ...app, model: { ...app.model, settings: { ...app.model.settings, exact_numbers: 'number' } } });
    const { text } = await aggregateRecords(context, 'ticket', new URLSearchParams('sum=price'));
    expect(text).toMatch(/"sum_price" : [\d.]+\}/);
  });

  it('groups by fields behind relations to one, and by a relation itself', async () => {
    const byRegion = await aggregate('group_by=customer.company.region&count=*&max=customer.name');
    expect(byRegion.data).toEqual(
      await rows(
        `select co.region as "customer.company.region", count(*)::int as count, max(c.name) as "max_customer.name" from app_sums.ticket t
         left join app_sums.customer c on c.id = t.customer_id left join app_sums.company co on co.id = c.company_id
         where t.deleted_at is null group by 1 order by 1`,
      ),
    );
    const byCustomer = await aggregate('group_by=customer&sort=-count&limit=1');
    expect(Object.keys(byCustomer.data[0] ?? {})).toEqual(['customer', 'count']);
    expect([0, 1, 2, 3].map(CUSTOMER)).toContain(byCustomer.data[0]?.['customer']);
  });

  it.each([
    ['year', 'extract(year from created_at)::int'],
    ['quarter', 'extract(quarter from created_at)::int'],
    ['month', 'extract(month from created_at)::int'],
    ['week', 'extract(week from created_at)::int'],
    ['day', 'extract(day from created_at)::int'],
    ['weekday', 'extract(isodow from created_at)::int'],
    ['hour', 'extract(hour from created_at)::int'],
    ['date', "to_char(created_at, 'YYYY-MM-DD')"],
    ['year_month', "to_char(created_at, 'YYYY-MM')"],
    ['year_week', `to_char(created_at, 'IYYY-"W"IW')`],
  ])('groups by the %s of a timestamp', async (part, expression) => {
    const { data } = await aggregate(`group_by=created_at.${part}&count=*`);
    expect(data).toEqual(
      await rows(`select ${expression} as "created_at.${part}", count(*)::int as count from ${T} group by 1 order by 1`),
    );
  });

  it('looks at timestamps in the time zone asked for, across its change of clocks', async () => {
    const { data } = await aggregate('group_by=created_at.date_hour&count=*&time_zone=America/New_York&limit=10000');
    expect(data).toEqual(
      await rows(
        `select to_char(created_at at time zone 'America/New_York', 'YYYY-MM-DD"T"HH24') as "created_at.date_hour", count(*)::int as count from ${T} group by 1 order by 1`,
      ),
    );
    expect((await refusal('group_by=created_at.day&time_zone=Mars/Base')).details[0]?.field).toBe('time_zone');
    expect((await refusal("group_by=created_at.day&time_zone=UTC'")).code).toBe('INVALID_VALUE');
    expect((await refusal('group_by=created_at.day&time_zone=%2B02:00')).code).toBe('INVALID_VALUE');
    expect((await refusal('group_by=due_on.day&time_zone=Europe/Paris')).message).toContain('changes nothing');
  });

  it('keeps the groups that having keeps, in every spelling', async () => {
    const wanted = await rows(
      `select priority, count(*)::int as count, sum(price)::text as sum_price from ${T} group by 1 having count(*) > 8 and sum(price) >= 200.5 order by 1`,
    );
    expect(wanted.length).toBeGreaterThan(0);
    const query = 'group_by=priority&count=*&sum=price';
    for (const having of [
      'having[count.gt]=8&having[sum_price.gte]=200.5',
      'having[count][gt]=8&having[sum_price][gte]=200.5',
      `having=${JSON.stringify({ and: [{ field: 'count', op: 'gt', value: 8 }, { not: { field: 'sum_price', op: 'is_null' } }, { field: 'sum_price', op: 'gte', value: '200.5' }] })}`,
    ]) {
      expect((await aggregate(`${query}&${having}`)).data).toEqual(wanted);
    }
    const body = { group_by: ['priority'], count: '*', sum: ['price'], having: { and: [{ count: { x: 1 } }] } };
    await expect(byBody(body)).rejects.toMatchObject({ code: 'INVALID_VALUE' });
    expect((await byBody({ ...body, having: { field: 'count', op: 'gt', value: 1000 } })).data).toEqual([]);
    expect((await aggregate('group_by=created_at.month&having[created_at.month.eq]=6')).data).toHaveLength(1);
  });

  it('filters as a list does, sorts by what it answers and says when there is more', async () => {
    const page = await aggregate('group_by=title&count=*&sum=price&filter[status]=open&sort=-sum_price,title&limit=2');
    expect(page.data).toEqual(
      await rows(
        `select title, count(*)::int as count, sum(price)::text as sum_price from ${T} and status = 'open' group by 1 order by sum(price) desc, 1 limit 2`,
      ),
    );
    expect(page.meta).toMatchObject({ per_page: 2, has_more: true });
    const seen: unknown[] = [];
    for (let number = 1; number <= page.meta.total; number++)
      seen.push(...(await aggregate(`group_by=title&filter[status]=open&per_page=1&page=${number}`)).data.map((row) => row['title']));
    expect(new Set(seen).size).toBe(page.meta.total);
  });

  it('of no records is one row without groups and none with them', async () => {
    expect((await aggregate('filter[title]=nobody&count=*&sum=price')).data).toEqual([{ count: 0, sum_price: null }]);
    expect((await aggregate('filter[title]=nobody&group_by=status')).data).toEqual([]);
  });
});

describe('a refused aggregate', () => {
  it.each([
    ['sum=title', 'INVALID_VALUE', 'count, count_distinct, min, max'],
    ['avg=due_on', 'INVALID_VALUE', 'min, max'],
    ['max=urgent', 'INVALID_VALUE', 'count, count_distinct'],
    ['sum=*', 'INVALID_VALUE', ''],
    ['sum=', 'INVALID_VALUE', ''],
    ['sum=comment.text', 'INVALID_VALUE', 'related entity'],
    ['group_by=comment', 'INVALID_VALUE', 'related entity'],
    ['group_by=priority.month', 'INVALID_VALUE', 'Only dates'],
    ['group_by=created_at.fortnight', 'INVALID_VALUE', 'year'],
    ['group_by=due_on.hour', 'INVALID_VALUE', 'quarter'],
    ['group_by=nothing', 'UNKNOWN_FIELD', ''],
    ['group_by=__proto__', 'UNKNOWN_FIELD', ''],
    ['sort=-sum_price', 'UNKNOWN_FIELD', 'count'],
    ['having[sum_price.gt]=1', 'UNKNOWN_FIELD', 'count'],
    ['having[count.like]=1', 'UNKNOWN_OPERATOR', 'gt'],
    ['having[count.gt]=many', 'INVALID_VALUE', ''],
    ['having=%7B', 'INVALID_VALUE', 'having'],
    ['median=price', 'UNKNOWN_PARAMETER', 'group_by'],
    ['fields=id', 'UNKNOWN_PARAMETER', ''],
    ['count=none', 'UNKNOWN_FIELD', ''],
    [`sum=${Array.from({ length: 31 }, (_, n) => `f${n}`).join()}`, 'INVALID_VALUE', ''],
    [`group_by=${Array.from({ length: 11 }, (_, n) => `f${n}`).join()}`, 'INVALID_VALUE', ''],
  ])('%s is %s and says what is possible', async (query, code, hint) => {
    const error = await refusal(query);
    expect(error.code).toBe(code);
    expect(`${error.message} ${error.hint ?? ''}`).toContain(hint);
  });

  it('is a sum no float can hold', async () => {
    const error = await refusal('sum=score&filter[id.not_null]=true', {}).catch(() => undefined);
    expect(error).toBeUndefined();
    await world.pool.query(`update app_sums.ticket set score = 1.7e308 where title = 'alpha'`);
    expect((await refusal('sum=score&filter[title]=alpha')).code).toBe('INVALID_VALUE');
    await world.pool.query(`update app_sums.ticket set score = null where title = 'alpha'`);
  });
});

describe('permissions of an aggregate', () => {
  const customer = { roles: ['customer'], id: USER(0) };
  const agent = { roles: ['agent'], id: USER(2) };

  it('leave only the rows the caller may read', async () => {
    const { data } = await aggregate('count=*', customer);
    expect(data).toEqual(await rows(`select count(*)::int as count from ${T} and customer_id = '${CUSTOMER(0)}'`));
  });

  it('make a hidden field unlike an unknown one in nothing, as group, value, sort, filter or part', async () => {
    for (const query of [
      'group_by=NAME',
      'group_by=NAME.month',
      'sum=NAME',
      'count=NAME',
      'count_distinct=NAME',
      'sort=NAME',
      'filter[NAME]=1',
      'having[NAME]=1',
    ]) {
      const [hidden, unknown] = await Promise.all(['due_on', 'due_in'].map((name) => refusal(query.replace('NAME', name), customer)));
      const shape = (error: AppError | undefined, name: string): string =>
        JSON.stringify([
          error?.code,
          error?.message,
          error?.details.map((detail) => ({ ...detail, allowed: sorted(detail['allowed']) })),
        ]).replaceAll(name, 'NAME');
      // Near names are ordered by how near they are to what was written.
      const sorted = (names: unknown): unknown[] => (names as string[]).toSorted();
      expect(shape(hidden, 'due_on')).toBe(shape(unknown, 'due_in'));
    }
  });

  it('show null where a row hides its field, in groups and sums alike', async () => {
    const { data } = await aggregate('group_by=priority&count=*&sum=views', agent);
    expect(data).toEqual(
      await rows(
        `select p as priority, count(*)::int as count, sum(v)::text as sum_views from (select case when owner_id = '${USER(2)}' then priority end as p,
         case when owner_id = '${USER(2)}' then views end as v from ${T}) x group by 1 order by 1`,
      ),
    );
  });

  it('do not count what belongs to a related record outside of them', async () => {
    const { data } = await aggregate('group_by=customer.name&count=*,customer.name', agent);
    expect(data.map((row) => row['customer.name'])).not.toContain('Customer 1');
    const [own] = await rows(
      `select count(c.name)::int as named from app_sums.ticket t left join app_sums.customer c on c.id = t.customer_id and c.name <> 'Customer 1' where t.deleted_at is null`,
    );
    expect(data.reduce((sum, row) => sum + Number(row['count_customer.name']), 0)).toBe(own?.['named']);
  });
});
