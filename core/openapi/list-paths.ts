/** Saved lists: a stored filter, sort and columns of an entity. */
import { changedList, newList } from '../payloads/lists.ts';
import { schemaOf } from './from-zod.ts';
import { arrayOf, nullable, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { query } from './list-parameters.ts';
import { CHANGE_ERRORS, FLAG, inPath, MAYBE_TEXT, operation, TEXT, TEXTS, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

export const LISTS_TAG: JsonObject = { name: 'lists', description: 'Saved lists: a stored filter, sort and columns of an entity.' };
const TAG = 'lists';

const STALE: Schema = objectOf(
  { part: { type: 'string', enum: ['entity', 'filter', 'q', 'sort', 'columns'] }, path: TEXT, message: TEXT },
  ['part', 'message'],
);

const LIST: Readonly<Record<string, Schema>> = {
  id: UUID,
  entity: TEXT,
  name: TEXT,
  filter: nullable({ type: 'object', description: 'A tree of conditions, as `_query` takes it.' }),
  q: MAYBE_TEXT,
  sort: TEXTS,
  columns: { type: ['array', 'null'], items: TEXT, description: 'Paths; null: every field.' },
  per_page: { type: ['integer', 'null'] },
  shared_with: { type: ['array', 'null'], items: TEXT, description: 'Roles, or `*` for everybody; null: your own.' },
  is_default: { ...FLAG, description: 'What you open this entity with.' },
  may_change: FLAG,
  stale: { ...arrayOf(STALE), description: 'What of it does not work any more, or not for you.' },
  version: WHOLE,
  created_by: { type: 'object' },
  created_at: TIME,
  updated_at: TIME,
};

export const LIST_SCHEMAS: Readonly<Record<string, Schema>> = { SavedList: objectOf(LIST, Object.keys(LIST)) };

const ONE = data(ref('schemas', 'SavedList'));
const ETAG = { ETag: ref('headers', 'ETag') };

export function listPaths(app: AppView, base: string): Paths {
  const [readable] = [...app.entities.values()].filter(({ can }) => can.read);
  if (readable === undefined) return {};
  const root = `${base}/_lists`;
  return {
    [root]: {
      get: operation(TAG, 'lists_list', {
        summary: 'List saved lists',
        description: 'Your own and those shared with you.',
        parameters: [query('entity', TEXT, 'Of this entity only.'), ...strictPages(50)],
        told: 'Your own first, each part by name.',
        answer: objectOf({ data: arrayOf(ref('schemas', 'SavedList')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
      }),
      post: operation(TAG, 'lists_create', {
        summary: 'Save a list',
        description: 'Its parts are checked as `_query` checks them. Sharing is for admins and the roles that the document names.',
        body: schemaOf(newList),
        example: { entity: readable.entity.name, name: 'Newest', sort: [`-${readable.fields[0]?.name ?? 'id'}`], per_page: 50 },
        status: 201,
        told: 'The list.',
        answer: ONE,
        headers: ETAG,
        errors: CHANGE_ERRORS,
      }),
    },
    [`${root}/{list}`]: {
      parameters: [inPath('list', UUID)],
      get: operation(TAG, 'lists_get', { summary: 'Read a saved list', told: 'The list.', answer: ONE, headers: ETAG }),
      patch: operation(TAG, 'lists_update', {
        summary: 'Change a saved list',
        description: 'What is given and nothing else. `is_default` concerns you alone: whoever sees a list may set it.',
        parameters: [ref('parameters', 'IfMatch')],
        body: schemaOf(changedList),
        example: { is_default: true },
        told: 'The list as it is now.',
        answer: ONE,
        headers: ETAG,
        errors: [...CHANGE_ERRORS, 412],
      }),
      delete: operation(TAG, 'lists_delete', {
        summary: 'Delete a saved list',
        parameters: [ref('parameters', 'IfMatch')],
        told: 'It is gone.',
        answer: data(objectOf({ id: UUID }, ['id'])),
        errors: [...COMMON_ERRORS, 412],
      }),
    },
  };
}
