import { beforeAll, describe, expect, it } from 'vitest';
import { isAppError } from '../../../core/errors.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { getRecord } from '../../../operations/records/get.ts';
import { listRecords, queryRecords } from '../../../operations/records/list.ts';
import { HELPDESK } from '../../support/helpdesk.ts';
import { readingWorld, type ReadingWorld } from '../../support/records.ts';
import { seedHelpdesk, TICKET, USER } from '../../support/tickets.ts';

/** Texts that end, extend or comment out a statement where one forgot to quote, and keys that reach into objects. */
const CORPUS = [
  `'`,
  `"`,
  `''`,
  `'; drop table ticket; --`,
  `" or 1=1 --`,
  `') or ('1'='1`,
  `x' union select null--`,
  `\\'; select pg_sleep(5); --`,
  `$1`,
  `$$`,
  `{$gt: 1}`,
  `{"$gt":""}`,
  `id"; delete from ticket; --`,
  `title::int`,
  `title) from app_two.ticket --`,
  `*`,
  `%`,
  `_`,
  `\\`,
  `\0`,
  '\ud800',
  '́',
  '👩‍💻',
  `__proto__`,
  `constructor`,
  `prototype`,
  `toString`,
  `hasOwnProperty`,
  `_version`,
  `deleted_at`,
  `ctid`,
  `xmin`,
  `tableoid`,
  `pg_catalog.pg_user`,
  `app_two.ticket`,
  `../ticket`,
  `%27`,
  `%00`,
  `a`.repeat(5000),
  '[',
  ']',
  '[]',
  '[[',
  '{}',
  ',',
  ',,',
  ':',
  '.',
  '..',
  '-',
  '--',
  ' ',
  '',
  'null',
  'NaN',
  'Infinity',
  '1e309',
  '0x1F',
  'true',
  '9'.repeat(400),
  '$now',
  '$user.id',
  'self',
  '$now-999999w',
  '{"or":[]}',
  '{"field":"title","op":"eq","value":{"$ne":1}}',
  '[{"field":"title"}]',
];

let world: ReadingWorld;
let app: AppRuntime;
let callers: AppContext[];

beforeAll(async () => {
  world = await readingWorld();
  app = await world.app('one', {
    ...HELPDESK,
    permissions: [{ entity: 'ticket', action: 'read', roles: ['agent'], conditions: [{ field: 'owner_id', value: '$user.id' }] }],
  });
  await seedHelpdesk(world, app, 20);
  await seedHelpdesk(world, await world.app('two', HELPDESK), 20);
  callers = [world.context(app), world.context(app, { id: USER(1), roles: ['agent'], isAdmin: false })];
});

/** Either a plain answer with rows of this app's shape, or one of our own 4xx; never a database error. */
async function isHarmless(sent: string, work: () => Promise<{ text: string }>): Promise<void> {
  try {
    const body = JSON.parse((await work()).text) as { data: unknown };
    expect(body.data).toBeDefined();
  } catch (error) {
    if (!isAppError(error)) throw error;
    expect(error.status).toBeGreaterThanOrEqual(400);
    expect(error.status).toBeLessThan(500);
    const said = [error.message, error.hint ?? '', ...error.details.map((detail) => detail.message)]
      .join(' ')
      .replaceAll(sent.slice(0, 50), '');
    expect(said).not.toMatch(/\bselect\b|syntax error|app_one|SQLSTATE/i);
  }
}

const parameters = (...entries: [string, string][]): URLSearchParams => new URLSearchParams(entries);

describe('nothing a caller sends becomes SQL', () => {
  it.each(CORPUS.map((text) => [text.slice(0, 60), text] as const))('%j', async (_, text) => {
    for (const ctx of callers) {
      const requests: [string, string][] = [
        ['filter[title]', text],
        ['filter[title.like]', text],
        ['filter[title.icontains]', text],
        ['filter[title.in]', text],
        ['filter[title.between]', `${text},${text}`],
        ['filter[priority]', text],
        ['filter[views.in]', text],
        ['filter[price.gt]', text],
        ['filter[score]', text],
        ['filter[created_at.gte]', text],
        ['filter[due_on]', text],
        ['filter[opens_at]', text],
        ['filter[meta]', text],
        ['filter[meta.contains]', text],
        ['filter[owner_id]', text],
        ['filter[urgent]', text],
        ['filter[status.not_in]', text],
        ['filter[body.is_null]', text],
        [`filter[${text}]`, 'x'],
        [`filter[title.${text}]`, 'x'],
        [`filter[title][${text}]`, 'x'],
        [`filter[customer.${text}]`, 'x'],
        [`filter[comment.some.${text}]`, 'x'],
        ['filter', text],
        ['filter', JSON.stringify({ field: text, op: 'eq', value: 1 })],
        ['filter', JSON.stringify({ field: 'title', op: text, value: 1 })],
        ['filter', JSON.stringify({ [text]: 1 })],
        ['filter', JSON.stringify({ field: 'title', op: 'in', value: [text, text] })],
        ['sort', text],
        ['sort', `-${text}`],
        ['sort', `title:${text}`],
        ['fields', text],
        ['fields', `customer.${text}`],
        ['include', text],
        ['include', `customer.${text}`],
        ['page', text],
        ['per_page', text],
        ['count', text],
        ['with_deleted', text],
        [text, text],
      ];
      for (const [key, given] of requests)
        await isHarmless(text, () => listRecords(ctx, 'ticket', parameters([key, given], ['per_page', '1'])));
      await isHarmless(text, () => getRecord(ctx, 'ticket', text, new URLSearchParams()));
      await isHarmless(text, () => getRecord(ctx, 'customer', text, new URLSearchParams()));
      await isHarmless(text, () => listRecords(ctx, text, new URLSearchParams()));
      await isHarmless(text, () =>
        queryRecords(ctx, 'ticket', { filter: { field: 'title', value: text }, sort: text, include: [text], fields: text }),
      );
      await isHarmless(text, () => queryRecords(ctx, 'ticket', { [text]: text }));
    }
  });

  it('and nothing was changed or reached in another app', async () => {
    for (const name of ['app_one', 'app_two']) {
      expect((await world.pool.query<{ n: string }>(`select count(*) n from ${name}.ticket`)).rows[0]?.n).toBe('20');
    }
    expect(await getRecord(world.context(app), 'ticket', TICKET(1), new URLSearchParams('fields=title'))).toMatchObject({
      text: '{"data":{"title":"100% sure"}}',
    });
  });

  it.each([
    null,
    1,
    'x',
    [],
    { filter: 1 },
    { filter: [] },
    { sort: {} },
    { page: [] },
    { filter: { and: {} } },
    { filter: { not: [] } },
    { filter: { field: 1 } },
    { fields: [1] },
    JSON.parse('{"__proto__": {"x": 1}}'),
  ])('a malformed body of _query is a 400: %j', async (body) => {
    const refusal = await queryRecords(world.context(app), 'ticket', body).catch((error: unknown) => error);
    expect(refusal).toMatchObject({ name: 'AppError', status: 400 });
  });
});

describe('statements are prepared once', () => {
  it('with plans Postgres keeps, for a list and a record', async () => {
    for (let i = 0; i < 12; i++) {
      await listRecords(
        world.context(app),
        'ticket',
        new URLSearchParams('filter[status]=open&sort=-created_at&include=comment&count=none'),
      );
      await getRecord(world.context(app), 'ticket', TICKET(1), new URLSearchParams('include=customer'));
    }
    const kept = await world.pool.query<{ generic: string; custom: string }>(
      `select generic_plans generic, custom_plans custom from pg_prepared_statements where generic_plans + custom_plans >= 12 and statement like '%"comment"%'`,
    );
    expect(kept.rows.length).toBeGreaterThan(0);
    for (const row of kept.rows) expect(Number(row.custom)).toBeLessThanOrEqual(5);
  });
});
