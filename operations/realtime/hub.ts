/**
 * The one reader of the feed in an api process. It reads what is new for the apps that are listened to, judges it once per group of
 * listeners that see the same, and hands each its frames. A listener has one place in the feed: whatever fails sends it back to
 * read from there by itself.
 */
import { listenOn, type WakeUps } from '../../adapters/schema-events/postgres.ts';
import { AppError, isAppError } from '../../core/errors.ts';
import type { Actor, AppContext, AppRuntime, Services } from '../context.ts';
import { eventId, feedHead, placeOf, readFeed, type FeedEvent } from './feed.ts';
import { inTodaysNames, tell, toldJson, type Told, type TodayEvent } from './told.ts';
import { viewsOf, type View, type Wish } from './view.ts';

/** What is written to a client: one event of the stream, or nothing but a new place. */
export interface Frame {
  readonly id: string;
  readonly event?: string;
  readonly data?: string;
}

/** A client that listens. */
export interface Listener {
  readonly wish: Wish;
  readonly ctx: AppContext;
  /** Who it is now; throws when the credential is not good any more. */
  caller(): Promise<Actor>;
  /** False when the client does not read what it was sent before: it is cut then. */
  deliver(text: Buffer): boolean;
  /** Resolves when the client has room again; false when it is gone. */
  room(): Promise<boolean>;
  end(reason: AppError, retryMs: number): void;
}

interface Member {
  readonly listener: Listener;
  actor: Actor;
  views: readonly View[];
  place: bigint;
  isLive: boolean;
  isGone: boolean;
}

/** The listeners of one app, and how far they are together. */
interface Audience {
  readonly appId: string;
  app: AppRuntime;
  place: bigint;
  readonly members: Set<Member>;
}

const POLL_MS = 1_000;
const CHECK_MS = 1_000;
const HEARTBEAT_MS = 15_000;
const PAGE = 500;
/** Groups that are judged at once; each takes a connection of the pool. */
const GROUPS_AT_ONCE = 4;
/** Resuming streams that read by themselves at once. */
const RESUMING_AT_ONCE = 8;

export class RealtimeHub {
  readonly #services: Services;
  readonly #audiences = new Map<string, Audience>();
  readonly #timers: NodeJS.Timeout[] = [];
  #cluster = '';
  #wakeUps: WakeUps | undefined;
  #turn: Promise<void> | undefined;
  #isDirty = false;
  #isClosed = false;
  #checkedAt = 0;
  #resuming = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(services: Services) {
    this.#services = services;
  }

  get size(): number {
    let size = 0;
    for (const { members } of this.#audiences.values()) size += members.size;
    return size;
  }

  sizeOf(appId: string, isOne: (actor: Actor) => boolean = () => true): number {
    return [...(this.#audiences.get(appId)?.members ?? [])].filter(({ actor }) => isOne(actor)).length;
  }

  /** Begins to tell; answers what ends it. The listener gets `event: reset` when its id is good for nothing. */
  async open(listener: Listener): Promise<() => void> {
    if (this.#isClosed) throw closing();
    const { ctx, wish } = listener;
    const views = viewsOf(ctx, wish);
    const head = await feedHead(this.#services.pool, ctx.app.id);
    this.#cluster = head.cluster;
    const asked = wish.after === undefined ? head.newest : placeOf(head, wish.after);
    const place = asked ?? head.newest;
    const member: Member = { listener, actor: ctx.actor, views, place, isLive: false, isGone: false };
    const hello: Frame = { id: eventId(head.cluster, place), ...(asked === undefined ? { event: 'reset', data: '{}' } : {}) };
    listener.deliver(frameOf(hello));
    if (this.#isClosed) throw closing();
    this.#join(member, head.newest);
    void this.#resume(member);
    return () => this.#leave(member);
  }

  /** Every stream ends, with word when to come again. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#wakeUps?.close();
    for (const { members } of this.#audiences.values()) for (const member of members) this.#end(member, closing(), 1_000);
    await this.#turn?.catch(() => undefined);
  }

  #join(member: Member, newest: bigint): void {
    const { app } = member.listener.ctx;
    let audience = this.#audiences.get(app.id);
    if (audience === undefined) this.#audiences.set(app.id, (audience = { appId: app.id, app, place: newest, members: new Set() }));
    audience.members.add(member);
    this.#services.registry.noteStreams(this.size);
    if (this.#timers.length > 0) return;
    const { config, log } = this.#services;
    this.#wakeUps = listenOn('durabase_feed', config.databaseDirectUrl ?? config.databaseUrl ?? '', () => this.#wake(), log);
    this.#timers.push(
      setInterval(() => this.#wake(), POLL_MS),
      setInterval(() => this.#beat(), HEARTBEAT_MS),
    );
  }

  #leave(member: Member): void {
    if (member.isGone) return;
    member.isGone = true;
    const { id } = member.listener.ctx.app;
    const audience = this.#audiences.get(id);
    audience?.members.delete(member);
    if (audience?.members.size === 0) this.#audiences.delete(id);
    this.#services.registry.noteStreams(this.size);
  }

  #end(member: Member, reason: AppError, retryMs: number): void {
    if (member.isGone) return;
    this.#leave(member);
    // Clients that were ended together do not all come back in the same moment.
    member.listener.end(reason, Math.round(retryMs * (0.5 + Math.random())));
  }

  #deliver(member: Member, text: Buffer): void {
    if (!member.isGone && !member.listener.deliver(text)) this.#leave(member);
  }

  /** Also moves the place that a client resumes from when nothing was for it for long. */
  #beat(): void {
    for (const { members } of this.#audiences.values())
      for (const member of members) this.#deliver(member, frameOf({ id: eventId(this.#cluster, member.place) }));
  }

  #wake(): void {
    if (this.#isClosed) return;
    this.#isDirty = true;
    this.#turn ??= this.#turns().finally(() => (this.#turn = undefined));
  }

  async #turns(): Promise<void> {
    while (this.#isDirty && !this.#isClosed) {
      this.#isDirty = false;
      try {
        if (Date.now() - this.#checkedAt >= CHECK_MS) await this.#check();
        await this.#read();
      } catch (error) {
        // The poll tries again; places have not moved.
        this.#services.log.warn({ err: error }, 'the feed could not be read');
      }
    }
  }

  // --- who may listen ----------------------------------------------------------------------------------------------

  /** Cuts whoever has lost the right to listen, and looks with the eyes of today. */
  async #check(): Promise<void> {
    this.#checkedAt = Date.now();
    for (const audience of [...this.#audiences.values()]) {
      await this.#renew(audience);
      await Promise.all([...audience.members].map((member) => this.#checkMember(member)));
    }
  }

  async #checkMember(member: Member): Promise<void> {
    try {
      const actor = await member.listener.caller();
      if (actor === member.actor) return;
      member.actor = actor;
      member.views = viewsOf(this.#contextOf(member), member.listener.wish);
    } catch (error) {
      this.#refuse(member, error);
    }
  }

  /** The app as it is now: retired, unsure of its schema, or of another version. */
  async #renew(audience: Audience): Promise<void> {
    const { registry } = this.#services;
    const app = await registry.byId(audience.appId);
    if (app?.status !== 'active' || !registry.isHealthy) {
      const reason =
        app === undefined || app.status === 'retiring' || app.status === 'retired'
          ? new AppError('APP_NOT_FOUND', 'The app is gone.')
          : new AppError('UNAVAILABLE', 'The app is not served by this process now.', { retryAfter: 1 });
      for (const member of [...audience.members]) this.#end(member, reason, 2_000);
      return;
    }
    if (app === audience.app) return;
    audience.app = app;
    for (const member of [...audience.members]) {
      try {
        member.views = viewsOf(this.#contextOf(member), member.listener.wish);
      } catch (error) {
        this.#refuse(member, error);
      }
    }
  }

  #refuse(member: Member, error: unknown): void {
    // The database may be away for a moment; a process that stays unsure ends its streams by its own health.
    if (!isAppError(error)) return this.#services.log.debug({ err: error }, 'a listener could not be checked');
    this.#end(member, error, 2_000);
  }

  #contextOf(member: Member): AppContext {
    const { ctx } = member.listener;
    const app = this.#audiences.get(ctx.app.id)?.app ?? ctx.app;
    return { ...ctx, app, actor: member.actor, now: this.#services.clock() };
  }

  // --- what is new -------------------------------------------------------------------------------------------------

  async #read(): Promise<void> {
    const audiences = [...this.#audiences.values()];
    const events = await readFeed(
      this.#services.pool,
      audiences.map(({ appId, place }) => ({ app: appId, after: place })),
      PAGE,
    );
    for (const audience of audiences) {
      const own = events.filter((event) => event.app === audience.appId);
      if (own.length === 0) continue;
      if (own.length === PAGE) this.#isDirty = true;
      await this.#serve(audience, own);
    }
  }

  async #serve(audience: Audience, events: readonly FeedEvent[]): Promise<void> {
    await this.#renew(audience);
    const last = events.at(-1)?.position ?? audience.place;
    // Nothing waits between these lines: who goes live later has read up to the new place by itself.
    const before = audience.place;
    const ready = [...audience.members].filter((member) => member.isLive);
    const live = ready.filter((member) => member.place <= before);
    audience.place = last;
    // They began further on than this process had read.
    for (const member of ready) if (member.place > before) void this.#resume(member);
    try {
      const told = new ToldOnce(this.#services, audience.app, events, this.#cluster);
      const next = live.values();
      const lane = async (): Promise<void> => {
        for (const member of next) {
          const text = await told.textFor(this.#contextOf(member), member.views);
          member.place = last;
          if (text !== undefined) this.#deliver(member, text);
        }
      };
      // All lanes have ended before anybody is sent back to read by itself: nobody is told twice.
      const ends = await Promise.allSettled(Array.from({ length: GROUPS_AT_ONCE }, lane));
      for (const end of ends) if (end.status === 'rejected') throw end.reason;
    } catch (error) {
      this.#services.log.warn({ err: error, app: audience.appId }, 'events could not be judged; their streams read again');
      for (const member of live) if (member.place < last && !member.isGone) void this.#resume(member);
    }
  }

  /** Reads by itself from its own place until it stands where the others are. */
  async #resume(member: Member): Promise<void> {
    member.isLive = false;
    await this.#slot();
    try {
      while (!member.isGone && !this.#isClosed) {
        const audience = this.#audiences.get(member.listener.ctx.app.id);
        if (audience === undefined) return;
        if (member.place >= audience.place) {
          member.isLive = true;
          this.#wake();
          return;
        }
        const { place: until } = audience;
        const events = await readFeed(this.#services.pool, [{ app: audience.appId, after: member.place }], PAGE, until);
        const told = new ToldOnce(this.#services, audience.app, events, this.#cluster);
        const text = await told.textFor(this.#contextOf(member), member.views);
        if (text !== undefined) this.#deliver(member, text);
        member.place = events.length === PAGE ? (events.at(-1)?.position ?? until) : until;
        if (!(await member.listener.room())) return this.#leave(member);
      }
    } catch (error) {
      this.#services.log.warn({ err: error }, 'a stream could not be resumed');
      this.#end(member, new AppError('UNAVAILABLE', 'The stream could not be read on.', { retryAfter: 1 }), 1_000);
    } finally {
      this.#resuming -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #slot(): Promise<void> {
    if (this.#resuming >= RESUMING_AT_ONCE) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    this.#resuming += 1;
  }
}

const closing = (): AppError => new AppError('UNAVAILABLE', 'This process is about to stop.', { retryAfter: 1 });

/** Some events, judged once per group of listeners that see the same. */
class ToldOnce {
  readonly #services: Services;
  readonly #cluster: string;
  readonly #today: Promise<readonly TodayEvent[]>;
  readonly #byView = new Map<string, Promise<readonly Told[]>>();
  readonly #texts = new Map<string, Buffer | undefined>();

  constructor(services: Services, app: AppRuntime, events: readonly FeedEvent[], cluster: string) {
    this.#services = services;
    this.#cluster = cluster;
    this.#today = inTodaysNames({ services }, app, events);
    this.#today.catch(() => undefined);
  }

  /** The frames of all views in the order of the feed; undefined when there are none. */
  async textFor(ctx: AppContext, views: readonly View[]): Promise<Buffer | undefined> {
    const key = views.map((view) => view.key).join('\n');
    if (this.#texts.has(key)) return this.#texts.get(key);
    const told = (await Promise.all(views.map((view) => this.#tell(ctx, view)))).flat();
    told.sort((a, b) => (a.position < b.position ? -1 : 1));
    const frames = told.map((one) => {
      const id = eventId(this.#cluster, one.position);
      return frameText({ id, event: one.type, data: toldJson(one, id) });
    });
    const text = frames.length === 0 ? undefined : Buffer.from(frames.join(''), 'utf8');
    this.#texts.set(key, text);
    return text;
  }

  #tell(ctx: AppContext, view: View): Promise<readonly Told[]> {
    let told = this.#byView.get(view.key);
    if (told === undefined) {
      told = this.#today.then((events) =>
        tell(
          { ...ctx, services: this.#services },
          view,
          events.filter(({ entity }) => entity.name === view.entity.name),
        ),
      );
      this.#byView.set(view.key, told);
    }
    return told;
  }
}

function frameText({ id, event, data }: Frame): string {
  // Without data nothing is dispatched: the client only remembers the id.
  if (data === undefined) return `:\nid: ${id}\n\n`;
  return `id: ${id}\n${event === undefined ? '' : `event: ${event}\n`}data: ${data}\n\n`;
}

const frameOf = (frame: Frame): Buffer => Buffer.from(frameText(frame), 'utf8');
