import type { BenchConfig } from '../config.mjs';
import type { BenchRequest } from '../lib/http.mjs';
import type { Scenario } from '../harness/scenarios.ts';

export interface BareContext {
  readonly dir: string;
  readonly db: string;
  readonly config: BenchConfig;
  tokens?: readonly string[];
}
export interface BareTarget {
  readonly name: string;
  prepare(context: BareContext): string;
  start(context: BareContext): { readonly cmd: string; readonly args: readonly string[]; readonly env: Readonly<Record<string, string>> };
  tokens(context: BareContext): readonly string[];
  view(scenario: Scenario, json: unknown): unknown;
  readonly requests: Readonly<Record<Scenario, (...args: unknown[]) => BenchRequest>>;
}
export declare const bare: (name: string, http: string, mode: string) => BareTarget;
