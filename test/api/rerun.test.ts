import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { mayBeStale, withFreshSchema } from '../../api/rerun.ts';
import { AppError, ERROR_STATUS, type ErrorCode } from '../../core/errors.ts';
import type { AppContext, AppRuntime } from '../../operations/context.ts';

const databaseError = (code: string): pg.DatabaseError => Object.assign(new pg.DatabaseError('x', 1, 'error'), { code });

describe('what a stale schema explains', () => {
  it.each(['0A000', '42703', '42P01', '42883', '42804', '42704', '42P10', '3F000', '26000', '22P02', '22003', '23502', '23514'])(
    'SQLSTATE %s, also as a cause',
    (state) => {
      expect(mayBeStale(databaseError(state))).toBe(true);
      expect(mayBeStale(new AppError('INVALID_VALUE', 'x', { cause: databaseError(state) }))).toBe(true);
    },
  );

  it.each(['23505', '40001', '57014', '08006', '42601'])('not SQLSTATE %s', (state) => {
    expect(mayBeStale(databaseError(state))).toBe(false);
  });

  it('answers of ours that another schema may change, and no others', () => {
    const stale = (Object.keys(ERROR_STATUS) as ErrorCode[]).filter((code) => mayBeStale(new AppError(code, 'x')));
    expect(stale.sort()).toEqual([
      'FORBIDDEN',
      'NESTED_WRITE_FAILED',
      'UNKNOWN_ENTITY',
      'UNKNOWN_FIELD',
      'UNKNOWN_OPERATOR',
      'UNKNOWN_PARAMETER',
      'VALIDATION_FAILED',
    ]);
  });
});

describe('an operation on an app whose schema moved on', () => {
  const app = { version: 1 } as AppRuntime;
  const newer = { version: 2 } as AppRuntime;
  const context = (head: AppRuntime | undefined, older: readonly AppRuntime[] = []): AppContext => {
    const registry = {
      newerThan: (given: AppRuntime) => Promise.resolve(head === given ? undefined : head),
      shapesOf: () => Promise.resolve({ of: () => undefined, latest: 1, older }),
      countUse: () => undefined,
    };
    return { app, services: { registry } } as unknown as AppContext;
  };

  it('runs once more with the newer one', async () => {
    const seen: number[] = [];
    const result = await withFreshSchema(context(newer), (ctx) => {
      seen.push(ctx.app.version);
      return ctx.app.version === 1 ? Promise.reject(new AppError('UNKNOWN_FIELD', 'x')) : Promise.resolve('done');
    });
    expect([result, seen]).toEqual(['done', [1, 2]]);
  });

  it('fails as it did when it was the newest already, or failed for another reason', async () => {
    let runs = 0;
    const failing = (code: ErrorCode) => () => {
      runs += 1;
      return Promise.reject(new AppError(code, 'x'));
    };
    await expect(withFreshSchema(context(undefined), failing('UNKNOWN_FIELD'))).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' });
    await expect(withFreshSchema(context(newer), failing('CONFLICT'))).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(runs).toBe(2);
  });

  it('runs in the older shapes, the newest first, while names are unknown; another refusal of theirs is the answer', async () => {
    const shapes = [5, 4, 3].map((version) => ({ version: 1, beside: { version } }) as AppRuntime);
    const seen: (number | undefined)[] = [];
    const operate = (ctx: AppContext): Promise<string> => {
      seen.push(ctx.app.beside?.version);
      return Promise.reject(new AppError(ctx.app.beside?.version === 4 ? 'CONFLICT' : 'UNKNOWN_FIELD', 'x'));
    };
    await expect(withFreshSchema(context(undefined, shapes), operate)).rejects.toMatchObject({ code: 'CONFLICT' });
    expect(seen).toEqual([undefined, 5, 4]);
  });

  it('runs twice at most', async () => {
    let runs = 0;
    await expect(
      withFreshSchema(context(newer), () => {
        runs += 1;
        return Promise.reject(new AppError('FORBIDDEN', 'x'));
      }),
    ).rejects.toMatchObject({ code: 'FORBIDDEN' });
    expect(runs).toBe(2);
  });
});
