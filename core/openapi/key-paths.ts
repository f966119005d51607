/** API keys: an account's own, and for admins those of everybody. */
import { changedKey, newKey, newKeyOfAdmin } from '../payloads/api-key.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, MAYBE_TIME, operation, TEXT, TEXTS, TIME, UUID } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';

const KEY: Readonly<Record<string, Schema>> = {
  id: UUID,
  name: TEXT,
  prefix: { ...TEXT, description: 'How the key begins, to tell it by.' },
  scopes: TEXTS,
  roles: { anyOf: [TEXTS, { type: 'null' }], description: 'Null for a key that acts as an account.' },
  user_id: { ...MAYBE_TEXT, format: 'uuid' },
  expires_at: MAYBE_TIME,
  revoked: { type: 'boolean' },
  revoked_at: MAYBE_TIME,
  last_used_at: MAYBE_TIME,
  created_by: { ...MAYBE_TEXT, format: 'uuid' },
  created_at: TIME,
  updated_at: TIME,
};
const SHOWN_ONCE: Schema = { ...TEXT, description: 'The key itself, shown this once.' };

export const KEY_SCHEMAS: Readonly<Record<string, Schema>> = {
  ApiKey: objectOf(KEY, Object.keys(KEY)),
  NewApiKey: objectOf({ key: SHOWN_ONCE, ...KEY }, ['key', ...Object.keys(KEY)]),
};

const ONE = data(ref('schemas', 'ApiKey'));
const NEW = data(ref('schemas', 'NewApiKey'));

/** Pages of lists that refuse what is no number; `size` is that of a page when nobody asks. */
export const strictPages = (size = 25): JsonObject[] => [
  { name: 'page', in: 'query', schema: { type: 'integer', minimum: 1, maximum: 999_999_999, default: 1 } },
  {
    name: 'per_page',
    in: 'query',
    description: 'More than the most a page may have is cut to that.',
    schema: { type: 'integer', minimum: 1, maximum: 999_999_999, default: size },
  },
];

/** `whose` is in the ids of the operations; keys are made and changed with a session only. */
export function keyPaths(path: string, tag: string, whose: 'own' | 'admin'): Paths {
  const id = (verb: string): string => (whose === 'own' ? `auth_${verb}` : `admin_${verb}`);
  const reader = whose === 'own' ? ({ for: 'session' } as const) : {};
  const body = schemaOf(whose === 'own' ? newKey : newKeyOfAdmin);
  const change = (verb: string): JsonObject =>
    operation(tag, id(verb), {
      summary: 'Change the name, the scopes or the expiry of an API key',
      for: 'session',
      body: schemaOf(changedKey),
      example: { name: 'nightly export' },
      told: 'The key as it is now.',
      answer: ONE,
      errors: CHANGE_ERRORS,
    });
  return {
    [path]: {
      get: operation(tag, id('list_keys'), {
        summary: whose === 'own' ? 'The own API keys' : 'All API keys',
        ...reader,
        parameters: strictPages(),
        told: 'The newest first.',
        answer: objectOf({ data: arrayOf(ref('schemas', 'ApiKey')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
      }),
      post: operation(tag, id('create_key'), {
        summary: 'Make an API key',
        description:
          whose === 'own'
            ? 'It can do what the account can, cut by its scopes.'
            : 'It acts as an account, or has roles of its own; without either it acts as the account that makes it.',
        for: 'session',
        body,
        example: { name: 'export', scopes: ['*:read'], ...(whose === 'own' ? {} : { roles: ['agent'] }) },
        status: 201,
        told: 'The new key, with its text.',
        answer: NEW,
        errors: CHANGE_ERRORS,
      }),
    },
    [`${path}/{id}`]: {
      parameters: [inPath('id', UUID)],
      get: operation(tag, id('get_key'), { summary: 'One API key', ...reader, told: 'The key.', answer: ONE }),
      put: change('put_key'),
      patch: change('update_key'),
      delete: operation(tag, id('revoke_key'), {
        summary: 'Revoke an API key',
        for: 'session',
        told: 'It is dead; what it was stays listed.',
        answer: ONE,
        errors: [...COMMON_ERRORS, 415],
      }),
    },
    [`${path}/{id}/rotate`]: {
      parameters: [inPath('id', UUID)],
      post: operation(tag, id('rotate_key'), {
        summary: 'A new text for an API key',
        for: 'session',
        told: 'The key with its new text; the old text is dead.',
        answer: NEW,
        errors: CHANGE_ERRORS,
      }),
    },
  };
}
