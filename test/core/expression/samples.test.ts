/** The sample expressions of docs/expressions.md: read from there, stored and evaluated as it says. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { compileExpression, normalizeExpression, type ExpressionScope } from '../../../core/expression/expression.ts';
import { expressionToValueSql, type SqlScope } from '../../../core/expression/to-sql.ts';
import type { StoredType } from '../../../core/model/model.ts';
import { id } from '../../../core/sql/sql.ts';

const page = readFileSync(new URL('../../../docs/expressions.md', import.meta.url), 'utf8');

const scope: ExpressionScope = {
  record: {
    status: 'paid',
    payment_date: null,
    stock_level: 3,
    amount: '10000.01',
    total: '250.00',
    quantity: 3,
    unit_price: '19.99',
    start_date: '2026-01-02',
    end_date: '2026-01-01',
  },
  old: { status: 'void' },
  action: 'update',
  user: { roles: ['editor'] },
  context: { amount: '999.99', days: 5 },
  related: {
    invoices: [{ id: 1 }, { id: 2 }],
    items: [
      { quantity: 2, unit_price: '0.10' },
      { quantity: 1, unit_price: '0.10' },
    ],
  },
};
const TYPES: Readonly<Record<string, StoredType>> = {
  status: 'enum',
  payment_date: 'date',
  stock_level: 'int',
  amount: 'decimal',
  total: 'decimal',
  quantity: 'int',
  unit_price: 'decimal',
  start_date: 'date',
  end_date: 'date',
};
const sqlScope: SqlScope = {
  column: ([name = '', ...rest]) =>
    rest.length === 0 && TYPES[name] !== undefined ? { sql: id('t', name), type: TYPES[name] } : undefined,
  variable: (root) => (root === 'action' ? 'update' : root === 'user' ? ['editor'] : undefined),
};

/** The rows of the table under a heading, cells without their backticks. */
function tableUnder(heading: string): string[][] {
  const [, section = ''] = page.split(`\n## ${heading}\n`);
  const rows = (section.split('\n## ')[0] ?? '').split('\n').filter((line) => line.startsWith('| ') && !line.startsWith('|---'));
  return rows.slice(1).map((line) =>
    line
      .slice(2, -2)
      .split(/ (?<!\\)\| /)
      .map((cell) => cell.replaceAll('\\|', '|')),
  );
}
const code = (cell = ''): string => cell.replace(/^`|`$/g, '');

describe('the samples of docs/expressions.md', () => {
  const samples = tableUnder('Samples');
  it('are there', () => expect(samples.length).toBeGreaterThan(15));

  it.each(samples.map(([written, stored, value, sql]) => [code(written), code(stored), code(value), sql] as const))(
    '%s',
    (written, stored, value, sql) => {
      expect(normalizeExpression(written)).toBe(stored);
      expect(compileExpression(written).evaluate(scope)).toEqual(JSON.parse(value));
      expect(compileExpression(stored).evaluate(scope)).toEqual(JSON.parse(value));
      const build = (): unknown => expressionToValueSql(compileExpression(written), sqlScope);
      if (sql === 'yes') expect(build()).toBeDefined();
      else expect(build).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
    },
  );
});
