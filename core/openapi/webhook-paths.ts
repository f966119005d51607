/** Deliveries of webhooks and the secrets in them, for admins. */
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, inPath, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TIME, UUID, WHOLE, type Told } from './operation.ts';
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

const REPLAY = {
  id: UUID,
  webhook: MAYBE_TEXT,
  from: MAYBE_TIME,
  to: MAYBE_TIME,
  status: { type: 'string', enum: ['dead', 'delivered'] },
  state: { type: 'string', enum: ['running', 'done', 'stopped'] },
  replayed: { type: 'integer', description: 'Deliveries put on their way again so far.' },
  waiting: { type: 'integer', description: 'Of those, the ones that have not ended.' },
  delivered: WHOLE,
  dead: WHOLE,
  created_at: TIME,
  updated_at: TIME,
} as const satisfies Record<string, Schema>;
const MAYBE_WHOLE: Schema = { type: ['integer', 'null'] };
const HEALTH = {
  webhook: TEXT,
  state: {
    type: 'string',
    enum: ['closed', 'open', 'half_open', 'throttled', 'disabled'],
    description: '`open` is paused after failures, `half_open` is tried by one attempt, `throttled` is paused because it asked for it.',
  },
  failures: { type: 'integer', description: 'Failed attempts in a row.' },
  failing_since: MAYBE_TIME,
  paused_until: MAYBE_TIME,
  disabled_at: MAYBE_TIME,
  reason: MAYBE_TEXT,
  backlog: { type: 'integer', description: 'Deliveries that have not ended.' },
  oldest_waiting_at: MAYBE_TIME,
  last_24h: objectOf(
    {
      delivered: { type: 'integer', description: 'Attempts that were answered with 2xx.' },
      failed: { type: 'integer', description: 'Attempts that were not.' },
      p50_ms: MAYBE_WHOLE,
      p95_ms: MAYBE_WHOLE,
    },
    ['delivered', 'failed', 'p50_ms', 'p95_ms'],
  ),
} as const satisfies Record<string, Schema>;

export const WEBHOOK_SCHEMAS: Readonly<Record<string, Schema>> = {
  Delivery: objectOf(DELIVERY, Object.keys(DELIVERY)),
  Replay: objectOf(REPLAY, Object.keys(REPLAY)),
  WebhookHealth: objectOf(HEALTH, Object.keys(HEALTH)),
};

const WITH_BODY = data(
  objectOf({ ...DELIVERY, body: { type: 'object', description: 'What is sent.' } }, [...Object.keys(DELIVERY), 'body']),
);
const told = (verb: string, what: Told): JsonObject => operation(WEBHOOKS_TAG, `admin_${verb}`, what);
const CURSOR: Schema = { type: 'string', pattern: '^([0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12})?$' };
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
        query('event_id', { type: 'string', pattern: '^-?[0-9]{1,18}$' }),
        query('from', { type: 'string', format: 'date-time' }),
        query('to', { type: 'string', format: 'date-time' }),
        ...strictPages(),
        { ...query('cursor', CURSOR), description: '`page.next_cursor` of the answer before; empty is the beginning. Not beside `page`.' },
        { ...query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999, default: 25 }), description: 'With `cursor`.' },
      ],
      told: 'The newest first: `meta` by pages, `page` from a cursor on.',
      answer: objectOf({ data: arrayOf(ref('schemas', 'Delivery')), meta: ref('schemas', 'PageMeta'), page: ref('schemas', 'WalkPage') }, [
        'data',
      ]),
    }),
  },
  [`${root}/deliveries/replay`]: {
    post: told('replay_deliveries', {
      summary: 'Send many ended deliveries again',
      description: 'What is dead, unless `status` says otherwise; narrowed by webhook and time. A worker goes through them.',
      body: objectOf({
        webhook: TEXT,
        from: TIME,
        to: TIME,
        status: { type: 'string', enum: ['dead', 'delivered'], default: 'dead' },
      }),
      isBodyOptional: true,
      example: { status: 'dead', from: '2026-01-31T00:00:00Z' },
      status: 202,
      told: 'It has begun.',
      answer: data(ref('schemas', 'Replay')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/deliveries/replays`]: {
    get: told('list_replays', {
      summary: 'Replays of many deliveries',
      told: 'The newest 50.',
      answer: data(arrayOf(ref('schemas', 'Replay'))),
    }),
  },
  [`${root}/deliveries/replays/{id}`]: {
    parameters: [inPath('id', UUID)],
    get: told('get_replay', { summary: 'One replay of many deliveries', told: 'How far it is.', answer: data(ref('schemas', 'Replay')) }),
  },
  [`${root}/deliveries/replays/{id}/stop`]: {
    parameters: [inPath('id', UUID)],
    post: told('stop_replay', {
      summary: 'Stop a replay',
      description: 'Its deliveries that wait are again what they were; what is being sent at that moment goes on.',
      told: 'It has stopped.',
      answer: data(ref('schemas', 'Replay')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/deliveries/health`]: {
    get: told('all_webhook_health', {
      summary: 'How the endpoints of all webhooks are',
      told: 'Of each webhook its state, its backlog and its last 24 hours, in the order of the document.',
      answer: data(arrayOf(ref('schemas', 'WebhookHealth'))),
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
  [`${root}/webhooks/{id}/health`]: {
    parameters: [WEBHOOK],
    get: told('webhook_health', {
      summary: 'How the endpoint of a webhook is',
      told: 'Its state, its backlog and its last 24 hours.',
      answer: data(ref('schemas', 'WebhookHealth')),
    }),
  },
  [`${root}/webhooks/{id}/pause`]: {
    parameters: [WEBHOOK],
    post: told('pause_webhook', {
      summary: 'Stop delivering to an endpoint',
      description: 'What comes waits until the webhook is enabled again, for at most 30 days.',
      told: 'It is disabled.',
      answer: data(ref('schemas', 'WebhookHealth')),
      errors: CHANGE_ERRORS,
    }),
  },
  [`${root}/webhooks/{id}/enable`]: {
    parameters: [WEBHOOK],
    post: told('enable_webhook', {
      summary: 'Deliver to a disabled or paused endpoint again',
      told: 'What waited goes out, in the order of the events.',
      answer: data(ref('schemas', 'WebhookHealth')),
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
