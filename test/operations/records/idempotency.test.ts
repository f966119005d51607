import { beforeAll, describe, expect, it } from 'vitest';
import { bulkRecords } from '../../../operations/records/bulk.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { idempotencyOf, pruneAnswers } from '../../../operations/records/idempotency.ts';
import type { Idempotency } from '../../../operations/records/write-state.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import type { AppContext, AppRuntime } from '../../../operations/context.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

let world: WritingWorld;
let app: AppRuntime;
let ctx: AppContext;

const document = {
  version: 1,
  entities: [
    {
      name: 'payment',
      fields: [
        { name: 'amount', type: 'int', required: true, min: 0 },
        { name: 'owner', type: 'string' },
        { name: 'secret', type: 'string' },
      ],
    },
  ],
  permissions: [
    { entity: 'payment', action: 'create', roles: ['clerk', 'other'] },
    { entity: 'payment', action: 'read', roles: ['clerk'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }] },
  ],
};

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('idem', document);
  ctx = world.context(app);
});

const once = (key: string, asked: unknown = null): { idempotency: Idempotency } => {
  const idempotency = idempotencyOf(key, () => [asked]);
  if (idempotency === undefined) throw new Error('no key');
  return { idempotency };
};
const count = async (): Promise<number> =>
  Number((await world.pool.query<{ n: string }>('select count(*) as n from app_idem.payment')).rows[0]?.n);

describe('Idempotency-Key', () => {
  it('writes once and answers the same text again, without a second event', async () => {
    const before = await count();
    const events = (await world.events(app)).length;
    const [first, second] = [once('same'), once('same')];
    const written = await createRecord(ctx, 'payment', { amount: 1 }, first);
    expect(await createRecord(ctx, 'payment', { amount: 1 }, second)).toEqual(written);
    expect([first.idempotency.isReplayed, second.idempotency.isReplayed]).toEqual([false, true]);
    expect([await count(), (await world.events(app)).length]).toEqual([before + 1, events + 1]);
  });

  it('gives one record to each of twenty pairs that arrive at once', async () => {
    const before = await count();
    const pairs = Array.from({ length: 20 }, (_, n) => {
      const options = [once(`pair-${String(n)}`), once(`pair-${String(n)}`)];
      return Promise.all(options.map((option) => createRecord(ctx, 'payment', { amount: n }, option))).then((written) => ({
        written,
        options,
      }));
    });
    for (const { written, options } of await Promise.all(pairs)) {
      expect(written[0]).toEqual(written[1]);
      expect(options.filter((option) => option.idempotency.isReplayed)).toHaveLength(1);
    }
    expect(await count()).toBe(before + 20);
  });

  it('refuses the key for another request, and knows it apart by caller and app', async () => {
    await createRecord(ctx, 'payment', { amount: 1 }, once('other', 'a'));
    expect((await refusal(createRecord(ctx, 'payment', { amount: 2 }, once('other', 'b')))).code).toBe('IDEMPOTENCY_MISMATCH');
    const before = await count();
    await createRecord(world.context(app, { id: 'somebody', roles: ['other'] }), 'payment', { amount: 3 }, once('other', 'c'));
    expect(await count()).toBe(before + 1);
    const second = await world.app('idem2', document);
    expect((await createRecord(world.context(second), 'payment', { amount: 1 }, once('other', 'a'))).version).toBe('1');
  });

  it('keeps no refusal: a corrected request may use the key', async () => {
    expect((await refusal(createRecord(ctx, 'payment', { amount: -1 }, once('refused', 'bad')))).code).toBe('VALIDATION_FAILED');
    const good = once('refused', 'good');
    await createRecord(ctx, 'payment', { amount: 1 }, good);
    expect(good.idempotency.isReplayed).toBe(false);
  });

  it('forgets after a day, also before anybody has pruned', async () => {
    await createRecord(ctx, 'payment', { amount: 1 }, once('old', 'a'));
    await world.pool.query(`update app_idem._idempotency set at = now() - interval '25 hours' where key = 'old'`);
    const again = once('old', 'b');
    await createRecord(ctx, 'payment', { amount: 2 }, again);
    expect(again.idempotency.isReplayed).toBe(false);
    await world.pool.query(`update app_idem._idempotency set at = now() - interval '25 hours' where key = 'old'`);
    expect(await pruneAnswers(ctx)).toBe(1);
  });

  it('answers 409 with Retry-After when the first takes longer than the wait', async () => {
    const client = await world.pool.connect();
    try {
      await client.query('begin; set local idle_in_transaction_session_timeout = 0');
      await client.query(
        `insert into app_idem._idempotency (caller, key, part, hash, schema_version, roles) values ($1, 'slow', 0, 'x', 1, '{}')`,
        [`user:${ctx.actor.id ?? ''}`],
      );
      const waiting = refusal(createRecord(ctx, 'payment', { amount: 1 }, once('slow')));
      const error = await waiting;
      expect([error.code, error.retryAfter]).toEqual(['CONFLICT', 1]);
    } finally {
      await client.query('rollback');
      client.release();
    }
  }, 20_000);

  it('gives the stored answer only to who may still read it', async () => {
    const clerk = world.context(app, { id: 'u1', roles: ['clerk'] });
    const written = await createRecord(clerk, 'payment', { amount: 1, owner: 'u1' }, once('policy'));
    expect(await createRecord(clerk, 'payment', { amount: 1, owner: 'u1' }, once('policy'))).toEqual(written);
    const demoted = world.context(app, { id: 'u1', roles: ['other'] });
    expect((await refusal(createRecord(demoted, 'payment', { amount: 1, owner: 'u1' }, once('policy')))).code).toBe('FORBIDDEN');
    await updateRecord(ctx, 'payment', written.id, { owner: 'u2' });
    expect((await refusal(createRecord(clerk, 'payment', { amount: 1, owner: 'u1' }, once('policy')))).code).toBe('FORBIDDEN');
    await deleteRecord(ctx, 'payment', written.id);
    expect((await createRecord(clerk, 'payment', { amount: 1, owner: 'u1' }, once('policy'))).id).toBe(written.id);
  });

  it('holds for updates, deletes and whole bulks', async () => {
    const { id } = await createRecord(ctx, 'payment', { amount: 1 });
    const updated = await updateRecord(ctx, 'payment', id, { amount: 2 }, { ...once('upd'), ifMatch: '1' });
    expect(await updateRecord(ctx, 'payment', id, { amount: 2 }, { ...once('upd'), ifMatch: '1' })).toEqual(updated);
    await deleteRecord(ctx, 'payment', id, once('del'));
    expect(await deleteRecord(ctx, 'payment', id, once('del'))).toEqual({ id });
    const body = { create: [{ amount: 1 }, { amount: 2 }] };
    const bulk = await bulkRecords(ctx, 'payment', body, { ...once('bulk'), isAtomic: true });
    const again = await bulkRecords(ctx, 'payment', body, { ...once('bulk'), isAtomic: true });
    expect(again.map((one) => one.outcome)).toEqual(bulk.map((one) => one.outcome));
  });

  it('keys each row of a bulk that is not atomic: a repeat does only what is not done', async () => {
    const body = { create: [{ amount: 1 }, { amount: -1 }, { amount: 3 }] };
    const before = await count();
    const first = await bulkRecords(ctx, 'payment', body, { ...once('rows'), isAtomic: false });
    const second = await bulkRecords(ctx, 'payment', body, { ...once('rows'), isAtomic: false });
    expect(second.map((one) => one.outcome?.id)).toEqual(first.map((one) => one.outcome?.id));
    expect(second.map((one) => one.error?.code)).toEqual([undefined, 'VALIDATION_FAILED', undefined]);
    expect(await count()).toBe(before + 2);
    const other = bulkRecords(ctx, 'payment', { create: [{ amount: 9 }] }, { ...once('rows', 'other'), isAtomic: false });
    expect((await refusal(other)).code).toBe('IDEMPOTENCY_MISMATCH');
  });

  it('costs a request without it no statement', async () => {
    const before = world.statements.length;
    await createRecord(ctx, 'payment', { amount: 1 });
    expect(world.statements.length - before).toBe(1);
    await createRecord(ctx, 'payment', { amount: 1 }, once('trips'));
    expect(world.statements.length - before - 1).toBe(5);
  });

  it.each(['', ' ', 'a b', 'ü', 'x'.repeat(256), 'a\0b', 'a\nb'])('refuses the key %j', (key) => {
    expect(() => idempotencyOf(key, () => [])).toThrow(/Idempotency-Key/);
  });
});
