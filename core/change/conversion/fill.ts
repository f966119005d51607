/** A field that every record gets a value for, and that older clients may go on leaving out: a trigger puts it in where it is null. */
import { id, sql, type Sql } from '../../sql/sql.ts';
import { plpgsql } from '../function.ts';
import type { MadeNames } from '../names.ts';
import { clear, report, type QuarantineOf } from './quarantine.ts';
import { declarations, resultVariable, workOut, type Place, type Side } from './side.ts';

export interface Fill {
  readonly storage: string;
  readonly table: string;
  readonly names: MadeNames;
  readonly place: Place;
  readonly quarantine: QuarantineOf;
  /** One target. */
  readonly side: Side;
  readonly column: string;
}

export function fillFunctions({ storage, names, place, quarantine, side, column }: Fill): Sql[] {
  const make = (verb: string, body: Sql): Sql =>
    plpgsql({ name: id(storage, names.object(verb)), returns: sql`trigger`, inUtc: true }, body);
  return [
    make(
      'fill',
      sql`
  declare ${declarations(side)}
  begin
    ${workOut(side, 'new', place)}
    ${id('new', column)} := ${resultVariable(0)};
    ${report(quarantine, side, 'new')}
    return new;
  end`,
    ),
    make('given', sql`begin ${clear(quarantine, 'new')} return null; end`),
    make('gone', sql`begin ${clear(quarantine, 'old')} return null; end`),
  ];
}

export function fillTriggers({ storage, table, names, column }: Fill): Sql[] {
  const trigger = (verb: string, event: Sql, when: Sql): Sql =>
    sql`create or replace trigger ${id(names.object(verb))} ${event} on ${id(storage, table)} for each row${when} execute function ${id(storage, names.object(verb))}()`;
  return [
    trigger('fill', sql`before insert or update`, sql` when (${id('new', column)} is null)`),
    trigger('given', sql`after update`, sql` when (${id('old', column)} is null and ${id('new', column)} is not null)`),
    trigger('gone', sql`after delete`, sql``),
  ];
}

const PARTS = ['fill', 'given', 'gone'] as const;

export const dropFill = ({ storage, table, names }: Fill): Sql[] => [
  ...PARTS.map((verb) => sql`drop trigger if exists ${id(names.object(verb))} on ${id(storage, table)}`),
  ...PARTS.map((verb) => sql`drop function if exists ${id(storage, names.object(verb))}()`),
];
