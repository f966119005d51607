/** One kind of change on an app of its own: the phases it is brought to, and what clients of both versions find there. */
import { expect } from 'vitest';
import type { Phase } from '../../core/change/step.ts';
import type { Reply } from '../support/api.ts';
import type { HeldWorld, Migration } from './held-world.ts';
import { SHOP, type Kind, type Side } from './kinds.ts';

const SETTINGS = { settings: { migrations: { grace: '1h', retention: '1h' } } };

/** Clients of one version: undefined for those who name none. */
interface Clients {
  readonly side: Side;
  readonly version: number | undefined;
}

export class Changing {
  readonly #world: HeldWorld;
  readonly #kind: Kind;
  readonly app: string;
  storage = '';
  #stored: Made = {};
  #shop = '';
  /** The last one that was published. */
  #latest = 1;
  /** The one that clients of the older shape name. */
  #older = 1;

  constructor(world: HeldWorld, kind: Kind) {
    this.#world = world;
    this.#kind = kind;
    this.app = kind.name.replaceAll(' ', '_');
  }

  async start(): Promise<void> {
    const { before, stored } = this.#kind;
    this.storage = await this.#world.app(this.app, { version: 1, ...SETTINGS, ...before });
    if (JSON.stringify(before).includes('"name":"shop"')) this.#shop = idOf(ok(await this.#send('POST', 'shop', { city: 'here' }), 201));
    this.#stored = ok(await this.#send('POST', 'item', { name: 'x', ...(stored.made ?? stored.old) }), 201).at('data') as Made;
  }

  async publish(hold: readonly Phase[] = []): Promise<string> {
    const { after, migrate } = this.#kind;
    const document = { version: 1, ...SETTINGS, ...after, ...(migrate === undefined ? {} : { migrate }) };
    const reply = await this.#world.publish(this.app, document, hold);
    this.#latest += 1;
    return this.#began(reply, hold);
  }

  async rollBack(): Promise<void> {
    const reply = await this.#send('POST', `_admin/versions/${this.#older}/rollback`);
    this.#latest += 1;
    expect(reply.status, reply.text).toBe(201);
    // What was dropped and is added again breaks nobody.
    expect(['ready', 'completed']).toContain(reply.at('data', 'migration', 'status'));
  }

  /** Ends grace and retention of all that is left. */
  async endAll(): Promise<void> {
    const all = ok(await this.#send('GET', '_admin/migrations')).at('data') as Migration[];
    for (const { id } of all.filter(({ status }) => status === 'ready')) {
      await this.say(id, 'contract', { drop: true });
      await this.#world.until(this.app, id, ({ status }) => status === 'completed');
    }
  }

  #began(reply: Reply, hold: readonly Phase[]): string {
    expect(reply.status, reply.text).toBeLessThan(300);
    const migration = reply.at('data', ...(hold.length > 0 ? [0] : ['migration'])) as Migration;
    if (hold.length === 0) expect(migration.status, reply.text).toBe(this.#kind.class === 'breaking' ? 'ready' : 'completed');
    return migration.id;
  }

  async say(id: string, verb: string, body?: unknown): Promise<void> {
    ok(await this.#send('POST', `_admin/migrations/${id}/${verb}`, body));
  }

  /** Before the switch, and after one that was not made. */
  async servesOld(): Promise<void> {
    const { old, stored } = this.#kind;
    await this.#live({ side: old, version: undefined });
    expect(ok(await this.#send('GET', `item/${keyIn(old, this.#stored)}`)).at('data')).toMatchObject(stored.old);
  }

  /** After the switch. */
  async servesBoth(): Promise<void> {
    const { old, new: newer } = this.#kind;
    await this.#both({ side: old, version: this.#older }, { side: newer, version: undefined });
  }

  /** After it was taken back: the version that was taken back is the older one then. */
  async servesBothAgain(taken: number): Promise<void> {
    const { old, new: newer } = this.#kind;
    // By their version: whoever names none is understood in the older shape as well.
    await this.#both({ side: old, version: this.#latest }, { side: newer, version: taken });
  }

  async servesNew(): Promise<void> {
    await this.#live({ side: this.#kind.new, version: undefined });
    await this.#seesStored(undefined);
  }

  /** Not served yet, or no more. */
  async refuses(version: number): Promise<void> {
    const late = await this.#send('GET', 'item', undefined, version);
    expect([late.status, late.at('error', 'code')], late.text).toEqual([409, 'CONFLICT']);
  }

  get latest(): number {
    return this.#latest;
  }

  /** From here on clients of the first version are those of this one. */
  startsFrom(version: number): void {
    this.#older = version;
  }

  async #both(old: Clients, newer: Clients): Promise<void> {
    await this.#live(newer, this.#kind.isNoticed === true ? undefined : old);
    if (this.#kind.isNoticed !== true) await this.#live(old, newer);
    const path = `item/${keyIn(old.side, this.#stored)}`;
    expect(ok(await this.#send('GET', path, undefined, old.version)).at('data')).toMatchObject(this.#kind.stored.old);
    await this.#seesStored(newer.version);
  }

  async #seesStored(version: number | undefined): Promise<void> {
    const { new: seen, in: entity, include } = this.#kind.stored;
    if (seen === null) return;
    const path = `${entity ?? 'item'}/${keyIn(this.#kind.new, this.#stored)}${include === undefined ? '' : `?include=${include}`}`;
    expect(ok(await this.#send('GET', path, undefined, version)).at('data')).toMatchObject(seen);
  }

  /** What clients do with a record of theirs, how those of the other version see it, and what is refused. */
  async #live(clients: Clients, others?: Clients): Promise<void> {
    const { side, version } = clients;
    const { entity = 'item' } = side;
    const made = ok(await this.#send('POST', entity, side.make, version), 201).at('data') as Made;
    const id = keyIn(side, made);
    expect(await this.#read(clients, made)).toMatchObject(this.#real(side.make));
    await this.#isSeen(others, made, side.seen?.[0]);
    ok(await this.#send('PATCH', `${entity}/${id}`, side.change, version));
    expect(await this.#read(clients, made)).toMatchObject(side.change);
    await this.#isSeen(others, made, side.seen?.[1]);
    const found = ok(await this.#send('GET', `${entity}?${side.find}`, undefined, version)).at('data') as { id: string }[];
    expect(found.map((record) => record.id)).toContain(made['id']);
    for (const [body, code, other] of this.#isApart(clients, others) ? (side.refused ?? []) : []) {
      const reply = await this.#send('POST', other ?? entity, body, version);
      expect([reply.at('error', 'code')], `${JSON.stringify(body)}: ${reply.text}`).toEqual([code]);
    }
    expect((await this.#send('DELETE', `${entity}/${id}`, undefined, version)).status).toBeLessThan(300);
    expect((await this.#send('GET', `${entity}/${id}`, undefined, version)).status).toBe(404);
  }

  /** Whose clients notice nothing is not kept apart; after a rollback the names of both are understood by the served one. */
  #isApart({ side, version }: Clients, others: Clients | undefined): boolean {
    if (others === undefined) return true;
    return version === undefined || (others.version === undefined && side === this.#kind.old && this.#kind.class === 'breaking');
  }

  async #read({ side, version }: Clients, made: Made): Promise<unknown> {
    const include = side.include === undefined ? '' : `?include=${side.include}`;
    return ok(await this.#send('GET', `${side.entity ?? 'item'}/${keyIn(side, made)}${include}`, undefined, version)).at('data');
  }

  async #isSeen(others: Clients | undefined, made: Made, as: object | undefined): Promise<void> {
    if (others !== undefined && as !== undefined) expect(await this.#read(others, made)).toMatchObject(as);
  }

  #real(body: object): object {
    return JSON.parse(JSON.stringify(body).replaceAll(`"${SHOP}"`, `"${this.#shop}"`)) as object;
  }

  #send(method: string, path: string, body?: unknown, version?: number): Promise<Reply> {
    const written = typeof body === 'object' && body !== null ? this.#real(body) : body;
    return this.#world.call(
      method,
      `/api/${this.app}/${path.replace(SHOP, this.#shop)}`,
      written,
      version === undefined ? {} : { 'schema-version': String(version) },
    );
  }
}

type Made = Readonly<Record<string, unknown>>;

const keyIn = ({ key = 'id' }: Side, made: Made): string => String(made[key]);

const idOf = (reply: Reply): string => String(reply.at('data', 'id'));

function ok(reply: Reply, status = 200): Reply {
  expect(reply.status, reply.text).toBe(status);
  return reply;
}
