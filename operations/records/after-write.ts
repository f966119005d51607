/** What follows a written record inside its transaction: `create_record` actions of transitions, then `after_write` rules. */
import type { EntityModel } from '../../core/model/model.ts';
import type { TransitionAction } from '../../core/machine/machine.ts';
import { systemActor } from '../context.ts';
import { resolveValue, runChecks, type ChainInput } from '../rules/chain.ts';
import { readBody } from './body.ts';
import { invalid } from './write-result.ts';
import { rulesOf, type PlainRecord, type Write } from './write-state.ts';

export interface Aftermath {
  readonly action: 'create' | 'update';
  /** As it is stored now. */
  readonly record: PlainRecord;
  readonly old: PlainRecord | null;
  readonly creations: readonly Extract<TransitionAction, { type: 'create_record' }>[];
}

export async function afterWrite(write: Write, entity: EntityModel, after: Aftermath): Promise<void> {
  if (write.options.asSampleData === true) return;
  const plan = rulesOf(write.ctx, entity);
  const input: ChainInput = {
    ctx: write.ctx,
    db: write.db,
    entity,
    plan,
    action: after.action,
    record: { ...after.record },
    old: after.old,
    bad: new Set(),
  };
  for (const creation of after.creations) await createRecordAction(write, input, creation);
  if (plan.afterWrite.length === 0) return;
  const { errors } = await runChecks(input, plan.afterWrite);
  if (errors.length > 0) throw invalid(entity, errors);
}

/** Acts for the definition, so the caller's permissions on the other entity are not asked; the event still names the caller. */
async function createRecordAction(
  write: Write,
  input: ChainInput,
  action: Extract<TransitionAction, { type: 'create_record' }>,
): Promise<void> {
  const target = write.ctx.app.model.entities.get(action.entity);
  if (target === undefined) return;
  const body = Object.fromEntries(
    Object.entries(action.fields).map(([name, given]) => {
      const field = target.fields.get(name);
      return [name, field === undefined ? given : resolveValue(input, field, given)];
    }),
  );
  const asSystem: Write = { ...write, authority: systemActor(write.ctx.actor.id) };
  const draft = readBody({ write: asSystem, entity: target, action: 'create', body });
  await write.steps.create(asSystem, target, { draft, isTop: true });
}
