/** How long a step may take, from the bytes of its tables and rates that are stated, not known. */
import type { Act } from './acts.ts';
import type { PlacedAct, PlanText, ReadStep } from './plan-text.ts';
import { nameText } from './reader.ts';
import { isProved } from './rules/constraints.ts';
import { generatedStored, noRewrite, volatileDefault } from './rules/locking.ts';

/** Megabytes of table a second, a little under the slowest measured on a shared machine of two cores (docs/migrations.md). */
export const RATES = { scan: 100, index: 30, words: 8, write: 3 } as const;

/** A change of the catalogue, with its wait for the lock. */
const BRIEF_MS = 50;

export interface Estimate {
  /** Stored rows of the tables in use that the step names; null when nothing is known of one. */
  readonly rows: number | null;
  /** Counted, not estimated by Postgres. */
  readonly rows_exact: boolean;
  readonly bytes: number | null;
  readonly ms: number | null;
}

export function estimate(step: ReadStep, plan: PlanText): Estimate {
  const tables = [...new Set(step.acts.flatMap((placed) => liveTables(placed, plan)))];
  const known = tables.flatMap((table) => plan.facts.tables.get(table) ?? []);
  if (known.length < tables.length) return { rows: null, rows_exact: false, bytes: null, ms: null };
  const work = step.acts.map((placed) => workMs(placed, step, plan));
  return {
    rows: known.reduce((sum, table) => sum + table.rows, 0),
    rows_exact: known.every((table) => table.isCounted),
    bytes: known.reduce((sum, table) => sum + table.bytes, 0),
    ms: Math.ceil(BRIEF_MS + work.reduce((sum, ms) => sum + ms, 0)),
  };
}

const liveTables = ({ act, at }: PlacedAct, plan: PlanText): string[] =>
  tablesOf(act).flatMap((table) => (plan.isLive(table, at) ? [nameText(table)] : []));

const tablesOf = (act: Act) =>
  'table' in act && act.kind !== 'create_table' ? [act.table] : act.kind === 'drop' && act.object === 'table' ? act.names : [];

function workMs(placed: PlacedAct, step: ReadStep, plan: PlanText): number {
  const megabytes = liveTables(placed, plan).reduce((sum, table) => sum + (plan.facts.tables.get(table)?.bytes ?? 0), 0) / 1_000_000;
  const rate = rateOf(placed, { ...step, acts: [placed] }, plan);
  return rate === undefined ? 0 : (megabytes / rate) * 1_000;
}

/** Undefined for what only changes the catalogue. */
function rateOf(placed: PlacedAct, step: ReadStep, plan: PlanText): number | undefined {
  const { act } = placed;
  if ([noRewrite, volatileDefault, generatedStored].some((rule) => rule.find(step, plan).length > 0)) return RATES.write;
  switch (act.kind) {
    case 'validate_constraint':
      return RATES.scan;
    case 'add_constraint':
      return act.constraint.isNotValid || act.constraint.usesIndex ? undefined : RATES.scan;
    case 'set_not_null':
      return isProved(act.table, act.column, placed, plan) ? undefined : RATES.scan;
    case 'create_index':
      return act.method === 'gin' ? RATES.words : RATES.index;
    case 'reindex':
      return RATES.index;
    case 'change_data':
      return act.verb === 'insert' || act.verb === 'copy' ? undefined : RATES.write;
    default:
      return undefined;
  }
}
