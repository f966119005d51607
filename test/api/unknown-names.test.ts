/** What a request names and a route does not know is refused in one way, wherever it stands. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Caller } from '../support/api.ts';
import { freshDatabase } from '../support/database.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { httpWorld, type HttpWorld } from '../support/http-world.ts';

const ID = '00000000-0000-7000-8000-000000000001';
let world: HttpWorld;
let admin: Caller;
beforeAll(async () => {
  world = await httpWorld(await freshDatabase());
  await world.app('desk', HELPDESK, [{ id: ID, email: 'boss@desk.test', roles: ['admin'] }]);
  admin = await world.login('desk', 'boss@desk.test');
});
afterAll(() => world.close());

const COMMANDS: readonly (readonly [string, string])[] = [
  ...[
    'login',
    'login/totp',
    'refresh',
    'logout',
    'register',
    'accept-invite',
    'forgot',
    'reset',
    'verify',
    'verify/send',
    'password',
    'totp',
    'totp/confirm',
    'oidc/token',
    `api-keys/${ID}/rotate`,
  ].map((verb) => ['POST', `auth/${verb}`] as const),
  ['DELETE', 'auth/totp'],
  ...[
    'signing-keys/rotate',
    `invites/${ID}/resend`,
    `api-keys/${ID}/rotate`,
    'rules/try',
    'permissions/simulate',
    'permissions/matrix',
    'permissions/impact',
    'migrations',
    'versions/1/rollback',
    `deliveries/${ID}/replay`,
    `webhooks/${ID}/test`,
    `webhooks/${ID}/secret`,
    `webhooks/${ID}/enable`,
    'deliveries/replay',
  ].map((part) => ['POST', `_admin/${part}`] as const),
  ['PUT', '_admin/secrets/ANY'],
  ['DELETE', '_admin/rules/any'],
  ...['approve', 'reject', 'send-back', 'resubmit', 'delegate', 'reassign', 'comment', 'cancel', 'retry', 'skip'].map(
    (verb) => ['POST', `_workflows/${ID}/${verb}`] as const,
  ),
  ['POST', '_workflows/start/any'],
  ['POST', '_batch'],
  ['POST', 'ticket/_bulk'],
  ['POST', `ticket/${ID}/_restore`],
];

describe('a member that a body does not take', () => {
  it.each(COMMANDS)('is UNKNOWN_FIELD of %s %s', async (method, path) => {
    const reply = await admin(method, `/api/desk/${path}`, { nobody_knows: 1 });
    expect([reply.status, reply.at('error', 'code')], reply.text).toEqual([400, 'UNKNOWN_FIELD']);
    expect(reply.at('error', 'details', 0)).toMatchObject({ field: 'nobody_knows', path: 'nobody_knows', rule: 'unknown' });
  });

  it.each(['ticket', '_admin/users', '_admin/invites', '_admin/api-keys', '_admin/auth-providers'])(
    'is one mistake among others of what POST %s stores',
    async (path) => {
      const reply = await admin('POST', `/api/desk/${path}`, { nobody_knows: 1 });
      expect([reply.status, reply.at('error', 'code')], reply.text).toEqual([422, 'VALIDATION_FAILED']);
      expect(reply.at('error', 'details')).toContainEqual(expect.objectContaining({ field: 'nobody_knows', rule: 'unknown' }));
    },
  );
});
