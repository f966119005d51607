/** Against codes that another encoder made, and that a reader of cameras read: the standard leaves one right answer. */
import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { qrOf } from '../../admin/src/ui/qr.ts';

const rowsOf = (text: string): readonly string[] | undefined =>
  qrOf(text)?.map((row) => row.map((isDark) => (isDark ? '#' : '.')).join(''));

it('draws the smallest code as others do', () => {
  expect(rowsOf('A')).toEqual([
    '#######.#..#..#######',
    '#.....#.#####.#.....#',
    '#.###.#...#.#.#.###.#',
    '#.###.#.##.##.#.###.#',
    '#.###.#..###..#.###.#',
    '#.....#..#.##.#.....#',
    '#######.#.#.#.#######',
    '........##.##........',
    '#.##.###..###.#..#.##',
    '.#.##..#.#.####..#...',
    '##..###.##.#.....##.#',
    '#.##.#.....#..#####..',
    '#..####..#..#..#..#..',
    '........#.##..#..#..#',
    '#######.#..##..#.#...',
    '#.....#.##.....##.##.',
    '#.###.#..##.#####...#',
    '#.###.#.####..######.',
    '#.###.#.#.#.#.##.....',
    '#.....#...#..#.#..#.#',
    '#######.#....#..#....',
  ]);
});

it.each([
  [
    'otpauth://totp/Helpdesk:lea%40desk.test?issuer=Helpdesk&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&algorithm=SHA1&digits=6&period=30',
    49,
    '8fe759f15b3e9dc5090bf10e7e547ab2999d21ad5c95fa88d34f9f985e900770',
  ],
  ['x'.repeat(600), 93, '2fdc07aa54d94f3448e8e10a7786071542bc931eee5d227d87c3da8f21a4efe0'],
])('draws larger ones with alignment, version and blocks: %#', (text, size, hash) => {
  const rows = rowsOf(text) ?? [];
  expect(rows).toHaveLength(size);
  expect(createHash('sha256').update(rows.join('\n')).digest('hex')).toBe(hash);
});

it('draws nothing for what does not fit', () => {
  expect(qrOf('x'.repeat(667))).toBeUndefined();
  expect(qrOf('x'.repeat(666))).toBeDefined();
});
