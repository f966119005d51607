/** What each role may do with each entity, at a glance: the decisions of the compiled policy, and the permissions they come from. */
import { RECORD_ACTIONS, type RecordAction } from '../../core/policy/access.ts';
import { accessFor, considered } from '../../core/policy/policy.ts';
import { ROWS_ALIAS } from '../../core/filter/statements.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { permissionMatrix as matrixSchema } from '../../core/payloads/trials.ts';
import type { Actor, AppContext } from '../context.ts';
import { readPayload } from '../payload.ts';
import { withDraft, type Decision } from './simulate.ts';

export interface MatrixCell {
  readonly role: string;
  readonly entity: string;
  readonly action: RecordAction;
  readonly decision: Decision['decision'];
  /** Ids of the permissions that bear on it, grants and denies. */
  readonly by: readonly string[];
  /** How many of the entity's fields are open to it: always, in some records, never. */
  readonly fields: { readonly always: number; readonly conditional: number; readonly never: number };
}

export interface Matrix {
  /** `*` is everybody who is signed in; roles that only permissions or transitions name are there too. */
  readonly roles: readonly string[];
  readonly cells: readonly MatrixCell[];
}

/** Every signed-in caller, whatever roles it has. */
export const EVERYBODY = '*';

export async function permissionMatrix(ctx: AppContext, given: unknown): Promise<Matrix> {
  const body = readPayload(matrixSchema, given, 'permissions/matrix');
  const { after = ctx } = withDraft(ctx, body.draft);
  const roles = rolesOf(after.app.model.document);
  const entities = [...after.app.model.entities.values()];
  const cells = roles.flatMap((role) => {
    const asked = { ...after, actor: actorOfRole(role) };
    return entities.flatMap((entity) =>
      RECORD_ACTIONS.map((action) => ({ role, entity: entity.name, action, ...cellOf(asked, entity, action) })),
    );
  });
  return { roles, cells };
}

/** Listed roles first, in their order. Names compare without case; the first spelling is shown. */
export function rolesOf({ roles, permissions, state_machines: machines }: SchemaDocument): string[] {
  const named = [
    ...roles.map(({ name }) => name),
    ...permissions.flatMap((permission) => permission.roles),
    ...machines.flatMap(({ definition }) => definition.transitions.flatMap((transition) => transition.roles)),
  ];
  const known = new Map<string, string>();
  for (const name of named) if (!known.has(name.toLowerCase())) known.set(name.toLowerCase(), name);
  known.delete(EVERYBODY);
  known.delete('admin');
  return [...known.values(), EVERYBODY];
}

/** Somebody with this one role. The id is nobody's: what depends on who one is holds for no stored record of theirs. */
export const actorOfRole = (role: string): Actor => ({
  kind: 'user',
  id: '00000000-0000-7000-8000-000000000000',
  email: 'somebody@role.invalid',
  roles: role === EVERYBODY ? [] : [role.toLowerCase()],
  isAdmin: false,
  sessionId: null,
});

export function cellOf(ctx: AppContext, entity: EntityModel, action: RecordAction): Pick<MatrixCell, 'decision' | 'by' | 'fields'> {
  const access = accessFor(ctx.app, ctx.actor, entity, action, ctx.now);
  const fields = { always: 0, conditional: 0, never: 0 };
  for (const name of entity.fields.keys()) fields[access.isGranted ? access.field(name).mode : 'never']++;
  const list = ctx.actor.isAdmin ? [] : considered(ctx.app, ctx.actor, entity, action, ctx.now);
  return {
    decision: !access.isGranted ? 'denied' : access.where(ROWS_ALIAS) === undefined ? 'allowed' : 'filtered',
    by: list.flatMap(({ permission, matched }) => (matched.length > 0 && permission.id !== undefined ? [permission.id] : [])),
    fields,
  };
}
