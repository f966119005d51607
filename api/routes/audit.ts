/**
 * `.../audit`: who did what, that nobody touched the record of it, and taking a person out of it. `.../changes`: what happened to
 * records.
 */
import type { AppContext } from '../../operations/context.ts';
import { checkParameters } from '../../operations/paging.ts';
import { eraseFromAudit, readAudit, verifyAudit, type AuditScope } from '../../operations/platform/audit-chain.ts';
import { listChanges } from '../../operations/records/changes.ts';
import { refuseKeyActor } from '../authenticate.ts';
import { bodyAnswer, dataAnswer, textAnswer, type Answer } from '../http/answer.ts';
import { membersOf, type Call } from '../http/call.ts';
import { noSuchRoute } from './not-found.ts';

export async function auditRoute(call: Call, scope: AuditScope, rest: readonly string[]): Promise<Answer> {
  const [verb, ...more] = rest;
  if (more.length > 0) throw noSuchRoute(call);
  if (verb === undefined && call.method === 'GET') return textAnswer(await readAudit(scope, call.query));
  if (verb === 'verify' && call.method === 'GET') {
    checkParameters(call.query, []);
    return dataAnswer(await verifyAudit(scope));
  }
  if (verb !== 'erase' || call.method !== 'POST') throw noSuchRoute(call);
  checkParameters(call.query, []);
  refuseKeyActor(scope.actor);
  return dataAnswer(await eraseFromAudit(scope, (await membersOf(call, 'audit/erase', ['user'])).user));
}

export async function changesRoute(ctx: AppContext, call: Call, rest: readonly string[]): Promise<Answer> {
  if (rest.length > 0 || call.method !== 'GET') throw noSuchRoute(call);
  return bodyAnswer(await listChanges(ctx, call.query), 200);
}
