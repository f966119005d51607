/** What happened to a record, and undoing one change of it. */
import { schemaName } from './entity-schemas.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { inPath, MAYBE_TEXT, TEXT, TEXTS, TIME } from './operation.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, tagged, words, WRITE_ERRORS, writeHeaders, type Paths } from './responses.ts';
import type { EntityView } from './view.ts';

const ENTRY: Schema = objectOf(
  {
    id: { type: 'string', description: 'Of the change: what a revert names.' },
    version: TEXT,
    action: { type: 'string', enum: ['create', 'update', 'delete', 'restore'] },
    at: TIME,
    actor: { type: 'object' },
    cause: MAYBE_TEXT,
    changes: { type: 'object', description: 'By field, each `{old, new}`.' },
    gone_fields: TEXTS,
  },
  ['id', 'version', 'action', 'at', 'actor', 'changes'],
);

const PAGE: Schema = objectOf({ data: arrayOf(ENTRY), page: ref('schemas', 'WalkPage') }, ['data', 'page']);

export function historyPaths(view: EntityView, path: string, idParameter: JsonObject): Paths {
  const { can, entity } = view;
  if (!can.read) return {};
  const get = tagged(view, 'history', `What happened to a ${words(view)}`, {
    parameters: [query('limit', { type: 'integer', minimum: 1 }), query('cursor', { type: 'string' })],
    responses: { '200': jsonAnswer({ description: 'Changes, the newest first.', schema: PAGE }), ...errorsOf([...COMMON_ERRORS, 422]) },
  });
  if (!can.update) return { [`${path}/{id}/_history`]: { parameters: [idParameter], get } };
  const post = tagged(view, 'revert', `Undo one change of a ${words(view)}`, {
    description: 'Writes what the change replaced, as an update like any other.',
    parameters: writeHeaders('If-Match'),
    responses: {
      '200': jsonAnswer({
        description: 'The record as it is now.',
        schema: data(ref('schemas', schemaName(entity.name))),
        headers: { ETag: ref('headers', 'ETag') },
      }),
      ...errorsOf([...WRITE_ERRORS, 412]),
    },
  });
  return {
    [`${path}/{id}/_history`]: { parameters: [idParameter], get },
    [`${path}/{id}/_history/{event}/revert`]: {
      parameters: [idParameter, inPath('event', { type: 'string', pattern: '^[1-9][0-9]{0,17}$' })],
      post,
    },
  };
}
