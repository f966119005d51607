/**
 * Whole JSONata, off the main thread. The library runs endless recursion and runaway patterns to their end, so an expression
 * outside the common subset is evaluated in a thread that is ended at the limit and started anew for the next call.
 */
import type { Worker } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import type { ExpressionScope } from '../../core/expression/expression.ts';
import { startThread } from '../thread.ts';

export interface SandboxLimits {
  /** Whole evaluation, waiting for its turn not counted; default 500. */
  readonly timeoutMs?: number;
}

export interface SandboxRequest {
  readonly id: number;
  readonly source: string;
  readonly scope: ExpressionScope;
}

export type SandboxReply =
  | { readonly id: number; readonly ok: true; readonly value: unknown }
  | { readonly id: number; readonly ok: false; readonly message: string };

const DEFAULT_TIMEOUT_MS = 500;
const MEMORY_MB = 64;

let thread: Promise<Worker> | undefined;
let turn: Promise<unknown> = Promise.resolve();
let lastId = 0;

/**
 * The value of an expression over plain JSON; `undefined` is null. One at a time, in order. Throws VALIDATION_FAILED for an
 * expression that fails, runs too long or needs too much memory: it is the definition that is wrong, not the caller's record.
 */
export function evaluateInSandbox(source: string, scope: ExpressionScope, limits: SandboxLimits = {}): Promise<unknown> {
  const result = turn.then(() => evaluate(source, scope, limits.timeoutMs ?? DEFAULT_TIMEOUT_MS));
  turn = result.catch(() => undefined);
  return result;
}

async function evaluate(source: string, scope: ExpressionScope, timeoutMs: number): Promise<unknown> {
  thread ??= start();
  const worker = await thread;
  const id = ++lastId;
  return new Promise((resolve, reject) => {
    const settle = (end: () => void): void => {
      clearTimeout(deadline);
      worker.off('message', onMessage);
      worker.off('error', onDeath);
      worker.off('exit', onDeath);
      worker.unref();
      end();
    };
    const fail = (reason: string): void =>
      settle(() =>
        reject(new AppError('VALIDATION_FAILED', `The expression ${shorten(source)} ${reason}`, { hint: 'Simplify the expression.' })),
      );
    const onMessage = (reply: SandboxReply): void => {
      if (reply.id !== id) return;
      if (reply.ok) settle(() => resolve(reply.value));
      else fail(`failed: ${reply.message}`);
    };
    const onDeath = (): void => {
      discard(worker);
      fail('needed too much memory or depth.');
    };
    const deadline = setTimeout(() => {
      discard(worker);
      fail(`did not end within ${timeoutMs} ms.`);
    }, timeoutMs);
    worker.ref();
    worker.on('message', onMessage);
    worker.on('error', onDeath);
    worker.on('exit', onDeath);
    worker.postMessage({ id, source, scope } satisfies SandboxRequest);
  });
}

const shorten = (source: string): string => (source.length > 60 ? `"${source.slice(0, 59)}…"` : `"${source}"`);

function discard(worker: Worker): void {
  thread = undefined;
  void worker.terminate();
}

const start = (): Promise<Worker> =>
  startThread({
    name: 'jsonata-thread',
    beside: import.meta.url,
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB, maxYoungGenerationSizeMb: 16, stackSizeMb: 4 },
  }).catch((error: unknown) => {
    thread = undefined;
    throw error;
  });
