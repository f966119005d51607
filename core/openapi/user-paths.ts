/** Accounts of an app or the platform, for its admins: users, their sessions and second factors, invites, providers and signing keys. */
import { changedProvider, checkedIssuer, newProvider } from '../payloads/provider.ts';
import { FACTOR, SESSION } from './auth-paths.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, compact, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { keyPaths, strictPages } from './key-paths.ts';
import { CHANGE_ERRORS, FLAG, inPath, MAYBE_TEXT, MAYBE_TIME, operation, TEXT, TEXTS, TIME, UUID, WHOLE, type Told } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';

export const USERS_TAG = '_admin/users';
const ROLES: Schema = arrayOf({ type: 'string', pattern: '^[^\\n\\u0000]{1,100}$' }, { maxItems: 100 });

const MANAGER: Schema = { type: ['string', 'null'], description: 'The user whom approvals of type `manager` ask.' };
const ACCOUNT = objectOf(
  { id: UUID, email: TEXT, roles: TEXTS, active: FLAG, manager: MANAGER, must_change: FLAG, created_at: TIME, updated_at: TIME },
  ['id', 'email', 'roles', 'active', 'manager', 'must_change', 'created_at', 'updated_at'],
);
const INVITE = {
  id: UUID,
  email: TEXT,
  roles: TEXTS,
  created_at: TIME,
  expires_at: TIME,
  accepted_at: MAYBE_TIME,
  status: { type: 'string', enum: ['pending', 'accepted', 'expired'] },
  mail: {
    anyOf: [objectOf({ status: TEXT, tries: WHOLE, error: MAYBE_TEXT }, ['status', 'tries', 'error']), { type: 'null' }],
    description: 'What became of its mail; null when none was sent.',
  },
} as const satisfies Record<string, Schema>;
const NEW_INVITE = {
  id: UUID,
  email: TEXT,
  roles: TEXTS,
  token: { ...TEXT, description: 'Shown this once.' },
  expires_at: TIME,
  mailed: FLAG,
} as const satisfies Record<string, Schema>;
const PROVIDER = {
  id: UUID,
  name: TEXT,
  display_name: MAYBE_TEXT,
  issuer: TEXT,
  client_id: TEXT,
  has_secret: FLAG,
  scopes: TEXTS,
  default_roles: TEXTS,
  allow_signup: FLAG,
  active: FLAG,
  created_at: TIME,
  updated_at: TIME,
} as const satisfies Record<string, Schema>;
const SIGNING_KEY = {
  kid: TEXT,
  algorithm: TEXT,
  state: { type: 'string', enum: ['signing', 'verifying', 'retired', 'revoked'] },
  created_at: TIME,
  retired_at: MAYBE_TIME,
  revoked_at: MAYBE_TIME,
} as const satisfies Record<string, Schema>;

const PROVIDER_META: Schema = objectOf(
  { callback: { ...TEXT, description: 'The redirect address to enter at a provider, with `{name}` for its name.' } },
  ['callback'],
);
const MAYBE_TEXTS: Schema = { anyOf: [TEXTS, { type: 'null' }] };
const ISSUER_CHECK: Schema = objectOf(
  {
    answers: FLAG,
    problem: { type: ['string', 'null'], enum: ['unavailable', 'invalid', null] },
    facts: {
      anyOf: [
        objectOf(
          {
            authorization_endpoint: MAYBE_TEXT,
            token_endpoint: MAYBE_TEXT,
            scopes_supported: MAYBE_TEXTS,
            code_challenge_methods_supported: MAYBE_TEXTS,
          },
          ['authorization_endpoint', 'token_endpoint', 'scopes_supported', 'code_challenge_methods_supported'],
        ),
        { type: 'null' },
      ],
    },
  },
  ['answers', 'problem', 'facts'],
);
const whole = (properties: Readonly<Record<string, Schema>>): Schema => objectOf(properties, Object.keys(properties));

export const USER_SCHEMAS: Readonly<Record<string, Schema>> = {
  Account: ACCOUNT,
  Invite: whole(INVITE),
  NewInvite: whole(NEW_INVITE),
  AuthProvider: whole(PROVIDER),
  SigningKey: whole(SIGNING_KEY),
};

const admin = (verb: string, told: Told): JsonObject => operation(USERS_TAG, `admin_${verb}`, told);
const ID = inPath('id', UUID);
const gone = data(objectOf({ id: TEXT }, ['id']));

/** Everything under `root`: `/api/helpdesk/_admin`, `/api/_platform`. */
export const userAdminPaths = (root: string): Paths => ({
  ...userPaths(`${root}/users`),
  ...invitePaths(`${root}/invites`),
  ...keyPaths(`${root}/api-keys`, USERS_TAG, 'admin'),
  ...providerAdminPaths(`${root}/auth-providers`),
  ...signingKeyPaths(`${root}/signing-keys`),
});

// --- users ---------------------------------------------------------------------------------------------------------

/** Answers of writes of users are kept. */
const ONCE = [ref('parameters', 'IdempotencyKey')];
const TAKES_KEY = { parameters: ONCE, errors: [...COMMON_ERRORS, 409, 422] };

const SORTS = ['email', 'active', 'created_at', 'updated_at', 'id'];

const filter = (name: string, schema: Schema, description?: string): JsonObject => compact({ name, in: 'query', description, schema });
const USER_FILTERS: readonly JsonObject[] = [
  filter('q', TEXT, 'A part of the email.'),
  filter('filter[email]', TEXT),
  filter('filter[role]', TEXT),
  filter('filter[active]', FLAG),
  filter('filter[id]', TEXT, 'Ids with commas between them.'),
  filter('sort', { type: 'string', enum: SORTS.flatMap((name) => [name, `-${name}`]), default: 'created_at' }),
];

const WRITTEN: Readonly<Record<string, Schema>> = {
  email: { type: 'string', format: 'email', maxLength: 320 },
  password: { type: 'string', minLength: 1, maxLength: 1_024 },
  password_hash: { type: 'string', maxLength: 200, description: 'A bcrypt hash in the place of `password`, brought from another product.' },
  roles: ROLES,
  active: FLAG,
  manager: { ...MANAGER, description: 'The id or email of another user; null for none.' },
};

const changeUser = (verb: string): JsonObject =>
  admin(verb, {
    summary: 'Change a user',
    description: 'Only what is given is changed. A new password, other roles and `active: false` end the sessions of the user.',
    body: objectOf(WRITTEN),
    example: { roles: ['agent', 'team_lead'] },
    told: 'The user as it is now.',
    answer: data(ref('schemas', 'Account')),
    errors: CHANGE_ERRORS,
    parameters: ONCE,
  });

const userPaths = (path: string): Paths => ({
  [path]: {
    get: admin('list_users', {
      summary: 'List users',
      parameters: [...USER_FILTERS, ...strictPages()],
      told: 'A page of users.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'Account')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
    }),
    post: admin('create_user', {
      summary: 'Make a user',
      parameters: ONCE,
      body: { ...objectOf(WRITTEN, ['email']), anyOf: [{ required: ['password'] }, { required: ['password_hash'] }] },
      example: { email: 'ada@example.com', password: 'a long enough password', roles: ['agent'] },
      status: 201,
      told: 'The new user.',
      answer: data(ref('schemas', 'Account')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${path}/{id}`]: {
    parameters: [ID],
    get: admin('get_user', { summary: 'One user', told: 'The user.', answer: data(ref('schemas', 'Account')) }),
    put: changeUser('put_user'),
    patch: changeUser('update_user'),
    delete: admin('delete_user', { summary: 'Delete a user', ...TAKES_KEY, told: 'It is gone.', answer: gone }),
  },
  [`${path}/{id}/totp`]: {
    parameters: [ID],
    get: admin('get_user_totp', { summary: 'How the second factor of a user stands', told: 'How it stands.', answer: data(FACTOR) }),
    delete: admin('reset_user_totp', {
      summary: 'Turn off the second factor of a user who lost it',
      ...TAKES_KEY,
      for: 'session',
      told: 'It is off.',
      answer: data(FACTOR),
    }),
  },
  [`${path}/{id}/sessions`]: {
    parameters: [ID],
    get: admin('list_user_sessions', { summary: 'The sessions of a user', told: 'The last used first.', answer: data(arrayOf(SESSION)) }),
    delete: admin('end_user_sessions', {
      summary: 'End all sessions of a user',
      ...TAKES_KEY,
      told: 'How many were ended.',
      answer: data(objectOf({ ended: WHOLE }, ['ended'])),
    }),
  },
  [`${path}/{id}/sessions/{session}`]: {
    parameters: [ID, inPath('session', UUID)],
    delete: admin('end_user_session', { summary: 'End one session of a user', ...TAKES_KEY, told: 'It is ended.', answer: gone }),
  },
});

// --- invites -------------------------------------------------------------------------------------------------------

const SKIPPED = objectOf(
  { email: TEXT, reason: { type: 'string', enum: ['user_exists', 'pending_invite', 'invalid_email', 'repeated'] } },
  ['email', 'reason'],
);
const SUMMARY = objectOf({ total: WHOLE, created: WHOLE, skipped: WHOLE }, ['total', 'created', 'skipped']);

const invitePaths = (path: string): Paths => ({
  [path]: {
    get: admin('list_invites', {
      summary: 'List invites',
      told: 'The newest first, at most 1,000.',
      answer: data(arrayOf(ref('schemas', 'Invite'))),
    }),
    post: admin('create_invite', {
      summary: 'Invite somebody',
      body: objectOf({ email: { type: 'string', format: 'email', maxLength: 320 }, roles: ROLES }, ['email']),
      example: { email: 'bob@example.com', roles: ['agent'] },
      status: 201,
      told: 'The invite, with its token.',
      answer: data(ref('schemas', 'NewInvite')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${path}/bulk`]: {
    post: admin('create_invites', {
      summary: 'Invite many with the same roles',
      body: objectOf({ emails: arrayOf(TEXT, { minItems: 1, maxItems: 500 }), roles: ROLES }, ['emails']),
      example: { emails: ['bob@example.com', 'eve@example.com'], roles: ['agent'] },
      status: 201,
      told: 'The invites, and who was skipped and why.',
      answer: data(
        objectOf({ created: arrayOf(ref('schemas', 'NewInvite')), skipped: arrayOf(SKIPPED), summary: SUMMARY }, [
          'created',
          'skipped',
          'summary',
        ]),
      ),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${path}/{id}`]: {
    parameters: [ID],
    delete: admin('delete_invite', { summary: 'Withdraw an invite', told: 'Its token is dead.', answer: gone }),
  },
  [`${path}/{id}/resend`]: {
    parameters: [ID],
    post: admin('resend_invite', {
      summary: 'A new token for an invite',
      told: 'The invite, with its new token; the old one is dead.',
      answer: data(ref('schemas', 'NewInvite')),
      errors: CHANGE_ERRORS,
    }),
  },
});

// --- providers and signing keys ------------------------------------------------------------------------------------

const NAME = inPath('name', { type: 'string', minLength: 1 }, 'The name of a provider.');

const changeProvider = (verb: string): JsonObject =>
  admin(verb, {
    summary: 'Change a sign-in provider',
    description: 'Only what is given is changed; `client_secret: null` takes the secret away.',
    for: 'session',
    body: schemaOf(changedProvider),
    example: { active: false },
    told: 'The provider as it is now.',
    answer: data(ref('schemas', 'AuthProvider')),
    errors: CHANGE_ERRORS,
  });

const providerAdminPaths = (path: string): Paths => ({
  [path]: {
    get: admin('list_providers', {
      summary: 'List sign-in providers',
      told: 'By name, without their secrets.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'AuthProvider')), meta: PROVIDER_META }, ['data', 'meta']),
    }),
    post: admin('create_provider', {
      summary: 'Add a sign-in provider',
      for: 'session',
      body: schemaOf(newProvider),
      example: { name: 'company', issuer: 'https://id.example.com', client_id: 'helpdesk', client_secret: 'of the provider' },
      status: 201,
      told: 'The new provider.',
      answer: data(ref('schemas', 'AuthProvider')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${path}/check`]: {
    post: admin('check_issuer', {
      summary: 'Ask an issuer what it says of itself',
      description: 'Stores nothing: to be done before a provider is added.',
      for: 'session',
      body: schemaOf(checkedIssuer),
      example: { issuer: 'https://id.example.com' },
      told: 'Whether it answers as an OpenID provider, and where it is signed in at.',
      answer: data(ISSUER_CHECK),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${path}/{name}`]: {
    parameters: [NAME],
    get: admin('get_provider', { summary: 'One sign-in provider', told: 'The provider.', answer: data(ref('schemas', 'AuthProvider')) }),
    put: changeProvider('put_provider'),
    patch: changeProvider('update_provider'),
    delete: admin('delete_provider', {
      summary: 'Remove a sign-in provider',
      for: 'session',
      told: 'It is gone.',
      answer: data(objectOf({ name: TEXT }, ['name'])),
    }),
  },
});

const signingKeyPaths = (path: string): Paths => ({
  [path]: {
    get: admin('list_signing_keys', {
      summary: 'The keys that sign access tokens',
      told: 'The newest first, at most 100.',
      answer: data(arrayOf(ref('schemas', 'SigningKey'))),
    }),
  },
  [`${path}/rotate`]: {
    post: admin('rotate_signing_key', {
      summary: 'Sign with a new key',
      description: 'With `revoke` every access token made before is refused; sessions go on.',
      for: 'session',
      body: objectOf({ revoke: { type: 'boolean', default: false } }),
      isBodyOptional: true,
      example: { revoke: false },
      status: 201,
      told: 'The new key, and those it replaces.',
      answer: data(objectOf({ kid: TEXT, retired: TEXTS, revoked: FLAG }, ['kid', 'retired', 'revoked'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
