/** What the headers and the query of a write ask for, and what its answer says of them. */
import { AppError } from '../../core/errors.ts';
import { idempotencyOf } from '../../operations/records/idempotency.ts';
import type { WriteOptions } from '../../operations/records/write.ts';
import { headerOf, type Call } from './call.ts';

/** Preconditions and the key under which the answer is kept. A request without these headers pays nothing for them. */
export function writeOptions(call: Call, body: unknown): WriteOptions {
  const ifMatch = headerOf(call, 'if-match');
  const key = headerOf(call, 'idempotency-key');
  if (ifMatch === undefined && key === undefined) return NO_OPTIONS;
  const asked = () => [call.method, call.path, [...call.query].sort(), ifMatch ?? null, body ?? null];
  return { ...(ifMatch === undefined ? {} : { ifMatch }), idempotency: idempotencyOf(key, asked) };
}

const NO_OPTIONS: WriteOptions = {};

/** Says that an answer was kept from an earlier request. */
export const replayHeaders = ({ idempotency }: WriteOptions): Record<string, string> =>
  idempotency?.isReplayed === true ? { 'Idempotent-Replayed': 'true' } : {};

/** `?atomic=false`; nothing else is taken. */
export function isAtomic(call: Call): boolean {
  for (const name of call.query.keys()) {
    if (name !== 'atomic') {
      throw new AppError('UNKNOWN_PARAMETER', `There is no parameter "${name.slice(0, 100)}" here.`, {
        details: [{ field: name.slice(0, 100), rule: 'unknown', message: 'the only parameter is atomic' }],
      });
    }
  }
  const given = call.query.getAll('atomic');
  if (given.length === 0) return true;
  if (given.length > 1 || (given[0] !== 'true' && given[0] !== 'false')) {
    throw new AppError('INVALID_VALUE', 'atomic must be true or false.', {
      details: [{ field: 'atomic', rule: 'type', message: 'atomic must be true or false' }],
    });
  }
  return given[0] === 'true';
}
