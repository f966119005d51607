/** Times in queries and bodies are read by one rule, wherever the server stands: without an offset UTC, a date alone its midnight. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const BOSS = '00000000-0000-7000-8000-000000000001';
const zone = process.env['TZ'];
let world: HttpWorld;
let admin: Caller;
beforeAll(async () => {
  process.env['TZ'] = 'Pacific/Auckland';
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, [
    { id: BOSS, email: 'boss@desk.test', roles: ['admin'] },
    { id: BOSS.replace(/1$/, '2'), email: 'other@desk.test', roles: [] },
  ]);
  admin = await world.login('desk', 'boss@desk.test');
});
afterAll(async () => {
  await world.close();
  if (zone === undefined) delete process.env['TZ'];
  else process.env['TZ'] = zone;
});

describe('a time without an offset', () => {
  it('is UTC in a body', async () => {
    const made = await admin('POST', '/api/desk/_absences', {
      substitute: 'other@desk.test',
      from: '2199-08-01T09:00',
      until: '2199-08-02',
    });
    expect(made.body, made.text).toMatchObject({ data: { from: '2199-08-01T09:00:00.000Z', until: '2199-08-02T00:00:00.000Z' } });
  });

  it('is UTC in every query', async () => {
    const ago = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString().slice(0, 19);
    const count = async (query: string): Promise<number> =>
      ((await admin('GET', `/api/desk/_admin/${query}`)).body as { data: unknown[] }).data.length;
    expect(await count(`audit?from=${ago(1)}`)).toBeGreaterThan(0);
    expect(await count(`audit?to=${ago(1)}`)).toBe(0);
    expect(await count(`audit?from=${ago(-1)}`)).toBe(0);
  });

  it.each(['audit?from=', 'runs?started_after=', 'deliveries?from=', '../_slas?due_before='])(
    'is refused in %s when it is none',
    async (query) => {
      for (const time of ['soon', '2026-13-45', '0000-01-01', '2026-01-31 12:00', '9999-12-31T23:59-10:00', '']) {
        const answer = await admin('GET', new URL(`http://x/api/desk/_admin/${query}${encodeURIComponent(time)}`).href.slice(8));
        expect(answer.status, `${query}${time}`).toBe(400);
        expect(answer.body).toMatchObject({ error: { code: 'INVALID_VALUE', details: [{ rule: 'type' }] } });
      }
      const path = new URL(`http://x/api/desk/_admin/${query}2026-01-31T12:00`).href.slice(8);
      expect((await admin('GET', path)).status).toBe(200);
    },
  );
});
