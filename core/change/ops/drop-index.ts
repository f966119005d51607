import { id, sql } from '../../sql/sql.ts';
import type { IndexShape } from '../shape.ts';
import { indexIsValid, LOCKS, type Phase, type Step } from '../step.ts';

/** After the switch, or after the grace: until then older processes or clients may count on the uniqueness. */
export function dropIndex(storage: string, table: string, index: IndexShape, phase: Phase): Step {
  return {
    key: `drop-index/${index.name}`,
    phase,
    mode: 'long',
    table,
    statements: [sql`drop index concurrently if exists ${id(storage, index.name)}`],
    isDone: sql`not ${indexIsValid(storage, index.name)}`,
    undo: [],
    lock: LOCKS.concurrent,
    rewrite: false,
    isOptional: true,
  };
}
