/**
 * A conversion tried on the records that are there, without changing any: how many values would not become what they must, and some
 * of them. Its block works out what the triggers would, and leaves what it found in a setting of its transaction.
 */
import { id, inlined, join, literal, raw, render, sql, type Sql } from '../../sql/sql.ts';
import type { Filling } from './early-rows.ts';
import { recordId, valueOf, type QuarantineOf } from './quarantine.ts';
import { declarations, errorVariable, workOut } from './side.ts';

export interface Trial {
  /** As the new version calls it. */
  readonly entity: string;
  readonly kind: 'convert' | 'transform' | 'fill';
  /** What gets values, as the new version calls it. */
  readonly fields: readonly string[];
  readonly table: string;
  /** Runs the trial for at most so many milliseconds; `TRIAL_RESULT` has what it found then. */
  statement(forMs: number): Sql;
}

/** `{checked, failing, isWhole, sample: [{record_id, field, value, error}]}`, `failing` counted by record. */
export const TRIAL_RESULT = 'durabase.trial';

const SAMPLE = 10;
/** The clock is looked at once in so many records. */
const LOOK_EVERY = 500;

/** `isNew`: the filled column comes with this very plan, so every record lacks a value. */
export function trialOf(
  filling: Filling,
  of: QuarantineOf,
  { kind, isNew = true }: { readonly kind: Trial['kind']; readonly isNew?: boolean },
): Trial {
  const { table, side, place } = filling;
  const [target] = side.targets;
  const isDue = isNew || target === undefined ? sql`` : sql` where ${id('t', target.field.column)} is null`;
  return {
    entity: of.entity,
    kind,
    fields: side.targets.map(({ field }) => field.name),
    table,
    statement: (forMs) =>
      doing(sql`
  declare
    ${id('r')} record;
    _checked integer := 0; _failing integer := 0; _is_whole boolean := true; _sample jsonb := '[]';
    _until timestamptz := clock_timestamp() + interval ${literal(`${String(forMs)} ms`)};
    ${declarations(side)}
  begin
    for ${id('r')} in select "t".* from ${id(of.storage, table)} "t"${isDue} loop
      if _checked % ${raw(String(LOOK_EVERY))} = 0 and clock_timestamp() > _until then
        _is_whole := false;
        exit;
      end if;
      _checked := _checked + 1;
      ${workOut(side, 'r', place)}
      if ${anyError(filling)} then _failing := _failing + 1; end if;
      ${join(
        side.targets.map(({ field }, n) => noted(filling, of, field.name, n)),
        '\n      ',
      )}
    end loop;
    perform set_config(${literal(TRIAL_RESULT)}, jsonb_build_object(
      'checked', _checked, 'failing', _failing, 'isWhole', _is_whole, 'sample', _sample)::text, true);
  end`),
  };
}

const anyError = ({ side }: Filling): Sql =>
  join(
    side.targets.map((_target, n) => sql`${errorVariable(n)} is not null`),
    ' or ',
  );

const noted = ({ side }: Filling, of: QuarantineOf, field: string, n: number): Sql => sql`
      if ${errorVariable(n)} is not null and jsonb_array_length(_sample) < ${raw(String(SAMPLE))} then
        _sample := _sample || jsonb_build_object('record_id', ${recordId(of, 'r')}, 'field', ${literal(field)},
          'value', ${valueOf(side.reads, 'r')}, 'error', ${errorVariable(n)});
      end if;`;

const doing = (body: Sql): Sql => sql`do ${literal(render(inlined(body)).text)}`;
