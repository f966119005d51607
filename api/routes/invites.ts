import { deleteInvite, invite, inviteMany, listInvites, resendInvite, type InviteScope } from '../../operations/users/invites.ts';
import { checkParameters } from '../../operations/paging.ts';
import { dataAnswer, dataText, NO_STORE, type Answer } from '../http/answer.ts';
import { noBodyOf, objectOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

/** Invites of a realm, for its admins. */
export async function invitesRoute(call: Call, scope: InviteScope, rest: readonly string[]): Promise<Answer> {
  const [inviteId, verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  switch (`${call.method} ${inviteId === undefined ? '' : inviteId === 'bulk' ? 'bulk' : ':id'} ${verb ?? ''}`.trimEnd()) {
    case 'GET':
      checkParameters(call.query, []);
      return dataText(await listInvites(scope));
    case 'POST':
      return dataAnswer(await invite(scope, await objectOf(call)), 201, NO_STORE);
    case 'POST bulk':
      return dataAnswer(await inviteMany(scope, await objectOf(call)), 201, NO_STORE);
    case 'POST :id resend':
      await noBodyOf(call, 'invites/resend');
      return dataAnswer(await resendInvite(scope, inviteId ?? ''), 200, NO_STORE);
    case 'DELETE :id':
      return dataAnswer(await deleteInvite(scope, inviteId ?? ''));
    default:
      throw noSuchRoute(call);
  }
}
