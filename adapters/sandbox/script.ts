/**
 * Script hooks, off the main thread. A thread is ended when its script does not end in time or leaves it broken, and is started
 * anew for the next one. An app has one turn at a time, so that its endless loops cost other apps at most one of the threads.
 */
import type { Worker } from 'node:worker_threads';
import { AppError } from '../../core/errors.ts';
import { startThread } from '../thread.ts';

export interface ScriptInput {
  readonly record: Readonly<Record<string, unknown>>;
  readonly old: Readonly<Record<string, unknown>> | null;
  readonly user: Readonly<Record<string, unknown>>;
  readonly now: string;
}

export interface ScriptLimits {
  /** Of one script; default 5,000. */
  readonly timeoutMs?: number;
  /** Of its interpreter; default 64. */
  readonly memoryMb?: number;
}

export interface ScriptRequest {
  readonly id: number;
  readonly source: string;
  readonly input: string;
  readonly memoryBytes: number;
  readonly timeoutMs: number;
}

type Failure = 'refused' | 'failed' | 'late' | 'memory' | 'broken';

export type ScriptReply =
  | { readonly id: number; readonly ok: true; readonly text: string }
  | { readonly id: number; readonly ok: false; readonly failure: Failure; readonly message: string };

/** `refused` is the script's own decision; the others say that the script is wrong. */
export type ScriptAnswer =
  | { readonly ok: true; readonly record: Readonly<Record<string, unknown>> }
  | { readonly ok: false; readonly isRefusal: boolean; readonly message: string };

const TIMEOUT_MS = 5_000;
const MEMORY_MB = 64;
/** A pattern that runs away is not interrupted by the interpreter: its thread is ended this much later. */
const GRACE_MS = 250;
const THREADS = 2;
const MAX_WAITING_PER_APP = 50;

const idle: Worker[] = [];
const waiting: (() => void)[] = [];
let running = 0;
let lastId = 0;
const turns = new Map<string, { count: number; last: Promise<unknown> }>();

/** Never throws for what the script did; UNAVAILABLE when too many scripts of the app wait already. */
export async function runScript(app: string, source: string, input: ScriptInput, limits: ScriptLimits = {}): Promise<ScriptAnswer> {
  const turn = turns.get(app) ?? { count: 0, last: Promise.resolve() };
  if (turn.count >= MAX_WAITING_PER_APP)
    throw new AppError('UNAVAILABLE', `${String(turn.count)} scripts of this app are waiting already.`, { retryAfter: 2 });
  turn.count++;
  turns.set(app, turn);
  const answer = turn.last.then(() => onThread(source, JSON.stringify(input), limits));
  turn.last = answer.catch(() => undefined);
  try {
    return await answer;
  } finally {
    turn.count--;
    if (turn.count === 0) turns.delete(app);
  }
}

async function onThread(source: string, input: string, limits: ScriptLimits): Promise<ScriptAnswer> {
  while (running >= THREADS) await new Promise<void>((resolve) => waiting.push(resolve));
  running++;
  try {
    const worker =
      idle.pop() ?? (await startThread({ name: 'script-thread', beside: import.meta.url, resourceLimits: { maxOldGenerationSizeMb: 64 } }));
    const { reply, isUsable } = await exchange(worker, source, input, limits);
    if (isUsable) idle.push(worker);
    else void worker.terminate();
    return answerOf(reply, limits);
  } finally {
    running--;
    waiting.shift()?.();
  }
}

function exchange(worker: Worker, source: string, input: string, limits: ScriptLimits): Promise<{ reply: ScriptReply; isUsable: boolean }> {
  const id = ++lastId;
  const timeoutMs = limits.timeoutMs ?? TIMEOUT_MS;
  const memoryBytes = (limits.memoryMb ?? MEMORY_MB) * 1024 * 1024;
  return new Promise((resolve) => {
    const end = (reply: ScriptReply, isUsable: boolean): void => {
      clearTimeout(deadline);
      worker.off('message', onMessage);
      worker.off('error', onDeath);
      worker.off('exit', onDeath);
      worker.unref();
      resolve({ reply, isUsable });
    };
    const failed = (failure: Failure, message: string): ScriptReply => ({ id, ok: false, failure, message });
    const onMessage = (reply: ScriptReply): void => {
      // A loop that was interrupted, and memory that ran out, may leave the interpreter in any state.
      if (reply.id === id) end(reply, reply.ok || reply.failure === 'refused' || reply.failure === 'failed');
    };
    const onDeath = (): void => end(failed('broken', 'it broke its interpreter'), false);
    const deadline = setTimeout(() => end(failed('late', 'it took too long'), false), timeoutMs + GRACE_MS);
    worker.ref();
    worker.on('message', onMessage);
    worker.on('error', onDeath);
    worker.on('exit', onDeath);
    worker.postMessage({ id, source, input, memoryBytes, timeoutMs } satisfies ScriptRequest);
  });
}

function answerOf(reply: ScriptReply, limits: ScriptLimits): ScriptAnswer {
  if (reply.ok) {
    const record: unknown = JSON.parse(reply.text);
    const isRecord = typeof record === 'object' && record !== null && !Array.isArray(record);
    return isRecord
      ? { ok: true, record: record as Record<string, unknown> }
      : { ok: false, isRefusal: false, message: 'failed: it must return the record, or nothing' };
  }
  const { failure, message } = reply;
  if (failure === 'refused') return { ok: false, isRefusal: true, message: message === '' ? 'refused' : message };
  if (failure === 'late')
    return { ok: false, isRefusal: false, message: `did not end within ${String(limits.timeoutMs ?? TIMEOUT_MS)} ms` };
  if (failure === 'memory' || failure === 'broken')
    return { ok: false, isRefusal: false, message: `needed too much memory or depth: ${message}` };
  return { ok: false, isRefusal: false, message: `failed: ${message}` };
}
