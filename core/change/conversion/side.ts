/**
 * One direction of a conversion: the fields it writes, the fields it reads, and for each written one the statements that work its
 * value out without ever failing the write they belong to.
 */
import { AppError } from '../../errors.ts';
import { compileExpression, type CompiledExpression } from '../../expression/expression.ts';
import type { ColumnScalar } from '../../expression/sql-scalar.ts';
import { visitExpression } from '../../expression/syntax.ts';
import { expressionToValueSql, type SqlScope } from '../../expression/to-sql.ts';
import type { FieldModel } from '../../model/model.ts';
import { and, id, join, literal, raw, sql, type Sql } from '../../sql/sql.ts';
import { limitsOf, storedAs, typeOf, type Refusal } from './stored.ts';

export interface Side {
  readonly direction: 'up' | 'down';
  /** What it writes; `expression` undefined: such a field is emptied, since nothing says what it would hold. */
  readonly targets: readonly Target[];
  /** What decides whether there is anything to work out. */
  readonly reads: readonly FieldModel[];
}

export interface Target {
  readonly field: FieldModel;
  readonly expression: string | undefined;
}

/** The instruction an error is about, as its author wrote it. */
export interface Place {
  readonly entity: string;
  readonly instruction: string;
}

/**
 * Statements that leave the value in `_r<n>` and in `_e<n>` why there is none. A value that would be lost is no value: where all
 * fields that an expression reads are filled and it says nowhere `null`, it must give something.
 */
export function workOut(side: Side, row: string, place: Place): Sql {
  return join(
    side.targets.map((target, n) => {
      const [result, error] = [resultVariable(n), errorVariable(n)];
      if (target.expression === undefined) return sql`${result} := null; ${error} := null;`;
      const { assign, before, after } = assignment(side, target, row, result, place);
      return sql`
    ${result} := null; ${error} := null;
    begin
      ${join(before.map(refuse), ' ')}
      ${assign}
      ${join(after.map(refuse), ' ')}
    exception when others then
      ${result} := null; ${error} := sqlerrm;
    end;`;
    }),
    '',
  );
}

export const resultVariable = (n: number): Sql => raw(`_r${n}`);
export const errorVariable = (n: number): Sql => raw(`_e${n}`);

export const declarations = (side: Side): Sql =>
  join(
    side.targets.map((target, n) => sql`${resultVariable(n)} ${typeOf(target.field)}; ${errorVariable(n)} text;`),
    ' ',
  );

const refuse = ({ when, message }: Refusal): Sql => sql`if ${when} then raise exception using message = ${literal(message)}; end if;`;

function assignment(side: Side, target: Target, row: string, result: Sql, place: Place) {
  const expression = compile(target, place);
  const scalar = scalarOf(expression, target, side.reads, row, place);
  const found = storedAs(scalar, target.field);
  if (found === undefined) {
    throw refused(place, target, `gives a value that cannot become ${article(target.field.type)}`, 'Say with `up` and `down` how.');
  }
  const limits = limitsOf(target.field, result);
  const lost = lostWhen(expression, side.reads, row, result);
  return {
    before: found.refusals,
    assign: sql`${result} := ${found.sql};`,
    after: lost === undefined ? limits : [{ when: lost, message: 'gives nothing for a value' }, ...limits],
  };
}

function compile(target: Target, place: Place): CompiledExpression {
  try {
    return compileExpression(target.expression ?? '');
  } catch (error) {
    throw refused(place, target, error instanceof Error ? error.message : 'cannot be read');
  }
}

function scalarOf(expression: CompiledExpression, target: Target, reads: readonly FieldModel[], row: string, place: Place): ColumnScalar {
  const scope: SqlScope = {
    column(path) {
      const field = path.length === 1 ? reads.find((candidate) => candidate.name === path[0]) : undefined;
      return field === undefined ? undefined : { sql: id(row, field.column), type: field.type };
    },
    variable: () => undefined,
  };
  try {
    return expressionToValueSql(expression, scope);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    throw refused(place, target, error.message, `It may read ${reads.map((field) => `record.${field.name}`).join(', ')}.`);
  }
}

function refused(place: Place, target: Target, problem: string, hint?: string): AppError {
  const at = `The ${place.instruction} of "${place.entity}.${target.field.name}"`;
  return new AppError('VALIDATION_FAILED', `${at}: ${target.expression ?? ''} ${problem}`, {
    details: [{ field: 'migrate', rule: 'expression', message: `${place.entity}.${target.field.name}: ${problem}` }],
    ...(hint === undefined ? {} : { hint }),
  });
}

const article = (type: string): string => (/^[aeiu]/.test(type) ? `an ${type}` : `a ${type}`);

function lostWhen(expression: CompiledExpression, reads: readonly FieldModel[], row: string, result: Sql): Sql | undefined {
  const isPlain = expression.recordPaths.every((path) => path.length === 1);
  const fields = reads.filter((field) => expression.recordPaths.some((path) => path[0] === field.name));
  if (!isPlain || fields.length === 0 || saysNull(expression)) return undefined;
  return and([sql`${result} is null`, ...fields.map((field) => sql`${id(row, field.column)} is not null`)]);
}

function saysNull({ tree }: CompiledExpression): boolean {
  let found = false;
  if (tree !== undefined) {
    visitExpression(tree, (node) => {
      if (node.kind === 'literal' && node.value === null) found = true;
    });
  }
  return found;
}
