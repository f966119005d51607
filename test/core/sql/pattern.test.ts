/** A pattern matches the same texts here (RE2) and in a real Postgres, or Postgres is not asked. */
import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { matchesPattern } from '../../../core/model/fields/pattern.ts';
import { postgresPattern } from '../../../core/sql/pattern.ts';
import { freshDatabase } from '../../support/database.ts';
import { SEED } from '../../support/fixed-seed.ts';

const TEXTS = [
  '',
  'a',
  'B',
  'ab',
  'ABC-123',
  'a\nb',
  'a\tb',
  ' 7 ',
  '٣',
  'é',
  'ß',
  'K',
  '\u000b',
  '\u00a0',
  '😀',
  'x]^-\\',
  '{2}',
  '(a|b)',
  '$^',
  "it's",
  'a_b.c',
  '0009',
  'aaaa',
  '\u0001',
];

const atom = fc.constantFrom(
  ...['a', 'b', 'A', '7', ' ', '-', ']', '}', '{', '"', "'", '/', '_', 'é', '😀', '٣', '.', '^', '$'],
  ...['\\d', '\\D', '\\w', '\\W', '\\s', '\\S', '\\.', '\\\\', '\\]', '\\[', '\\(', '\\{', '\\$', '\\^', '\\-', '\\/', '\\n', '\\t', '\\v'],
  ...[
    '\\x41',
    '\\x{1F600}',
    '\\A',
    '\\z',
    '[a-c]',
    '[^a-c]',
    '[]a]',
    '[^]a]',
    '[[:digit:]_]',
    '[[:alpha:]]',
    '[\\d.]',
    '[\\w-]',
    '[\\s\\S]',
  ],
  ...['[-a]', '[a-]', '[.$^*]', '[\\]\\[]', '[\\x00-\\x1f]', '[^\\x00-\\x7f]', '[é-ü]', '[😀-😎]', '()', '(a|)', '(?:|b)'],
);
const bound = fc.constantFrom('', '', '', '*', '+', '?', '*?', '+?', '??', '{2}', '{0,1}', '{1,}', '{1,3}?', '{,2}', '{0}');
const pattern = fc.letrec<{ whole: string; branch: string; piece: string }>((tie) => ({
  piece: fc
    .tuple(
      fc.oneof(
        { weight: 6, arbitrary: atom },
        tie('whole').map((inner) => `(${inner})`),
        tie('whole').map((inner) => `(?:${inner})`),
      ),
      bound,
    )
    .map(([text, times]) => text + times),
  branch: fc.array(tie('piece'), { maxLength: 4 }).map((pieces) => pieces.join('')),
  whole: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    tie('branch'),
    fc.tuple(tie('branch'), tie('branch')).map((two) => two.join('|')),
  ),
})).whole;

describe('a pattern asked of Postgres', () => {
  let pool: pg.Pool;
  beforeAll(async () => {
    pool = new pg.Pool({ connectionString: await freshDatabase(), max: 1 });
  });
  afterAll(() => pool.end());

  const matching = async (expression: string, texts: readonly string[]): Promise<string[]> => {
    const found = await pool.query<{ text: string }>('select text from unnest($2::text[]) text where text ~ $1', [expression, texts]);
    return found.rows.map(({ text }) => text);
  };
  const isCompiled = (candidate: string): boolean => {
    try {
      matchesPattern(candidate, '');
      return true;
    } catch {
      return false;
    }
  };

  it('matches the same texts as here', async () => {
    let asked = 0;
    const held = fc.asyncProperty(
      pattern.filter(isCompiled),
      fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
      async (candidate, more) => {
        const expression = postgresPattern(candidate);
        if (expression === undefined) return;
        asked++;
        const texts = [...new Set([...TEXTS, ...more.filter((text) => !/[\0\p{Surrogate}]/u.test(text))])];
        const here = texts.filter((text) => matchesPattern(candidate, text));
        expect(await matching(expression, texts), `${candidate} as ${expression}`).toEqual(here);
      },
    );
    await fc.assert(held, { numRuns: 800, seed: SEED });
    expect(asked).toBeGreaterThan(400);
  });

  it.each([
    '(?i)a',
    '\\bword\\b',
    '\\pL',
    '\\p{Greek}',
    'a{256}',
    '(a{200}){200}',
    '\\Qa.b\\E',
    '\\x00',
    '[\\D]',
    '(?m)^a$',
    '[[:punct:]]',
    '\\C',
  ])('is not asked %s', (candidate) => {
    expect(postgresPattern(candidate)).toBeUndefined();
  });

  it.each([
    ['^[A-Z]{2}\\d{6,10}$', 'AB1234567'],
    ['^\\+?[0-9 ()/-]{5,}$', '+49 (30) 1234-5'],
    ['^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$', 'a@b.example'],
    ['^(?P<year>\\d{4})-(0[1-9]|1[0-2])$', '2026-11'],
  ])('is asked %s, as people write them', async (candidate, text) => {
    expect(await matching(postgresPattern(candidate) ?? '', [text, 'no match'])).toEqual([text]);
  });
});
