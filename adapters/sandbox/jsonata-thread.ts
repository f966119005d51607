/** The thread of the sandbox: evaluates what it is sent; whoever waits ends it when it takes too long. */
import { parentPort } from 'node:worker_threads';
import { evaluateWhole } from '../../core/expression/whole.ts';
import type { SandboxReply, SandboxRequest } from './jsonata.ts';

parentPort?.on('message', (request: SandboxRequest) => {
  const send = (reply: SandboxReply): void => parentPort?.postMessage(reply);
  evaluateWhole(request.source, request.scope).then(
    (value) => send({ id: request.id, ok: true, value }),
    (error: unknown) => send({ id: request.id, ok: false, message: messageOf(error) }),
  );
});

/** Errors of the library are plain objects with a code, a message and a position. */
const messageOf = (error: unknown): string =>
  typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string' ? error.message : String(error);

parentPort?.postMessage({ id: 0, ok: true, value: null } satisfies SandboxReply);
