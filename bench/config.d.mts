export declare const benchDir: string;
export interface BenchConfig {
  pgBin: string;
  dataDir: string;
  readonly node: string;
  readonly wrk: string;
  readonly pg: { readonly host: string; port: number; readonly user: string; pidFile: string };
  readonly templateDb: string;
  /** The port of the target that is spoken to: lib/http.mjs reads it at each call. */
  port: number;
  readonly connections: number;
  readonly duration: number;
  readonly warmup: number;
  readonly quietShare: number;
  readonly quietWait: number;
  readonly poolSize: number;
  readonly customers: number;
  readonly tickets: number;
  readonly comments: number;
  readonly regions: number;
  readonly samples: number;
  readonly jwtSecret: string;
}
export declare const config: BenchConfig;
export declare const pgUrl: (database: string, user?: string) => string;
