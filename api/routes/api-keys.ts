/** API keys: `_admin/api-keys` for admins, `auth/api-keys` for an account's own. Made and changed with a session only. */
import { createKey, getKey, listKeys, revokeKey, rotateKey, updateKey, type KeyScope } from '../../operations/auth/api-keys.ts';
import type { Api } from '../api.ts';
import { refuseKeyActor } from '../authenticate.ts';
import { dataText, textAnswer, NO_STORE, type Answer } from '../http/answer.ts';
import { noBodyOf, objectOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function apiKeysRoute(api: Api, call: Call, scope: KeyScope, rest: readonly string[]): Promise<Answer> {
  const [keyId, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (call.method !== 'GET') refuseKeyActor(scope.actor);
  if (keyId === undefined) {
    if (call.method === 'GET') return textAnswer(await listKeys(scope, call.query), 200, NO_STORE);
    if (call.method !== 'POST') throw noSuchRoute(call);
    return dataText(await createKey(scope, await objectOf(call)), 201, NO_STORE);
  }
  const text = await oneKey(call, scope, keyId, verb);
  if (call.method !== 'GET') await api.revocations.refresh();
  return dataText(text, 200, NO_STORE);
}

async function oneKey(call: Call, scope: KeyScope, keyId: string, verb: string | undefined): Promise<string> {
  switch (`${call.method} ${verb ?? ''}`) {
    case 'GET ':
      return getKey(scope, keyId);
    case 'PATCH ':
    case 'PUT ':
      return updateKey(scope, keyId, await objectOf(call));
    case 'DELETE ':
    case 'POST revoke':
      await noBodyOf(call, 'api-keys/revoke');
      return revokeKey(scope, keyId);
    case 'POST rotate':
      await noBodyOf(call, 'api-keys/rotate');
      return rotateKey(scope, keyId);
    default:
      throw noSuchRoute(call);
  }
}
