/** Whatever has an ETag reads `If-None-Match` in the same way. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

let world: HttpWorld;
let admin: Caller;
let ticket: string;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, [{ id: '00000000-0000-7000-8000-000000000001', email: 'boss@desk.test', roles: ['admin'] }]);
  admin = await world.login('desk', 'boss@desk.test');
  const customer = (await admin('POST', '/api/desk/customer', { name: 'Ann', email: 'ann@example.com' })).at('data', 'id');
  const made = await admin('POST', '/api/desk/ticket', { title: 'Paper', customer_id: customer });
  expect(made.status, made.text).toBe(201);
  ticket = String(made.at('data', 'id'));
});
afterAll(() => world.close());

const PATHS = ['ticket/:id', 'ticket/:id?include=customer', '_discovery', '_openapi.json', '_admin/entities/ticket'];

describe.each(PATHS)('GET %s', (pattern) => {
  const read = (known?: string) =>
    admin('GET', `/api/desk/${pattern.replace(':id', ticket)}`, undefined, known === undefined ? {} : { 'if-none-match': known });

  it('answers 304 to its tag, strong, weak, bare, in a list, or to any', async () => {
    const fresh = await read();
    expect(fresh.status, fresh.text).toBe(200);
    const etag = fresh.headers.get('etag') ?? '';
    const strong = etag.replace(/^W\//, '');
    const bare = strong.slice(1, -1);
    for (const known of [etag, strong, `W/${strong}`, bare, `"x", ${etag}`, `"a,b",W/"y",W/${strong} , "z"`, '*', ' * ']) {
      const { status, text, headers } = await read(known);
      expect([status, text, headers.get('etag')], known).toEqual([304, '', etag]);
      expect(headers.get('vary'), known).toBe(fresh.headers.get('vary'));
    }
  });

  it('answers the whole to every other tag', async () => {
    const strong = ((await read()).headers.get('etag') ?? '').replace(/^W\//, '');
    for (const known of ['"x"', 'W/"x"', '""', '', ',', `"x,${strong.slice(1)}`, `"*"`, `${strong.slice(0, -1)}x"`, '*, "x"'])
      expect((await read(known)).status, known).toBe(200);
  });
});
