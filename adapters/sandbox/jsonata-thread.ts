/** The thread of the sandbox: evaluates what it is sent; whoever waits ends it when it takes too long. */
import { parentPort } from 'node:worker_threads';
import jsonata from 'jsonata';
import type { SandboxReply, SandboxRequest } from './jsonata.ts';

/** The variables as bindings (`$user`) and, as the stored form writes them, as names of the input. */
async function evaluate({ source, scope }: SandboxRequest): Promise<unknown> {
  const input = { ...(scope.record as object | null | undefined), ...scope };
  const value: unknown = await jsonata(source).evaluate(input);
  // Sequences and functions of the library are not plain values.
  return value === undefined ? null : (JSON.parse(JSON.stringify(value) ?? 'null') as unknown);
}

parentPort?.on('message', (request: SandboxRequest) => {
  const send = (reply: SandboxReply): void => parentPort?.postMessage(reply);
  evaluate(request).then(
    (value) => send({ id: request.id, ok: true, value }),
    (error: unknown) => send({ id: request.id, ok: false, message: messageOf(error) }),
  );
});

/** Errors of the library are plain objects with a code, a message and a position. */
const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? error.message : String(error);

parentPort?.postMessage({ id: 0, ok: true, value: null } satisfies SandboxReply);
