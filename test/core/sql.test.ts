import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { fill, id, keep, literal, opened, or, render, slot, sql, value } from '../../core/sql/sql.ts';
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

describe('kept statements', () => {
  it('hold places and no values', () => {
    expect(() => keep(sql`select ${value(1, 'integer')}`)).toThrow('may not hold a value');
    expect(() => render(sql`select ${slot(0)}`)).toThrow('open places');
    const kept = keep(sql`select ${slot(1, 'text')}, ${slot(0, 'integer')}, ${slot(1, 'text')}, ${slot(1, 'text[]')}`);
    expect(kept.text).toBe('select $1::text, $2::integer, $1::text, $3::text[]');
    expect(render(fill(kept, [7, 'a']))).toEqual({ text: kept.text, values: ['a', 7, 'a'], kept });
    expect(render(fill(kept, [8, 'b'])).values).toEqual(['b', 8, 'b']);
  });

  it('open a part in the order in which it is rendered', () => {
    const part = sql`${id('a')} = ${value('x', 'text')} and ${or([sql`b = ${value(1, 'integer')}`, sql`c = ${value(2, 'integer')}`])}`;
    const kept = keep(sql`where ${opened(part, 2)}`);
    const { text, values } = render(part);
    expect(kept.text).toBe(`where ${text}`);
    expect(render(fill(kept, ['', '', ...values])).values).toEqual(['x', 1, 2]);
    expect(() => opened(opened(part, 0), 0)).toThrow('can be opened');
    expect(() => render(sql`(${fill(kept, [])})`)).toThrow('no part of another');
  });
});
