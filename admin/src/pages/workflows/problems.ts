/** What is wrong with a draft, by the step and the part it is about: told by the code that publishes. */
import { withoutPlace } from '../../definitions/without-place.ts';
import type { ApiErrorBody } from '../../../../client/errors.ts';
import type { Finding } from '../../../../core/model/review.ts';
import { outline } from './steps.ts';
import type { Step } from './workflow.ts';

export interface Trouble {
  /** Within the definition: `steps.0.duration`; empty for the whole of it. */
  readonly path: string;
  readonly message: string;
  readonly level: 'error' | 'warning' | 'info';
}

/** What a publish would refuse or find fault with; of a draft that is still being judged nothing. */
export type Judgement =
  | { readonly state: 'none' | 'asking' }
  | { readonly state: 'planned'; readonly plan: { readonly findings: readonly Finding[] } }
  | { readonly state: 'refused'; readonly error: { readonly body?: ApiErrorBody | undefined } };

/** Of the definition that stands at `index` of the document. */
export function troublesOf(judgement: Judgement, index: number): readonly Trouble[] {
  const prefix = `workflows.${index}`;
  const within = (path: string | undefined): string | undefined =>
    path === prefix ? '' : path?.startsWith(`${prefix}.`) === true ? path.slice(prefix.length + 1) : undefined;
  return foundBy(judgement).flatMap(({ path, message, level }): Trouble[] => {
    const inside = within(path);
    return inside === undefined ? [] : [{ path: inside, message: withoutPlace(message), level }];
  });
}

type Found = Omit<Trouble, 'path'> & { readonly path: string | undefined };

function foundBy(judgement: Judgement): readonly Found[] {
  if (judgement.state === 'refused')
    return (judgement.error.body?.error.details ?? []).map(({ path, message }) => ({ path, message, level: 'error' }));
  if (judgement.state !== 'planned') return [];
  return judgement.plan.findings.map(({ path, message, consequence, level }) => ({ path, message: `${message} ${consequence}`, level }));
}

/** The step that each is about, the innermost; those about the definition itself are under none. */
export function troublesByStep(steps: readonly Step[], troubles: readonly Trouble[]): ReadonlyMap<string, readonly Trouble[]> {
  const innermostFirst = [...outline(steps)].reverse();
  const by = new Map<string, Trouble[]>();
  for (const trouble of troubles) {
    if (trouble.level === 'info') continue;
    const place = innermostFirst.find(({ path }) => trouble.path === path || trouble.path.startsWith(`${path}.`));
    if (place !== undefined) by.set(place.step.id, [...(by.get(place.step.id) ?? []), trouble]);
  }
  return by;
}
