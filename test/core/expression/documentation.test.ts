import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FUNCTION_ARITY } from '../../../core/expression/function-names.ts';
import { sqlFunctionNames } from '../../../core/expression/sql-functions.ts';
import { ROOTS } from '../../../core/expression/syntax.ts';

const text = fs.readFileSync(new URL('../../../docs/expressions.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('| `$'))
  .map((line) => line.split('|'));
const namesIn = (cell: string): string[] => [...cell.matchAll(/\$([a-zA-Z]+)/g)].map((match) => match[1] ?? '');

describe('docs/expressions.md', () => {
  it('lists every function once', () => {
    expect(rows.flatMap((cells) => namesIn(cells[1] ?? '')).sort()).toEqual(Object.keys(FUNCTION_ARITY).sort());
  });
  it('says which compile to SQL', () => {
    const inSql = rows.filter((cells) => cells[2]?.trim() === 'yes').flatMap((cells) => namesIn(cells[1] ?? ''));
    expect(inSql.sort()).toEqual(sqlFunctionNames());
  });
  it('names every variable', () => {
    for (const root of ROOTS) expect(text).toContain(`\`${root}\``);
  });
});
