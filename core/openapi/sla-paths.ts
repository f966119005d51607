/** Clocks of SLAs: those of a record, those of the app, and what admins ask about them. */
import { slaTrial } from '../payloads/slas.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, FLAG, inPath, MAYBE_TEXT, MAYBE_TIME, operation, STORABLE, TEXT, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

export const SLAS_TAG = 'slas';
export const SLA_ADMIN_TAG = '_admin/slas';

const MAYBE_WHOLE: Schema = { type: ['integer', 'null'] };
const STATE: Schema = { type: 'string', enum: ['running', 'paused', 'met', 'breached', 'cancelled'] };
const HISTORY = arrayOf(
  objectOf(
    {
      at: TIME,
      what: { type: 'string', enum: ['started', 'paused', 'resumed', 'reset', 'stopped', 'cancelled', 'warned', 'breached', 'escalated'] },
      label: { ...TEXT, description: 'Which warning or escalation.' },
      version: { ...WHOLE, description: 'Of the record, by whose change it came.' },
    },
    ['at', 'what'],
  ),
);

const CLOCK = {
  id: UUID,
  sla: TEXT,
  sla_id: TEXT,
  entity: TEXT,
  record_id: TEXT,
  state: STATE,
  is_paused: { ...FLAG, description: 'Also of a clock that is breached and does not count now.' },
  started_at: TIME,
  due_at: { ...MAYBE_TIME, description: 'Null while it is paused before its due time, and without a target.' },
  target_ms: MAYBE_WHOLE,
  elapsed_ms: { ...WHOLE, description: 'Time that counted.' },
  remaining_ms: { ...MAYBE_WHOLE, description: 'Below zero when it is late.' },
  percent: { type: ['number', 'null'], description: 'Of the target; over 100 when it is late.' },
  breached_at: MAYBE_TIME,
  stopped_at: MAYBE_TIME,
  next_at: { ...MAYBE_TIME, description: 'The next warning, breach or escalation if nothing happens.' },
  fired: arrayOf(objectOf({ key: TEXT, at: TIME, error: TEXT }, ['key', 'at'])),
  error: { ...MAYBE_TEXT, description: 'The last action that was refused for good.' },
  temporal_workflow_id: TEXT,
  temporal_url: MAYBE_TEXT,
} as const satisfies Record<string, Schema>;

const { id: _id, sla: _sla, sla_id: _slaId, entity: _entity, record_id: _record, fired: _fired, error: _error, ...WORKED_OUT } = CLOCK;
const { temporal_workflow_id: _workflow, temporal_url: _url, percent: _percent, ...TRIED } = WORKED_OUT;

export const SLA_SCHEMAS: Readonly<Record<string, Schema>> = {
  Clock: objectOf({ ...CLOCK, history: { ...HISTORY, description: 'Only with the clocks of one record.' } }, Object.keys(CLOCK)),
  TriedClock: objectOf({ ...TRIED, started_at: MAYBE_TIME, history: HISTORY }, [...Object.keys(TRIED), 'history']),
};

/** Of an entity with SLAs. */
export const recordClocks = (name: string): JsonObject =>
  operation(name, `${name}_slas`, {
    summary: `Clocks of one ${name.replaceAll('_', ' ')}`,
    told: 'The newest first, as of now.',
    answer: data(arrayOf(ref('schemas', 'Clock'))),
  });

export function clockPaths(app: AppView, base: string): Paths {
  const { slas } = app.model.document;
  if (!slas.some(({ entity }) => app.entities.get(entity)?.can.read === true)) return {};
  return {
    [`${base}/_slas`]: {
      get: operation(SLAS_TAG, 'slas_list', {
        summary: 'List clocks',
        description: 'Of records that the caller may read. What falls due first comes first, clocks that have ended last.',
        parameters: [
          query('state', STATE),
          query('open', FLAG, 'Whether it has not ended.'),
          ...['entity', 'record_id', 'sla'].map((name) => query(name, STORABLE)),
          query('due_before', TIME),
          ...strictPages(),
        ],
        told: 'A page of clocks.',
        answer: objectOf({ data: arrayOf(ref('schemas', 'Clock')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
      }),
    },
  };
}

const HOUR = objectOf({ from: TIME, to: TIME, due: WHOLE, slas: { type: 'object', additionalProperties: WHOLE } }, [
  'from',
  'to',
  'due',
  'slas',
]);
const FORECAST = objectOf({ hours: WHOLE, breached: WHOLE, paused: WHOLE, without_due: WHOLE }, [
  'hours',
  'breached',
  'paused',
  'without_due',
]);

export const slaAdminPaths = (root: string): Paths => ({
  [`${root}/slas/forecast`]: {
    get: operation(SLA_ADMIN_TAG, 'admin_forecast_slas', {
      summary: 'What falls due in the next hours if nothing happens',
      parameters: [query('hours', { type: 'integer', minimum: 1, maximum: 744 }, '24 when left out.')],
      told: 'The number of open clocks that fall due in each hour.',
      answer: objectOf({ data: arrayOf(HOUR), meta: FORECAST }, ['data', 'meta']),
    }),
  },
  [`${root}/slas/try`]: {
    post: operation(SLA_ADMIN_TAG, 'admin_try_sla', {
      summary: 'Try a definition on changes of a record',
      description: 'Nothing is written. The changes are given, or those of a stored record.',
      body: schemaOf(slaTrial),
      example: {
        definition: {
          name: 'first_answer',
          entity: 'ticket',
          start: "record.status = 'open'",
          stop: "record.status = 'closed'",
          target: '8h',
        },
        events: [{ at: '2026-01-12T09:00:00Z', record: { status: 'open' } }],
        now: '2026-01-12T12:00:00Z',
      },
      told: 'Each clock that the changes start.',
      answer: data(objectOf({ clocks: arrayOf(ref('schemas', 'TriedClock')) }, ['clocks'])),
      errors: [...COMMON_ERRORS, 415, 422],
    }),
  },
  [`${root}/slas/{name}/recompute`]: {
    parameters: [inPath('name', { type: 'string', minLength: 1 }, 'The name or id of an SLA.')],
    post: operation(SLA_ADMIN_TAG, 'admin_recompute_sla', {
      summary: 'Count open clocks anew by the definition of today',
      status: 202,
      told: 'How many clocks look again.',
      answer: data(objectOf({ sla: TEXT, clocks: WHOLE }, ['sla', 'clocks'])),
      errors: CHANGE_ERRORS,
    }),
  },
});
