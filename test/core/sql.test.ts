import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { id, literal, render, sql, value } from '../../core/sql/sql.ts';
import { freshDatabase } from '../support/database.ts';

describe('sql', () => {
  it('numbers values in order and quotes names', () => {
    const statement = sql`select ${id('a"b', 'c')} where x = ${value(1)} and y = ${value('z', 'uuid')}`;
    expect(render(statement)).toEqual({ text: 'select "a""b"."c" where x = $1 and y = $2::uuid', values: [1, 'z'] });
  });

  it('refuses names Postgres would cut or end early', () => {
    expect(() => id('x'.repeat(64))).toThrow('63 bytes');
    expect(() => id('a\0b')).toThrow('NUL');
  });

  it('quotes constants so that Postgres reads back the same text', async () => {
    const client = new pg.Client({ connectionString: await freshDatabase() });
    await client.connect();
    for (const text of ["it's", 'back\\slash', "\\'; drop table x; --", '$$ $1', 'ünïcödé']) {
      const answer = await client.query<{ t: string }>(render(sql`select ${literal(text)} as t`).text);
      expect(answer.rows[0]?.t).toBe(text);
    }
    await client.end();
  });
});
