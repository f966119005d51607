import { AppError } from '../../core/errors.ts';
import { listSigningKeys, rotateSigningKey, type SigningScope } from '../../operations/auth/signing-keys.ts';
import type { Api } from '../api.ts';
import { checkParameters } from '../../operations/paging.ts';
import type { Members } from '../../operations/payload.ts';
import { refuseKeyActor } from '../authenticate.ts';
import { dataAnswer, type Answer } from '../http/answer.ts';
import { optionalMembersOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

/** `signing-keys`: the keys behind `auth/jwks.json`, listed and replaced. */
export async function signingKeysRoute(api: Api, call: Call, scope: SigningScope, rest: readonly string[]): Promise<Answer> {
  const [verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (verb === undefined && call.method === 'GET') {
    checkParameters(call.query, []);
    return dataAnswer(await listSigningKeys(scope));
  }
  if (verb !== 'rotate' || call.method !== 'POST') throw noSuchRoute(call);
  refuseKeyActor(scope.actor);
  const made = await rotateSigningKey(scope, {
    revoke: readRevoke(call.query, await optionalMembersOf(call, 'signing-keys/rotate', ['revoke'])),
  });
  api.tokens.forgetKeys(scope.realm);
  await api.revocations.refresh();
  return dataAnswer(made, 201);
}

/** `revoke` in the query or in the body. */
function readRevoke(query: URLSearchParams, body: Members<'revoke'>): boolean {
  checkParameters(query, ['revoke']);
  const revoke = body.revoke ?? query.get('revoke') ?? false;
  if (![true, false, 'true', 'false'].includes(revoke as never)) throw new AppError('INVALID_VALUE', '"revoke" must be true or false.');
  return revoke === true || revoke === 'true';
}
