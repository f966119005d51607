/** The reading side of a request: whose policies hold, and what `$user` and `$now` are. */
import { AppError } from '../../core/errors.ts';
import type { Bindings } from '../../core/filter/operand.ts';
import type { ReadScope } from '../../core/filter/scope.ts';
import { entityOf, type EntityModel } from '../../core/model/model.ts';
import type { Access } from '../../core/policy/access.ts';
import { accessFor } from '../../core/policy/policy.ts';
import type { AppContext } from '../context.ts';

/** One scope per request: an entity's policy is bound once, however often it is referred to. */
export function readScope(ctx: AppContext, withDeleted = false): ReadScope {
  const { app, actor, now } = ctx;
  if (withDeleted && !actor.isAdmin) throw new AppError('FORBIDDEN', 'Only admins see deleted records.');
  const known = new Map<EntityModel, Access>();
  return {
    model: app.model,
    storage: app.storage,
    withDeleted,
    keepsSubplans: false,
    access(entity) {
      let access = known.get(entity);
      if (access === undefined) known.set(entity, (access = accessFor(app, actor, entity, 'read', now)));
      return access;
    },
  };
}

export const bindingsOf = (ctx: AppContext): Bindings => ({ actor: ctx.actor, now: ctx.now });

/** The entity, when the caller may read its records at all. */
export function readableEntity(ctx: AppContext, scope: ReadScope, name: string): EntityModel {
  const entity = entityOf(ctx.app.model, name);
  if (!scope.access(entity).isGranted) throw new AppError('FORBIDDEN', `You may not read "${name}" records.`);
  return entity;
}
