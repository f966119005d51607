/** Deleting one record: its `before_delete` rules, what its relations ask for, then the record itself. */
import type { EntityModel } from '../../core/model/model.ts';
import type { RulePlan } from '../../core/rules/plan.ts';
import { run } from '../../adapters/postgres/run.ts';
import type { Sql } from '../../core/sql/sql.ts';
import { applyFunctions } from '../functions/in-write.ts';
import { runChecks, type ChainInput } from '../rules/chain.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { forbidden } from './body.ts';
import { cascade } from './cascade.ts';
import { keyCondition, notFound, recordCondition, versionsOf } from './record-key.ts';
import { deleteStatement, readStatement, type StatementOptions, type StatementResult } from './statements.ts';
import { checkStored, invalid, preconditionFailed } from './write-result.ts';
import { accessOf, prepared, rulesOf, statementOptions, type DeleteStep, type PlainRecord, type Write } from './write-state.ts';

type Row = StatementResult & Record<string, unknown>;

/** True when more than the row itself is concerned. */
export const needsCascade = (entity: EntityModel, plan: RulePlan): boolean =>
  plan.beforeDelete.length + plan.functions.delete.length > 0 ||
  hasSyncWebhooks(entity, 'delete') ||
  entity.relations.some((end) => end.direction !== 'forward');

/** Answers the id of the deleted record. */
export async function deleteOne(write: Write, entity: EntityModel, step: DeleteStep): Promise<string> {
  const isCascade = step.isCascade === true;
  if (!isCascade && !accessOf(write, entity, 'delete').isGranted) throw forbidden(entity, 'delete');
  const condition = recordCondition(entity, write.ctx.app.storage, 't', step.recordId);
  if (condition === undefined) throw notFound(entity, step.recordId);
  const options = statementOptions(write, entity, 'delete', { record: false });
  const plan = rulesOf(write.ctx, entity);
  const versions = versionsOf(step.ifMatch);
  if (!isCascade) write.deletes.count++;
  if (step.link === undefined && !needsCascade(entity, plan)) return remove(write, entity, step, options, { condition, versions });

  const [found] = await run<Row>(write.db, readStatement(options, { condition, assigned: [], versions }, 'delete'), prepared(write));
  const stored = checkStored(found, entity, 'delete', step.recordId);
  const record = JSON.parse(stored.record ?? '{}') as Record<string, unknown>;
  if (step.link !== undefined && String(record[step.link.field]) !== String(step.link.value)) throw notFound(entity, step.recordId);
  if (stored.changed === false) throw preconditionFailed(entity, stored.version);
  const id = stored.id ?? '';
  write.deleting.add(`${entity.name} ${id}`);
  if (!isCascade) write.deletes.root = { entity, id, record };
  await checkRules(write, entity, plan, record);
  noteCall(write, entity, stored, record);
  await cascade(write, entity, id, record);
  return remove(write, entity, step, options, { condition: keyCondition(entity, 't', id) ?? condition, versions: undefined });
}

async function remove(
  write: Write,
  entity: EntityModel,
  step: DeleteStep,
  options: StatementOptions,
  input: { condition: Sql; versions: readonly string[] | undefined },
): Promise<string> {
  const [found] = await run<Row>(write.db, deleteStatement(options, { ...input, earlier: write.deletes.count - 1 }), prepared(write));
  const row = checkStored(found, entity, 'delete', step.recordId);
  if (row.changed !== true) throw preconditionFailed(entity, row.version);
  return row.id ?? '';
}

async function checkRules(write: Write, entity: EntityModel, plan: RulePlan, record: Record<string, unknown>): Promise<void> {
  if (plan.beforeDelete.length + plan.functions.delete.length === 0) return;
  const refused = await applyFunctions(write, entity, 'delete', { record, old: { ...record }, bad: new Set() });
  const input: ChainInput = { ctx: write.ctx, db: write.db, entity, plan, action: 'delete', record, old: { ...record }, bad: new Set() };
  const { errors } = await runChecks(input, plan.beforeDelete);
  if (refused.length + errors.length > 0) throw invalid(entity, [...refused, ...errors]);
}

function noteCall(write: Write, entity: EntityModel, stored: StatementResult, record: PlainRecord): void {
  if (!hasSyncWebhooks(entity, 'delete')) return;
  write.calls.push({
    entity,
    action: 'delete',
    record: null,
    old: record,
    fingerprint: `delete ${entity.name} ${String(stored.id)} ${String(stored.version)}`,
  });
}
