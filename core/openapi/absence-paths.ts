/** Absences: who decides for whom while somebody is away. */
import { arrayOf, objectOf, ref, type Schema } from './json.ts';
import { strictPages } from './key-paths.ts';
import { FLAG, inPath, operation, TEXT, TIME, UUID } from './operation.ts';
import { COMMON_ERRORS, data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const TAG = 'workflows';

const ABSENCE: Schema = objectOf({ id: UUID, user: UUID, substitute: UUID, from: TIME, until: TIME, is_current: FLAG, created_at: TIME }, [
  'id',
  'user',
  'substitute',
  'from',
  'until',
  'is_current',
  'created_at',
]);

export const ABSENCE_SCHEMAS: Readonly<Record<string, Schema>> = { Absence: ABSENCE };

const NEW_ABSENCE: Schema = objectOf(
  {
    user: { ...TEXT, description: 'Whose; your own when left out. Others may only be named by admins.' },
    substitute: { ...TEXT, description: 'The id or email of an active user.' },
    from: { ...TIME, description: 'Now when left out.' },
    until: TIME,
  },
  ['substitute', 'until'],
);

export function absencePaths(app: AppView, base: string): Paths {
  if (app.model.workflows.length === 0) return {};
  return {
    [`${base}/_absences`]: {
      get: operation(TAG, 'absences_list', {
        summary: 'List absences',
        description: 'Your own and those in which you are the substitute; admins see all.',
        parameters: [{ name: 'user', in: 'query', description: '`me` or the id of a user.', schema: TEXT }, ...strictPages(20)],
        told: 'A page of absences, newest first.',
        answer: objectOf({ data: arrayOf(ref('schemas', 'Absence')), meta: ref('schemas', 'PageMeta') }, ['data', 'meta']),
      }),
      post: operation(TAG, 'absences_create', {
        summary: 'Be away, with a substitute',
        for: 'session',
        body: NEW_ABSENCE,
        example: { from: '2026-08-01T00:00:00Z', until: '2026-08-15T00:00:00Z', substitute: 'ada@example.com' },
        status: 201,
        told: 'The absence.',
        answer: data(ref('schemas', 'Absence')),
        errors: [...COMMON_ERRORS, 409, 415, 422],
      }),
    },
    [`${base}/_absences/{id}`]: {
      parameters: [inPath('id', UUID)],
      delete: operation(TAG, 'absences_delete', {
        summary: 'End an absence',
        for: 'session',
        told: 'It is gone.',
        answer: data(objectOf({ id: UUID }, ['id'])),
        errors: COMMON_ERRORS,
      }),
    },
  };
}
