/** The story of a record. */
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { list, query } from './list-parameters.ts';
import { TEXT, TIME } from './operation.ts';
import { COMMON_ERRORS, errorsOf, jsonAnswer, tagged, words, type Paths } from './responses.ts';
import type { EntityView } from './view.ts';

const TYPES = ['change', 'transition', 'comment', 'run', 'vote', 'clock', 'delivery'];

const ENTRY: Schema = {
  type: 'object',
  description: 'What else an entry has depends on its type.',
  properties: {
    type: { type: 'string', enum: TYPES },
    at: TIME,
    id: { ...TEXT, description: 'Of the change, comment, run, vote, clock or delivery.' },
    actor: { type: ['object', 'null'] },
  },
  required: ['type', 'at', 'id'],
};

const PAGE: Schema = objectOf({ data: arrayOf(ENTRY), page: ref('schemas', 'WalkPage') }, ['data', 'page']);

export function timelinePaths(view: EntityView, path: string, idParameter: JsonObject): Paths {
  if (!view.can.read) return {};
  return {
    [`${path}/{id}/_timeline`]: {
      parameters: [idParameter],
      get: tagged(view, 'timeline', `The story of a ${words(view)}`, {
        description: 'Its changes, comments, runs, votes, marks of clocks and, for admins, deliveries, in one order.',
        parameters: [
          list('types', { type: 'array', items: { type: 'string', enum: TYPES } }, 'Of these types only.'),
          query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999 }),
          query('cursor', { type: 'string' }),
        ],
        responses: { '200': jsonAnswer({ description: 'The newest first.', schema: PAGE }), ...errorsOf([...COMMON_ERRORS, 422]) },
      }),
    },
  };
}
