export interface SampleIds {
  readonly customerIds: readonly string[];
  readonly ticketIds: readonly string[];
}
export declare const STATUSES: readonly string[];
export declare function rng(seed: number): () => number;
export declare function text(random: () => number, length: number): string;
export declare function csvPath(table: string): string;
export declare function sampleIds(): SampleIds;
