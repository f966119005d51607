/**
 * The reviewer of plans: reads the SQL that will run and names what would stop clients, lose values or not survive a second run.
 * It judges any plan, however it was made, so it also judges our own planner.
 *
 * *Act*: what one statement, or one part of an ALTER TABLE, does. *Live*: a table or column that clients use, because the plan did
 * not make it. *Facts*: what is known of the stored tables when the plan is read.
 */
import { PlanText, type ReviewedStep, type ReviewFacts } from './plan-text.ts';
import { exclusionLive, notNullProof, notValidFirst, requiredColumnFilled, uniqueByIndex } from './rules/constraints.ts';
import { affectedRows, ddlApart, whereRequired } from './rules/data.ts';
import * as forms from './rules/forms.ts';
import * as locking from './rules/locking.ts';
import { backupFirst, noCascade, noDropInUse, noRename, noTruncate } from './rules/removal.ts';
import type { Rule } from './rules/rule.ts';

export type { ReviewedStep, ReviewFacts, TableFacts } from './plan-text.ts';

export interface PlanFinding {
  readonly rule: string;
  readonly severity: 'error' | 'warning';
  /** The key of the step. */
  readonly step: string;
  readonly message: string;
  readonly hint: string;
}

export const RULES: readonly Rule[] = [
  forms.readableText,
  locking.lockTimeout,
  locking.statementTimeout,
  locking.noRewrite,
  locking.volatileDefault,
  locking.generatedStored,
  locking.indexConcurrently,
  locking.concurrentlyAlone,
  notValidFirst,
  uniqueByIndex,
  exclusionLive,
  notNullProof,
  requiredColumnFilled,
  noRename,
  noDropInUse,
  noCascade,
  noTruncate,
  backupFirst,
  ddlApart,
  whereRequired,
  affectedRows,
  forms.repeatable,
  forms.schemaQualified,
  forms.nameLength,
  forms.keyType,
  forms.tableKey,
  forms.identityNotSerial,
  forms.timestamptz,
  forms.textNotChar,
  forms.noPlainJson,
  forms.enumOrder,
];

/** Every finding, in the order of the steps. */
export const reviewPlan = (steps: readonly ReviewedStep[], facts: ReviewFacts): PlanFinding[] => findingsOf(new PlanText(steps, facts));

export function findingsOf(plan: PlanText): PlanFinding[] {
  return plan.steps.flatMap((step) =>
    RULES.flatMap((rule) =>
      rule.find(step, plan).map((message) => ({ rule: rule.id, severity: rule.severity, step: step.key, message, hint: rule.hint })),
    ),
  );
}
