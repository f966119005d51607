import type { AppModel } from '../core/model/model.ts';

/** A shape that is served beside the app's own version. */
export interface BesideShape {
  readonly version: number;
  /** An older version's, while that is in grace; or that of the next one, while its migration is on the way to the switch. */
  readonly kind: 'older' | 'early';
  /** What events, webhooks and processes speak whichever shape a client wrote in. */
  readonly served: AppRuntime;
}

/** One app at one schema version; replaced as a whole, never changed. */
export interface AppRuntime {
  readonly id: string;
  readonly name: string;
  readonly displayName: string;
  /** The Postgres schema that holds the app's tables. */
  readonly storage: string;
  readonly status: 'provisioning' | 'active' | 'suspended' | 'retiring' | 'retired' | 'failed';
  readonly schemaName: string;
  readonly version: number;
  /** Part of every prepared statement's name, so that none outlives its version. */
  readonly generation: string;
  /** Stable ids of entities that are not written for a while; `*` stands for all. */
  readonly maintenance: ReadonlySet<string>;
  /** Present when this is not the shape of the version that is served. */
  readonly beside?: BesideShape;
  readonly model: AppModel;
  /** Whatever a part compiles from the model, built once per runtime. */
  memo<T>(key: object, build: (app: AppRuntime) => T): T;
}

/** The shapes an app is served in. */
export interface Shapes {
  /** The runtime that serves a version: the app's own where clients of it notice nothing; undefined when it is not served (any more). */
  of(version: number): AppRuntime | undefined;
  /** The newest version that was published when this was read. */
  readonly latest: number;
  /** Those in grace that differ from what is served, the newest first. */
  readonly older: readonly AppRuntime[];
  /** The next version's, as soon as its migration has made what it is written to. */
  readonly early: AppRuntime | undefined;
}
