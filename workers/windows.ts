/**
 * How many attempts an endpoint may have under way in this process. Each begins with two; a success widens its window by one, up to the
 * webhook's `concurrency`, a failure narrows it to one. Endpoints that have not proved themselves share three quarters of all
 * slots, so that however many of them hang, those that answer have room.
 */
const FIRST = 2;
const MAX_IN_FLIGHT = 256;
const MAX_UNPROVEN = 192;

interface Window {
  running: number;
  /** What may run; capped by the webhook's own setting where it is used. */
  size: number;
  isProven: boolean;
}

const UNKNOWN: Readonly<Window> = { running: 0, size: FIRST, isProven: false };

export interface Rooms {
  /** Free slots per webhook. */
  readonly known: Readonly<Record<string, number>>;
  /** Webhooks whose last attempt succeeded. */
  readonly proven: readonly string[];
  readonly total: number;
}

export class Windows {
  readonly #apps = new Map<string, Map<string, Window>>();
  #running = 0;
  #unproven = 0;

  get isFull(): boolean {
    return this.#running >= MAX_IN_FLIGHT;
  }

  /** `concurrency` names the webhooks of the app; deliveries of any other are only ended. */
  rooms(app: string, concurrency: ReadonlyMap<string, number>): Rooms {
    const own = this.#apps.get(app);
    const unproven = Math.max(0, MAX_UNPROVEN - this.#unproven);
    const known: Record<string, number> = {};
    const proven: string[] = [];
    for (const [webhook, most] of concurrency) {
      const { running, size, isProven } = own?.get(webhook) ?? UNKNOWN;
      const free = Math.max(0, Math.min(size, most) - running);
      known[webhook] = isProven ? free : Math.min(free, unproven);
      if (isProven) proven.push(webhook);
    }
    return { known, proven, total: MAX_IN_FLIGHT - this.#running };
  }

  begin(app: string, webhook: string): void {
    const window = this.#window(app, webhook);
    window.running++;
    this.#running++;
    if (!window.isProven) this.#unproven++;
  }

  end(app: string, webhook: string, isDelivered: boolean): void {
    const window = this.#window(app, webhook);
    this.#running--;
    if (!window.isProven) this.#unproven--;
    window.running--;
    if (window.isProven !== isDelivered) this.#unproven += isDelivered ? -window.running : window.running;
    window.isProven = isDelivered;
    window.size = isDelivered ? Math.min(window.size + 1, MAX_UNPROVEN) : 1;
  }

  #window(app: string, webhook: string): Window {
    let own = this.#apps.get(app);
    if (own === undefined) this.#apps.set(app, (own = new Map()));
    let window = own.get(webhook);
    if (window === undefined) own.set(webhook, (window = { ...UNKNOWN }));
    return window;
  }
}
