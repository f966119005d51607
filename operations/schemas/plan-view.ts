/** A plan as people read it before it runs: each step's text, lock and cost, and what the reviewers say. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import { classOf, type Change, type Held } from '../../core/change/change.ts';
import { questionsOf, type Question } from '../../core/change/confirm.ts';
import { stepText } from '../../core/change/plan.ts';
import type { Estimate } from '../../core/change/review/estimate.ts';
import { RATES } from '../../core/change/review/estimate.ts';
import { reviewedStep, reviewOwn, type TableSize } from '../../core/change/review/of-plan.ts';
import type { PlanFinding } from '../../core/change/review/review.ts';
import { columnExists, tableExists, type Step } from '../../core/change/step.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { migrationRules, needsApproval } from '../../core/model/migration-settings.ts';
import { buildModel } from '../../core/model/model.ts';
import type { Finding } from '../../core/model/review.ts';
import { id, join, literal, sql, value } from '../../core/sql/sql.ts';
import { tryConversions, type TriedConversion } from './try-conversions.ts';
import type { Prepared } from './prepare.ts';

export interface StepView {
  readonly key: string;
  readonly phase: string;
  readonly mode: Step['mode'];
  readonly table: string;
  /** Statements as they are sent, one after the other. */
  readonly sql: string;
  readonly lock: string;
  readonly lock_timeout_ms: number | null;
  readonly rewrite: boolean;
  readonly concurrent: boolean;
  readonly estimate: Estimate;
}

export interface PlanView {
  readonly from_version: number;
  readonly class: 'compatible' | 'breaking';
  readonly changes: readonly Change[];
  readonly steps: readonly StepView[];
  /** Of the document. */
  readonly findings: readonly Finding[];
  /** Of the plan. */
  readonly review: readonly PlanFinding[];
  readonly estimate: { readonly ms: number | null; readonly basis: string };
  readonly plan_hash: string;
  /** What publishing wants to be told first: drops that nobody confirmed. */
  readonly questions: readonly Question[];
  /** What would be left in the tables, and how many values of it; counted up to a hundred thousand. */
  readonly held: readonly (Held & { readonly values: number })[];
  /** The values of stored records that would not become what they must. */
  readonly conversions: readonly TriedConversion[];
  /** Whether somebody has to approve it, and whether that must be somebody else than its author. */
  readonly approval: { readonly needed: boolean; readonly four_eyes: boolean };
  /** How long older clients are served after its switch, and what was dropped stays after that; null where nothing breaks them. */
  readonly grace_ms: number | null;
  readonly retention_ms: number | null;
}

export interface Planned {
  readonly fromVersion: number;
  /** The document of that version. */
  readonly current: SchemaDocument;
  readonly storage: string;
  readonly prepared: Pick<Prepared, 'document' | 'changes' | 'instructions' | 'findings' | 'plan' | 'planHash'>;
}

export async function planView(db: pg.Pool, planned: Planned): Promise<PlanView> {
  const { prepared, storage } = planned;
  const { steps } = prepared.plan;
  const sizes = await tableSizes(db, storage, [...new Set(steps.map((step) => step.table))]);
  const own = { steps, previous: buildModel(planned.current), next: buildModel(prepared.document), storage, sizes };
  const { findings, estimates } = reviewOwn(own);
  const views = steps.map((step, at) => stepView(step, estimates[at] ?? UNKNOWN));
  const changeClass = classOf(prepared.changes);
  const isBreaking = changeClass === 'breaking';
  const rules = migrationRules(planned.current);
  return {
    from_version: planned.fromVersion,
    class: changeClass,
    changes: prepared.changes,
    steps: views,
    findings: prepared.findings,
    review: findings,
    estimate: { ms: total(views), basis: BASIS },
    plan_hash: prepared.planHash,
    questions: questionsOf(prepared.changes, prepared.document, prepared.instructions),
    held: await heldValues(db, storage, prepared.changes),
    conversions: await tryConversions(db, storage, prepared.plan.trials),
    approval: { needed: needsApproval(rules, changeClass), four_eyes: rules.isFourEyes },
    grace_ms: isBreaking ? rules.graceMs : null,
    retention_ms: isBreaking ? rules.retentionMs : null,
  };
}

const COUNTED_VALUES = 100_000;

/** Every row of a table, every value of a column; what is there no more holds nothing. */
async function heldValues(db: pg.Pool, storage: string, changes: readonly Change[]): Promise<PlanView['held']> {
  const held = changes.flatMap((change) => change.held ?? []);
  const counted: (Held & { readonly values: number })[] = [];
  for (const one of held) {
    const isThere = one.column === undefined ? tableExists(storage, one.table) : columnExists(storage, one.table, one.column);
    const [known] = await run<{ there: boolean }>(db, sql`select ${isThere} as there`);
    const condition = one.column === undefined ? sql`` : sql` where ${id(one.column)} is not null`;
    const [row] =
      known?.there === true
        ? await run<{ values: number }>(
            db,
            sql`select count(*)::integer as values from (select from ${id(storage, one.table)}${condition} limit ${value(COUNTED_VALUES, 'integer')}) found`,
          )
        : [];
    counted.push({ ...one, values: row?.values ?? 0 });
  }
  return counted;
}

const UNKNOWN: Estimate = { rows: null, rows_exact: false, bytes: null, ms: null };

const BASIS = `An estimate, not a promise: the bytes of each table at ${RATES.scan} MB/s to check, ${RATES.index} MB/s to index (${RATES.words} for full text) and ${RATES.write} MB/s to write. Waits for locks and old transactions come on top.`;

function stepView(step: Step, estimate: Estimate): StepView {
  return {
    key: step.key,
    phase: step.phase,
    mode: step.mode,
    table: step.table,
    sql: stepText(step),
    lock: step.lock,
    lock_timeout_ms: reviewedStep(step).lockTimeoutMs ?? null,
    rewrite: step.rewrite,
    concurrent: step.mode === 'long',
    estimate,
  };
}

const total = (steps: readonly StepView[]): number | null =>
  steps.some((step) => step.estimate.ms === null) ? null : steps.reduce((sum, step) => sum + (step.estimate.ms ?? 0), 0);

/** Smaller tables are counted. */
const COUNTED_BYTES = 4_000_000;

/** Rows and bytes of the tables that are there: all of them from the catalogue at once, the small ones counted at once. */
async function tableSizes(db: pg.Pool, storage: string, tables: readonly string[]): Promise<Map<string, TableSize>> {
  // Of a table that grew since its last ANALYZE, its bytes tell how much: the planner of Postgres reckons the same way.
  const known = await run<{ name: string; rows: number; bytes: number }>(
    db,
    sql`
    select c.relname as name, pg_table_size(c.oid)::double precision as bytes,
           case when c.reltuples > 0 and c.relpages > 0
             then ceil(c.reltuples::double precision / c.relpages * (pg_relation_size(c.oid) / current_setting('block_size')::integer))
             else ceil(pg_relation_size(c.oid) / 100.0)::double precision end as rows
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${value(storage)} and c.relname = any(${value(tables, 'text[]')}) and c.relkind in ('r', 'p')`,
  );
  const small = known.filter((table) => table.bytes <= COUNTED_BYTES).map((table) => table.name);
  const counts = await countRows(db, storage, small);
  return new Map(known.map(({ name, rows, bytes }) => [name, { rows: counts.get(name) ?? rows, isCounted: counts.has(name), bytes }]));
}

async function countRows(db: pg.Pool, storage: string, tables: readonly string[]): Promise<Map<string, number>> {
  if (tables.length === 0) return new Map();
  const counts = tables.map(
    (table) => sql`select ${literal(table)} as name, count(*)::double precision as rows from ${id(storage, table)}`,
  );
  const rows = await run<{ name: string; rows: number }>(db, join(counts, ' union all '));
  return new Map(rows.map((row) => [row.name, row.rows]));
}
