import { id, sql } from '../core/sql/sql.ts';
import type { Services } from '../operations/context.ts';
import { replayPage } from '../operations/webhooks/replays.ts';
import { loop, pause, type Loop } from './loop.ts';
import { takeTurn } from './turn.ts';

const POLL_MS = 500;

/** Goes through the replays that admins asked for, a page of one app at a time. */
export function startReplayer(services: Services, onReplayed: () => void = () => undefined): Loop {
  return loop('replayer', services.log, async (signal, waker) => {
    const turn = await takeTurn(services, 'replays', async (client, app) => ({
      rows: (await replayPage(client, app)) ? [app.id] : [],
      nextDue: sql`select min(created_at) as at from ${id(app.storage, '_replays')} where state = 'running'`,
      pause: '0',
    }));
    if (turn === undefined) return pause(POLL_MS, signal, waker);
    onReplayed();
  });
}
