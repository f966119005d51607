import type { AppModel } from '../core/model/model.ts';

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
  readonly model: AppModel;
  /** Whatever a part compiles from the model, built once per runtime. */
  memo<T>(key: object, build: (app: AppRuntime) => T): T;
}
