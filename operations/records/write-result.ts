/** From the row a write statement answers to what the caller gets, or to the refusal. */
import { AppError, type ErrorDetail } from '../../core/errors.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { nestedErrors } from './body.ts';
import type { Draft } from './draft.ts';
import { missingReferences } from './database-errors.ts';
import { notFound } from './record-key.ts';
import type { StatementResult } from './statements.ts';
import type { WrittenRecord } from './write-state.ts';

/** Throws what keeps the stored record from being changed by this caller. */
export function checkStored(row: StatementResult | undefined, entity: EntityModel, action: string, recordId: string): StatementResult {
  if (row === undefined || row.readable === false) throw notFound(entity, recordId);
  if (row.allowed === false) throw new AppError('FORBIDDEN', `You may not ${action} this ${entity.name}.`);
  checkFields(row);
  return row;
}

function checkFields(row: StatementResult): void {
  const { refused = [] } = row;
  if (refused.length === 0) return;
  throw new AppError('FORBIDDEN', `You may not write ${refused.map((name) => `"${name}"`).join(', ')} of this record.`, {
    details: refused.map((field) => ({ field, rule: 'permission', message: `${field} is read-only for you` })),
  });
}

/** Throws what keeps the new row from being written. */
export function checkWritten(row: StatementResult, entity: EntityModel, action: 'create' | 'update'): void {
  checkFields(row);
  if (row.passed === false) {
    throw action === 'create'
      ? new AppError('FORBIDDEN', `You may not create a ${entity.name} like this.`)
      : new AppError('FORBIDDEN', `You may not change this ${entity.name} like that: the result would be outside what you may update.`);
  }
  if (row.missing !== undefined && row.missing.length > 0) throw missingReferences(row.missing);
}

export const preconditionFailed = (entity: EntityModel, version: string | null): AppError =>
  new AppError('PRECONDITION_FAILED', `This ${entity.name} was changed by somebody else in the meantime.`, {
    hint: 'Read it again and repeat your change.',
    details: [{ rule: 'if_match', message: 'the record has another version', version }],
  });

export function writtenRecord(row: StatementResult): WrittenRecord {
  return { id: row.id ?? '', version: row.version ?? '1', text: withoutHidden(row.text ?? '{}', row.hidden) };
}

/** Only records under row-dependent field rules are parsed; all other JSON is passed on as Postgres wrote it. */
function withoutHidden(text: string, hidden: readonly string[] = []): string {
  if (hidden.length === 0) return text;
  const record = JSON.parse(text) as Record<string, unknown>;
  return JSON.stringify(Object.fromEntries(Object.entries(record).filter(([name]) => !hidden.includes(name))));
}

/** One answer for every mistake of a write: the record's own and those of the rows nested in it. */
export function refuseInvalid(draft: Draft, own: readonly ErrorDetail[], isTop: boolean): void {
  const nested = isTop ? nestedErrors(draft) : [];
  if (own.length > 0) throw invalid(draft.entity, [...own, ...nested]);
  if (nested.length > 0) throw nestedInvalid(nested);
}

export const invalid = (entity: EntityModel, details: readonly ErrorDetail[]): AppError =>
  new AppError('VALIDATION_FAILED', `The ${entity.name} is not valid: ${summary(details)}`, { details });

export const nestedInvalid = (details: readonly ErrorDetail[]): AppError =>
  new AppError('NESTED_WRITE_FAILED', `Nothing was written, because nested rows are not valid: ${summary(details)}`, { details });

/** The first message as the end of a sentence, and how many more there are. Messages of rules may bring their own full stop. */
function summary(details: readonly ErrorDetail[]): string {
  const first = (details[0]?.message ?? 'a value is wrong').trim();
  if (details.length > 1) return `${first.replace(/\.+$/, '')} (and ${String(details.length - 1)} more).`;
  return /[.!?]$/.test(first) ? first : `${first}.`;
}
