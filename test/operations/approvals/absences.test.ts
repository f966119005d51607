import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../../support/api.ts';
import { freshDatabase } from '../../support/database.ts';
import { httpWorld, type HttpWorld } from '../../support/http-world.ts';

const user = (name: string, roles: string[] = []) => ({ id: randomUUID(), email: `${name}@example.com`, roles });
const [admin, ann, ben, cid] = [user('admin', ['admin']), user('ann'), user('ben'), user('cid')] as const;

let world: HttpWorld;
let asAdmin: Caller;
let asAnn: Caller;
let asBen: Caller;
let asCid: Caller;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', { version: 1, entities: [] }, [admin, ann, ben, cid]);
  [asAdmin, asAnn, asBen, asCid] = (await Promise.all([admin, ann, ben, cid].map(({ email }) => world.login('desk', email)))) as [
    Caller,
    Caller,
    Caller,
    Caller,
  ];
});
afterAll(() => world.close());

const absences = '/api/desk/_absences';
const days = (count: number): string => new Date(Date.now() + count * 86_400_000).toISOString();

describe('absences', () => {
  it('are entered by oneself, seen by both and ended by who is away', async () => {
    const made = await asAnn('POST', absences, { from: days(-1), until: days(3), substitute: ben.email });
    expect(made.status, made.text).toBe(201);
    expect(made.at('data')).toMatchObject({ user: ann.id, substitute: ben.id, is_current: true });
    const id = String(made.at('data', 'id'));
    for (const caller of [asAnn, asBen, asAdmin]) expect((await caller('GET', absences)).at('meta', 'total')).toBe(1);
    expect((await asCid('GET', absences)).at('data')).toEqual([]);
    expect((await asCid('DELETE', `${absences}/${id}`)).status).toBe(404);
    expect((await asBen('DELETE', `${absences}/${id}`)).status).toBe(403);
    expect((await asAnn('DELETE', `${absences}/${id}`)).status).toBe(200);
    expect((await asAnn('GET', absences)).at('data')).toEqual([]);
  });

  it('of others are for admins', async () => {
    const refused = await asBen('POST', absences, { user: cid.id, until: days(1), substitute: ben.id });
    expect(refused.at('error', 'code')).toBe('FORBIDDEN');
    const made = await asAdmin('POST', absences, { user: cid.email, until: days(1), substitute: ben.id });
    expect(made.at('data')).toMatchObject({ user: cid.id, substitute: ben.id });
    expect((await asAdmin('GET', `${absences}?user=${cid.id}`)).at('meta', 'total')).toBe(1);
    expect((await asAdmin('GET', `${absences}?user=me`)).at('data')).toEqual([]);
  });

  it('of one person do not overlap', async () => {
    const [start, end] = [days(10), days(20)];
    expect((await asBen('POST', absences, { from: start, until: end, substitute: ann.id })).status).toBe(201);
    const overlapping = await asBen('POST', absences, { from: days(19), until: days(25), substitute: cid.id });
    expect(overlapping.at('error', 'code')).toBe('CONFLICT');
    // One may end at the moment in which the next begins.
    expect((await asBen('POST', absences, { from: days(8), until: start, substitute: cid.id })).status).toBe(201);
    expect((await asBen('POST', absences, { from: end, until: days(25), substitute: cid.id })).status).toBe(201);
    expect((await asBen('POST', absences, { from: days(9), until: days(26), substitute: cid.id })).at('error', 'code')).toBe('CONFLICT');
  });

  it.each([
    ['no substitute', { until: days(1) }, 'substitute'],
    ['nobody of that name', { until: days(1), substitute: 'nobody@example.com' }, 'substitute'],
    ['oneself', { until: days(1), substitute: ann.id }, 'substitute'],
    ['no end', { substitute: ben.id }, 'until'],
    ['an end before the beginning', { from: days(3), until: days(2), substitute: ben.id }, 'until'],
    ['an end that is over', { from: days(-3), until: days(-2), substitute: ben.id }, 'until'],
    ['a word for a time', { until: 'tomorrow', substitute: ben.id }, 'until'],
  ])('are refused with %s', async (_, body, field) => {
    const refused = await asAnn('POST', absences, body);
    expect(refused.status).toBe(422);
    expect(refused.at('error', 'details', 0, 'field')).toBe(field);
  });

  it('take no other methods, paths or members', async () => {
    expect((await asAnn('PUT', absences, {})).status).toBe(405);
    expect((await asAnn('DELETE', `${absences}/x/y`)).status).toBe(404);
    expect((await asAnn('DELETE', `${absences}/nothing`)).status).toBe(404);
    expect((await asAnn('POST', absences, { substitute: ben.id, until: days(1), why: 'sun' })).at('error', 'code')).toBe('UNKNOWN_FIELD');
  });
});

describe('the manager of an account', () => {
  const users = '/api/desk/_admin/users';
  it('is set by id or email, shown, and taken away', async () => {
    const changed = await asAdmin('PATCH', `${users}/${ann.id}`, { manager: 'BEN@example.com' });
    expect(changed.at('data', 'manager')).toBe(ben.id);
    const made = await asAdmin('POST', users, { email: 'dot@example.com', password: 'long enough', manager: ann.id });
    expect(made.at('data', 'manager')).toBe(ann.id);
    expect((await asAdmin('PATCH', `${users}/${ann.id}`, { manager: null })).at('data', 'manager')).toBeNull();
    expect((await asAdmin('PATCH', `${users}/${ann.id}`, { active: true })).at('data', 'manager')).toBeNull();
  });

  it('is somebody, and somebody else', async () => {
    for (const manager of ['nobody', ann.id, 5]) {
      const refused = await asAdmin('PATCH', `${users}/${ann.id}`, { manager });
      expect(refused.at('error', 'code')).toBe('VALIDATION_FAILED');
      expect(refused.at('error', 'details', 0, 'field')).toBe('manager');
    }
  });

  it('is nothing of the platform', async () => {
    const platform = await world.platform();
    const [first] = (await platform('GET', '/api/_platform/users')).at('data') as { id: string }[];
    expect(first).not.toHaveProperty('manager');
    expect((await platform('PATCH', `/api/_platform/users/${first?.id ?? ''}`, { manager: null })).status).toBe(422);
  });
});
