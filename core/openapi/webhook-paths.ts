/** Deliveries of webhooks and the secrets in them, for admins. */
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, MAYBE_TIME, operation, TEXT, TIME, UUID, WHOLE, type Told } from './operation.ts';
import { data, type Paths } from './responses.ts';

export const WEBHOOKS_TAG = '_admin/webhooks';

const ATTEMPT = objectOf(
  {
    number: WHOLE,
    at: TIME,
    status: { type: ['integer', 'null'], description: 'What the endpoint answered.' },
    latency_ms: { type: ['integer', 'null'] },
    error: MAYBE_TEXT,
    response: MAYBE_TEXT,
  },
  ['number', 'at', 'status', 'latency_ms', 'error', 'response'],
);
const DELIVERY = {
  id: UUID,
  webhook: TEXT,
  event_id: TEXT,
  entity: TEXT,
  record_id: TEXT,
  status: { type: 'string', enum: ['pending', 'retrying', 'delivered', 'dead'] },
  reason: MAYBE_TEXT,
  round: WHOLE,
  created_at: TIME,
  updated_at: TIME,
  next_attempt_at: MAYBE_TIME,
  attempts: arrayOf(ATTEMPT),
} as const satisfies Record<string, Schema>;

export const WEBHOOK_SCHEMAS: Readonly<Record<string, Schema>> = { Delivery: objectOf(DELIVERY, Object.keys(DELIVERY)) };

const WITH_BODY = data(
  objectOf({ ...DELIVERY, body: { type: 'object', description: 'What is sent.' } }, [...Object.keys(DELIVERY), 'body']),
);
const told = (verb: string, what: Told): JsonObject => operation(WEBHOOKS_TAG, `admin_${verb}`, what);
const query = (name: string, schema: Schema): JsonObject => ({ name, in: 'query', schema });
const STORABLE: Schema = { type: 'string', pattern: '^[^\\u0000]*$' };
const WEBHOOK = inPath('id', { type: 'string', minLength: 1 }, 'The id of a webhook.');
const SECRET = inPath('name', { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9_]{0,62}$' });
const NAMED = data(objectOf({ name: TEXT }, ['name']));

export const webhookPaths = (root: string): Paths => ({
  [`${root}/deliveries`]: {
    get: told('list_deliveries', {
      summary: 'List deliveries',
      parameters: [
        ...['webhook', 'entity', 'record_id'].map((name) => query(name, STORABLE)),
        query('status', { type: 'string', enum: ['pending', 'retrying', 'delivered', 'dead'] }),
        ...strictPages(),
      ],
      told: 'The newest first.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'Delivery')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
    }),
  },
  [`${root}/deliveries/{id}`]: {
    parameters: [inPath('id', UUID)],
    get: told('get_delivery', { summary: 'One delivery with its body', told: 'The delivery.', answer: WITH_BODY }),
  },
  [`${root}/deliveries/{id}/replay`]: {
    parameters: [inPath('id', UUID)],
    post: told('replay_delivery', {
      summary: 'Send an ended delivery again',
      told: 'It is on its way again.',
      answer: WITH_BODY,
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/webhooks/{id}/test`]: {
    parameters: [WEBHOOK],
    post: told('test_webhook', {
      summary: 'Send a made-up change to a webhook now',
      told: 'The delivery with its attempt.',
      answer: WITH_BODY,
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/webhooks/{id}/secret`]: {
    parameters: [WEBHOOK],
    post: told('rotate_webhook_secret', {
      summary: 'A new signing secret for a webhook',
      description: 'The one before keeps signing beside it until the next rotation.',
      told: 'The secret, shown this once.',
      answer: data(objectOf({ secret: TEXT }, ['secret'])),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/secrets`]: {
    get: told('list_secrets', {
      summary: 'Names of secrets',
      description: 'Values behind `{{secret.NAME}}`; they are never read back.',
      told: 'By name.',
      answer: data(arrayOf(objectOf({ name: TEXT, created_at: TIME }, ['name', 'created_at']))),
    }),
  },
  [`${root}/secrets/{name}`]: {
    parameters: [SECRET],
    put: told('set_secret', {
      summary: 'Set a secret',
      body: objectOf({ value: { type: 'string', minLength: 1 } }, ['value']),
      example: { value: 'of the endpoint' },
      told: 'It is set.',
      answer: NAMED,
      errors: CHANGE_ERRORS,
    }),
    delete: told('delete_secret', { summary: 'Forget a secret', told: 'It is gone.', answer: NAMED }),
  },
});
