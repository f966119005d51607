/** What waits for the caller. */
import { arrayOf, objectOf, type Schema } from './json.ts';
import { FLAG, MAYBE_TEXT, operation, TEXT, TEXTS, TIME, WHOLE } from './operation.ts';
import { data, type Paths } from './responses.ts';
import type { AppView } from './view.ts';

const bounded = (description: string): Schema => ({
  ...objectOf({ count: { type: 'integer', minimum: 0, maximum: 100 }, has_more: FLAG, first: arrayOf({ type: 'object' }) }, [
    'count',
    'has_more',
    'first',
  ]),
  description,
});

const CHANGE: Schema = objectOf(
  {
    type: { type: 'string', enum: ['record.created', 'record.updated', 'record.deleted'] },
    entity: TEXT,
    record_id: TEXT,
    changed_fields: TEXTS,
    at: TIME,
    actor: objectOf({ kind: TEXT, id: MAYBE_TEXT, name: MAYBE_TEXT }, ['kind', 'id', 'name']),
  },
  ['type', 'entity', 'record_id', 'at', 'actor'],
);

const FOR_ADMINS: Readonly<Record<string, Schema>> = {
  stuck_runs: bounded('Runs that wait for an operator.'),
  failed_starts: bounded('Workflows that could not be started.'),
  failed_deliveries: bounded('Deliveries that were given up.'),
  migrations: bounded('Migrations that are not over.'),
  findings: objectOf({ error: WHOLE, warning: WHOLE }, ['error', 'warning']),
};

export function overviewPaths(app: AppView, base: string): Paths {
  const overview = objectOf(
    {
      schema_version: WHOLE,
      at: TIME,
      approvals: bounded('Open tasks that wait for the caller, the most urgent first.'),
      notifications: bounded('Unread ones.'),
      breached_clocks: bounded('Open clocks that are late.'),
      due_clocks: bounded('Clocks that fall due within a day.'),
      ...(app.isAdmin ? FOR_ADMINS : {}),
      changes: arrayOf(CHANGE),
    },
    ['schema_version', 'at', 'changes'],
  );
  return {
    [`${base}/_overview`]: {
      get: operation('description', 'overview', {
        summary: 'What waits for you',
        description: 'Counts stop at 100; `first` are the first five. Never stored by a cache.',
        told: 'What waits for the caller, and the last changes it may see.',
        answer: data(overview),
      }),
    },
  };
}
