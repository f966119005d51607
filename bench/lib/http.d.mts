/** A request as a target's builder makes it. */
export interface BenchRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly json?: unknown;
}
export declare function rawRequest(target: object, request: BenchRequest): Buffer;
export declare function send(target: object, request: BenchRequest): Promise<{ status: number; json: unknown; text: string }>;
