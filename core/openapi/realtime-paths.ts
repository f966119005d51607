/** What changes, as a stream or page by page. */
import { arrayOf, objectOf, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { FLAG, operation, TEXT, TEXTS, TIME } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const TAG = 'realtime';
export const REALTIME_TAG: JsonObject = { name: TAG, description: 'Changes of records as they happen, and what happened to one record.' };

const EVENT: Schema = objectOf(
  {
    id: { type: 'string', description: 'Where it stands in the feed: `after` and `Last-Event-ID` go on behind it.' },
    type: { type: 'string', enum: ['record.created', 'record.updated', 'record.deleted', 'custom'] },
    entity: TEXT,
    record_id: TEXT,
    version: { type: 'string', description: 'Of the record after the change; lower ones than the last known are older news.' },
    changed_fields: TEXTS,
    record: { type: 'object', description: 'As it is now; with `include_record`.' },
    name: { type: 'string', description: 'Of a custom event.' },
    data: { type: 'object' },
    ts: TIME,
  },
  ['id', 'type', 'entity', 'record_id', 'ts'],
);
const PAGE: Schema = objectOf(
  { data: arrayOf(EVENT), next: TEXT, has_more: FLAG, reset: { type: 'boolean', description: '`after` has expired or is none of ours.' } },
  ['data', 'next', 'has_more'],
);
const TICKET: Schema = objectOf({ ticket: TEXT, expires_in: { type: 'integer' } }, ['ticket', 'expires_in']);

export function realtimePaths(app: AppView, base: string): Paths {
  const readable = [...app.entities.values()].filter(({ can }) => can.read).map(({ entity }) => entity.name);
  if (readable.length === 0) return {};
  return {
    [`${base}/_events`]: { get: withStream(listen(readable)) },
    [`${base}/_events/ticket`]: {
      post: operation(TAG, 'events_ticket', {
        summary: 'A ticket for a stream that sends no headers',
        description: 'Opens one stream within 30 seconds, as `?ticket=`, with the rights of the credential it was made with.',
        status: 201,
        told: 'The ticket.',
        answer: data(TICKET),
        errors: [...COMMON_ERRORS, 415],
      }),
    },
  };
}

const listen = (readable: readonly string[]): JsonObject =>
  operation(TAG, 'events', {
    summary: 'Listen to changes',
    description: 'A stream of server-sent events for `Accept: text/event-stream`, else a page of the same.',
    parameters: [
      query('entities', { type: 'string' }, `Names with commas between them, of: ${readable.slice(0, 50).join(', ')}. All when left out.`),
      query('filter', { type: 'string' }, 'A tree of conditions as in lists; `filter[field]=value` works too.'),
      query('include_record', FLAG, 'Adds the record as it is now.'),
      query('after', { type: 'string' }, 'An id to go on behind; `oldest` in pages; now when left out.'),
      query('limit', { type: 'integer', minimum: 1, maximum: 500 }, 'How many events of the app a page looks at.'),
    ],
    told: 'A page, or the stream.',
    answer: PAGE,
    errors: [...COMMON_ERRORS, 422],
  });

function withStream(operation: JsonObject): JsonObject {
  const responses = operation['responses'] as Readonly<Record<string, JsonObject>>;
  const answer = responses['200'] ?? {};
  const content = { ...(answer['content'] as JsonObject), 'text/event-stream': { schema: { type: 'string' } } };
  return { ...operation, responses: { ...responses, '200': { ...answer, content } } };
}
