/**
 * State machines as decisions without effects: what a field may become, who may move it, and what the refusal says. A *move*
 * is one transition looked at for one record; guards are expressions and are evaluated by the caller of `decideMove`.
 */
import type { ErrorDetail } from '../errors.ts';
import type { StateMachineDefinition } from '../model/document.ts';

export type Transition = StateMachineDefinition['definition']['transitions'][number];
export type TransitionAction = Transition['actions'][number];

export interface MoveRequest {
  /** The stored state; undefined when the record is being created. */
  readonly from: string | null | undefined;
  readonly to: string | null;
  /** Lower case. */
  readonly roles: readonly string[];
  /** Admins and, unless strict, the system: not asked for roles. */
  readonly passesRoles: boolean;
  /** The system, unless strict: may go where no transition leads. */
  readonly passesMissing: boolean;
  readonly isGuardTrue: (guard: string) => boolean;
}

export type Move =
  | { readonly kind: 'unchanged' }
  | { readonly kind: 'allowed'; readonly actions: readonly TransitionAction[] }
  | { readonly kind: 'refused'; readonly detail: ErrorDetail }
  | { readonly kind: 'forbidden'; readonly detail: ErrorDetail };

const ANY = '*';

const startsAt = (transition: Transition, state: string): boolean =>
  typeof transition.from === 'string'
    ? transition.from === state || transition.from === ANY
    : transition.from.includes(state) || transition.from.includes(ANY);

/** The transitions that lead out of a state. */
export const transitionsFrom = (machine: StateMachineDefinition, state: string): readonly Transition[] =>
  machine.definition.transitions.filter((transition) => startsAt(transition, state));

/** Where a new record may begin: the initial state, and those the definition adds. */
export const startsOf = ({ definition }: StateMachineDefinition): readonly string[] => [
  ...new Set([definition.initial, ...(definition.start ?? [])]),
];

/** Every state the machine knows. */
export function statesOf(machine: StateMachineDefinition): ReadonlySet<string> {
  const { transitions } = machine.definition;
  const named = transitions.flatMap((transition) => [transition.from, transition.to].flat());
  return new Set([...startsOf(machine), ...named].filter((state) => state !== ANY));
}

const hasRole = (transition: Transition, roles: readonly string[]): boolean =>
  transition.roles.length === 0 || transition.roles.some((role) => roles.includes(role.toLowerCase()));

/** Decides one move. Of several transitions between the same states the first that lets the caller through counts. */
export function decideMove(machine: StateMachineDefinition, request: MoveRequest): Move {
  const { from, to } = request;
  if (from === undefined) return decideStart(machine, request);
  if (from === to) return { kind: 'unchanged' };
  const candidates = to === null ? [] : transitionsFrom(machine, from ?? machine.definition.initial).filter((t) => t.to === to);
  if (from === null && to === machine.definition.initial) return { kind: 'allowed', actions: [] };
  if (candidates.length === 0) {
    return request.passesMissing ? { kind: 'allowed', actions: [] } : { kind: 'refused', detail: missingTransition(machine, request) };
  }
  const mine = candidates.filter((transition) => request.passesRoles || hasRole(transition, request.roles));
  if (mine.length === 0) return { kind: 'forbidden', detail: missingRole(machine, request, candidates) };
  const open = mine.find((transition) => isOpen(transition, request));
  if (open === undefined) return { kind: 'refused', detail: closedGuard(machine, request, mine) };
  return { kind: 'allowed', actions: open.actions };
}

const isOpen = (transition: Transition, request: MoveRequest): boolean =>
  transition.guard === undefined || transition.guard === null || request.isGuardTrue(transition.guard);

function decideStart(machine: StateMachineDefinition, { to, passesMissing }: MoveRequest): Move {
  const allowed = startsOf(machine);
  if (passesMissing || (to !== null && allowed.includes(to))) return { kind: 'allowed', actions: [] };
  return {
    kind: 'refused',
    detail: {
      field: machine.field,
      rule: 'state_machine',
      from: null,
      to,
      allowed,
      message: `${machine.field} must start as ${allowed.map((state) => `"${state}"`).join(' or ')}, not "${String(to)}"`,
    },
  };
}

function missingTransition(machine: StateMachineDefinition, { from, to }: MoveRequest): ErrorDetail {
  const ways = transitionsFrom(machine, from ?? machine.definition.initial);
  const allowed = [...new Set(ways.map((way) => way.to))];
  const next =
    allowed.length === 0 ? `"${String(from)}" is final` : `from there it can become ${allowed.map((state) => `"${state}"`).join(', ')}`;
  return {
    field: machine.field,
    rule: 'transition',
    from: from ?? null,
    to,
    allowed,
    transitions: ways.map((way) => ({ to: way.to, roles: way.roles })),
    message: `${machine.field} cannot change from "${String(from)}" to ${to === null ? 'nothing' : `"${to}"`}: ${next}`,
  };
}

function missingRole(machine: StateMachineDefinition, { from, to }: MoveRequest, candidates: readonly Transition[]): ErrorDetail {
  const roles = [...new Set(candidates.flatMap((transition) => transition.roles))];
  return {
    field: machine.field,
    rule: 'transition',
    from: from ?? null,
    to,
    roles,
    message: `Only ${roles.join(', ')} may change ${machine.field} from "${String(from)}" to "${String(to)}"`,
  };
}

/** Of several closed transitions the first that has words of its own speaks. */
function closedGuard(machine: StateMachineDefinition, { from, to }: MoveRequest, closed: readonly Transition[]): ErrorDetail {
  const own = closed.find((transition) => transition.message !== undefined)?.message;
  const standard = `${machine.field} cannot change from "${String(from)}" to "${String(to)}" now: the condition of this transition is not met`;
  return {
    field: machine.field,
    rule: 'guard',
    from: from ?? null,
    to,
    message: own ?? standard,
  };
}
