/**
 * The apps of this installation as one process knows them. Reads the catalog, builds a runtime per app and schema version,
 * and follows the registry's events, so that a publish is seen by every api process before its call returns.
 */
import type { AppRuntime, Shapes } from './app-runtime.ts';
import type { Asking, OlderUse } from './shape-uses.ts';

export interface Registry {
  /** By name or, for ids, by id. Undefined when there is none that serves. One catalog read at most, single-flight. */
  byName(name: string): Promise<AppRuntime | undefined>;
  byId(id: string): Promise<AppRuntime | undefined>;
  /** What is in memory, without any waiting; undefined means "ask byName". */
  cachedByName(name: string): AppRuntime | undefined;
  /**
   * One indexed read: the runtime as the catalog has it now. Called when an answer smells of a stale schema:
   * undefined when the given one is current already, else the newer runtime to run the operation again with.
   */
  newerThan(app: AppRuntime): Promise<AppRuntime | undefined>;
  /** The shapes an app is served in; read once per runtime. */
  shapesOf(app: AppRuntime): Promise<Shapes>;
  /** Counts a request in an older shape, and who made it. */
  countUse(app: AppRuntime, actor: Asking): void;
  /** What was counted since this process began. */
  olderUses(): readonly OlderUse[];
  /** How long a client waited for a write of one record: told to others with the lease. */
  noteWrite(ms: number): void;
  /** How many realtime streams this process holds: told to others with the lease. */
  noteStreams(count: number): void;
  /** Whether any api process holds a realtime stream, as far as the leases tell: then every write tells the relay. */
  readonly hasStreams: boolean;
  /** The last registry event this process has applied. */
  readonly seenEvent: number;
  /** False when an api process could not renew its lease for five seconds: it may serve a policy that is no more, so it answers 503. */
  readonly isHealthy: boolean;
  /** Applies every event up to the catalog's head. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}
