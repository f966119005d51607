import { endSession, endSessions, listSessions, sessionsOf, type SessionScope } from '../../operations/auth/own-sessions.ts';
import { checkParameters } from '../../operations/paging.ts';
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
import { userTotpRoute } from './totp.ts';

/** Accounts of a realm, for its admins. Whoever changes one sees the effect on this process at once. */
export async function usersRoute(api: Api, call: Call, scope: AccountScope, rest: readonly string[]): Promise<Answer> {
  const [userId, part, ...more] = rest;
  // A method that nothing takes is refused before anybody is looked for.
  if (part !== undefined && call.method !== 'GET' && call.method !== 'DELETE') throw noSuchRoute(call);
  if (userId !== undefined && part === 'sessions') return userSessionsRoute(api, call, await sessionsOf(scope, userId), more);
  if (userId !== undefined && part === 'totp') return userTotpRoute(call, await sessionsOf(scope, userId), more);
  if (part !== undefined) throw noSuchRoute(call);
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

/** Somebody else's sessions, for an admin: seen, ended one by one or all. */
async function userSessionsRoute(api: Api, call: Call, scope: SessionScope, rest: readonly string[]): Promise<Answer> {
  const [sessionId, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (call.method === 'GET' && sessionId === undefined) {
    checkParameters(call.query, []);
    return dataText(await listSessions(scope));
  }
  if (call.method !== 'DELETE') throw noSuchRoute(call);
  const ended = sessionId === undefined ? await endSessions(scope, { keepCurrent: false }) : await endSession(scope, sessionId);
  await api.revocations.refresh();
  return dataAnswer(ended);
}
