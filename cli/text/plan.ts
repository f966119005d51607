/** A plan for a person: what changes, what runs for it under which locks, and what the reviewer says. */
import type { Finding } from '../../core/model/review.ts';
import type { PlanView } from '../../operations/schemas/plan-view.ts';
import { changeLines, summaryOf } from './changes.ts';
import { indented, wrap, type Colour, type Paper } from './paper.ts';
import { sqlLines } from './sql.ts';

/** What a phase is, in words. One we have no words for is shown by its name. */
const PHASES: Readonly<Record<string, string>> = {
  expand: 'before the switch; clients read and write as always',
  backfill: 'fills what is new, in batches beside the clients',
  verify: 'counts what is not filled or does not agree',
  settle: 'after the switch, when every api process serves the new version',
  contract: 'when the older shape is served no more',
  purge: 'when the retention is over: until then a rollback brings the values back',
};

export function planLines(app: string, plan: PlanView, paper: Paper): string[] {
  const title = `${app}, version ${plan.from_version}: ${summaryOf(plan.changes)}`;
  return [
    paper.paint('bold', title),
    ...(plan.changes.length === 0 ? [] : ['', paper.paint('bold', 'Changes'), ...changeLines(plan.changes, paper)]),
    ...(plan.changes.length === 0 ? [] : ['', ...stepSection(plan.steps, paper)]),
    ...conversionSection(plan.conversions, paper),
    ...heldSection(plan.held, paper),
    ...findingSection(plan.findings, paper),
    ...questionSection(plan.questions, paper),
    ...reviewSection(plan.review, paper),
  ];
}

function stepSection(steps: PlanView['steps'], paper: Paper): string[] {
  const title = paper.paint('bold', 'Steps');
  if (steps.length === 0) return [title, '  No table changes: all of it takes effect with the switch.'];
  const phases = [...new Set(steps.map((step) => step.phase))];
  return [title, ...phases.flatMap((phase) => onePhase(phase, steps, paper))];
}

function onePhase(phase: string, steps: PlanView['steps'], paper: Paper): string[] {
  const about = PHASES[phase];
  const width = String(steps.length).length;
  const inset = 4 + width + 2;
  return [
    `  ${paper.paint('bold', phase)}${about === undefined ? '' : `: ${about}`}`,
    ...steps.flatMap((step, index) =>
      step.phase !== phase
        ? []
        : [
            `    ${String(index + 1).padStart(width)}. ${lockOf(step, paper)}`,
            ...indented(costOf(step), inset),
            ...indented(sqlLines(step.sql, paper.width - inset), inset).map((line) => paper.paint('dim', line)),
          ],
    ),
  ];
}

function lockOf(step: PlanView['steps'][number], paper: Paper): string {
  const lock = `${step.lock}${step.concurrent ? ', outside a transaction' : ''}`;
  return step.rewrite ? `${lock}, ${paper.paint('red', 'rewrites the table')}` : lock;
}

/** Nothing for a table that holds nothing. */
function costOf({ estimate: { rows, rows_exact, ms } }: PlanView['steps'][number]): string[] {
  if (rows === null || ms === null || rows === 0) return [];
  return [`${rows_exact ? '' : 'about '}${rows.toLocaleString('en-US')} row${rows === 1 ? '' : 's'}, an estimated ${durationText(ms)}`];
}

const durationText = (ms: number): string =>
  ms < 1_000 ? `${ms} ms` : ms < 120_000 ? `${Math.round(ms / 1_000)} s` : `${Math.round(ms / 60_000)} min`;

const LEVELS: Readonly<Record<Finding['level'], Colour>> = { error: 'red', warning: 'yellow', info: 'dim' };

export function findingSection(findings: readonly Finding[], paper: Paper): string[] {
  if (findings.length === 0) return [];
  return [
    '',
    paper.paint('bold', 'Findings'),
    ...findings.flatMap((finding) => [
      `  ${paper.paint(LEVELS[finding.level], finding.level.padEnd(7))}  ${finding.path}`,
      ...indented(
        [finding.message, finding.consequence, finding.fix].flatMap((text) => wrap(text, paper.width - 6)),
        6,
      ),
    ]),
  ];
}

/** Only what would be quarantined: the migration would pause for it before its switch. */
function conversionSection(conversions: PlanView['conversions'], paper: Paper): string[] {
  const failing = conversions.filter((one) => one.failing > 0);
  if (failing.length === 0) return [];
  const count = (number: number, what: string): string => `${number.toLocaleString('en-US')} ${what}${number === 1 ? '' : 's'}`;
  return [
    '',
    paper.paint('bold', 'Values that would be quarantined'),
    ...failing.flatMap(({ entity, fields, failing: failed, checked, is_whole: isWhole, sample }) => [
      `  ${entity}.${fields.join(', ')}  ${count(failed, 'record')} of ${isWhole ? '' : 'the first '}${checked.toLocaleString('en-US')}`,
      ...indented(
        sample.flatMap(({ record_id: id, value, error }) => wrap(`${id}: ${value ?? 'null'} (${error})`, paper.width - 6)),
        6,
      ),
    ]),
  ];
}

function heldSection(held: PlanView['held'], paper: Paper): string[] {
  if (held.length === 0) return [];
  const lineOf = ({ table, column, values }: PlanView['held'][number]): string => {
    const what = column === undefined ? 'record' : 'value';
    const place = column === undefined ? table : `${table}.${column}`;
    return `  ${place}  ${values.toLocaleString('en-US')} ${what}${values === 1 ? '' : 's'}`;
  };
  return ['', paper.paint('bold', 'Left in the tables until the retention ends'), ...held.map(lineOf)];
}

function questionSection(questions: PlanView['questions'], paper: Paper): string[] {
  if (questions.length === 0) return [];
  return [
    '',
    paper.paint('bold', 'Questions'),
    ...questions.flatMap(({ message, hint }) =>
      indented(
        [message, hint].flatMap((text) => wrap(text, paper.width - 2)),
        2,
      ),
    ),
  ];
}

function reviewSection(findings: PlanView['review'], paper: Paper): string[] {
  if (findings.length === 0) return [];
  return [
    '',
    paper.paint('bold', 'Review of the plan'),
    ...findings.flatMap((finding) => [
      `  ${paper.paint(LEVELS[finding.severity], finding.severity.padEnd(7))}  ${finding.rule}`,
      ...indented(
        [finding.step, finding.message, finding.hint].flatMap((text) => wrap(text, paper.width - 6)),
        6,
      ),
    ]),
  ];
}
