/** The types that the generated types of an app (`durabase types`) fill in, and what calls take. */

export interface EntityTypes {
  readonly record: object;
  readonly create: object;
  readonly update: object;
  readonly relations: object;
}

export type AppSchema = { readonly [E in string]: EntityTypes };

/** Without generated types everything is allowed and nothing is known. */
export interface AnySchema {
  readonly [entity: string]: {
    readonly record: Record<string, unknown>;
    readonly create: Record<string, unknown>;
    readonly update: Record<string, unknown>;
    readonly relations: Record<string, { readonly entity: string; readonly many: boolean }>;
  };
}

type Names<T> = keyof T & string;
export type RecordOf<S extends AppSchema, E extends keyof S> = S[E]['record'];
type RelationsOf<S extends AppSchema, E extends keyof S> = S[E]['relations'];

export type Operators<V> = {
  readonly eq?: V | null;
  readonly neq?: V | null;
  readonly in?: readonly V[];
  readonly not_in?: readonly V[];
  readonly gt?: V;
  readonly gte?: V;
  readonly lt?: V;
  readonly lte?: V;
  readonly between?: readonly [V, V];
  readonly is_null?: boolean;
  readonly not_null?: boolean;
  readonly is_empty?: boolean;
} & (NonNullable<V> extends string
  ? {
      readonly like?: string;
      readonly ilike?: string;
      readonly contains?: string;
      readonly icontains?: string;
      readonly starts_with?: string;
      readonly ends_with?: string;
    }
  : object);

type Condition<V> = V | null | Operators<NonNullable<V>>;

/** Conditions on fields (all must hold), on fields behind a relation (`'customer.name'`), and branches. */
export type Filter<S extends AppSchema, E extends keyof S> = {
  readonly [F in Names<RecordOf<S, E>>]?: Condition<RecordOf<S, E>[F]>;
} & { readonly [P in `${Names<RelationsOf<S, E>>}.${string}`]?: unknown } & {
  readonly and?: readonly Filter<S, E>[];
  readonly or?: readonly Filter<S, E>[];
  readonly not?: Filter<S, E>;
};

export type Include<S extends AppSchema, E extends keyof S> = Names<RelationsOf<S, E>> | `${Names<RelationsOf<S, E>>}.${string}`;
export type Field<S extends AppSchema, E extends keyof S> = Names<RecordOf<S, E>> | `${Names<RelationsOf<S, E>>}.${string}`;
export type Sort<S extends AppSchema, E extends keyof S> = Field<S, E> | `-${Field<S, E>}`;

type Head<P extends string> = P extends `${infer First}.${string}` ? First : P;
type Related<S extends AppSchema, R> = R extends { readonly entity: infer T; readonly many: infer M }
  ? T extends keyof S
    ? M extends true
      ? readonly RecordOf<S, T>[]
      : RecordOf<S, T> | null
    : unknown
  : unknown;

/** A record with what was included, and only the fields that were asked for. */
export type Row<S extends AppSchema, E extends keyof S, I extends string, F extends string> = Pick<
  RecordOf<S, E>,
  Extract<F, keyof RecordOf<S, E>>
> & { readonly [R in Extract<Head<I>, keyof RelationsOf<S, E>>]: Related<S, RelationsOf<S, E>[R]> };

export interface ReadOptions<I extends string, F extends string> {
  readonly include?: readonly I[];
  readonly fields?: readonly F[];
  readonly signal?: AbortSignal;
}

export interface ListOptions<S extends AppSchema, E extends keyof S, I extends string, F extends string> extends ReadOptions<I, F> {
  readonly filter?: Filter<S, E>;
  readonly sort?: readonly Sort<S, E>[];
  readonly q?: string;
  readonly page?: number;
  readonly per_page?: number;
  readonly limit?: number;
  readonly cursor?: string;
  readonly count?: 'exact' | 'estimated' | 'none';
}

export interface Page<R> {
  readonly data: readonly R[];
  readonly meta?: { readonly page?: number; readonly per_page?: number; readonly total?: number; readonly estimated?: boolean };
  /** Of a walk with `limit`. */
  readonly page?: { readonly limit: number; readonly next_cursor: string | null };
}

export interface WriteOptions {
  /** The ETag the record must have; another one is refused with 412. */
  readonly ifMatch?: string;
  /** Made up when left out, so that a write that is sent again happens once. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
}

export interface SendOptions extends WriteOptions {
  readonly body?: unknown;
  /** Sent as it is in place of a JSON body. */
  readonly file?: { readonly type: string; readonly content: string | Blob };
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent with an idempotency key, and again when no answer came. */
  readonly isWrite?: boolean;
}

/** A record and the ETag of its version. */
export interface Versioned<R> {
  readonly data: R;
  readonly etag: string | null;
}

export interface BulkBody<S extends AppSchema, E extends keyof S> {
  readonly create?: readonly S[E]['create'][];
  readonly update?: readonly (S[E]['update'] & { readonly id?: string | number; readonly _version?: string | number })[];
  readonly upsert?: { readonly on?: string | readonly string[]; readonly rows: readonly S[E]['create'][] };
  readonly delete?: readonly (string | number)[];
}

export type Reference = { readonly $ref: string };
type WithReferences<T> = { readonly [K in keyof T]: T[K] | Reference };

export type BatchOperation<S extends AppSchema> = {
  [E in keyof S & string]:
    | { readonly op: 'create'; readonly entity: E; readonly ref?: string; readonly body: WithReferences<S[E]['create']> }
    | {
        readonly op: 'update';
        readonly entity: E;
        readonly ref?: string;
        readonly id: string | number | Reference;
        readonly body: WithReferences<S[E]['update']>;
        readonly if_match?: string;
      }
    | {
        readonly op: 'upsert';
        readonly entity: E;
        readonly ref?: string;
        readonly on?: string | readonly string[];
        readonly body: WithReferences<S[E]['create']>;
      }
    | {
        readonly op: 'delete' | 'restore';
        readonly entity: E;
        readonly ref?: string;
        readonly id: string | number | Reference;
        readonly if_match?: string;
      };
}[keyof S & string];

export interface ManyResults {
  readonly data: readonly {
    readonly op: string;
    readonly index: number;
    readonly path: string;
    readonly status: number;
    readonly version?: string;
    readonly data?: Readonly<Record<string, unknown>>;
    readonly error?: { readonly code: string; readonly message: string };
    readonly skipped?: string;
  }[];
  readonly meta: {
    readonly created: number;
    readonly updated: number;
    readonly deleted: number;
    readonly restored: number;
    readonly failed: number;
    readonly skipped: number;
  };
}

export interface AggregateOptions<S extends AppSchema, E extends keyof S> {
  readonly filter?: Filter<S, E>;
  readonly group_by?: readonly string[];
  readonly count?: readonly string[];
  readonly count_distinct?: readonly string[];
  readonly sum?: readonly string[];
  readonly avg?: readonly string[];
  readonly min?: readonly string[];
  readonly max?: readonly string[];
  readonly having?: Readonly<Record<string, unknown>>;
  readonly sort?: readonly string[];
  readonly page?: number;
  readonly per_page?: number;
  readonly time_zone?: string;
  readonly q?: string;
  readonly signal?: AbortSignal;
}

/** One request and its answer, for the parts of the client. */
export interface Sent<T> {
  readonly body: T;
  readonly etag: string | null;
  readonly status: number;
}

export type Send = <T>(method: string, path: string, options?: SendOptions) => Promise<Sent<T>>;
