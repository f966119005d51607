/**
 * A QR code (ISO/IEC 18004) of a text: byte mode, correction level M, versions 1 to 20, which is enough for 666 bytes. Rows of modules, true
 * is dark; undefined for a longer text.
 */
export type Matrix = readonly (readonly boolean[])[];

/** Of level M, by version from 1. */
const CORRECTION_PER_BLOCK = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16];

export function qrOf(text: string): Matrix | undefined {
  const bytes = [...new TextEncoder().encode(text)];
  const version = BLOCKS.findIndex((_, index) => bytes.length + (index < 9 ? 2 : 3) <= dataLength(index + 1)) + 1;
  if (version === 0) return undefined;
  const grid = new Grid(version);
  grid.drawCodewords(withCorrection(dataCodewords(bytes, version), version));
  const masked = MASKS.map((_, mask) => grid.masked(mask));
  return masked.reduce((best, one) => (penaltyOf(one) < penaltyOf(best) ? one : best));
}

// --- data ----------------------------------------------------------------------------------------------------------------

function rawLength(version: number): number {
  const aligned = version < 2 ? 0 : Math.floor(version / 7) + 2;
  const alignment = aligned === 0 ? 0 : (25 * aligned - 10) * aligned - 55;
  return Math.floor(((16 * version + 128) * version + 64 - alignment - (version >= 7 ? 36 : 0)) / 8);
}

const correctionOf = (version: number): number => CORRECTION_PER_BLOCK[version - 1] ?? 0;
const blocksOf = (version: number): number => BLOCKS[version - 1] ?? 1;
const dataLength = (version: number): number => rawLength(version) - correctionOf(version) * blocksOf(version);

/** Mode, length and bytes, filled up as the standard says. */
function dataCodewords(bytes: readonly number[], version: number): readonly number[] {
  const bits: string[] = ['0100', bytes.length.toString(2).padStart(version < 10 ? 8 : 16, '0')];
  bits.push(...bytes.map((byte) => byte.toString(2).padStart(8, '0')), '0000');
  const codewords = (bits.join('').match(/.{1,8}/g) ?? []).map((eight) => parseInt(eight.padEnd(8, '0'), 2));
  const length = dataLength(version);
  for (let pad = 0xec; codewords.length < length; pad ^= 0xec ^ 0x11) codewords.push(pad);
  return codewords.slice(0, length);
}

/** In blocks, each with its Reed-Solomon remainder, read across. */
function withCorrection(data: readonly number[], version: number): readonly number[] {
  const count = blocksOf(version);
  const short = Math.floor(data.length / count);
  const shortCount = count - (data.length % count);
  const divisor = divisorOf(correctionOf(version));
  const blocks = Array.from({ length: count }, (_, index) => {
    const start = index * short + Math.max(0, index - shortCount);
    return data.slice(start, start + short + (index < shortCount ? 0 : 1));
  });
  const across = (lists: readonly (readonly number[])[], length: number): number[] =>
    Array.from({ length }, (_, at) => lists.flatMap((list) => list[at] ?? [])).flat();
  const remainders = blocks.map((block) => remainderOf(block, divisor));
  return [...across(blocks, short + 1), ...across(remainders, divisor.length)];
}

/** In the field of 256 elements modulo x^8 + x^4 + x^3 + x^2 + 1. */
function product(a: number, b: number): number {
  let result = 0;
  for (let bit = 7; bit >= 0; bit--) {
    result = (result << 1) ^ ((result >>> 7) * 0x11d);
    result ^= ((b >>> bit) & 1) * a;
  }
  return result;
}

function divisorOf(degree: number): readonly number[] {
  let result = [...Array<number>(degree - 1).fill(0), 1];
  for (let root = 1, step = 0; step < degree; step++, root = product(root, 2))
    result = result.map((factor, at) => product(factor, root) ^ (result[at + 1] ?? 0));
  return result;
}

function remainderOf(data: readonly number[], divisor: readonly number[]): readonly number[] {
  let result = Array<number>(divisor.length).fill(0);
  for (const byte of data) {
    const factor = byte ^ (result[0] ?? 0);
    result = [...result.slice(1), 0].map((member, at) => member ^ product(divisor[at] ?? 0, factor));
  }
  return result;
}

// --- the grid --------------------------------------------------------------------------------------------------------------

type Mask = (x: number, y: number) => boolean;
const MASKS: readonly Mask[] = [
  (x, y) => (x + y) % 2 === 0,
  (_x, y) => y % 2 === 0,
  (x) => x % 3 === 0,
  (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0,
  (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0,
  (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
];

const bitOf = (bits: number, at: number): boolean => ((bits >>> at) & 1) === 1;

class Grid {
  readonly #size: number;
  readonly #dark: boolean[][];
  /** What no data and no mask touches. */
  readonly #fixed: boolean[][];

  constructor(version: number) {
    this.#size = version * 4 + 17;
    const blank = (): boolean[][] => Array.from({ length: this.#size }, () => Array<boolean>(this.#size).fill(false));
    [this.#dark, this.#fixed] = [blank(), blank()];
    for (let at = 0; at < this.#size; at++) {
      this.#fix(6, at, at % 2 === 0);
      this.#fix(at, 6, at % 2 === 0);
    }
    for (const [x, y] of [
      [3, 3],
      [this.#size - 4, 3],
      [3, this.#size - 4],
    ] as const)
      this.#drawRings(x, y, 4, (ring) => ring !== 2 && ring !== 4);
    this.#drawAlignment(version);
    this.#drawFormat(0);
    if (version >= 7) this.#drawVersion(version);
  }

  #fix(x: number, y: number, isDark: boolean): void {
    const [row, fixed] = [this.#dark[y], this.#fixed[y]];
    if (row === undefined || fixed === undefined || x < 0 || x >= this.#size) return;
    row[x] = isDark;
    fixed[x] = true;
  }

  #drawRings(x: number, y: number, radius: number, isDark: (ring: number) => boolean): void {
    for (let dy = -radius; dy <= radius; dy++)
      for (let dx = -radius; dx <= radius; dx++) this.#fix(x + dx, y + dy, isDark(Math.max(Math.abs(dx), Math.abs(dy))));
  }

  #drawAlignment(version: number): void {
    if (version === 1) return;
    const count = Math.floor(version / 7) + 2;
    const step = Math.ceil((version * 4 + 4) / (count * 2 - 2)) * 2;
    const places = [6, ...Array.from({ length: count - 1 }, (_, at) => this.#size - 7 - (count - 2 - at) * step)];
    const last = this.#size - 7;
    for (const x of places)
      for (const y of places) {
        const isFinder = (x === 6 && y === 6) || (x === 6 && y === last) || (x === last && y === 6);
        if (!isFinder) this.#drawRings(x, y, 2, (ring) => ring !== 1);
      }
  }

  /** Level M is 00; both copies. */
  #drawFormat(mask: number): void {
    let remainder = mask;
    for (let step = 0; step < 10; step++) remainder = (remainder << 1) ^ ((remainder >>> 9) * 0x537);
    const bits = ((mask << 10) | remainder) ^ 0x5412;
    for (let at = 0; at < 15; at++) {
      const isDark = bitOf(bits, at);
      if (at < 6) this.#fix(8, at, isDark);
      else if (at < 8) this.#fix(8, at + 1, isDark);
      else this.#fix(at === 8 ? 7 : 14 - at, 8, isDark);
      if (at < 8) this.#fix(this.#size - 1 - at, 8, isDark);
      else this.#fix(8, this.#size - 15 + at, isDark);
    }
    this.#fix(8, this.#size - 8, true);
  }

  #drawVersion(version: number): void {
    let remainder = version;
    for (let step = 0; step < 12; step++) remainder = (remainder << 1) ^ ((remainder >>> 11) * 0x1f25);
    const bits = (version << 12) | remainder;
    for (let at = 0; at < 18; at++) {
      const [far, near] = [this.#size - 11 + (at % 3), Math.floor(at / 3)];
      this.#fix(far, near, bitOf(bits, at));
      this.#fix(near, far, bitOf(bits, at));
    }
  }

  /** Up and down in pairs of columns, from the right. */
  drawCodewords(codewords: readonly number[]): void {
    let at = 0;
    for (let right = this.#size - 1; right >= 1; right -= 2) {
      if (right === 6) right = 5;
      const isUpward = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.#size; step++) {
        const y = isUpward ? this.#size - 1 - step : step;
        for (const x of [right, right - 1]) {
          const row = this.#dark[y];
          if (row === undefined || this.#fixed[y]?.[x] === true) continue;
          row[x] = bitOf(codewords[at >>> 3] ?? 0, 7 - (at & 7));
          at++;
        }
      }
    }
  }

  masked(mask: number): Matrix {
    this.#drawFormat(mask);
    const flips = MASKS[mask];
    return this.#dark.map((row, y) => row.map((isDark, x) => isDark !== (this.#fixed[y]?.[x] !== true && flips?.(x, y) === true)));
  }
}

/** How hard it is to read, by the standard's four rules: runs, blocks, what looks like a corner, and balance. */
function penaltyOf(matrix: Matrix): number {
  const rows = matrix.map((row) => row.map(Number).join(''));
  const columns = matrix.map((_, x) => matrix.map((row) => Number(row[x])).join(''));
  let penalty = 0;
  for (const line of [...rows, ...columns]) {
    for (const [run] of line.matchAll(/0{5,}|1{5,}/g)) penalty += run.length - 2;
    penalty += 40 * [...line.matchAll(/(?=10111010000|00001011101)/g)].length;
  }
  for (const [y, row] of matrix.slice(1).entries())
    for (let x = 1; x < row.length; x++) {
      const four = [row[x], row[x - 1], matrix[y]?.[x], matrix[y]?.[x - 1]];
      if (four.every((one) => one === four[0])) penalty += 3;
    }
  const dark = rows.join('').replaceAll('0', '').length / rows.length ** 2;
  return penalty + Math.floor(Math.abs(dark * 20 - 10)) * 10;
}
