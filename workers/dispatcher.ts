/**
 * Attempts of deliveries, straight from `_deliveries`: no workflow is started for what succeeds at once. Claimed rows carry a
 * lease; a lost one repeats the attempt with the same webhook-id. One slow endpoint fills only its own window.
 */
import type { Db } from '../adapters/postgres/run.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { concurrencyOf } from '../core/webhook/circuit.ts';
import { attemptDelivery } from '../operations/webhooks/attempt.ts';
import { claimDeliveries, MAX_AT_ONCE, nextDelivery, type ClaimedDelivery } from '../operations/webhooks/claim.ts';
import { loop, pause, type Loop } from './loop.ts';
import { takeTurn } from './turn.ts';
import { Windows, type Rooms } from './windows.ts';

const POLL_MS = 150;
/** Rows that remain due belong to endpoints without a free slot, or behind others in order: look again soon, other apps first. */
const WAIT_FOR_ROOM = '250 milliseconds';

export function startDispatcher(services: Services): Loop {
  const dispatcher = new Dispatcher(services);
  const deliveries = loop('dispatcher', services.log, async (signal, waker) => {
    dispatcher.onRoom = () => waker.wake();
    if (!(await dispatcher.turn())) await pause(POLL_MS, signal, waker);
  });
  return {
    wake: () => deliveries.wake(),
    async close() {
      await deliveries.close();
      await dispatcher.ended();
    },
  };
}

class Dispatcher {
  readonly #services: Services;
  readonly #windows = new Windows();
  readonly #running = new Set<Promise<void>>();
  /** Apps of whose deliveries the last claim left some for want of slots, and those that have slots now: they need not wait for their turn. */
  readonly #hungry = new Set<string>();
  readonly #withRoom = new Set<string>();
  onRoom: () => void = () => undefined;

  constructor(services: Services) {
    this.#services = services;
  }

  ended(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  /** Begins what there is room for; false when there is nothing to do at the moment. */
  async turn(): Promise<boolean> {
    if (this.#windows.isFull) return false;
    const refilled = await this.#refill();
    return (await this.#nextApp()) || refilled;
  }

  async #refill(): Promise<boolean> {
    const [appId] = this.#withRoom;
    if (appId === undefined) return false;
    this.#withRoom.delete(appId);
    const app = await this.#services.registry.byId(appId);
    if (app === undefined) return false;
    const rows = await this.#claim(this.#services.pool, app);
    for (const row of rows) this.#begin(app, row);
    return true;
  }

  async #nextApp(): Promise<boolean> {
    if (this.#windows.isFull) return false;
    const turn = await takeTurn<ClaimedDelivery>(this.#services, 'deliveries', async (client, app) => {
      const rows = await this.#claim(client, app);
      return { rows, nextDue: nextDelivery(app), pause: rows.length === 0 ? WAIT_FOR_ROOM : '0' };
    });
    for (const row of turn?.rows ?? []) if (turn !== undefined) this.#begin(turn.app, row);
    return (turn?.rows.length ?? 0) > 0;
  }

  async #claim(db: Db, app: AppRuntime): Promise<ClaimedDelivery[]> {
    const rooms = this.#roomsOf(app);
    const rows = await claimDeliveries(db, app, rooms);
    const isLimited = Object.entries(rooms.known).some(([webhook, free]) => rows.filter((row) => row.webhook === webhook).length >= free);
    if (isLimited || rows.length >= Math.min(rooms.total, MAX_AT_ONCE)) this.#hungry.add(app.id);
    else this.#hungry.delete(app.id);
    return rows;
  }

  #roomsOf(app: AppRuntime): Rooms {
    return this.#windows.rooms(app.id, new Map(app.model.document.webhooks.map((hook) => [hook.id ?? '', concurrencyOf(hook)])));
  }

  #begin(app: AppRuntime, row: ClaimedDelivery): void {
    this.#windows.begin(app.id, row.webhook);
    const attempt = this.#attempt(app, row).finally(() => this.#running.delete(attempt));
    this.#running.add(attempt);
  }

  async #attempt(app: AppRuntime, row: ClaimedDelivery): Promise<void> {
    let isDelivered = false;
    try {
      isDelivered = (await attemptDelivery(this.#services, app, row, 'dispatcher')).outcome === 'delivered';
    } catch (error) {
      this.#services.log.error({ delivery: row.id, error: String(error) }, 'an attempt could not be recorded');
    }
    const hook = app.model.document.webhooks.find(({ id }) => id === row.webhook);
    this.#windows.end(app.id, row.webhook, isDelivered);
    if (hook?.ordered === true || this.#hungry.has(app.id)) this.#withRoom.add(app.id);
    this.onRoom();
  }
}
