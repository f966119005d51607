/** Conversions nobody has to spell out: the value itself in the other type, refused by value where it does not fit. */
import { columnScalar } from '../../expression/sql-scalar.ts';
import type { FieldModel } from '../../model/model.ts';
import { id } from '../../sql/sql.ts';
import { storedAs } from './stored.ts';

/** Undefined where an author must say how: a date does not become a number by itself, and the way back must exist too. */
export function automaticConversion(from: FieldModel, to: FieldModel): { readonly up: string; readonly down: string } | undefined {
  const isPossible = canBecome(from, to) && canBecome(to, from);
  return isPossible ? { up: `record.${from.name}`, down: `record.${to.name}` } : undefined;
}

const canBecome = (from: FieldModel, to: FieldModel): boolean =>
  storedAs(columnScalar(id('new', from.column), from.type), to) !== undefined;
