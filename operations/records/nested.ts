/**
 * Rows nested in a write. Each one passes the whole pipeline of its own entity, with the key of its parent filled in. `diff`
 * touches what is given, `replace` also removes what is missing, `append` only adds. Mistakes of all rows are collected.
 */
import { AppError, isAppError, type ErrorDetail } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { COLUMN_TYPES, recordIdText } from '../../core/sql/columns.ts';
import { and, id, sql, value } from '../../core/sql/sql.ts';
import { run, sqlState } from '../../adapters/postgres/run.ts';
import { within } from './body.ts';
import type { Draft, NestedPart, NestedRow } from './draft.ts';
import { explainDatabaseError } from './database-errors.ts';
import { visibility } from './dependents.ts';
import { writeLinks } from './links.ts';
import { isLive } from './record-key.ts';
import { nestedInvalid } from './write-result.ts';
import { accessOf, prepared, type ParentLink, type PlainRecord, type Write } from './write-state.ts';

interface Part {
  readonly write: Write;
  readonly part: NestedPart;
  readonly child: EntityModel;
  readonly link: ParentLink;
  readonly failures: ErrorDetail[];
}

/** Answers whether links of the record changed: those are not in any row of their own. */
export async function writeNested(write: Write, entity: EntityModel, record: PlainRecord, draft: Draft, isNew: boolean): Promise<boolean> {
  const failures: ErrorDetail[] = [];
  let isLinkChanged = false;
  for (const part of draft.nested) {
    if (part.end.direction === 'link') {
      isLinkChanged = (await writeLinks(write, entity, record, part, failures)) || isLinkChanged;
      continue;
    }
    const child = write.ctx.app.model.entities.get(part.end.target);
    const field = child === undefined ? undefined : child.fields.get(part.end.targetField);
    const key = record[part.end.localField];
    if (child === undefined || field === undefined) continue;
    await writeRows({ write, part, child, link: { field: field.name, value: key }, failures }, isNew);
  }
  if (failures.length > 0) throw nestedInvalid(failures);
  return isLinkChanged;
}

async function writeRows(part: Part, isNew: boolean): Promise<void> {
  const { rows, mode, end } = part.part;
  const needsExisting =
    !isNew && (mode === 'replace' || end.cardinality === 'one' || (!part.child.isKeyGenerated && rows.some((row) => row.kind === 'write')));
  const existing = needsExisting ? await existingKeys(part) : [];
  const only = end.cardinality === 'one' ? existing[0] : undefined;
  if (mode === 'replace') {
    const mentioned = new Set(rows.flatMap((row) => ('key' in row && row.key !== undefined ? [row.key.toLowerCase()] : [])));
    // The one row of a one_to_one is replaced by being updated.
    const keeps = (key: string) => mentioned.has(key.toLowerCase()) || (key === only && rows.some((row) => row.kind === 'write'));
    for (const key of existing) if (!keeps(key)) await guarded(part, rows.length, () => remove(part, key));
  }
  for (const row of rows) await guarded(part, row.index, () => writeRow(part, row, existing, only));
}

/** Of the rows that are there, those the caller may read: what is hidden is neither named nor touched. */
async function existingKeys({ write, child, link }: Part): Promise<string[]> {
  const field = child.fields.get(link.field);
  if (field === undefined) return [];
  const conditions = [isLive(child, 't'), visibility(accessOf(write, child, 'read'), field.name)];
  const rows = await run<{ id: string }>(
    write.db,
    sql`select ${recordIdText(child, 't')} as id from ${id(write.ctx.app.storage, child.rows)} "t"
    where ${and([sql`${id('t', field.column)} = ${value(link.value, COLUMN_TYPES[field.type])}`, ...conditions.filter((one) => one !== undefined)])} order by 1`,
    prepared(write),
  );
  return rows.map((row) => row.id);
}

async function writeRow(part: Part, row: NestedRow, existing: readonly string[], only: string | undefined): Promise<void> {
  const { write, child, link } = part;
  switch (row.kind) {
    case 'ignored':
    case 'link':
    case 'unlink':
      return;
    case 'delete':
      await remove(part, row.key);
      return;
    case 'write': {
      const key = row.key ?? (part.part.mode === 'append' ? undefined : only);
      const isUpdate = key !== undefined && (child.isKeyGenerated || existing.includes(key) || key === only);
      const action = isUpdate ? 'update' : 'create';
      const draft = row.draft.action === action ? row.draft : row.read(action);
      if (isUpdate) await write.steps.update(write, child, { recordId: key, draft, link, isTop: draft !== row.draft });
      else await write.steps.create(write, child, { draft, link, isTop: draft !== row.draft });
    }
  }
}

const remove = async ({ write, child, link }: Part, key: string): Promise<void> => {
  await write.steps.delete(write, child, { recordId: key, link });
};

/** Keeps the mistakes of one row and goes on to the next; what ends the transaction, or is no mistake of the row, is thrown. */
async function guarded(part: Part, index: number, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (thrown) {
    const error = explainDatabaseError(thrown, part.write);
    if (!isAppError(error)) throw thrown;
    const details = detailsOf(part, index, error);
    const isOver = sqlState(error.cause) !== undefined;
    switch (error.code) {
      case 'VALIDATION_FAILED':
      case 'NESTED_WRITE_FAILED':
      case 'NOT_FOUND':
        part.failures.push(...details);
        if (isOver) throw nestedInvalid(part.failures);
        return;
      default:
        if (isOver && part.failures.length > 0) throw nestedInvalid(part.failures);
        throw new AppError(error.code, error.message, {
          details,
          cause: error.cause,
          ...(error.hint === undefined ? {} : { hint: error.hint }),
        });
    }
  }
}

function detailsOf({ part, child }: Part, index: number, error: AppError): ErrorDetail[] {
  if (error.code === 'NOT_FOUND') {
    const field = child.key[0]?.name ?? 'id';
    return [within(part.name, index, { field, rule: 'unknown', message: `${error.message.replace(/\.$/, '')} under this record` })];
  }
  const details = error.details.length > 0 ? error.details : [{ message: error.message }];
  return details.map((detail) => within(part.name, index, detail));
}
