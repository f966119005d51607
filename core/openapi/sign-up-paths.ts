/** Accounts made and recovered by their owners: signing up, invites, forgotten passwords, and sign-in providers. */
import type { AuthSettings } from '../model/document.ts';
import { SAID, operationOf, OPEN_ERRORS, SIGNED_IN } from './auth-paths.ts';
import { arrayOf, objectOf, type JsonObject, type Schema } from './json.ts';
import { inPath, MAYBE_TEXT, TEXT, TIME } from './operation.ts';
import { data, errorsOf, type Paths } from './responses.ts';

const EMAIL: Schema = { type: 'string', format: 'email', maxLength: 320 };
const TOKEN: Schema = { type: 'string', description: 'Of the mail or the invite; good once.' };
const EXAMPLE_TOKEN = '0198c0de-1001-7000-8000-000000000001.b0ydzYVlO0d2dG1Jc3RoZXNlY3JldG9mdGhpc21haWw';
const REDEEM_ERRORS = [...OPEN_ERRORS, 403, 404, 422];

const newPassword = ({ password_min_length: minLength }: AuthSettings): Schema => ({ type: 'string', minLength, maxLength: 1_024 });

/** What an app's settings leave of it: without signing up there is no registering. */
export function signUpPaths(base: string, settings: AuthSettings): Paths {
  const password = newPassword(settings);
  return {
    ...(settings.public_signup ? { [`${base}/auth/register`]: { post: register(settings, password) } } : {}),
    [`${base}/auth/accept-invite`]: {
      post: operationOf('accept_invite', {
        summary: 'Make the account an invite is for',
        for: 'everybody',
        body: objectOf({ token: TOKEN, password }, ['token', 'password']),
        example: { token: EXAMPLE_TOKEN, password: 'a long enough password' },
        status: 201,
        told: 'The account is there, and signed in.',
        answer: data(SIGNED_IN),
        errors: [...REDEEM_ERRORS, 409],
      }),
    },
    [`${base}/auth/forgot`]: {
      post: mailOperation('forgot', 'Ask for a mail that sets a new password'),
    },
    [`${base}/auth/reset`]: {
      post: operationOf('reset', {
        summary: 'Set a password with the token of a mail',
        description: 'All sessions of the account end.',
        for: 'everybody',
        body: objectOf({ token: TOKEN, password }, ['token', 'password']),
        example: { token: EXAMPLE_TOKEN, password: 'a long enough password' },
        told: 'It is set.',
        answer: SAID,
        errors: REDEEM_ERRORS,
      }),
    },
    [`${base}/auth/verify`]: {
      post: operationOf('verify', {
        summary: 'Confirm the address of an account with the token of a mail',
        for: 'everybody',
        body: objectOf({ token: TOKEN, password: { ...TEXT, description: 'The one the account was made with.' } }, ['token', 'password']),
        example: { token: EXAMPLE_TOKEN, password: 'a long enough password' },
        told: 'The account is open, and signed in.',
        answer: data(SIGNED_IN),
        errors: REDEEM_ERRORS,
      }),
    },
    [`${base}/auth/verify/send`]: {
      post: mailOperation('send_verification', 'Ask for another mail that confirms an address'),
    },
  };
}

/** The address is open at once, or after a mail was answered: the settings say which. */
const register = ({ verify_email: isMailed }: AuthSettings, password: Schema): JsonObject =>
  operationOf('register', {
    summary: 'Sign up',
    for: 'everybody',
    body: objectOf({ email: EMAIL, password }, ['email', 'password']),
    example: { email: 'ada@example.com', password: 'a long enough password' },
    status: isMailed ? 202 : 201,
    told: isMailed ? 'A mail is on its way, if the address can be used.' : 'The account is there, and signed in.',
    answer: isMailed ? SAID : data(SIGNED_IN),
    errors: [...REDEEM_ERRORS, 409],
  });

const mailOperation = (verb: string, summary: string): JsonObject =>
  operationOf(verb, {
    summary,
    description: 'The answer is the same whoever has the address.',
    for: 'everybody',
    body: objectOf({ email: EMAIL }, ['email']),
    example: { email: 'ada@example.com' },
    told: 'A mail is on its way, if the address can be used.',
    answer: SAID,
    errors: REDEEM_ERRORS,
  });

// --- sign-in providers ---------------------------------------------------------------------------------------------

const PROVIDER = inPath('provider', { type: 'string', pattern: '^[a-z][a-z0-9_-]{0,62}$' }, 'The name of a sign-in provider.');
const LINK = objectOf(
  { provider: TEXT, issuer: TEXT, email: MAYBE_TEXT, created_at: TIME, used_at: { ...MAYBE_TEXT, format: 'date-time' } },
  ['provider', 'issuer', 'created_at'],
);

export const providerPaths = (base: string): Paths => ({
  [`${base}/auth/providers`]: {
    get: operationOf('providers', {
      summary: 'Sign-in providers that can be used',
      for: 'everybody',
      told: 'By name.',
      answer: data(arrayOf(objectOf({ name: TEXT, display_name: TEXT }, ['name', 'display_name']))),
      errors: [403, 404, 405, 429, 500, 503],
    }),
  },
  [`${base}/auth/oidc/{provider}/start`]: {
    parameters: [PROVIDER],
    get: redirectOf('oidc_start', 'Begin a sign-in with a provider', "To the provider's page.", [
      {
        name: 'redirect_to',
        in: 'query',
        description: 'Where to go in the end: a path, or an address at an allowed origin.',
        schema: TEXT,
      },
    ]),
  },
  [`${base}/auth/oidc/{provider}/callback`]: {
    parameters: [PROVIDER],
    get: redirectOf('oidc_callback', 'What the provider sends the browser back to', 'To `redirect_to`, with a `code` or an `error`.', [
      { name: 'state', in: 'query', required: true, schema: TEXT },
      { name: 'code', in: 'query', schema: TEXT },
      { name: 'error', in: 'query', schema: TEXT },
    ]),
  },
  [`${base}/auth/oidc/token`]: {
    post: operationOf('oidc_token', {
      summary: 'Exchange the code of a sign-in with a provider for tokens',
      description: 'Once, in the browser that began it.',
      for: 'everybody',
      body: objectOf({ code: TEXT, cookie: { type: 'boolean', default: false } }, ['code']),
      example: { code: EXAMPLE_TOKEN },
      told: 'Tokens, or what is asked for besides.',
      answer: data(SIGNED_IN),
      errors: REDEEM_ERRORS,
    }),
  },
  [`${base}/auth/oidc/links`]: {
    get: operationOf('oidc_links', {
      summary: 'Providers the own account signs in with',
      for: 'session',
      told: 'The oldest first.',
      answer: data(arrayOf(LINK)),
    }),
  },
  [`${base}/auth/oidc/links/{provider}`]: {
    parameters: [inPath('provider', { type: 'string', minLength: 1 })],
    delete: operationOf('oidc_unlink', {
      summary: 'Give up a link to a provider',
      for: 'session',
      told: 'It is given up.',
      answer: data(objectOf({ provider: TEXT }, ['provider'])),
      errors: [400, 401, 403, 404, 405, 409, 413, 415, 429, 500, 503],
    }),
  },
});

const redirectOf = (verb: string, summary: string, description: string, parameters: readonly JsonObject[]): JsonObject => ({
  tags: ['auth'],
  operationId: `auth_${verb}`,
  summary,
  security: [],
  parameters,
  responses: {
    '302': {
      description,
      headers: { Location: { $ref: '#/components/headers/Location' }, 'X-Request-Id': { $ref: '#/components/headers/RequestId' } },
    },
    ...errorsOf([400, 403, 404, 405, 422, 429, 500, 503]),
  },
});
