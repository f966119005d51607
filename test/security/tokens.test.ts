import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { uuidv7 } from '../../adapters/ids.ts';
import { createKeyring } from '../../adapters/keys.ts';
import { migrateControl } from '../../adapters/postgres/migrate.ts';
import { createPool } from '../../adapters/postgres/pool.ts';
import { followRevocations, type Revocations } from '../../adapters/revocations.ts';
import { createTokens, PLATFORM_REALM, type Realm, type TokenSubject } from '../../adapters/tokens.ts';
import { announceEpoch, cutSession } from '../../operations/auth/cut.ts';
import { freshDatabase } from '../support/database.ts';

let pool: ReturnType<typeof createPool>;
const followers: Revocations[] = [];

beforeAll(async () => {
  const url = await freshDatabase();
  await migrateControl(url);
  pool = createPool({ url, max: 5, applicationName: 'test' });
  return async () => {
    for (const follower of followers) follower.close();
    await pool.end();
  };
});
afterEach(() => vi.useRealTimers());

/** The token half of one api process. */
async function process(secret = 'k'.repeat(32)) {
  const revocations = followRevocations(pool, () => undefined);
  followers.push(revocations);
  await revocations.refresh();
  return { revocations, tokens: createTokens({ pool, keyring: createKeyring(secret), revocations }) };
}

async function account(): Promise<TokenSubject> {
  const [userId, sessionId] = [uuidv7(), uuidv7()];
  const email = `${userId}@example.com`;
  await pool.query('insert into durabase.platform_users (id, email, password_hash) values ($1, $2, $3)', [userId, email, 'x']);
  await pool.query(
    "insert into durabase.platform_sessions (id, user_id, refresh_hash, expires_at) values ($1, $2, 'h', now() + interval '1 day')",
    [sessionId, userId],
  );
  return { userId, email, roles: ['admin'], sessionId, epoch: 0 };
}

const appRealm = (key: string): Realm => ({ ...PLATFORM_REALM, key });

describe('access tokens', () => {
  it('made by one process are good in another', async () => {
    const [a, b] = [await process(), await process()];
    const subject = await account();
    const token = await a.tokens.issue(PLATFORM_REALM, subject);
    expect(await b.tokens.verify(token, PLATFORM_REALM)).toMatchObject({ ...subject, realm: '' });
  });

  it('of an app are good in that app alone; of the platform, everywhere', async () => {
    const { tokens } = await process();
    const subject = await account();
    const ofApp = await tokens.issue(appRealm('aaaa'), subject);
    const ofPlatform = await tokens.issue(PLATFORM_REALM, subject);
    expect((await tokens.verify(ofApp, appRealm('aaaa'))).realm).toBe('aaaa');
    await expect(tokens.verify(ofApp, appRealm('bbbb'))).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(tokens.verify(ofApp, PLATFORM_REALM)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    expect((await tokens.verify(ofPlatform, appRealm('bbbb'))).realm).toBe('');
    expect(tokens.recall(ofApp, appRealm('bbbb'))).toBeUndefined();
  });

  it('end after 15 minutes, from memory too', async () => {
    const { tokens, revocations } = await process();
    const token = await tokens.issue(PLATFORM_REALM, await account());
    await tokens.verify(token, PLATFORM_REALM);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 901_000 });
    await revocations.refresh();
    expect(tokens.recall(token, PLATFORM_REALM)).toBeUndefined();
    await expect(tokens.verify(token, PLATFORM_REALM)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('cost less than 50 microseconds to recognise again', async () => {
    const { tokens } = await process();
    const token = await tokens.issue(PLATFORM_REALM, await account());
    await tokens.verify(token, PLATFORM_REALM);
    const start = performance.now();
    for (let i = 0; i < 10_000; i++) tokens.recall(token, PLATFORM_REALM);
    expect((performance.now() - start) / 10_000).toBeLessThan(0.05);
  });
});

describe('cut sessions', () => {
  it('are refused by every process within five seconds, without being told', async () => {
    const [a, b] = [await process(), await process()];
    const subject = await account();
    const token = await a.tokens.issue(PLATFORM_REALM, subject);
    await b.tokens.verify(token, PLATFORM_REALM);
    await cutSession(pool, PLATFORM_REALM, subject.sessionId);
    await expect.poll(() => b.tokens.recall(token, PLATFORM_REALM), { timeout: 5_000 }).toBeUndefined();
    await expect(b.tokens.verify(token, PLATFORM_REALM)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });

  it('a raised epoch refuses older tokens and no newer one', async () => {
    const { tokens, revocations } = await process();
    const subject = await account();
    const old = await tokens.issue(PLATFORM_REALM, subject);
    await announceEpoch(pool, PLATFORM_REALM, subject.userId, 1);
    await revocations.refresh();
    await expect(tokens.verify(old, PLATFORM_REALM)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    const next = await tokens.issue(PLATFORM_REALM, { ...subject, epoch: 1 });
    expect((await tokens.verify(next, PLATFORM_REALM)).epoch).toBe(1);
  });

  it('an entry that is committed after a later one is still seen', async () => {
    const { revocations } = await process();
    const [early, late] = [await account(), await account()];
    const slow = await pool.connect();
    await slow.query('begin');
    await cutSession(slow, PLATFORM_REALM, early.sessionId);
    await cutSession(pool, PLATFORM_REALM, late.sessionId);
    await revocations.refresh();
    expect(revocations.isCut('', late.userId, late.sessionId, 0)).toBe(true);
    await slow.query('commit');
    slow.release();
    await revocations.refresh();
    expect(revocations.isCut('', early.userId, early.sessionId, 0)).toBe(true);
  });

  it('while the feed is older than five seconds, the database is asked each time', async () => {
    const { tokens, revocations } = await process();
    revocations.close();
    const subject = await account();
    const token = await tokens.issue(PLATFORM_REALM, subject);
    await tokens.verify(token, PLATFORM_REALM);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 6_000 });
    expect(revocations.isFresh()).toBe(false);
    expect(tokens.recall(token, PLATFORM_REALM)).toBeUndefined();
    expect((await tokens.verify(token, PLATFORM_REALM)).userId).toBe(subject.userId);
    await pool.query('update durabase.platform_users set active = false where id = $1', [subject.userId]);
    await expect(tokens.verify(token, PLATFORM_REALM)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
  });
});
