/**
 * What was cut: sessions that ended and accounts whose epoch was raised. Every api process follows `durabase.revocations`, so
 * that a cached token is refused within two seconds; while the feed is old, each request asks the database instead.
 */
import type pg from 'pg';
import { raw, sql, value } from '../core/sql/sql.ts';
import { execute, run } from './postgres/run.ts';

export const POLL_MS = 2_000;
/** Older than this, memory is not believed any more. */
export const STALE_MS = 5_000;
/** Access tokens live 15 minutes; what was cut before that cannot be in use. */
const WINDOW = raw("interval '20 minutes'");
/** Ids are given before commit, so a lower one may appear after a higher one was read: each poll looks back this far. */
const OVERLAP = 1_000;

export interface Revocations {
  isCut(realm: string, userId: string, sessionId: string, epoch: number): boolean;
  /** True for a signing key that was cut: whatever it signed is refused. */
  isKeyCut(kid: string): boolean;
  isFresh(): boolean;
  refresh(): Promise<void>;
  close(): void;
}

interface Row {
  readonly id: string;
  readonly app: string;
  readonly user_id: string | null;
  readonly session_id: string | null;
  readonly epoch: number | null;
  readonly kid: string | null;
  readonly at: Date;
}

export function followRevocations(pool: pg.Pool, onError: (error: unknown) => void): Revocations {
  const epochs = new Map<string, { epoch: number; at: number }>();
  const sessions = new Map<string, number>();
  const kids = new Map<string, number>();
  let cursor: bigint | undefined;
  let refreshedAt = 0;
  let current: Promise<void> | undefined;
  let polls = 0;

  const read = async (): Promise<void> => {
    const startedAt = Date.now();
    const since = cursor === undefined ? sql`at > now() - ${WINDOW}` : sql`id > ${value((cursor - BigInt(OVERLAP)).toString(), 'bigint')}`;
    const rows = await run<Row & pg.QueryResultRow>(
      pool,
      sql`select id, app, user_id, session_id, epoch, kid, at from durabase.revocations where ${since} order by id`,
    );
    for (const row of rows) apply(row);
    cursor ??= 0n;
    refreshedAt = startedAt;
  };
  const apply = (row: Row): void => {
    if (row.kid !== null) kids.set(row.kid, row.at.getTime());
    if (row.session_id !== null) sessions.set(row.session_id, row.at.getTime());
    if (row.user_id !== null && row.epoch !== null) {
      const key = `${row.app}/${row.user_id}`;
      if ((epochs.get(key)?.epoch ?? -1) < row.epoch) epochs.set(key, { epoch: row.epoch, at: row.at.getTime() });
    }
    if (cursor === undefined || BigInt(row.id) > cursor) cursor = BigInt(row.id);
  };
  const forgetOld = async (): Promise<void> => {
    const horizon = Date.now() - 30 * 60_000;
    for (const [kid, at] of kids) if (at < horizon) kids.delete(kid);
    for (const [id, at] of sessions) if (at < horizon) sessions.delete(id);
    for (const [key, { at }] of epochs) if (at < horizon) epochs.delete(key);
    await execute(pool, sql`delete from durabase.revocations where at < now() - interval '1 day'`);
  };
  const refresh = (): Promise<void> => {
    current ??= read().finally(() => (current = undefined));
    return current;
  };
  const timer = setInterval(() => {
    refresh()
      .then(() => (++polls % 300 === 0 ? forgetOld() : undefined))
      .catch(onError);
  }, POLL_MS);
  timer.unref();

  return {
    isCut: (realm, userId, sessionId, epoch) => sessions.has(sessionId) || (epochs.get(`${realm}/${userId}`)?.epoch ?? -1) > epoch,
    isKeyCut: (kid) => kids.size > 0 && kids.has(kid),
    isFresh: () => Date.now() - refreshedAt <= STALE_MS,
    // A read that began before the caller's own write would not show it: wait it out, then read again.
    refresh: async () => {
      await current?.catch(() => undefined);
      await refresh();
    },
    close: () => clearInterval(timer),
  };
}
