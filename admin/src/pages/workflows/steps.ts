/** Edits of a definition's steps. Pure: each answers new steps, and every goto leads to a step of its own list afterwards. */
import { isRaw, rawsOf, type Raw, type Step } from './workflow.ts';

export const END = 'end';
/** Beside a step: whoever caused the run answers. */
export const REQUESTER = 'requester';

type Steps = readonly Step[];

/** A list of steps: the definition's own, or one inside a step. */
export interface ListRef {
  readonly of: string | undefined;
  readonly branch: number;
}

export const MAIN: ListRef = { of: undefined, branch: 0 };
export const isSameList = (one: ListRef, other: ListRef): boolean => one.of === other.of && one.branch === other.branch;
export const listKey = ({ of, branch }: ListRef): string => `${of ?? ''}/${branch}`;

export function innerLists(step: Step): readonly Steps[] {
  if (step.type === 'parallel') return rawsOf(step['branches']).map(({ steps }) => rawsOf(steps) as Steps);
  return step.type === 'foreach' ? [rawsOf(step['steps']) as Steps] : [];
}

const withInnerLists = (step: Step, lists: readonly Steps[]): Step =>
  step.type === 'parallel' ? { ...step, branches: lists.map((steps) => ({ steps })) } : { ...step, steps: lists[0] ?? [] };

/** Where a step stands. */
export interface Place {
  readonly step: Step;
  readonly list: ListRef;
  readonly index: number;
  readonly count: number;
  readonly depth: number;
  /** As the document names it: `steps.1.branches.0.steps.2`. */
  readonly path: string;
}

/** Every step, outermost first, as an outline shows them. */
export function outline(steps: Steps, list: ListRef = MAIN, path = 'steps', depth = 0): readonly Place[] {
  return steps.flatMap((step, index) => {
    const own = `${path}.${index}`;
    const inner = innerLists(step).flatMap((below, branch) =>
      outline(below, { of: step.id, branch }, step.type === 'parallel' ? `${own}.branches.${branch}.steps` : `${own}.steps`, depth + 1),
    );
    return [{ step, list, index, count: steps.length, depth, path: own }, ...inner];
  });
}

export const placeOf = (steps: Steps, id: string | undefined): Place | undefined => outline(steps).find(({ step }) => step.id === id);

export function stepsOf(steps: Steps, list: ListRef, own: ListRef = MAIN): Steps | undefined {
  if (isSameList(own, list)) return steps;
  for (const step of steps) {
    const found = innerLists(step)
      .map((inner, branch) => stepsOf(inner, list, { of: step.id, branch }))
      .find((inner) => inner !== undefined);
    if (found !== undefined) return found;
  }
  return undefined;
}

function changeList(steps: Steps, list: ListRef, change: (steps: Steps) => Steps, own: ListRef = MAIN): Steps {
  if (isSameList(own, list)) return change(steps);
  return steps.map((step) => {
    const inner = innerLists(step);
    if (inner.length === 0) return step;
    return withInnerLists(
      step,
      inner.map((below, branch) => changeList(below, list, change, { of: step.id, branch })),
    );
  });
}

/** Ids that no step has: `wait`, `wait_2`, …; each is given once. */
export function freeIds(steps: Steps): (base: string) => string {
  const taken = new Set([END, REQUESTER, ...outline(steps).map(({ step }) => step.id)]);
  return (base) => {
    let id = base;
    for (let next = 2; taken.has(id); next++) id = `${base}_${next}`;
    taken.add(id);
    return id;
  };
}

export interface Outcome {
  /** As the document has it: `then`, `on_true`, `switch.cases.0.goto`. */
  readonly key: string;
  /** Undefined where it ends the list; of `on_error`, and of `on_send_back`, where nothing is said. */
  readonly target: string | undefined;
}

const CASE = /^switch\.cases\.(\d+)\.goto$/;
const text = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
export const casesOf = (step: Step): readonly Raw[] => (isRaw(step['switch']) ? rawsOf(step['switch']['cases']) : []);

function keysOf(step: Step): readonly string[] {
  switch (step.type) {
    case 'condition':
      return isRaw(step['switch'])
        ? [...casesOf(step).map((_, at) => `switch.cases.${at}.goto`), 'switch.default']
        : ['on_true', 'on_false'];
    case 'approval':
      return ['on_approve', 'on_reject', ...(step['timeout'] === undefined ? [] : ['on_timeout']), 'on_send_back'];
    case 'wait':
      return ['then', ...(step['timeout'] === undefined ? [] : ['on_timeout'])];
    default:
      return ['then'];
  }
}

/** Where a step may lead; the usual way first, what happens on an error last. */
export const outcomesOf = (step: Step): readonly Outcome[] =>
  [...keysOf(step), 'on_error'].map((key) => ({ key, target: targetOf(step, key) }));

export function targetOf(step: Step, key: string): string | undefined {
  const choice = isRaw(step['switch']) ? step['switch'] : {};
  const at = CASE.exec(key)?.[1];
  if (at !== undefined) return text(casesOf(step)[Number(at)]?.['goto']);
  return key === 'switch.default' ? text(choice['default']) : text(step[key]);
}

const withText = (of: Raw, key: string, value: string | undefined): Raw => {
  const { [key]: _before, ...rest } = of;
  return value === undefined ? rest : { ...of, [key]: value };
};

export function withTarget(step: Step, key: string, target: string | undefined): Step {
  const choice = isRaw(step['switch']) ? step['switch'] : {};
  const at = CASE.exec(key)?.[1];
  if (at !== undefined) {
    const cases = casesOf(step).map((one, index) => (index === Number(at) ? withText(one, 'goto', target) : one));
    return { ...step, switch: { ...choice, cases } };
  }
  if (key === 'switch.default') return { ...step, switch: withText(choice, 'default', target) };
  return withText(step, key, target) as Step;
}

/** Whether an outcome without a target leads to the end; the others are just not said. */
export const endsWhenUnsaid = (key: string): boolean => key !== 'on_error' && key !== 'on_send_back' && key !== 'on_timeout';

const usualKey = (step: Step): string => keysOf(step)[0] ?? 'then';

const retargeted = (step: Step, from: string, to: string | undefined): Step =>
  outcomesOf(step).reduce((changed, { key, target }) => (target === from ? withTarget(changed, key, to) : changed), step);

/** Where a new step comes: on the way out of another one, or at the beginning of the list. */
export interface Gap {
  readonly list: ListRef;
  readonly after?: { readonly step: string; readonly key: string };
}

export function insertStep(steps: Steps, { list, after }: Gap, added: Step): Steps {
  return changeList(steps, list, (own) => {
    const index = own.findIndex(({ id }) => id === after?.step);
    const source = own[index];
    if (source === undefined || after === undefined) return [withTarget(added, usualKey(added), own[0]?.id), ...own];
    const led = withTarget(added, usualKey(added), targetOf(source, after.key));
    return [...own.slice(0, index), withTarget(source, after.key, added.id), led, ...own.slice(index + 1)];
  });
}

/** What led to it leads to where it usually led. The last step of a list stays: a list has at least one. */
export function removeStep(steps: Steps, id: string): Steps {
  const place = placeOf(steps, id);
  if (place === undefined || place.count === 1) return steps;
  const on = targetOf(place.step, usualKey(place.step));
  const next = on === id ? undefined : on;
  return changeList(steps, place.list, (own) => own.filter((step) => step.id !== id).map((step) => retargeted(step, id, next)));
}

/** The first of a list is where it begins; the others are told apart by their gotos alone. */
export function moveStep(steps: Steps, id: string, by: number): Steps {
  const place = placeOf(steps, id);
  const to = (place?.index ?? 0) + by;
  if (place === undefined || to < 0 || to >= place.count) return steps;
  return changeList(steps, place.list, (own) => {
    const others = own.filter((step) => step.id !== id);
    return [...others.slice(0, to), place.step, ...others.slice(to)];
  });
}

/** Lists that a step may be moved to: all but its own and those inside it. */
export function otherLists(steps: Steps, id: string): readonly ListRef[] {
  const place = placeOf(steps, id);
  if (place === undefined || place.count === 1) return [];
  const inside = new Set([id, ...innerLists(place.step).flatMap((list) => outline(list).map(({ step }) => step.id))]);
  const inner = outline(steps).flatMap(({ step }) => innerLists(step).map((_, branch): ListRef => ({ of: step.id, branch })));
  return [MAIN, ...inner].filter((list) => !isSameList(list, place.list) && !(list.of !== undefined && inside.has(list.of)));
}

/** Into another list, at its end; it leads nowhere there until somebody says so. */
export function moveToList(steps: Steps, id: string, list: ListRef): Steps {
  const place = placeOf(steps, id);
  if (place === undefined || place.count === 1) return steps;
  const alone = outcomesOf(place.step).reduce((step, { key }) => withTarget(step, key, undefined), place.step);
  return changeList(removeStep(steps, id), list, (own) => [...own, alone]);
}

export function changeStep(steps: Steps, id: string, changed: Step): Steps {
  const place = placeOf(steps, id);
  if (place === undefined) return steps;
  return changeList(steps, place.list, (own) =>
    own.map((step) => (step.id === id ? retargeted(changed, id, changed.id) : retargeted(step, id, changed.id))),
  );
}

/** One more branch, with a step of its own. */
export const addBranch = (step: Step, first: Step): Step => withInnerLists(step, [...innerLists(step), [first]]);
export const removeBranch = (step: Step, branch: number): Step =>
  withInnerLists(
    step,
    innerLists(step).filter((_, at) => at !== branch),
  );
