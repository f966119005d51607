/**
 * Texts of statements, kept from one request to the next. Making a write's SQL costs more than everything else the process
 * does for it, and the text depends on few things: a request that has the same shape as an earlier one only gives its values.
 */
import { fill, keep, type KeptSql, type Sql } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

/** Over all apps of the process; a text has some kilobytes. */
const MAX_KEPT = 4_000;
const kept = new Map<string, KeptSql>();

const RUNTIME = {};
let runtimes = 0;

/**
 * The statement `key` names within this version of the app, with `given` in its open places. `build` makes it when it is not
 * kept; it may depend on nothing that `key` does not tell apart.
 */
export function keptStatement(app: AppRuntime, key: string, given: readonly unknown[], build: () => Sql): Sql {
  const whole = `${app.memo(RUNTIME, () => (runtimes++).toString(36))} ${key}`;
  let statement = kept.get(whole);
  if (statement === undefined) {
    statement = keep(build());
    if (kept.size >= MAX_KEPT) forgetOldest();
  } else if (kept.size < MAX_KEPT / 2) return fill(statement, given);
  else kept.delete(whole);
  // The order of a Map is the order of use.
  kept.set(whole, statement);
  return fill(statement, given);
}

function forgetOldest(): void {
  const oldest = kept.keys().next().value;
  if (oldest !== undefined) kept.delete(oldest);
}
