import type { SampleIds } from './data.mjs';

export interface Expectations {
  readonly A: Readonly<Record<string, unknown>>;
  readonly B: readonly string[];
  readonly C: readonly string[];
  readonly D: { readonly id: string; readonly customer: string; readonly comments: number };
  readonly G: readonly (readonly string[])[];
}
export declare function expectations(data: SampleIds): Expectations;
