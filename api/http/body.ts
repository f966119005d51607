/** Reading request bodies: bounded in size and depth, JSON unless a route says otherwise. */
import type { IncomingMessage } from 'node:http';
import { AppError } from '../../core/errors.ts';
import { FORBIDDEN_KEYS } from '../../core/forbidden-keys.ts';

export const MAX_BODY_BYTES = 1024 * 1024;
export const MAX_DEPTH = 32;

export async function readJsonBody(request: IncomingMessage): Promise<unknown> {
  const text = await readTextBody(request);
  if (text === '') return undefined;
  const type = request.headers['content-type'];
  if (type !== undefined && !isJson(type)) {
    throw new AppError('UNSUPPORTED_MEDIA', `The body is "${type.slice(0, 100)}", and this route takes JSON.`, {
      hint: 'Send Content-Type: application/json.',
    });
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw new AppError('INVALID_PAYLOAD', 'The body is not valid JSON.', { hint: (error as Error).message.slice(0, 200), cause: error });
  }
  checkTree(parsed, 1);
  return parsed;
}

const isJson = (type: string): boolean => /^application\/(?:[\w.-]+\+)?json\b/i.test(type.trim());

/** Refuses what is too deep before anything recursive sees it, and keys that could reach a prototype. */
function checkTree(node: unknown, depth: number): void {
  if (typeof node !== 'object' || node === null) return;
  if (depth > MAX_DEPTH) throw new AppError('INVALID_PAYLOAD', `The body is nested deeper than ${MAX_DEPTH} levels.`);
  if (Array.isArray(node)) {
    for (const item of node) checkTree(item, depth + 1);
    return;
  }
  for (const [key, item] of Object.entries(node)) {
    if (FORBIDDEN_KEYS.includes(key)) throw new AppError('INVALID_PAYLOAD', `The body may not have the key "${key}".`);
    checkTree(item, depth + 1);
  }
}

/** The whole body as text, or TOO_LARGE as soon as it is known to be. */
export function readTextBody(request: IncomingMessage): Promise<string> {
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > MAX_BODY_BYTES) {
    request.resume();
    return Promise.reject(tooLarge());
  }
  if (request.readableEnded) return Promise.resolve('');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const fail = (error: unknown): void => {
      request.removeAllListeners('data');
      request.resume();
      reject(error as Error);
    };
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) fail(tooLarge());
      else chunks.push(chunk);
    });
    request.once('end', () => {
      const whole = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, size);
      const text = whole?.toString('utf8') ?? '';
      resolve(text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);
    });
    request.once('aborted', () => fail(new AppError('INVALID_PAYLOAD', 'The request ended before its body did.')));
    request.once('error', fail);
  });
}

const tooLarge = (): AppError =>
  new AppError('TOO_LARGE', `The body is larger than ${MAX_BODY_BYTES} bytes.`, { hint: 'Split the work into several requests.' });
