/**
 * Attempts of deliveries, straight from `_deliveries`: no workflow is started for what succeeds at once. Claimed rows carry a
 * lease; a lost one repeats the attempt with the same webhook-id. One slow endpoint fills only its own window.
 */
import type { Db } from '../adapters/postgres/run.ts';
import type { AppRuntime, Services } from '../operations/context.ts';
import { concurrencyOf } from '../core/webhook/circuit.ts';
import { makeAttempt, type BegunAttempt } from '../operations/webhooks/attempt.ts';
import { claimDeliveries, LOOK_AROUND_MS, MAX_AT_ONCE, nextDelivery, type Scope } from '../operations/webhooks/claim.ts';
import { loop, pause, type Loop } from './loop.ts';
import { Recorder } from './recorder.ts';
import { takeTurn } from './turn.ts';
import { Windows, type Rooms } from './windows.ts';

const POLL_MS = 150;
/** Attempts that are over and not written yet; beyond them the database is what to wait for. */
const MAX_UNRECORDED = 256;
/** Rows that remain due belong to endpoints without a free slot, or behind others in order: look again soon, other apps first. */
const WAIT_FOR_ROOM = '250 milliseconds';

export function startDispatcher(services: Services): Loop {
  const dispatcher = new Dispatcher(services);
  const deliveries = loop('dispatcher', services.log, async (signal, waker) => {
    dispatcher.onRoom = () => waker.wake();
    if (!(await dispatcher.turn())) await pause(POLL_MS, signal, waker);
  });
  return {
    wake() {
      dispatcher.expectWork();
      deliveries.wake();
    },
    async close() {
      await deliveries.close();
      await dispatcher.ended();
    },
  };
}

class Dispatcher {
  readonly #services: Services;
  readonly #windows = new Windows();
  readonly #recorder: Recorder;
  readonly #running = new Set<Promise<void>>();
  /** Per app the webhooks of whose deliveries the last claim may have left some for want of slots, and apps that have slots now: they need not wait for their turn. */
  readonly #hungry = new Map<string, ReadonlySet<string> | 'all'>();
  readonly #withRoom = new Set<string>();
  /** When, and of which version, deliveries of webhooks that are no longer served were last looked for. */
  readonly #lookedAround = new Map<string, { readonly version: number; readonly at: number }>();
  /** When to ask whose turn it is: a free slot alone is no reason, for what it is good for is in `#withRoom`. */
  #askAt = 0;
  onRoom: () => void = () => undefined;

  constructor(services: Services) {
    this.#services = services;
    this.#recorder = new Recorder(services);
  }

  expectWork(): void {
    this.#askAt = 0;
  }

  ended(): Promise<unknown> {
    return Promise.all(this.#running);
  }

  /** Begins what there is room for; false when there is nothing to do at the moment. */
  async turn(): Promise<boolean> {
    if (this.#isFull) return false;
    const refilled = await this.#refill();
    return (await this.#nextApp()) || refilled;
  }

  get #isFull(): boolean {
    return this.#windows.isFull || this.#recorder.size >= MAX_UNRECORDED;
  }

  async #refill(): Promise<boolean> {
    const [appId] = this.#withRoom;
    if (appId === undefined) return false;
    this.#withRoom.delete(appId);
    const app = await this.#services.registry.byId(appId);
    if (app === undefined) return false;
    const rows = await this.#claim(this.#services.pool, app, 'served');
    for (const row of rows) this.#begin(app, row);
    return true;
  }

  async #nextApp(): Promise<boolean> {
    if (this.#isFull || Date.now() < this.#askAt) return false;
    this.#askAt = Date.now() + POLL_MS;
    const turn = await takeTurn<BegunAttempt>(this.#services, 'deliveries', async (client, app) => {
      const scope = this.#scopeOf(app);
      const rows = await this.#claim(client, app, scope);
      if (rows.some((row) => !isServed(app, row))) this.#lookedAround.delete(app.id);
      // What is still due although there was room for more has none at its endpoint.
      return { rows, nextDue: nextDelivery(app, scope), pause: this.#hungry.get(app.id) === 'all' ? '0' : WAIT_FOR_ROOM };
    });
    if (turn === undefined) return false;
    this.#askAt = 0;
    for (const row of turn.rows) this.#begin(turn.app, row);
    return turn.rows.length > 0;
  }

  #scopeOf(app: AppRuntime): Scope {
    const last = this.#lookedAround.get(app.id);
    const now = performance.now();
    if (last?.version === app.version && now - last.at < LOOK_AROUND_MS) return 'served';
    this.#lookedAround.set(app.id, { version: app.version, at: now });
    return 'all';
  }

  async #claim(db: Db, app: AppRuntime, scope: Scope): Promise<BegunAttempt[]> {
    const rooms = this.#roomsOf(app);
    const rows = await claimDeliveries(db, app, rooms, scope);
    if (rows.length >= Math.min(rooms.total, MAX_AT_ONCE)) {
      this.#hungry.set(app.id, 'all');
      return rows;
    }
    const limited = Object.entries(rooms.known).filter(([webhook, free]) => rows.filter((row) => row.webhook === webhook).length >= free);
    this.#hungry.set(app.id, new Set(limited.map(([webhook]) => webhook)));
    return rows;
  }

  #roomsOf(app: AppRuntime): Rooms {
    return this.#windows.rooms(app.id, new Map(app.model.document.webhooks.map((hook) => [hook.id ?? '', concurrencyOf(hook)])));
  }

  #begin(app: AppRuntime, row: BegunAttempt): void {
    this.#windows.begin(app.id, row.webhook);
    const attempt = this.#attempt(app, row).finally(() => this.#running.delete(attempt));
    this.#running.add(attempt);
  }

  async #attempt(app: AppRuntime, row: BegunAttempt): Promise<void> {
    let release = (isDelivered: boolean): void => {
      release = () => undefined;
      this.#windows.end(app.id, row.webhook, isDelivered);
      this.#offerRoom(app, row.webhook);
    };
    try {
      const made = await makeAttempt(this.#services, app, row, 'dispatcher');
      // An answer is all a window waits for. After a failure the endpoint may be paused, so the next waits until that is known.
      if (made.result.outcome === 'delivered') release(true);
      await this.#recorder.record(app, made);
      if (made.hook?.ordered === true) this.#withRoom.add(app.id);
    } catch (error) {
      this.#services.log.error({ delivery: row.id, error: String(error) }, 'an attempt could not be recorded');
    }
    release(false);
    this.onRoom();
  }

  #offerRoom(app: AppRuntime, webhook: string): void {
    const hungry = this.#hungry.get(app.id);
    if (hungry !== 'all' && hungry?.has(webhook) !== true) return;
    this.#withRoom.add(app.id);
    this.onRoom();
  }
}

const isServed = (app: AppRuntime, { webhook }: BegunAttempt): boolean =>
  app.model.document.webhooks.some((hook) => hook.id === webhook && hook.active);
