import {
  createAccount,
  deleteAccount,
  getAccount,
  listAccounts,
  updateAccount,
  type AccountScope,
} from '../../operations/users/accounts.ts';
import type { Api } from '../api.ts';
import { dataAnswer, dataText, textAnswer, type Answer } from '../http/answer.ts';
import { objectOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

/** Accounts of a realm, for its admins. Whoever changes one sees the effect on this process at once. */
export async function usersRoute(api: Api, call: Call, scope: AccountScope, rest: readonly string[]): Promise<Answer> {
  const [userId, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (userId === undefined) {
    if (call.method === 'GET') return textAnswer(await listAccounts(scope, call.query));
    if (call.method !== 'POST') throw noSuchRoute(call);
    const made = await createAccount(scope, await objectOf(call));
    return dataText(made.text, 201);
  }
  switch (call.method) {
    case 'GET':
      return dataText(await getAccount(scope, userId));
    case 'PUT':
    case 'PATCH': {
      const text = await updateAccount(scope, userId, await objectOf(call));
      await api.revocations.refresh();
      return dataText(text);
    }
    case 'DELETE': {
      const gone = await deleteAccount(scope, userId);
      await api.revocations.refresh();
      return dataAnswer(gone);
    }
    default:
      throw noSuchRoute(call);
  }
}
