/** Comments of a record. */
import { commentRights, MAX_COMMENT } from '../comments.ts';
import { arrayOf, objectOf, ref, type JsonObject, type Schema } from './json.ts';
import { query } from './list-parameters.ts';
import { FLAG, inPath, MAYBE_TEXT, MAYBE_TIME, TEXT, TIME, UUID, WHOLE } from './operation.ts';
import { COMMON_ERRORS, data, errorsOf, jsonAnswer, jsonBody, tagged, words, writeHeaders, WRITE_ERRORS, type Paths } from './responses.ts';
import type { EntityView } from './view.ts';

const NAMED = objectOf({ id: UUID, name: TEXT }, ['id', 'name']);
const COMMENT: Readonly<Record<string, Schema>> = {
  id: UUID,
  body: { ...TEXT, description: 'Plain text; `@[<id>]` mentions a user.' },
  author: objectOf(
    {
      kind: TEXT,
      id: MAYBE_TEXT,
      name: { ...MAYBE_TEXT, description: 'Null where there is no such account any more.' },
      by: { type: 'object' },
    },
    ['kind', 'id', 'name'],
  ),
  mentions: arrayOf(NAMED),
  version: WHOLE,
  created_at: TIME,
  edited_at: MAYBE_TIME,
  may_edit: FLAG,
  may_delete: FLAG,
};

export const COMMENT_SCHEMAS: Readonly<Record<string, Schema>> = { Comment: objectOf(COMMENT, Object.keys(COMMENT)) };

const BODY: Schema = objectOf(
  { body: { type: 'string', maxLength: MAX_COMMENT, pattern: '\\S', description: '`@[<id or address>]` mentions a user, who is told.' } },
  ['body'],
);
const ETAG = { ETag: ref('headers', 'ETag') };
const META = objectOf({ total: WHOLE, may_write: FLAG }, ['total', 'may_write']);

export function commentPaths(view: EntityView, path: string, idParameter: JsonObject): Paths {
  // Roles are not told here: whoever may read the records, and perhaps its comments not, is answered 403.
  if (!view.can.read || !commentRights(view.entity.definition, true, []).isOn) return {};
  const one = (description: string): JsonObject => jsonAnswer({ description, schema: data(ref('schemas', 'Comment')), headers: ETAG });
  const body = jsonBody(BODY);
  const withExample = { ...body, content: { 'application/json': { schema: BODY, example: { body: 'Looks good to me.' } } } };
  return {
    [`${path}/{id}/_comments`]: {
      parameters: [idParameter],
      get: tagged(view, 'list_comments_of', `Comments of a ${words(view)}`, {
        parameters: [query('limit', { type: 'integer', minimum: 1, maximum: 999_999_999 }), query('cursor', TEXT)],
        responses: {
          '200': jsonAnswer({
            description: 'The newest first.',
            schema: objectOf({ data: arrayOf(ref('schemas', 'Comment')), page: ref('schemas', 'WalkPage'), meta: META }, [
              'data',
              'page',
              'meta',
            ]),
          }),
          ...errorsOf(COMMON_ERRORS),
        },
      }),
      post: tagged(view, 'comment_on', `Comment on a ${words(view)}`, {
        parameters: writeHeaders(),
        requestBody: withExample,
        responses: { '201': one('The comment.'), ...errorsOf(WRITE_ERRORS) },
      }),
    },
    [`${path}/{id}/_comments/{comment}`]: {
      parameters: [idParameter, inPath('comment', UUID)],
      get: tagged(view, 'read_comment_on', `A comment of a ${words(view)}`, {
        responses: { '200': one('The comment.'), ...errorsOf(COMMON_ERRORS) },
      }),
      patch: tagged(view, 'edit_comment_on', `Edit your comment on a ${words(view)}`, {
        parameters: writeHeaders('If-Match'),
        requestBody: withExample,
        responses: { '200': one('The comment as it is now.'), ...errorsOf([...WRITE_ERRORS, 412]) },
      }),
      delete: tagged(view, 'delete_comment_on', `Delete a comment of a ${words(view)}`, {
        parameters: writeHeaders('If-Match'),
        responses: {
          '200': jsonAnswer({ description: 'It is gone.', schema: data(objectOf({ id: UUID }, ['id'])) }),
          ...errorsOf([...WRITE_ERRORS, 412]),
        },
      }),
    },
  };
}
