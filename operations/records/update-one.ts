/**
 * Updating one record. Without rules or machines that look at the stored record it is one statement; otherwise the record is
 * read (locked inside a transaction), the chain runs in Node, and the statement requires the version that was read.
 */
import { coerceValue } from '../../core/model/field-types.ts';
import type { ErrorDetail } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import type { RulePlan } from '../../core/rules/plan.ts';
import { execute as executeSql, run } from '../../adapters/postgres/run.ts';
import { and, id, join, or, sql, type Sql } from '../../core/sql/sql.ts';
import { applyFunctions } from '../functions/in-write.ts';
import { runChain, type ChainInput } from '../rules/chain.ts';
import { hasSyncWebhooks } from '../webhooks/call-sync.ts';
import { afterWrite } from './after-write.ts';
import { forbidden } from './body.ts';
import type { Draft, FieldValue } from './draft.ts';
import { assignments, inOrder, missingComputed, NO_CHAIN, refuseForbidden } from './create-one.ts';
import { fillSlug, updateStamps } from './initial-values.ts';
import { isInvalid, refusalOfAll, withoutRelated } from './judge-nested.ts';
import { writeNested } from './nested.ts';
import { tableOf } from './dependents.ts';
import { keyCondition, notFound, recordCondition, versionsOf } from './record-key.ts';
import { readStatement, updateStatement, type StatementResult, type UpdateInput } from './statements.ts';
import { checkStored, checkWritten, preconditionFailed, refuseInvalid, writtenRecord } from './write-result.ts';
import {
  accessOf,
  prepared,
  rulesOf,
  statementOptions,
  type PlainRecord,
  type UpdateStep,
  type Write,
  type WrittenRecord,
} from './write-state.ts';

/** Somebody changed the record between reading and writing it without a lock; the write starts over. */
export class StaleRead extends Error {
  override readonly name = 'StaleRead';
}

type Row = StatementResult & Record<string, unknown>;

/** True when the stored record has to be read before the new one can be judged. */
export function needsStored(write: Write, plan: RulePlan, draft: Draft): boolean {
  const { entity } = draft;
  if (draft.nested.length > 0 || draft.claimedKey.size > 0 || hasSyncWebhooks(entity, 'update')) return true;
  if (entity.slugField !== undefined && needsSlug(entity, draft)) return true;
  if (write.options.asSampleData === true) return false;
  return plan.needsRecord || plan.afterWrite.length > 0 || plan.machines.some((machine) => draft.given.has(machine.field.name));
}

function needsSlug(entity: EntityModel, draft: Draft): boolean {
  const { source, regenerate_on_update: regenerates } = entity.definition.slug ?? {};
  return draft.given.has(entity.slugField?.name ?? '') || (regenerates === true && source !== undefined && draft.given.has(source));
}

export async function updateOne(write: Write, entity: EntityModel, step: UpdateStep): Promise<WrittenRecord> {
  if (!accessOf(write, entity, 'update').isGranted) throw forbidden(entity, 'update');
  const condition = recordCondition(entity, write.ctx.app.storage, 't', step.recordId);
  if (condition === undefined) throw notFound(entity, step.recordId);
  if (entity.markers.length > 0) await fillRow(write, entity, condition);
  const plan = rulesOf(write.ctx, entity);
  if (step.link !== undefined || needsStored(write, plan, step.draft)) return updateRead(write, entity, step, condition, plan);
  refuseInvalid(step.draft, step.draft.errors, step.isTop === true);
  const versions = versionsOf(step.ifMatch);
  const assigned = inOrder(entity, step.draft.given);
  const options = statementOptions(write, entity, 'update', { record: false });
  const row = await execute(
    write,
    entity,
    step,
    updateStatement(options, { condition, assigned, stamps: updateStamps(write, entity), versions }),
  );
  if (row.passed === null) throw preconditionFailed(entity, row.old_version ?? null);
  checkWritten(row, entity, 'update');
  return writtenRecord(row);
}

/**
 * A row that a conversion has not come to yet is filled before it is written in the new shape: a field that is emptied could not be
 * told from one that was never filled. A statement of its own, as right when the update comes to nothing.
 */
async function fillRow(write: Write, entity: EntityModel, condition: Sql): Promise<void> {
  const { markers } = entity;
  const filled = join(markers.map((marker) => sql`${id(marker)} = true`));
  const isDue = or(markers.map((marker) => sql`not ${id('t', marker)}`));
  await executeSql(write.db, sql`update ${tableOf(write, entity)} "t" set ${filled} where ${and([condition, isDue])}`, prepared(write));
}

async function execute(write: Write, entity: EntityModel, step: UpdateStep, statement: Sql): Promise<Row> {
  const [row] = await run<Row>(write.db, statement, prepared(write));
  checkStored(row, entity, 'update', step.recordId);
  return row as Row;
}

async function updateRead(write: Write, entity: EntityModel, step: UpdateStep, condition: Sql, plan: RulePlan): Promise<WrittenRecord> {
  const { draft, isTop = false } = step;
  const options = statementOptions(write, entity, 'update', { record: false });
  const given = inOrder(entity, draft.given);
  const versions = versionsOf(step.ifMatch);
  const stored = await execute(
    write,
    entity,
    step,
    readStatement(options, { condition, assigned: given, versions }, write.inTransaction ? 'update' : 'none'),
  );
  const old = JSON.parse(stored.record ?? '{}') as PlainRecord;
  if (step.link !== undefined && !isLinked(entity, old, step)) throw notFound(entity, step.recordId);
  if (stored.changed === false) throw preconditionFailed(entity, stored.version);

  const values = new Map(draft.given);
  await fillSlug(write, entity, values, old);
  const record: Record<string, unknown> = { ...old, ...plainOf(values) };
  const made = await applyFunctions(write, entity, 'update', { record, old, values, bad: draft.bad });
  const errors = [...draft.errors, ...wrongKey(entity, draft, old), ...made];
  const isChained = write.options.asSampleData !== true;
  const isDeferred = isChained && plan.needsRelated && draft.nested.length > 0;
  if (isDeferred) {
    const input = { ctx: write.ctx, db: write.db, entity, plan: withoutRelated(plan), record: { ...record }, old, bad: draft.bad };
    const early = [...errors, ...(await runChain({ ...input, action: 'update' }, errors)).errors];
    if (isInvalid(draft, early, isTop)) throw await refusalOfAll(write, draft, early);
    await writeNested(write, entity, old, draft, false);
  }
  const input: ChainInput = { ctx: write.ctx, db: write.db, entity, plan, action: 'update', record, old, bad: draft.bad };
  const chain = isChained ? await runChain(input, errors) : NO_CHAIN;
  const mistakes = [...errors, ...chain.errors, ...missingComputed(entity, chain, record, errors)];
  if (isInvalid(draft, mistakes, isTop)) throw await refusalOfAll(write, draft, mistakes);
  refuseForbidden(chain);

  const assigned = assignments(draft, values, chain, record);
  noteCall(write, entity, stored, record, old);
  const needsMore = (draft.nested.length > 0 && !isDeferred) || plan.afterWrite.length > 0 || chain.creations.length > 0;
  const update: UpdateInput = {
    condition: keyCondition(entity, 't', stored.id ?? '') ?? condition,
    assigned,
    stamps: updateStamps(write, entity),
    versions: write.inTransaction || stored.version === null ? undefined : [stored.version],
  };
  const row = await apply(write, entity, step, update, needsMore);
  if (!needsMore) return writtenRecord(row);
  const isLinkChanged = isDeferred
    ? false
    : await writeNested(write, entity, { ...old, ...(JSON.parse(row.record ?? '{}') as PlainRecord) }, draft, false);
  const final =
    isLinkChanged && row.version === stored.version
      ? await apply(write, entity, step, { ...update, assigned: [], isForced: true }, true)
      : row;
  await afterWrite(write, entity, {
    action: 'update',
    record: JSON.parse(final.record ?? '{}') as PlainRecord,
    old,
    creations: chain.creations,
  });
  return writtenRecord(final);
}

async function apply(write: Write, entity: EntityModel, step: UpdateStep, update: UpdateInput, wantsRecord: boolean): Promise<Row> {
  const options = statementOptions(write, entity, 'update', { record: wantsRecord });
  const row = await execute(write, entity, step, updateStatement(options, update));
  if (row.passed === null) throw new StaleRead('The record changed while it was being judged.');
  checkWritten(row, entity, 'update');
  return row;
}

const plainOf = (values: ReadonlyMap<string, FieldValue>): Record<string, unknown> =>
  Object.fromEntries([...values].map(([name, { plain }]) => [name, plain]));

/** The foreign key of the stored row leads to the parent under which it was nested. */
function isLinked(entity: EntityModel, old: PlainRecord, { link }: UpdateStep): boolean {
  const field = link === undefined ? undefined : entity.fields.get(link.field);
  return field !== undefined && String(old[field.name]) === String(link?.value);
}

/** A key in the body must be the record's own: keys do not change. */
function wrongKey(entity: EntityModel, draft: Draft, old: PlainRecord): ErrorDetail[] {
  return [...draft.claimedKey].flatMap(([name, claimed]) => {
    const field = entity.fields.get(name);
    const coerced = field === undefined ? undefined : coerceValue(field, field.type === 'int' ? Number(claimed) : claimed);
    if (coerced?.ok === true && String(coerced.plain) === String(old[name])) return [];
    return [
      {
        field: name,
        rule: 'read_only',
        message: `${name} ${field?.isKey === false ? 'is or was' : 'is'} the key of the record and cannot be changed`,
      },
    ];
  });
}

function noteCall(write: Write, entity: EntityModel, stored: StatementResult, record: PlainRecord, old: PlainRecord): void {
  if (!hasSyncWebhooks(entity, 'update')) return;
  const isChanged = Object.keys(record).some((name) => JSON.stringify(record[name]) !== JSON.stringify(old[name]));
  if (!isChanged) return;
  write.calls.push({
    entity,
    action: 'update',
    record: { ...record },
    old,
    fingerprint: `update ${entity.name} ${String(stored.id)} ${String(stored.version)}`,
  });
}
