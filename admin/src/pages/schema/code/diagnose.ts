/** What is wrong with the code, at its places: what cannot be read, what the server refuses, and what it accepts but will not work. */
import { placesIn, type Place, type TextMistake } from '../../../document/text.ts';
import { entitiesOf, type DocumentInput } from '../../../document/types.ts';

export interface Diagnosis extends Place {
  readonly severity: 'error' | 'warning' | 'info';
  readonly message: string;
}

interface Detail {
  readonly message: string;
  readonly path?: string;
  readonly [extra: string]: unknown;
}

interface Finding {
  readonly level: 'error' | 'warning' | 'info';
  readonly path: string;
  readonly message: string;
  readonly consequence: string;
  readonly fix: string;
}

export interface Judgement {
  readonly details?: readonly Detail[];
  readonly findings?: readonly Finding[];
  readonly questions?: readonly Detail[];
}

export const ofMistakes = (mistakes: readonly TextMistake[]): readonly Diagnosis[] =>
  mistakes.map(({ from, to, message }) => ({ from, to, message, severity: 'error' }));

export function ofJudgement(
  text: string,
  document: DocumentInput,
  { details = [], findings = [], questions = [] }: Judgement,
): readonly Diagnosis[] {
  if (details.length + findings.length + questions.length === 0) return [];
  const place = placesIn(text);
  const at = (detail: Detail): Place => place(detail.path ?? pathOf(detail, document), detail['rule'] === 'unknown');
  return [
    ...details.map((detail): Diagnosis => ({ ...at(detail), severity: 'error', message: withHint(detail) })),
    ...questions.map((question): Diagnosis => ({ ...at(question), severity: 'warning', message: question.message })),
    ...findings.map((finding): Diagnosis => ({
      ...place(finding.path),
      severity: finding.level,
      message: [finding.message, finding.consequence, finding.fix].filter((part) => part !== '').join(' '),
    })),
  ];
}

const withHint = ({ message, hint }: Detail): string => (typeof hint === 'string' ? `${message} ${hint}` : message);

/** What the planner refuses it names by entity and field. */
function pathOf({ entity, field, relation }: Detail, document: DocumentInput): string {
  if (typeof relation === 'string') {
    const at = (document.relations ?? []).findIndex(({ name, was }) => name === relation || was === relation);
    return at === -1 ? 'relations' : `relations.${at}`;
  }
  if (typeof entity !== 'string') return '';
  const at = entitiesOf(document).findIndex(({ name, was }) => name === entity || was === entity);
  if (at === -1) return 'entities';
  const fields = entitiesOf(document)[at]?.fields ?? [];
  const place = typeof field !== 'string' ? -1 : fields.findIndex(({ name, was }) => name === field || was === field);
  return place === -1 ? `entities.${at}` : `entities.${at}.fields.${place}`;
}
