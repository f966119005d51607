/** What an expression may name where it stands: variables, and from each the fields and relations that lead on. */
import type { Root } from '../../../core/expression/syntax.ts';
import type { DiscoveredEntity, DiscoveredField, Discovery } from '../discovery.ts';

/** A rule and a computed field see the whole write, a guard too; a policy becomes SQL; an SLA follows changes of a record. */
export type Place = 'rule' | 'guard' | 'policy' | 'sla' | 'workflow';

export interface Scope {
  readonly place: Place;
  readonly discovery: Discovery;
  /** The record's entity, when one is chosen. */
  readonly entity: string | undefined;
  /** Relations that a rule loads: what `related` holds. */
  readonly related?: readonly string[];
}

export const ROOTS_AT: Readonly<Record<Place, readonly Root[]>> = {
  rule: ['record', 'old', 'related', 'user', 'action', 'now'],
  guard: ['record', 'old', 'user', 'action', 'now'],
  policy: ['record', 'user', 'now'],
  sla: ['record', 'old', 'action', 'now'],
  workflow: ['record', 'old', 'trigger', 'context', 'params', 'user', 'now'],
};

export const USER_MEMBERS = ['id', 'email', 'roles'] as const;
export const ACTIONS = ['create', 'update', 'delete'] as const;

/** Where a path has led: to a record of an entity, to a field's value, to the caller, or nowhere that is known. */
export type Spot =
  | { readonly kind: 'record'; readonly entity: DiscoveredEntity }
  | { readonly kind: 'field'; readonly field: DiscoveredField; readonly entity: DiscoveredEntity }
  | { readonly kind: 'user' | 'action' | 'now' | 'related' | 'unknown' };

const UNKNOWN: Spot = { kind: 'unknown' };

export const entityOf = ({ discovery, entity }: Scope): DiscoveredEntity | undefined =>
  discovery.entities.find(({ name }) => name === entity);

/** Follows a path of plain names; a first name that is no variable is a field of the record. */
export function follow(scope: Scope, path: readonly string[]): Spot {
  const [first, ...rest] = path;
  if (first === undefined) return UNKNOWN;
  const own = entityOf(scope);
  const record: Spot = own === undefined ? UNKNOWN : { kind: 'record', entity: own };
  if (first === 'record' || first === 'old') return rest.reduce((spot, name) => step(scope, spot, name), record);
  if (first === 'user') return rest.length === 0 ? { kind: 'user' } : UNKNOWN;
  if (first === 'action' || first === 'now') return rest.length === 0 ? { kind: first } : UNKNOWN;
  if (first === 'related') return rest.reduce<Spot>((spot, name) => step(scope, spot, name), { kind: 'related' });
  if (scope.place === 'workflow' && ['trigger', 'context', 'params'].includes(first)) return UNKNOWN;
  return path.reduce((spot, name) => step(scope, spot, name), record);
}

function step(scope: Scope, spot: Spot, name: string): Spot {
  if (spot.kind === 'related') return targetOf(scope, entityOf(scope), name);
  if (spot.kind !== 'record') return UNKNOWN;
  const field = spot.entity.fields.find((each) => each.name === name);
  if (field !== undefined) return { kind: 'field', field, entity: spot.entity };
  return followsRelations(scope) ? targetOf(scope, spot.entity, name) : UNKNOWN;
}

/** Only a policy reads other records by their path: it becomes SQL. */
export const followsRelations = ({ place }: Scope): boolean => place === 'policy';

function targetOf({ discovery }: Scope, entity: DiscoveredEntity | undefined, name: string): Spot {
  const relation = entity?.relations.find((each) => each.names.includes(name) || each.name === name);
  const target = discovery.entities.find((each) => each.name === relation?.target);
  return target === undefined ? UNKNOWN : { kind: 'record', entity: target };
}

/** The values a field is known to take: those it lists, or the states of its machine. */
export function valuesOf(entity: DiscoveredEntity, field: DiscoveredField): readonly (string | number | boolean)[] {
  if (field.enum !== null) return field.enum;
  const machine = entity.state_machines.find((each) => each.field === field.name);
  if (machine === undefined) return [];
  const states = [machine.initial, ...machine.transitions.flatMap(({ from, to }) => [...from, to])];
  return [...new Set(states.filter((state) => state !== '*'))];
}
