/**
 * Policies: the compiled form of an app's permissions. Nothing is allowed unless a permission grants it; grants add up; a
 * `deny` wins over every grant. Compiled once per app version, role set, entity and action; only the caller's own values are
 * bound per request.
 */
import { checkFilter, type CheckedFilter } from '../filter/check.ts';
import { boundValues, filterSql, scalarSql } from '../filter/compile.ts';
import { dynamicValue, type Bindings } from '../filter/operand.ts';
import { invalidValue } from '../filter/query.ts';
import { resolvePath, type ReadScope } from '../filter/scope.ts';
import { isAppError, type ErrorDetail } from '../errors.ts';
import { compileExpression, type CompiledExpression } from '../expression/expression.ts';
import { expressionToSql, type SqlScope } from '../expression/to-sql.ts';
import type { PermissionDefinition } from '../model/document.ts';
import type { AppModel, EntityModel } from '../model/model.ts';
import { and, or, sql, type Sql } from '../sql/sql.ts';
import {
  fieldAlways,
  fieldNever,
  FULL_ACCESS,
  NO_ACCESS,
  type Access,
  type FieldAccess,
  type PolicyActor,
  type RecordAction,
} from './access.ts';

export type { Access, FieldAccess, PolicyActor, RecordAction } from './access.ts';
export { FULL_ACCESS, NO_ACCESS } from './access.ts';

/** The part of an app's runtime that policies need. */
export interface PolicyApp {
  readonly model: AppModel;
  readonly storage: string;
  memo<T>(key: object, build: () => T): T;
}

/** One permission as it applies to one entity. */
interface Rule {
  /** Undefined: every row. */
  readonly predicate: Predicate | undefined;
  /** Undefined: every field. */
  readonly fields: ReadonlySet<string> | undefined;
}

type Predicate = (alias: string, bindings: Bindings) => Sql;

interface CompiledPolicy {
  readonly grants: readonly Rule[];
  /** Denies without a field list: they take rows away. */
  readonly denies: readonly Rule[];
  /** Denies with a field list: they take only these fields away. */
  readonly fieldDenies: readonly Rule[];
  readonly presets: Readonly<Record<string, unknown>>;
  /** Nothing in it depends on when it is asked: bound once, it holds for all requests of a caller. */
  readonly isTimeless: boolean;
  readonly keys: ReadonlySet<string>;
  readonly key: string;
  /** Field rules by name, filled as they are asked for. */
  readonly fields: Map<string, FieldRule>;
}

interface FieldRule {
  readonly mode: FieldAccess['mode'];
  /** With `conditional`: one of these must hold (none = holds always), and none of `denying`. */
  readonly listing: readonly Rule[];
  readonly denying: readonly Rule[];
}

const POLICIES = {};
const MAX_POLICIES = 5000;

/** What `actor` may do to the records of `entity`. Admins and the system may do everything; an API key no more than its scopes. */
export function accessFor(app: PolicyApp, actor: PolicyActor, entity: EntityModel, action: RecordAction, now: Date): Access {
  if (actor.scopes !== undefined && !actor.scopes.allowsRecords(entity.name, action)) return NO_ACCESS;
  if (actor.isAdmin) return FULL_ACCESS;
  const bound = boundOf(app, actor, entity);
  const known = bound[action];
  if (known !== undefined) return known;
  const policy = policyFor(app, actor, entity, action);
  const access = bindPolicy(policy, { actor, now });
  if (policy.isTimeless) bound[action] = access;
  return access;
}

const BOUND = {};

type BoundPolicies = Partial<Record<RecordAction, Access>>;

/** A caller is one object for as long as a token is remembered. */
function boundOf(app: PolicyApp, actor: PolicyActor, entity: EntityModel): BoundPolicies {
  const callers = app.memo(BOUND, () => new WeakMap<PolicyActor, Map<EntityModel, BoundPolicies>>());
  let entities = callers.get(actor);
  if (entities === undefined) callers.set(actor, (entities = new Map()));
  let bound = entities.get(entity);
  if (bound === undefined) entities.set(entity, (bound = {}));
  return bound;
}

function policyFor(app: PolicyApp, actor: PolicyActor, entity: EntityModel, action: RecordAction): CompiledPolicy {
  const cache = app.memo(POLICIES, () => new Map<string, CompiledPolicy>());
  const key = `${action} ${entity.name} ${actor.roles.join('\0')}`;
  let policy = cache.get(key);
  if (policy === undefined) {
    if (cache.size >= MAX_POLICIES) cache.clear();
    cache.set(key, (policy = compilePolicy(app, actor.roles, entity, action, key)));
  }
  return policy;
}

/** How one permission of the app bears on one caller, entity and action. */
export interface Considered {
  readonly permission: PermissionDefinition;
  /** The caller's roles among its own; without any it does not concern them. */
  readonly matched: readonly string[];
  /** False: it cannot be compiled for this entity; a grant gives nothing then, a deny takes everything. */
  readonly compiles: boolean;
  /** The rows it holds for; undefined: all. */
  readonly where: ((alias: string) => Sql) | undefined;
}

/** The permissions behind `accessFor`, by the same steps: for explanations, not for decisions. */
export function considered(app: PolicyApp, actor: PolicyActor, entity: EntityModel, action: RecordAction, now: Date): Considered[] {
  const scope = policyScope(app.model, app.storage);
  const own = new Set(actor.roles.map((role) => role.toLowerCase()));
  const all = new Set(app.model.permissions.flatMap(({ roles }) => roles.map((role) => role.toLowerCase())));
  return app.model.permissions.flatMap((permission): Considered[] => {
    if (!appliesTo(permission, all, entity, action) || isAboutOtherFields(permission, action)) return [];
    const matched = permission.roles.filter((role) => role === '*' || own.has(role.toLowerCase()));
    const compiled = compiledFor(scope, permission, entity);
    const { predicate } = compiled ?? {};
    const where = predicate === undefined ? undefined : (alias: string): Sql => predicate(alias, { actor, now });
    return [{ permission, matched, compiles: compiled !== undefined, where }];
  });
}

/** Permissions whose conditions cannot become SQL, with their place in the document. */
export function policyErrors(model: AppModel, storage: string): ErrorDetail[] {
  return model.permissions.flatMap((permission, index) => {
    const entities = permission.entity === '*' ? [...model.entities.values()] : [model.entities.get(permission.entity)];
    // An entity that does not exist yet is no mistake; `*` must fit at least one.
    const known = entities.flatMap((entity) => entity ?? []);
    const failures = known.map((entity) => failureOf(model, storage, permission, entity));
    const failure = failures.every((problem) => problem !== undefined) ? failures[0] : undefined;
    return failure === undefined ? [] : [{ path: `permissions[${index}].${failure.part}`, rule: 'policy', message: failure.message }];
  });
}

function failureOf(
  model: AppModel,
  storage: string,
  permission: PermissionDefinition,
  entity: EntityModel,
): { part: string; message: string } | undefined {
  const parts: [string, Condition][] = permission.conditions.map((condition, index) => [
    `conditions[${index}]`,
    { conditions: [condition] },
  ]);
  parts.push(['expression', { conditions: [], expression: permission.expression }]);
  for (const [part, reduced] of parts) {
    try {
      predicateOf(policyScope(model, storage), reduced, entity);
    } catch (error) {
      if (!isAppError(error)) throw error;
      return { part, message: error.message };
    }
  }
  return undefined;
}

function compilePolicy(app: PolicyApp, roles: readonly string[], entity: EntityModel, action: RecordAction, key: string): CompiledPolicy {
  const own = new Set(roles.map((role) => role.toLowerCase()));
  const scope = policyScope(app.model, app.storage);
  const grants: Rule[] = [];
  const denies: Rule[] = [];
  const fieldDenies: Rule[] = [];
  let presets: Record<string, unknown> = {};
  let isTimeless = true;
  for (const permission of app.model.permissions) {
    if (!appliesTo(permission, own, entity, action) || isAboutOtherFields(permission, action)) continue;
    const rule = ruleOf(scope, permission, entity, action);
    if (rule === undefined) continue;
    isTimeless &&= !mentionsNow(permission);
    if (permission.deny) (rule.fields === undefined ? denies : fieldDenies).push(rule);
    else {
      grants.push(rule);
      presets = { ...presets, ...permission.presets };
    }
  }
  return { grants, denies, fieldDenies, presets, isTimeless, key, keys: new Set(entity.key.map((field) => field.name)), fields: new Map() };
}

/** The clock has one name, in conditions, expressions and presets; that a text may hold the word by chance costs only time. */
const mentionsNow = ({ conditions, expression, presets }: PermissionDefinition): boolean =>
  /\bnow\b/i.test(JSON.stringify([conditions, expression, presets]));

function appliesTo(permission: PermissionDefinition, roles: ReadonlySet<string>, entity: EntityModel, action: RecordAction): boolean {
  return (
    (permission.entity === '*' || permission.entity === entity.name) &&
    (permission.action === '*' || permission.action === action) &&
    permission.roles.some((role) => role === '*' || roles.has(role.toLowerCase()))
  );
}

/** A deny that lists fields to write says nothing about reading, and the reverse. */
function isAboutOtherFields({ deny, fields }: PermissionDefinition, action: RecordAction): boolean {
  if (!deny || (fields?.read === undefined && fields?.write === undefined)) return false;
  return action === 'delete' || (action === 'read' ? fields.read === undefined : fields.write === undefined);
}

/** A condition that cannot be compiled for this entity grants nothing, and denies everything. */
function ruleOf(scope: ReadScope, permission: PermissionDefinition, entity: EntityModel, action: RecordAction): Rule | undefined {
  const list = action === 'read' ? permission.fields?.read : permission.fields?.write;
  const fields = list === undefined ? undefined : new Set(list);
  const compiled = compiledFor(scope, permission, entity);
  return compiled === undefined && !permission.deny ? undefined : { predicate: compiled?.predicate, fields };
}

/** Undefined: the condition does not fit the entity. */
function compiledFor(
  scope: ReadScope,
  permission: PermissionDefinition,
  entity: EntityModel,
): { readonly predicate: Predicate | undefined } | undefined {
  try {
    return { predicate: predicateOf(scope, permission, entity) };
  } catch (error) {
    if (isAppError(error)) return undefined;
    throw error;
  }
}

/** Policies see everything: what a condition mentions need not be readable by the caller. */
const policyScope = (model: AppModel, storage: string): ReadScope => ({
  model,
  storage,
  access: () => FULL_ACCESS,
  withDeleted: false,
  keepsSubplans: true,
});

type Condition = Pick<PermissionDefinition, 'conditions'> & { readonly expression?: string | undefined };

function predicateOf(scope: ReadScope, permission: Condition, entity: EntityModel): Predicate | undefined {
  const parts: Predicate[] = permission.conditions.map((condition) => {
    const checked: CheckedFilter = checkFilter(scope, entity, {
      kind: 'leaf',
      path: condition.field.split('.'),
      operator: condition.operator,
      operand: { kind: 'json', value: condition.value ?? null },
    });
    refuseMisfits(checked, condition.field);
    return (alias, bindings) => filterSql(scope, checked, alias, bindings);
  });
  if (permission.expression !== undefined) {
    const predicate = expressionPredicate(scope, compileExpression(permission.expression), entity);
    // Made once here, so that what has no SQL is known when the policy is compiled and not at a request.
    predicate('t', SAMPLE);
    parts.push(predicate);
  }
  if (parts.length === 0) return undefined;
  return (alias, bindings) => and(parts.map((part) => part(alias, bindings)));
}

/** Values of the kind every caller has; used to find conditions that could never hold. */
const SAMPLE: Bindings = {
  actor: { id: '00000000-0000-7000-8000-000000000000', email: 'someone@example.com', roles: ['someone'] },
  now: new Date(0),
};

function refuseMisfits(filter: CheckedFilter, label: string): void {
  if (filter.kind === 'related') refuseMisfits(filter.item, label);
  if (filter.kind !== 'compare' || boundValues(filter, SAMPLE) !== undefined) return;
  throw invalidValue(label, `"${label}" is compared with a value of the caller that its type "${filter.column.field.type}" cannot hold.`);
}

function expressionPredicate(scope: ReadScope, expression: CompiledExpression, entity: EntityModel): Predicate {
  return (alias, bindings) => expressionToSql(expression, expressionScope(scope, entity, alias, bindings));
}

function expressionScope(scope: ReadScope, entity: EntityModel, alias: string, bindings: Bindings): SqlScope {
  return {
    column(path) {
      const reference = resolvePath(scope, entity, path);
      if (reference.kind !== 'column' || reference.hops.some((hop) => hop.end.cardinality === 'many')) return undefined;
      return { sql: scalarSql(scope, reference.hops, reference.column, alias), type: reference.column.field.type };
    },
    variable: (root, path) => dynamicValue(root === 'user' ? `$user.${path.join('.')}` : `$${root}`, bindings),
  };
}

function bindPolicy(policy: CompiledPolicy, bindings: Bindings): Access {
  const { grants, denies } = policy;
  if (grants.length === 0 || denies.some((deny) => deny.predicate === undefined)) return NO_ACCESS;
  const anyOf = (rules: readonly Rule[], alias: string): Sql => or(rules.map((rule) => predicateSql(rule, alias, bindings)));
  // A deny whose condition is null in a row does not hold there.
  const noneOf = (rules: readonly Rule[], alias: string): Sql[] =>
    rules.map((rule) => sql`(${predicateSql(rule, alias, bindings)}) is not true`);
  const takesEveryRow = isUnconditional(grants);
  const made = new Map<string, Sql>();
  return {
    isGranted: true,
    key: policy.key,
    where(alias) {
      if (takesEveryRow && denies.length === 0) return undefined;
      let condition = made.get(alias);
      if (condition === undefined) {
        condition = and([...(takesEveryRow ? [] : [anyOf(grants, alias)]), ...noneOf(denies, alias)]);
        made.set(alias, condition);
      }
      return condition;
    },
    field(name): FieldAccess {
      const rule = fieldRule(policy, name);
      switch (rule.mode) {
        case 'always':
          return fieldAlways();
        case 'never':
          return fieldNever();
        case 'conditional':
          return {
            mode: 'conditional',
            when: (alias) => and([...(rule.listing.length === 0 ? [] : [anyOf(rule.listing, alias)]), ...noneOf(rule.denying, alias)]),
          };
      }
    },
    presets: bindPresets(policy.presets, bindings),
  };
}

const isUnconditional = (rules: readonly Rule[]): boolean => rules.some((rule) => rule.predicate === undefined);
const predicateSql = (rule: Rule, alias: string, bindings: Bindings): Sql => rule.predicate?.(alias, bindings) ?? sql`true`;

function fieldRule(policy: CompiledPolicy, name: string): FieldRule {
  let rule = policy.fields.get(name);
  if (rule === undefined) policy.fields.set(name, (rule = decideField(policy, name)));
  return rule;
}

/** A field is open in a row if a grant that holds for this row lists it, and no deny takes it away there. */
function decideField({ grants, fieldDenies, keys }: CompiledPolicy, name: string): FieldRule {
  // The key is how a record is addressed: whoever may read the row knows it.
  if (keys.has(name)) return { mode: 'always', listing: [], denying: [] };
  const listing = grants.filter((grant) => grant.fields === undefined || grant.fields.has(name));
  const denying = fieldDenies.filter((deny) => deny.fields?.has(name) === true);
  if (listing.length === 0 || isUnconditional(denying)) return { mode: 'never', listing: [], denying: [] };
  const isOpen = listing.length === grants.length || isUnconditional(listing);
  if (isOpen && denying.length === 0) return { mode: 'always', listing: [], denying: [] };
  return { mode: 'conditional', listing: isOpen ? [] : listing, denying };
}

function bindPresets(presets: Readonly<Record<string, unknown>>, bindings: Bindings): Readonly<Record<string, unknown>> {
  const names = Object.keys(presets);
  if (names.length === 0) return presets;
  return Object.fromEntries(
    names.map((name) => {
      const given = presets[name];
      const found = typeof given === 'string' ? dynamicValue(given, bindings) : undefined;
      return [name, found === undefined ? given : found];
    }),
  );
}
