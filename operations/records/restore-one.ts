/**
 * Undoing a soft delete. Everything one delete took away has the same `deleted_at`: that time tells what it cascaded from what
 * had been deleted before. Uniqueness is the partial index's to check again; references are checked here.
 */
import { run } from '../../adapters/postgres/run.ts';
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { DELETED_COLUMN, VERSION_COLUMN, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { holding } from '../../core/policy/access.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { and, id, join, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { systemActor } from '../context.ts';
import { forbidden } from './body.ts';
import { keyCondition, notFound, versionsOf } from './record-key.ts';
import {
  as,
  eventInsert,
  failing,
  fullJson,
  idText,
  jsonText,
  readableJson,
  rowsOf,
  Shape,
  tableOf,
  toldJson,
  type Frame,
  type StatementOptions,
  type StatementResult,
} from './statements.ts';
import { preconditionFailed, writtenRecord } from './write-result.ts';
import { accessOf, prepared, statementOptions, type PlainRecord, type Write, type WrittenRecord } from './write-state.ts';

export interface RestoreStep {
  readonly recordId: string;
  readonly ifMatch?: string | undefined;
}

interface DeletedRow extends Record<string, unknown> {
  readonly id: string;
  readonly version: string;
  readonly record: string;
  /** When it was deleted, to the microsecond; null for a live record. */
  readonly stamp: string | null;
}

interface JudgedRow extends DeletedRow {
  readonly readable: boolean;
  readonly allowed: boolean;
  readonly current: boolean;
}

/** Whoever may read and delete the record may bring it back, and with it what its deletion had cascaded. */
export async function restoreOne(write: Write, entity: EntityModel, step: RestoreStep): Promise<WrittenRecord> {
  if (!accessOf(write, entity, 'delete').isGranted) throw forbidden(entity, 'restore');
  if (!entity.hasSoftDelete) {
    throw new AppError('UNSUPPORTED', `Records of ${entity.name} are deleted for good; there is nothing to restore.`, {
      hint: 'Set soft_delete: true on the entity to be able to restore what is deleted from then on.',
    });
  }
  // Deleted records may share their slug with living ones: only the key names one.
  const condition = keyCondition(entity, 't', step.recordId);
  if (condition === undefined || step.recordId.includes('\0')) throw notFound(entity, step.recordId);
  const options = statementOptions(write, entity, 'delete', { record: false });
  const [found] = await run<JudgedRow>(write.db, deletedRowStatement(options, condition, versionsOf(step.ifMatch)), prepared(write));
  if (found === undefined || !found.readable) throw notFound(entity, step.recordId);
  // A deleted record is there only for who may bring it back.
  if (!found.allowed && found.stamp !== null) throw notFound(entity, step.recordId);
  if (!found.allowed) throw new AppError('FORBIDDEN', `You may not restore this ${entity.name}.`);
  if (!found.current) throw preconditionFailed(entity, found.version);
  if (found.stamp === null) throw new AppError('INVALID_STATE', `This ${entity.name} is not deleted.`);
  return bringBack(write, entity, found, found.stamp);
}

function deletedRowStatement(options: StatementOptions, condition: Sql, versions: readonly string[] | undefined): Sql {
  const shape = new Shape('deleted', options);
  const isIt = shape.condition(condition);
  const current = shape.versions(versions);
  return shape.statement((frame) => {
    const { access, read } = frame;
    const version = current();
    const facts = {
      readable: read.isGranted ? holding(read.where('t')) : raw('false'),
      allowed: holding(access.where('t')),
      current: version === undefined ? raw('true') : sql`(${id('t', VERSION_COLUMN)} = ${version})`,
    };
    return sql`select ${deletedColumns(frame)}, ${join(Object.entries(facts).map(([name, fact]) => sql`${fact} as ${id(name)}`))}
    from ${rowsOf(frame)} "t" where ${isIt()} for update`;
  });
}

const deletedColumns = (frame: Frame): Sql =>
  sql`${idText(frame, 't')} as id, ${id('t', VERSION_COLUMN)}::text as version, ${jsonText(fullJson(frame, 't'))} as record,
    ${id('t', DELETED_COLUMN)}::text as stamp`;

async function bringBack(write: Write, entity: EntityModel, found: DeletedRow, stamp: string): Promise<WrittenRecord> {
  const record = JSON.parse(found.record) as PlainRecord;
  await refuseGoneParents(write, entity, record);
  const options = statementOptions(write, entity, 'delete', { record: false });
  const [row] = await run<StatementResult & Record<string, unknown>>(write.db, restoreStatement(options, found.id), prepared(write));
  if (row === undefined) throw notFound(entity, found.id);
  const asSystem: Write = { ...write, authority: systemActor(write.ctx.actor.id) };
  for (const end of entity.relations) {
    const child = end.direction === 'reverse' && end.onDelete === 'cascade' ? write.ctx.app.model.entities.get(end.target) : undefined;
    const field = child === undefined ? undefined : child.fields.get(end.targetField);
    const key = record[end.localField];
    if (child?.hasSoftDelete === true && field !== undefined && key !== null) await bringBackChildren(asSystem, child, field, key, stamp);
  }
  return writtenRecord(row);
}

function restoreStatement(options: StatementOptions, recordId: string): Sql {
  const shape = new Shape('restore', options);
  const condition = shape.condition(keyCondition(options.entity, 't', recordId) ?? raw('false'));
  return shape.statement((frame) => {
    const event = eventInsert(frame, 'restore', {
      alias: 'u',
      from: raw('"u"'),
      record: toldJson(frame, 'u'),
      old: raw(`'{}'::jsonb`),
    });
    const answers = [
      sql`${idText(frame, 'u')} as id`,
      sql`${id('u', VERSION_COLUMN)}::text as version`,
      sql`${jsonText(readableJson(frame, 'u'))} as text`,
      ...as(failing(frame.entity.fields.values(), frame.read, 'u'), 'hidden'),
    ];
    const sets = [
      sql`${id(DELETED_COLUMN)} = null`,
      sql`${id(VERSION_COLUMN)} = ${id('t', VERSION_COLUMN)} + 1`,
      // What comes back is answered whole.
      ...frame.entity.markers.map((marker) => sql`${id(marker)} = true`),
    ];
    return sql`with "u" as (update ${tableOf(frame)} "t" set ${join(sets)}
      where ${condition()} and ${id('t', DELETED_COLUMN)} is not null returning "t".*)${event} select ${join(answers)} from "u"`;
  });
}

async function bringBackChildren(write: Write, child: EntityModel, field: FieldModel, key: unknown, stamp: string): Promise<void> {
  const options = statementOptions(write, child, 'delete', { record: false });
  const rows = await run<DeletedRow>(write.db, deletedWithStatement(options, field, key, stamp), prepared(write));
  for (const row of rows) await bringBack(write, child, row, stamp);
}

/** The children one delete took away along with their parent. */
function deletedWithStatement(options: StatementOptions, field: FieldModel, key: unknown, stamp: string): Sql {
  const shape = new Shape('deleted-with', options);
  shape.also(field.name);
  const parent = shape.place(key, COLUMN_TYPES[field.type]);
  const at = shape.place(stamp, 'timestamptz');
  return shape.statement(
    (frame) => sql`select ${deletedColumns(frame)} from ${rowsOf(frame)} "t"
      where ${id('t', field.column)} = ${parent} and ${id('t', DELETED_COLUMN)} = ${at} order by 1 for update`,
  );
}

// --- references ------------------------------------------------------------------------------------------------------

/** A record does not come back under a parent that is gone; parents that live are locked, so that none goes meanwhile. */
async function refuseGoneParents(write: Write, entity: EntityModel, record: PlainRecord): Promise<void> {
  const details: ErrorDetail[] = [];
  for (const end of entity.relations) {
    const parent = end.direction === 'forward' ? write.ctx.app.model.entities.get(end.target) : undefined;
    const field = entity.fields.get(end.localField);
    const key = field === undefined ? null : record[field.name];
    if (parent?.hasSoftDelete !== true || field === undefined || key === null || key === undefined) continue;
    const live = and([
      sql`${id('p', end.targetColumn)} = ${value(key, COLUMN_TYPES[field.type])}`,
      sql`${id('p', DELETED_COLUMN)} is null`,
    ]);
    const rows = await run(
      write.db,
      sql`select 1 from ${id(write.ctx.app.storage, parent.table)} "p" where ${live} for key share`,
      prepared(write),
    );
    if (rows.length === 0) details.push(goneParent(write, entity, field, parent, key));
  }
  if (details.length === 0) return;
  const names = details.flatMap(({ field }) => (field === undefined ? [] : [`"${field}"`])).join(', ');
  throw new AppError(
    'CONFLICT',
    `This ${nameFor(write, entity)} cannot come back: ${names === '' ? 'what it refers to' : names} is deleted.`,
    {
      details,
      hint: 'Restore those records first.',
    },
  );
}

/** Names only what the caller may read of both. */
function goneParent(write: Write, entity: EntityModel, field: FieldModel, parent: EntityModel, key: unknown): ErrorDetail {
  const caller = { ctx: write.ctx, authority: write.ctx.actor };
  const read = accessOf(caller, entity, 'read');
  const isOpen = isKnown(write, entity) && read.field(field.name).mode === 'always' && accessOf(caller, parent, 'read').isGranted;
  return {
    rule: 'reference',
    ...(isOpen ? { field: field.name, entity: parent.name, id: String(key) } : {}),
    message: isOpen ? `${field.name} refers to the deleted ${parent.name} "${String(key)}"` : 'refers to a deleted record',
  };
}

const nameFor = (write: Write, entity: EntityModel): string => (isKnown(write, entity) ? entity.name : 'record');

/** The record that was asked for may be read; of one that comes back along with it that is sure only where all may. */
function isKnown(write: Write, entity: EntityModel): boolean {
  const read = accessOf({ ctx: write.ctx, authority: write.ctx.actor }, entity, 'read');
  return read.isGranted && (write.authority === write.ctx.actor || read.where('t') === undefined);
}
