/** Signing in and out. */
import { arrayOf, objectOf, type JsonObject, type Schema } from './json.ts';
import { operation as toldOperation, type Told } from './operation.ts';
import { data, errorsOf, jsonAnswer, jsonBody, type Paths } from './responses.ts';

const TAG = 'auth';
export const OPEN_ERRORS = [400, 401, 405, 413, 415, 429, 500, 503];

const USER: Schema = {
  type: 'object',
  properties: {
    id: { type: 'string', format: 'uuid' },
    email: { type: 'string' },
    roles: arrayOf({ type: 'string' }),
    must_change: { type: 'boolean' },
    is_admin: { type: 'boolean' },
    kind: { type: 'string', enum: ['user', 'platform'] },
  },
  required: ['id', 'email', 'roles'],
};

const SIGN_IN: Schema = {
  type: 'object',
  properties: {
    access_token: { type: 'string' },
    refresh_token: { type: 'string', description: 'Left out when it went into a cookie.' },
    token_type: { type: 'string', const: 'Bearer' },
    expires_in: { type: 'integer' },
    user: { $ref: '#/components/schemas/User' },
  },
  required: ['access_token', 'token_type', 'expires_in', 'user'],
};

/** What a sign-in answers when the second factor is still asked for. */
const CHALLENGE: Schema = {
  type: 'object',
  properties: {
    mfa_required: { type: 'boolean', const: true, description: 'Send a code with the token to auth/login/totp.' },
    mfa_enrol_required: { type: 'boolean', const: true, description: 'Set up a factor with the token: auth/totp, auth/totp/confirm.' },
    mfa_token: { type: 'string' },
    expires_in: { type: 'integer' },
  },
  required: ['mfa_token', 'expires_in'],
};

export const FACTOR = objectOf({ enabled: { type: 'boolean' }, recovery_codes_left: { type: 'integer' } }, [
  'enabled',
  'recovery_codes_left',
]);
const RECOVERY_CODES = arrayOf({ type: 'string' });
const CODE: Schema = { type: 'string', description: 'Six digits, or a recovery code.' };

const OWN_ERRORS = [400, 401, 403, 405, 413, 415, 429, 500, 503];

export const SESSION = objectOf(
  {
    id: { type: 'string', format: 'uuid' },
    created_at: { type: 'string', format: 'date-time' },
    used_at: { type: 'string', format: 'date-time' },
    expires_at: { type: 'string', format: 'date-time' },
    user_agent: { type: ['string', 'null'] },
    address: { type: ['string', 'null'] },
    current: { type: 'boolean' },
  },
  ['id', 'created_at', 'used_at', 'expires_at', 'current'],
);

const TOKEN_BODY = objectOf({
  refresh_token: { type: ['string', 'null'], description: 'Left out, the cookie is used.' },
  cookie: { type: 'boolean', const: true, description: 'Says so.' },
});

export const AUTH_SCHEMAS: Record<string, Schema> = { User: USER, SignIn: SIGN_IN, SignInChallenge: CHALLENGE };

/** Tokens, or what is asked for besides. */
export const SIGNED_IN: Schema = { anyOf: [{ $ref: '#/components/schemas/SignIn' }, { $ref: '#/components/schemas/SignInChallenge' }] };
/** That something was done, said twice: clients look for it in either place. */
export const SAID: Schema = objectOf({ message: { type: 'string' }, data: objectOf({ message: { type: 'string' } }, ['message']) }, [
  'message',
  'data',
]);

export const operationOf = (verb: string, told: Told): JsonObject => toldOperation(TAG, `auth_${verb}`, told);

/** An account is managed with a session; what says so itself is open to more. */
const operation = (verb: string, summary: string, rest: JsonObject): JsonObject => ({
  tags: [TAG],
  operationId: `auth_${verb}`,
  summary,
  security: [{ bearer: [] }],
  ...rest,
});

const signedIn = (description: string): JsonObject => jsonAnswer({ description, schema: data({ $ref: '#/components/schemas/SignIn' }) });

function totpPaths(base: string): Paths {
  return {
    [`${base}/auth/login/totp`]: {
      post: operation('login_totp', 'Sign in with a code of the second factor', {
        security: [],
        requestBody: jsonBody(objectOf({ mfa_token: { type: 'string' }, code: CODE, cookie: { type: 'boolean' } }, ['mfa_token', 'code'])),
        responses: { '200': signedIn('Tokens.'), ...errorsOf(OPEN_ERRORS) },
      }),
    },
    [`${base}/auth/totp`]: {
      get: operation('totp', 'The own second factor', {
        responses: { '200': jsonAnswer({ description: 'How it stands.', schema: data(FACTOR) }), ...errorsOf(OWN_ERRORS) },
      }),
      post: operation('begin_totp', 'Begin a second factor', {
        description: 'With a session and the password, or with the mfa_token of a sign-in that has to set one up.',
        security: [{ bearer: [] }, {}],
        requestBody: jsonBody(objectOf({ password: { type: 'string' }, mfa_token: { type: 'string' } })),
        responses: {
          '200': jsonAnswer({
            description: 'The secret, shown this once; it counts for nothing until confirmed.',
            schema: data(objectOf({ secret: { type: 'string' }, uri: { type: 'string' } }, ['secret', 'uri'])),
          }),
          ...errorsOf([...OWN_ERRORS, 409]),
        },
      }),
      delete: operation('end_totp', 'Turn the second factor off', {
        requestBody: jsonBody(objectOf({ password: { type: 'string' }, code: CODE }, ['password', 'code'])),
        responses: { '200': jsonAnswer({ description: 'It is off.', schema: data(FACTOR) }), ...errorsOf([...OWN_ERRORS, 404]) },
      }),
    },
    [`${base}/auth/totp/confirm`]: {
      post: operation('confirm_totp', 'Turn the begun second factor on', {
        security: [{ bearer: [] }, {}],
        requestBody: jsonBody(objectOf({ code: { type: 'string' }, mfa_token: { type: 'string' }, cookie: { type: 'boolean' } }, ['code'])),
        responses: {
          '200': jsonAnswer({
            description: 'It is on. The recovery codes are shown this once; with an mfa_token, tokens stand beside them.',
            schema: data({
              anyOf: [
                objectOf({ recovery_codes: RECOVERY_CODES }, ['recovery_codes']),
                { allOf: [{ $ref: '#/components/schemas/SignIn' }, objectOf({ recovery_codes: RECOVERY_CODES }, ['recovery_codes'])] },
              ],
            }),
          }),
          ...errorsOf([...OWN_ERRORS, 409]),
        },
      }),
    },
  };
}

export function authPaths(base: string): Paths {
  return {
    [`${base}/auth/login`]: {
      post: operation('login', 'Sign in', {
        security: [],
        requestBody: jsonBody(
          objectOf(
            {
              email: { type: 'string' },
              password: { type: 'string' },
              cookie: { type: 'boolean', description: 'Puts the refresh token into an HttpOnly cookie.' },
            },
            ['email', 'password'],
          ),
        ),
        responses: {
          '200': jsonAnswer({
            description: 'Tokens, or what is asked for besides.',
            schema: data(SIGNED_IN),
          }),
          ...errorsOf(OPEN_ERRORS),
        },
      }),
    },
    ...totpPaths(base),
    [`${base}/auth/refresh`]: {
      post: operation('refresh', 'Exchange the refresh token for new tokens', {
        security: [],
        requestBody: jsonBody(TOKEN_BODY, false),
        responses: { '200': signedIn('New tokens; the old refresh token is dead.'), ...errorsOf(OPEN_ERRORS) },
      }),
    },
    [`${base}/auth/logout`]: {
      post: operation('logout', 'End the session of a refresh token', {
        security: [],
        requestBody: jsonBody(TOKEN_BODY, false),
        responses: {
          '200': jsonAnswer({
            description: 'Signed out.',
            schema: SAID,
          }),
          ...errorsOf(OPEN_ERRORS),
        },
      }),
    },
    [`${base}/auth/me`]: {
      get: operation('me', 'The account that is signed in', {
        security: [{ bearer: [] }, { api_key: [] }],
        responses: {
          '200': jsonAnswer({ description: 'The account as it is now.', schema: data({ $ref: '#/components/schemas/User' }) }),
          ...errorsOf([401, 403, 405, 429, 500, 503]),
        },
      }),
    },
    [`${base}/auth/password`]: {
      post: operation('password', 'Change the own password', {
        requestBody: jsonBody(objectOf({ current: { type: 'string' }, new: { type: 'string' } }, ['current', 'new'])),
        responses: {
          '200': jsonAnswer({
            description: 'Changed; all other sessions are ended.',
            schema: objectOf({ message: { type: 'string' }, data: objectOf({ ended_sessions: { type: 'integer' } }, ['ended_sessions']) }, [
              'message',
              'data',
            ]),
          }),
          ...errorsOf([...OPEN_ERRORS, 403, 422]),
        },
      }),
    },
    [`${base}/auth/sessions`]: {
      get: operation('sessions', 'The own sessions', {
        responses: { '200': jsonAnswer({ description: 'The last used first.', schema: data(arrayOf(SESSION)) }), ...errorsOf(OWN_ERRORS) },
      }),
      delete: operation('end_sessions', 'End all other sessions', {
        parameters: [{ name: 'all', in: 'query', description: 'The own one too.', schema: { type: 'boolean', default: false } }],
        responses: {
          '200': jsonAnswer({ description: 'How many were ended.', schema: data(objectOf({ ended: { type: 'integer' } }, ['ended'])) }),
          ...errorsOf(OWN_ERRORS),
        },
      }),
    },
    [`${base}/auth/sessions/{session}`]: {
      delete: operation('end_session', 'End one session', {
        parameters: [{ name: 'session', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } }],
        responses: {
          '200': jsonAnswer({ description: 'It is ended.', schema: data(objectOf({ id: { type: 'string' } }, ['id'])) }),
          ...errorsOf([...OWN_ERRORS, 404]),
        },
      }),
    },
    [`${base}/auth/jwks.json`]: {
      get: operation('jwks', 'Public keys of the access tokens', {
        security: [],
        responses: {
          '200': jsonAnswer({
            description: 'A JSON Web Key Set.',
            schema: { type: 'object', properties: { keys: arrayOf({ type: 'object' }) }, required: ['keys'] },
          }),
          ...errorsOf([405, 429, 500, 503]),
        },
      }),
    },
  };
}
