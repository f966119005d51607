/**
 * What deleting a record does to the records that refer to it. The database's own foreign-key actions would do it without
 * event, rule or history, so every touched record is written here. Of a many-to-many only the links go: the
 * owning side's links always, the other side's as `on_delete` says.
 */
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import { DELETED_COLUMN, type EntityModel, type RelationEnd } from '../../core/model/model.ts';
import { holding, type Access } from '../../core/policy/access.ts';
import { COLUMN_TYPES, recordIdText } from '../../core/sql/columns.ts';
import { and, id, sql, value, type Sql } from '../../core/sql/sql.ts';
import { execute, run } from '../../adapters/postgres/run.ts';
import { systemActor } from '../context.ts';
import { servedEntity } from '../served-shape.ts';
import { commentsOf } from './comments-of.ts';
import { deferReferences, doomedRecords } from './doomed.ts';
import { andLive, dependentsOf, refersTo, rowsOf, tableOf, visibility, type Dependent } from './dependents.ts';
import { updateStamps } from './initial-values.ts';
import { emptyReferenceStatement } from './statements.ts';
import { accessOf, prepared, statementOptions, type PlainRecord, type Write } from './write-state.ts';

export async function cascade(write: Write, entity: EntityModel, recordId: string, record: PlainRecord): Promise<void> {
  const dependents = dependentsOf(write, entity, record);
  const links = entity.relations.filter((end) => end.direction === 'link');
  await refuseRestricted(write, entity, recordId, dependents, links, record);
  const asSystem: Write = { ...write, authority: systemActor(write.ctx.actor.id) };
  for (const dependent of dependents) {
    if (dependent.end.onDelete === 'cascade') await deleteChildren(asSystem, dependent);
    else await emptyReferences(asSystem, dependent);
    // Softly deleted rows still hold the key; the foreign key would keep the parent from going for good.
    if (!entity.hasSoftDelete && dependent.child.hasSoftDelete) await releaseDeleted(write, dependent);
  }
  for (const end of links) if (!entity.hasSoftDelete || end.onDelete === 'detach') await unlinkAll(write, entity, end, record);
}

// --- restrict --------------------------------------------------------------------------------------------------------

/** Counts everything that stands in the way, so that one answer names it all. */
async function refuseRestricted(
  write: Write,
  entity: EntityModel,
  recordId: string,
  dependents: readonly Dependent[],
  links: readonly RelationEnd[],
  record: PlainRecord,
): Promise<void> {
  const details: ErrorDetail[] = [];
  for (const dependent of dependents) {
    const { end, child, field } = dependent;
    // A key that must not be empty cannot be emptied: unlinking is impossible, so it restricts.
    const restricts = end.onDelete === 'restrict' || (end.onDelete !== 'cascade' && field.required);
    if (!restricts) continue;
    details.push(...restrictions(child, end, await countChildren(write, dependent)));
  }
  for (const end of links) {
    if (end.onDelete !== 'restrict' || isOwner(end, entity)) continue;
    const target = write.ctx.app.model.entities.get(end.target);
    if (target !== undefined) details.push(...restrictions(target, end, await countLinks(write, entity, end, record)));
  }
  if (details.length === 0) return;
  const counts = [...new Set(details.map((detail) => detail.message))].join(', ');
  // A record that a cascade has come to may be one the caller must not know of.
  const isNamed =
    write.authority === write.ctx.actor || (callersRead(write, entity).isGranted && callersRead(write, entity).where('t') === undefined);
  const what = isNamed ? `This ${entity.name} cannot be deleted: it` : 'This cannot be deleted: a record that would go with it';
  throw new AppError('CONFLICT', `${what} still has ${counts}.`, {
    details: isNamed ? details.map((detail) => ({ ...detail, record: recordId })) : details,
    hint: 'Delete or move them first.',
  });
}

/** The source owns the links of a many-to-many unless the relation says otherwise. */
const isOwner = ({ relation, entity }: RelationEnd, { name }: EntityModel): boolean =>
  entity === name &&
  (relation.ownership === 'source' ? relation.source === name : relation.ownership === 'target' && relation.target === name);

/** What stands in the way: how much of it the caller sees, and whether there is more. */
interface Standing {
  readonly visible: number;
  readonly hasHidden: boolean;
}

/** Only what the caller may read is named and counted; of the rest no more is said than that it is there. */
function restrictions(other: EntityModel, end: RelationEnd, { visible, hasHidden }: Standing): ErrorDetail[] {
  const named: ErrorDetail = {
    rule: 'restrict',
    count: visible,
    relation: end.name,
    entity: other.name,
    message: `${String(visible)} related ${other.name} record${visible === 1 ? '' : 's'}`,
  };
  return [...(visible > 0 ? [named] : []), ...(hasHidden ? [{ rule: 'restrict', message: 'other related records' }] : [])];
}

/** Of the caller, also where a cascade acts for the definition. */
const callersRead = ({ ctx }: Write, entity: EntityModel): Access => accessOf({ ctx, authority: ctx.actor }, entity, 'read');

async function countChildren(write: Write, dependent: Dependent): Promise<Standing> {
  const { child, field } = dependent;
  const rows = await run<{ id: string; visible: boolean }>(
    write.db,
    sql`select ${recordIdText(child, 't')} as id, ${holding(visibility(callersRead(write, child), field.name))} as visible
    from ${rowsOf(write, child)} "t" where ${refersTo(dependent, 't')}${andLive(child, 't')} limit 10000`,
    prepared(write),
  );
  const left = rows.filter((row) => !write.deleting.has(`${child.name} ${row.id}`));
  if (left.length === 0) return { visible: 0, hasHidden: false };
  // Rows this very delete takes away do not count, wherever the cascade comes to them.
  const doomed = await doomedRecords(write);
  const staying = left.filter((row) => !doomed.has(`${child.name} ${row.id}`));
  if (staying.length < left.length) await deferReferences(write);
  const visible = staying.filter((row) => row.visible).length;
  return { visible, hasHidden: visible < staying.length };
}

// --- cascade, set_null, detach ---------------------------------------------------------------------------------------

async function deleteChildren(write: Write, dependent: Dependent): Promise<void> {
  const { child } = dependent;
  const rows = await run<{ id: string }>(
    write.db,
    sql`select ${recordIdText(child, 't')} as id from ${rowsOf(write, child)} "t" where ${refersTo(dependent, 't')}${andLive(child, 't')} order by 1 for update`,
    prepared(write),
  );
  for (const row of rows) {
    if (write.deleting.has(`${child.name} ${row.id}`)) continue;
    await write.steps.delete(write, child, { recordId: row.id, isCascade: true });
  }
}

async function emptyReferences(write: Write, { child, field, key }: Dependent): Promise<void> {
  if (field.required) return;
  const options = statementOptions(write, child, 'update', { record: false });
  await run(write.db, emptyReferenceStatement(options, field, { field, value: key }, updateStamps(write, child)), prepared(write));
}

/** Rows deleted softly before, or just now, let go of a parent that is deleted for good. Their own events are written already. */
async function releaseDeleted(write: Write, dependent: Dependent): Promise<void> {
  const { child, field } = dependent;
  const condition = and([refersTo(dependent, 't'), sql`${id('t', DELETED_COLUMN)} is not null`]);
  if (!field.required) {
    await execute(write.db, sql`update ${tableOf(write, child)} "t" set ${id(field.column)} = null where ${condition}`, prepared(write));
    return;
  }
  await purge(write, child, condition);
}

/** Removes softly deleted rows, and what is left of their own children, for good. */
async function purge(write: Write, entity: EntityModel, condition: Sql): Promise<void> {
  for (const end of entity.relations) {
    const local = entity.fields.get(end.localField);
    if (local === undefined || end.direction === 'forward') continue;
    const keys = sql`select ${id('t', local.column)} from ${tableOf(write, entity)} "t" where ${condition}`;
    if (end.join !== undefined) {
      await execute(
        write.db,
        sql`delete from ${id(write.ctx.app.storage, end.join.table)} "l" where ${id('l', end.join.localColumn)} in (${keys})`,
        prepared(write),
      );
      continue;
    }
    const child = write.ctx.app.model.entities.get(end.target);
    const field = child === undefined ? undefined : child.fields.get(end.targetField);
    if (child === undefined || field === undefined) continue;
    const inner = sql`${id('t', field.column)} in (${keys})`;
    if (field.required) await purge(write, child, inner);
    else await execute(write.db, sql`update ${tableOf(write, child)} "t" set ${id(field.column)} = null where ${inner}`, prepared(write));
  }
  const { storage } = write.ctx.app;
  const rows = sql`(select "t".* from ${tableOf(write, entity)} "t" where ${condition}) "u"`;
  await execute(write.db, commentsOf(storage, servedEntity(write.ctx.app, entity) ?? entity, rows, 'u'), prepared(write));
  await execute(write.db, sql`delete from ${tableOf(write, entity)} "t" where ${condition}`, prepared(write));
}

// --- links -----------------------------------------------------------------------------------------------------------

function linkCondition(entity: EntityModel, end: RelationEnd, record: PlainRecord): Sql | undefined {
  const local = entity.fields.get(end.localField);
  if (end.join === undefined || local === undefined) return undefined;
  return sql`${id('l', end.join.localColumn)} = ${value(record[local.name], COLUMN_TYPES[local.type])}`;
}

async function countLinks(write: Write, entity: EntityModel, end: RelationEnd, record: PlainRecord): Promise<Standing> {
  const condition = linkCondition(entity, end, record);
  const target = write.ctx.app.model.entities.get(end.target);
  if (condition === undefined || end.join === undefined || target === undefined) return { visible: 0, hasHidden: false };
  const [row] = await run<{ visible: number; hidden: boolean }>(
    write.db,
    sql`select count(*) filter (where "s"."visible")::integer as visible, coalesce(bool_or(not "s"."visible"), false) as hidden
    from (select ${holding(visibility(callersRead(write, target), end.targetField))} as visible from ${id(write.ctx.app.storage, end.join.table)} "l"
      join ${rowsOf(write, target)} "t" on ${id('t', end.targetColumn)} = ${id('l', end.join.targetColumn)}${andLive(target, 't')} where ${condition}) "s"`,
    prepared(write),
  );
  return { visible: row?.visible ?? 0, hasHidden: row?.hidden ?? false };
}

async function unlinkAll(write: Write, entity: EntityModel, end: RelationEnd, record: PlainRecord): Promise<void> {
  const condition = linkCondition(entity, end, record);
  if (condition === undefined || end.join === undefined) return;
  await execute(write.db, sql`delete from ${id(write.ctx.app.storage, end.join.table)} "l" where ${condition}`, prepared(write));
}
