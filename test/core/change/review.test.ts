/** The reviewer of plans against a corpus: test/fixtures/plans holds good plans and bad ones, each with the rules it breaks. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { reviewPlan, RULES, type ReviewedStep, type ReviewFacts } from '../../../core/change/review/review.ts';

interface CorpusStep {
  readonly phase?: string;
  readonly mode?: 'brief' | 'long';
  readonly asked?: boolean;
  readonly lock_timeout?: number | null;
  readonly statement_timeout?: number | null;
  readonly sql: string | readonly string[];
}

interface CorpusPlan {
  readonly name: string;
  readonly expect?: string;
  readonly backup_age_hours?: number | null;
  readonly steps: readonly CorpusStep[];
}

const corpus = (file: string): CorpusPlan[] =>
  parse(fs.readFileSync(path.join(import.meta.dirname, '../../fixtures/plans', file), 'utf8')) as CorpusPlan[];

const bad = corpus('bad.yaml');
const good = corpus('good.yaml');

const columns = new Map([
  ['title', 'character varying(50)'],
  ['amount', 'numeric(10,2)'],
  ['priority', 'integer'],
  ['due', 'text'],
]);

const factsOf = (plan: CorpusPlan): ReviewFacts => ({
  tables: new Map([
    ['app.ticket', { rows: 2_000_000, isCounted: true, bytes: 400_000_000, columns }],
    ['app.customer', { rows: 50_000, isCounted: true, bytes: 10_000_000 }],
    ['app.customer_note', { rows: 70_000, isCounted: true, bytes: 10_000_000 }],
    ['app.empty', { rows: 0, isCounted: true, bytes: 0 }],
  ]),
  used: new Set(['app.ticket', 'app.ticket.title', 'app.ticket.amount', 'app.customer', 'app.customer.email']),
  rowBound: 100_000,
  backupAgeHours: plan.backup_age_hours === undefined ? 2 : (plan.backup_age_hours ?? undefined),
  backupHours: 24,
});

const stepOf = (step: CorpusStep, at: number): ReviewedStep => ({
  key: `step-${at + 1}`,
  phase: step.phase ?? 'expand',
  mode: step.mode ?? 'brief',
  statements: typeof step.sql === 'string' ? [step.sql] : step.sql,
  isDone: step.asked === false ? 'false' : 'exists (select 1 from pg_class)',
  lockTimeoutMs: step.lock_timeout === undefined ? 200 : (step.lock_timeout ?? undefined),
  statementTimeoutMs: step.statement_timeout === undefined ? 5_000 : (step.statement_timeout ?? undefined),
});

const findingsOf = (plan: CorpusPlan) => reviewPlan(plan.steps.map(stepOf), factsOf(plan));

describe('the reviewer of plans', () => {
  it.each(bad.map((plan) => [plan.name, plan] as const))('finds: %s', (_name, plan) => {
    const findings = findingsOf(plan);
    expect([...new Set(findings.map((finding) => finding.rule))]).toEqual([plan.expect]);
  });

  it.each(good.map((plan) => [plan.name, plan] as const))('says nothing of: %s', (_name, plan) => {
    expect(findingsOf(plan)).toEqual([]);
  });

  it('has sixty plans of each sort and more, and two bad ones for every rule', () => {
    expect(bad.length).toBeGreaterThanOrEqual(60);
    expect(good.length).toBeGreaterThanOrEqual(60);
    const counts = RULES.map((rule) => [rule.id, bad.filter((plan) => plan.expect === rule.id).length] as const);
    expect(counts.filter(([, count]) => count < 2)).toEqual([]);
  });

  it('has its rules in the documentation, word for word', () => {
    const page = fs.readFileSync(path.join(import.meta.dirname, '../../../docs/migrations.md'), 'utf8');
    const rows = [...page.matchAll(/^\| `([a-z-]+)`\s*\| (error|warning)\s*\| (.*?)\s*\|$/gm)].map(([, ...cells]) => cells);
    expect(rows).toEqual(RULES.map((rule) => [rule.id, rule.severity, rule.title]));
  });

  it('comes to an end with whatever a statement was cut to', () => {
    const texts = [...bad, ...good].flatMap((plan) => plan.steps.flatMap((step) => [step.sql].flat()));
    for (const text of texts) {
      for (let end = 0; end < text.length; end += 3) {
        const findings = findingsOf({ name: 'cut', steps: [{ sql: text.slice(0, end) }] });
        expect(findings.every((finding) => finding.message !== '')).toBe(true);
      }
    }
  });

  it('names step, lock and rows', () => {
    const plan = bad.find((one) => one.name === 'a foreign key at once');
    expect(plan === undefined ? [] : findingsOf(plan)).toEqual([
      {
        rule: 'not-valid-first',
        severity: 'error',
        step: 'step-1',
        message: 'The foreign key reads all of "app.ticket" (2,000,000 rows) under SHARE ROW EXCLUSIVE.',
        hint: 'Add it NOT VALID; VALIDATE CONSTRAINT in a long step after it, which lets writers go on.',
      },
    ]);
  });
});
