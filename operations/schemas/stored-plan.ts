/** The plan of a migration that is recorded, as its dry run showed it: for who approves it, or wants to know what it did. */
import { EMPTY_DOCUMENT } from '../../core/model/merge.ts';
import { reviewDocument } from '../../core/model/review.ts';
import { fromStore } from '../../core/model/stored.ts';
import type { AppContext } from '../context.ts';
import { loadMigration, planOf, type MigrationRow } from './migration-row.ts';
import { findMigration } from './migrations.ts';
import { planView, type PlanView } from './plan-view.ts';
import { planHashOf } from './prepare.ts';

/** Costs and counts are those of now. Conversions are tried only until the migration has begun to fill. */
export async function planOfMigration(ctx: AppContext, key: string): Promise<PlanView> {
  const { pool } = ctx.services;
  const row = await loadMigration(pool, (await findMigration(ctx, key)).id);
  const plan = planOf(row);
  const current = row.previous === null ? EMPTY_DOCUMENT : fromStore(row.previous);
  const document = fromStore(row.next);
  const prepared = {
    document,
    changes: row.plan.changes,
    instructions: [],
    findings: reviewDocument(document).findings,
    plan: hasBegun(row) ? { ...plan, trials: [] } : plan,
    planHash: planHashOf(plan),
  };
  const view = await planView(pool, { fromVersion: row.from_version, current, storage: row.storage, prepared });
  // They were answered, or it would not have been recorded.
  return { ...view, questions: [] };
}

const hasBegun = ({ status }: MigrationRow): boolean => status !== 'planned' && status !== 'awaiting_approval';
