/** A state machine as the page edits it: its states follow from its transitions. */
import type { StateMachineDefinition } from '../../../../core/model/document.ts';

export type Machine = StateMachineDefinition;
export type Body = Machine['definition'];
export type Transition = Body['transitions'][number];
export type TransitionAction = Transition['actions'][number];

export const ANY = '*';

export const fromsOf = ({ from }: Transition): readonly string[] => (Array.isArray(from) ? from : [from]);

/** In the order in which they are met; the initial one first. */
export function statesOf({ initial, start = [], transitions }: Body): readonly string[] {
  const named = [initial, ...start, ...transitions.flatMap((transition) => [...fromsOf(transition), transition.to])];
  return [...new Set(named.filter((state) => state !== ANY && state !== ''))];
}

/** Nothing leads on from it. */
export const isFinal = ({ transitions }: Body, state: string): boolean =>
  !transitions.some((transition) => transition.to !== state && fromsOf(transition).some((from) => from === state || from === ANY));

export const isInitial = ({ initial, start = [] }: Body, state: string): boolean => state === initial || start.includes(state);

/** Each arrow of the diagram once: a transition from several states is several. `*` leads from every other state. */
export function arrowsOf(body: Body): readonly { readonly from: string; readonly to: string; readonly index: number }[] {
  const states = statesOf(body);
  return body.transitions.flatMap((transition, index) => {
    const froms = fromsOf(transition).flatMap((from) => (from === ANY ? states.filter((state) => state !== transition.to) : [from]));
    return [...new Set(froms)].map((from) => ({ from, to: transition.to, index }));
  });
}

/** The transition that a move takes: the first whose states fit. */
export const transitionBetween = (body: Body, from: string, to: string): Transition | undefined =>
  body.transitions.find((transition) => transition.to === to && fromsOf(transition).some((each) => each === from || each === ANY));

export function withTransition(body: Body, index: number | undefined, transition: Transition): Body {
  const transitions =
    index === undefined ? [...body.transitions, transition] : body.transitions.map((each, at) => (at === index ? transition : each));
  return { ...body, transitions };
}

export const withoutTransition = (body: Body, index: number): Body => ({
  ...body,
  transitions: body.transitions.filter((_, at) => at !== index),
});

/** The same machine with another word for a state; stored records keep theirs. */
export function withRenamed(body: Body, before: string, after: string): Body {
  const name = (state: string): string => (state === before ? after : state);
  return {
    ...body,
    initial: name(body.initial),
    ...(body.start === undefined ? {} : { start: body.start.map(name) }),
    transitions: body.transitions.map((transition) => ({
      ...transition,
      from: Array.isArray(transition.from) ? transition.from.map(name) : name(transition.from),
      to: name(transition.to),
    })),
  };
}

/** Without the state, and without every transition that begins or ends there. */
export function withoutState(body: Body, state: string): Body {
  const start = body.start?.filter((each) => each !== state);
  const { start: _before, ...rest } = body;
  return {
    ...rest,
    ...(start === undefined || start.length === 0 ? {} : { start }),
    transitions: body.transitions.flatMap((transition) => {
      const left = fromsOf(transition).filter((from) => from !== state);
      return transition.to === state || left.length === 0
        ? []
        : [{ ...transition, from: left.length === 1 ? (left[0] ?? ANY) : [...left] }];
    }),
  };
}

export const emptyTransition = (from: string): Transition => ({ from, to: '', roles: [], actions: [] });
