/** What a dry run of `_admin/versions` answers (docs/migrations.md, "How to read a plan"), and what a publish wants to be told first. */
import type { Change } from '../../../core/change/change.ts';
import type { Question } from '../../../core/change/confirm.ts';
import type { PlanFinding } from '../../../core/change/review/review.ts';
import type { Finding } from '../../../core/model/review.ts';
import type { TriedConversion } from '../plan/types.ts';
import type { DocumentInput, InstructionInput } from './types.ts';

export type { Change, Finding, PlanFinding, Question };

export interface Held {
  readonly id: string;
  readonly table: string;
  readonly column?: string;
  /** Counted up to a hundred thousand. */
  readonly values: number;
}

export interface PlanStep {
  readonly key: string;
  readonly phase: string;
  readonly table: string;
  readonly sql: string;
  readonly lock: string;
}

export interface Plan {
  readonly from_version: number;
  readonly class: 'compatible' | 'breaking';
  readonly changes: readonly Change[];
  readonly steps: readonly PlanStep[];
  readonly findings: readonly Finding[];
  readonly review: readonly PlanFinding[];
  readonly estimate: { readonly ms: number | null; readonly basis: string };
  readonly plan_hash: string;
  readonly questions: readonly Question[];
  readonly held: readonly Held[];
  /** Each conversion, tried on the stored records. */
  readonly conversions: readonly TriedConversion[];
}

/** What a publish answers. With a migration the version is served only once that has switched. */
export interface Published {
  readonly schema_version: number;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly migration: { readonly id: string; readonly status: string; readonly to_version: number } | null;
}

export const HELD_MAX = 100_000;

/** `customer.company`, `customer`, `ticket_customer`. */
export const subjectOf = ({ entity, field, relation, item }: Partial<Pick<Change, 'entity' | 'field' | 'relation' | 'item'>>): string =>
  relation ?? item ?? [entity, field].filter((part) => part !== undefined).join('.');

/** The name that a gone thing may have now, which only the words of a question say. */
const RENAME_HINT = /\{"rename":(\{[^{}]*\})\}/;

export interface Answerable {
  readonly question: Question;
  readonly subject: string;
  /** The new name it may be; undefined where only "drop it?" is asked. */
  readonly renamed: string | undefined;
  readonly asRename: InstructionInput | undefined;
  readonly asDrop: InstructionInput;
}

type Named = { readonly relation: string } | { readonly entity: string; readonly field?: string };

/** A question with the instructions that answer it. */
export function answerable(question: Question): Answerable {
  const { relation, entity, field } = question as Partial<Record<'relation' | 'entity' | 'field', string>>;
  const named: Named = relation !== undefined ? { relation } : { entity: entity ?? '', ...(field === undefined ? {} : { field }) };
  const hinted = question.rule === 'rename_or_drop' ? RENAME_HINT.exec(question.hint)?.[1] : undefined;
  const renamed = hinted === undefined ? undefined : (JSON.parse(hinted) as { to: string }).to;
  return {
    question,
    subject: subjectOf({
      ...(relation === undefined ? {} : { relation }),
      ...(entity === undefined ? {} : { entity }),
      ...(field === undefined ? {} : { field }),
    }),
    renamed,
    asRename: renamed === undefined ? undefined : ({ rename: { ...named, to: renamed } } as InstructionInput),
    asDrop: { drop: named } as InstructionInput,
  };
}

/** Everything that vanishes by this plan, said or not: it wants to be typed before it is published. */
export const dropsOf = (plan: Plan): readonly Change[] =>
  plan.changes.filter((change) => ['drop_entity', 'drop_field', 'drop_relation'].includes(change.kind));

/** Values that stay in the tables, unseen, by what they belong to: summed over the columns that a change leaves behind. */
export function heldBy(plan: Plan, change: Change): number {
  const ids = new Set((change.held ?? []).map(({ id, column }) => `${id}.${column ?? ''}`));
  return plan.held.filter(({ id, column }) => ids.has(`${id}.${column ?? ''}`)).reduce((sum, { values }) => sum + values, 0);
}

/** What the database refuses about a draft, with the instruction that would be the way out, where there is one. */
export interface WayOut {
  readonly kind: 'convert' | 'fill';
  readonly entity: string;
  readonly field: string;
}

export function wayOutOf(detail: Readonly<Record<string, unknown>>): WayOut | undefined {
  const { kind, entity, field, hint } = detail;
  if (kind === undefined || typeof entity !== 'string' || typeof field !== 'string' || typeof hint !== 'string') return undefined;
  const way = (['convert', 'fill'] as const).find((verb) => new RegExp(`\\b${verb}\\b`).test(hint));
  return way === undefined ? undefined : { kind: way, entity, field };
}

/** The document with one more instruction for the step to it; one about the same thing is replaced. */
export function withInstruction(document: DocumentInput, instruction: InstructionInput): DocumentInput {
  const subject = instructionSubject(instruction);
  const others = (document.migrate ?? []).filter((one) => instructionSubject(one) !== subject);
  return { ...document, migrate: [...others, instruction] };
}

/** A rename and a drop of one thing exclude each other; a conversion and a fill of one field go together. */
function instructionSubject(instruction: InstructionInput): string {
  const [[verb = '', said] = []] = Object.entries(instruction) as [string, Record<string, string>][];
  const kind = verb === 'rename' || verb === 'drop' ? 'named' : verb;
  return JSON.stringify([kind, said?.['relation'] ?? [said?.['entity'], said?.['field'], said?.['from'], said?.['into']]]);
}
