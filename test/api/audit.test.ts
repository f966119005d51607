/** The audit of an app: read, proved, and cleared of a person. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { callerOf, type Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';
import { DESK, PASSWORD, USERS } from '../support/realtime-world.ts';
import { tokenOf } from '../support/api.ts';

let world: HttpWorld;
let admin: Caller;
const AUDIT = '/api/desk/_admin/audit';
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', DESK, USERS);
  admin = callerOf(world.url, await tokenOf(world.url, 'admin@x.test', PASSWORD, 'desk'));
});
afterAll(() => world.close());

let made = 0;
const addUser = async (): Promise<string> => {
  const reply = await admin('POST', '/api/desk/_admin/users', {
    email: `u${++made}@x.test`,
    password: 'a long enough one',
    roles: ['agent'],
  });
  expect(reply.status, reply.text).toBe(201);
  return String(reply.at('data', 'id'));
};

describe('the audit of an app', () => {
  it('links what many write at once into one chain', async () => {
    await Promise.all(Array.from({ length: 12 }, addUser));
    const proof = await admin('GET', `${AUDIT}/verify`);
    expect(proof.body).toMatchObject({ data: { intact: true, first_bad: null } });
    expect(Number(proof.at('data', 'entries'))).toBeGreaterThanOrEqual(12);
    const list = await admin('GET', `${AUDIT}?limit=1`);
    expect(list.at('data', 0, 'hash')).toBe(proof.at('data', 'head', 'hash'));
  });

  it('is read by what was done, by whom, to whom and when, from cursor to cursor', async () => {
    const id = await addUser();
    expect((await admin('GET', `${AUDIT}?action=user.create&target=${id}&actor=${USERS[0]!.id}`)).at('data')).toHaveLength(1);
    expect((await admin('GET', `${AUDIT}?to=2020-01-01T00:00:00Z`)).at('data')).toEqual([]);
    const numbers: unknown[] = [];
    for (let cursor: unknown = ''; cursor !== null;) {
      const page = await admin('GET', `${AUDIT}?limit=5&cursor=${String(cursor)}`);
      numbers.push(...(page.at('data') as { number: number }[]).map(({ number }) => number));
      cursor = page.at('page', 'next_cursor');
    }
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, index) => numbers.length - index));
    for (const query of ['limit=0', 'from=never', 'page=1']) expect((await admin('GET', `${AUDIT}?${query}`)).status).toBe(400);
    expect((await callerOf(world.url, await tokenOf(world.url, 'ann@x.test', PASSWORD, 'desk'))('GET', AUDIT)).status).toBe(403);
  });

  it('tells that a secret was set and removed, and not which', async () => {
    expect((await admin('PUT', '/api/desk/_admin/secrets/TOKEN', { value: 'very hidden' })).status).toBe(200);
    expect((await admin('DELETE', '/api/desk/_admin/secrets/TOKEN')).status).toBe(200);
    const entries = await admin('GET', `${AUDIT}?target=TOKEN`);
    expect((entries.at('data') as { action: string }[]).map(({ action }) => action)).toEqual(['secret.delete', 'secret.set']);
    expect(entries.text).not.toContain('very hidden');
  });

  it('has the platform in a chain of its own', async () => {
    const platform = await world.platform();
    await platform('POST', '/api/_platform/invites', { email: 'p@x.test' });
    expect((await platform('GET', '/api/_platform/audit/verify')).at('data', 'intact')).toBe(true);
  });
});

describe('whoever touches it is found out', () => {
  beforeEach(async () => {
    for (let n = 0; n < 3; n++) await addUser();
  });
  /** Runs in a copy that is put back afterwards, as the chain would stay broken for ever. */
  async function afterTouching(text: string): Promise<unknown> {
    await world.pool.query('create table durabase.kept as table durabase.audit');
    await world.pool.query('create table durabase.kept_heads as table durabase.audit_heads');
    try {
      await world.pool.query(text);
      return (await admin('GET', `${AUDIT}/verify`)).at('data');
    } finally {
      await world.pool.query('delete from durabase.audit; delete from durabase.audit_heads');
      await world.pool.query('insert into durabase.audit overriding system value table durabase.kept');
      await world.pool.query('insert into durabase.audit_heads table durabase.kept_heads');
      await world.pool.query('drop table durabase.kept, durabase.kept_heads');
    }
  }
  const where = `chain = 'desk' and number = 5`;

  it.each([
    ['an action changed', `update durabase.audit set action = 'user.delete' where ${where}`, '5', 'changed'],
    ['a person changed', `update durabase.audit set actor = '{"kind":"user","id":"x"}' where ${where}`, '5', 'changed'],
    ['a target changed', `update durabase.audit set target = 'somebody' where ${where}`, '5', 'changed'],
    ['a detail changed', `update durabase.audit set detail = '{"a":1}' where ${where}`, '5', 'changed'],
    ['a time changed', `update durabase.audit set at = at + interval '1 microsecond' where ${where}`, '5', 'changed'],
    ['an entry removed', `delete from durabase.audit where ${where}`, '6', 'missing'],
    ['the first removed', `delete from durabase.audit where chain = 'desk' and number = 1`, '2', 'missing'],
    [
      'the last removed',
      `delete from durabase.audit where chain = 'desk' and number = (select number from durabase.audit_heads where chain = 'desk')`,
      undefined,
      'cut_off',
    ],
    [
      'two changed places',
      `update durabase.audit set number = case number when 5 then -6 when 6 then -5 end where chain = 'desk' and number in (5, 6);
       update durabase.audit set number = -number where number < 0`,
      '5',
      'changed',
    ],
    [
      'one put in',
      `insert into durabase.audit (app, chain, number, action, actor, target, detail, salt, digest, hash)
       select app, chain, number + 1, action, actor, target, detail, salt, digest, hash from durabase.audit
       where chain = 'desk' order by number desc limit 1`,
      undefined,
      'changed',
    ],
    ['one moved to another app', `update durabase.audit set app = 'other' where ${where}`, '5', 'changed'],
    ['one emptied', `update durabase.audit set salt = null, actor = '{}', target = null, detail = '{}' where ${where}`, '5', 'erased'],
  ])('%s', async (_what, text, number, problem) => {
    const proof = await afterTouching(text);
    expect(proof).toMatchObject({ intact: false, first_bad: { problem, ...(number === undefined ? {} : { number }) } });
    expect((await admin('GET', `${AUDIT}/verify`)).at('data', 'intact')).toBe(true);
  });
});

it('forgets a person, and the chain still holds', async () => {
  const id = await addUser();
  expect((await admin('POST', `${AUDIT}/erase`, { user: id })).body).toEqual({ data: { erased: 1 } });
  expect((await admin('GET', `${AUDIT}?target=${id}`)).at('data')).toEqual([]);
  const proof = await admin('GET', `${AUDIT}/verify`);
  expect(proof.body).toMatchObject({ data: { intact: true, erased: 1 } });
  // Also when the one who erased is erased.
  const other = await addUser();
  await admin('POST', `${AUDIT}/erase`, { user: other });
  await admin('POST', `${AUDIT}/erase`, { user: USERS[0]!.id });
  expect((await admin('GET', `${AUDIT}/verify`)).body).toMatchObject({ data: { intact: true } });
  expect((await admin('POST', `${AUDIT}/erase`, { user: 'x' })).status).toBe(400);
});
