/** The planner's own plans, for the reviewer and for those who approve them. */
import { render } from '../../sql/sql.ts';
import type { AppModel } from '../../model/model.ts';
import { stepTexts } from '../plan.ts';
import { shapeOf } from '../shape.ts';
import { BRIEF_STATEMENT_MS, LOCK_TRY_MS, type Step } from '../step.ts';
import { estimate, type Estimate } from './estimate.ts';
import { PlanText, type ReviewedStep, type TableFacts } from './plan-text.ts';
import { findingsOf, type PlanFinding } from './review.ts';

export interface TableSize {
  readonly rows: number;
  readonly isCounted: boolean;
  readonly bytes: number;
}

export interface OwnPlan {
  readonly steps: readonly Step[];
  readonly previous: AppModel;
  readonly next: AppModel;
  readonly storage: string;
  /** Of the stored tables, by name. */
  readonly sizes: ReadonlyMap<string, TableSize>;
}

/** More rows than this want a second approver. */
const ROW_BOUND = 100_000;
const BACKUP_HOURS = 24;

/** What the reviewer says of a plan, and for each step what it may cost. */
export function reviewOwn(own: OwnPlan): { readonly findings: readonly PlanFinding[]; readonly estimates: readonly Estimate[] } {
  const text = new PlanText(own.steps.map(reviewedStep), {
    tables: tableFacts(own),
    used: usedNames(own.next, own.storage),
    rowBound: ROW_BOUND,
    backupAgeHours: undefined,
    backupHours: BACKUP_HOURS,
  });
  return { findings: findingsOf(text), estimates: text.steps.map((step) => estimate(step, text)) };
}

/** A batch is done once: how far it has come is written in its transaction (operations/schemas/backfill.ts). */
const CURSOR = 'select cursor from durabase.migration_steps';

/** With the bounds that its session sets (adapters/postgres/ddl-session.ts). */
export function reviewedStep(step: Step): ReviewedStep {
  // A batch is a short transaction too, again and again.
  const isBrief = step.mode !== 'long';
  return {
    key: step.key,
    phase: step.phase,
    mode: isBrief ? 'brief' : 'long',
    statements: stepTexts(step),
    isDone: step.mode === 'batch' ? CURSOR : render(step.isDone).text,
    lockTimeoutMs: isBrief ? LOCK_TRY_MS.longest : undefined,
    statementTimeoutMs: isBrief ? BRIEF_STATEMENT_MS : undefined,
  };
}

function tableFacts({ previous, storage, sizes }: OwnPlan): Map<string, TableFacts> {
  const shape = shapeOf(previous);
  return new Map(
    [...sizes].map(([table, size]) => {
      const columns = new Map([...(shape.tables.get(table)?.columns.values() ?? [])].map((column) => [column.name, column.type]));
      return [`${storage}.${table}`, { ...size, columns }];
    }),
  );
}

/** Tables, columns and indexes of a version, as facts name them. */
function usedNames(model: AppModel, storage: string): Set<string> {
  const names = [...shapeOf(model).tables.values()].flatMap((table) => [
    table.table,
    ...[...table.columns.keys()].map((column) => `${table.table}.${column}`),
    ...table.indexes.keys(),
  ]);
  return new Set(names.map((name) => `${storage}.${name}`));
}
