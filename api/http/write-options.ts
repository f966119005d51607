/** What the headers and the query of a write ask for, and what its answer says of them. */
import type { AppContext } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import { onceUnder, type Once } from '../../operations/once.ts';
import { AppError } from '../../core/errors.ts';
import { idempotencyOf } from '../../operations/records/idempotency.ts';
import type { WriteOptions } from '../../operations/records/write.ts';
import type { Answer } from './answer.ts';
import { headerOf, jsonOf, type Call } from './call.ts';

/** Preconditions and the key under which the answer is kept. A request without these headers pays nothing for them. */
export function writeOptions(call: Call, body: unknown): WriteOptions {
  const ifMatch = headerOf(call, 'if-match');
  const key = headerOf(call, 'idempotency-key');
  if (ifMatch === undefined && key === undefined) return NO_OPTIONS;
  return { ...(ifMatch === undefined ? {} : { ifMatch }), idempotency: idempotencyOf(key, askedBy(call, body)) };
}

/** An answer speaks the shape that was asked for: under another one the same key is another request. */
const askedBy = (call: Call, body: unknown) => (): readonly unknown[] => [
  call.method,
  call.path,
  [...call.query].sort(),
  headerOf(call, 'if-match') ?? null,
  body ?? null,
  ...[headerOf(call, 'schema-version') ?? []].flat(),
];

const NO_OPTIONS: WriteOptions = {};

/** Says that an answer was kept from an earlier request. */
export const replayHeaders = ({ idempotency }: WriteOptions): Record<string, string> =>
  idempotency?.isReplayed === true ? { 'Idempotent-Replayed': 'true' } : {};

/** Answers a write of accounts, under the caller's key when there is one: the route gives `once` to what it calls. */
export async function answeredUnderKey(ctx: AppContext, call: Call, route: (once: Once | undefined) => Promise<Answer>): Promise<Answer> {
  const key = headerOf(call, 'idempotency-key');
  if (key === undefined || call.method === 'GET') return route(undefined);
  // A body may hold a password: what is kept of it is of no use without SECRET_KEY.
  const digest = (text: string): string => ctx.services.keyring.derive(text, 'idempotency');
  const idempotency = idempotencyOf(key, askedBy(call, await jsonOf(call)), digest);
  if (idempotency === undefined) return route(undefined);
  const answer = await route(onceUnder(ctx, idempotency));
  return { ...answer, headers: { ...answer.headers, ...replayHeaders({ idempotency }) } };
}

/** The writes whose answers are kept under a key: of records, of the accounts of an app, and the start of a rollout. */
const keepsAnswers = ([part = '', admin, ...more]: readonly string[]): boolean =>
  part === '_batch' ||
  (part === '_platform' && admin === 'rollouts' && more.length === 0) ||
  (part === '_admin' ? admin === 'users' : !part.startsWith('_') && part !== 'auth' && admin !== '_import');

/** Whoever sends a key relies on it: where no answer is kept, the key is refused and not ignored. `path` is behind the app. */
export function refuseUselessKey(call: Call, path: readonly string[]): void {
  if (call.method === 'GET' || headerOf(call, 'idempotency-key') === undefined || keepsAnswers(path)) return;
  // Its own key, kept with the run it started.
  if (path[0] === '_hooks') return;
  throw new AppError('INVALID_VALUE', 'This route takes no Idempotency-Key: no answer is kept here.', {
    details: [
      {
        field: 'Idempotency-Key',
        rule: 'unsupported',
        message: 'is taken by writes of records and of _admin/users, by POST _hooks, and by POST _platform/rollouts',
      },
    ],
    hint: 'Send the request without it. Before repeating one whose answer was lost, read what became of it; If-Match makes a repeated write of a definition a 412.',
  });
}

/** `?atomic=false`; nothing else is taken. */
export function isAtomic(call: Call): boolean {
  checkParameters(call.query, ['atomic']);
  const given = call.query.getAll('atomic');
  if (given.length === 0) return true;
  if (given.length > 1 || (given[0] !== 'true' && given[0] !== 'false')) {
    throw new AppError('INVALID_VALUE', 'atomic must be true or false.', {
      details: [{ field: 'atomic', rule: 'type', message: 'atomic must be true or false' }],
    });
  }
  return given[0] === 'true';
}
