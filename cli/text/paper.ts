/** What text is written on: how wide it is, and whether it takes colour. */
export type Colour = 'bold' | 'dim' | 'red' | 'green' | 'yellow';

export interface Paper {
  readonly width: number;
  paint(colour: Colour, text: string): string;
}

const CODES: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
};

const DEFAULT_WIDTH = 80;
/** Lines longer than this are hard to read, however wide the terminal is. */
const WIDEST = 110;
const NARROWEST = 40;

export const plainPaper = (width = DEFAULT_WIDTH): Paper => ({ width, paint: (_colour, text) => text });

/** Colour only on a terminal, and never where `NO_COLOR` or `TERM=dumb` say so: Node's own `hasColors` asks both. */
export function paperOf(stream: NodeJS.WriteStream): Paper {
  // A terminal that does not know its size says 0.
  const columns = stream.columns > 0 ? stream.columns : DEFAULT_WIDTH;
  const width = Math.max(NARROWEST, Math.min(columns, WIDEST));
  if (!stream.isTTY || !stream.hasColors()) return plainPaper(width);
  return { width, paint: (colour, text) => `\u001b[${CODES[colour][0]}m${text}\u001b[${CODES[colour][1]}m` };
}

/** Words in lines of at most `width`; a word that is longer stands alone. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return line === '' ? lines : [...lines, line];
}

export const indented = (lines: readonly string[], by: number): string[] => lines.map((line) => `${' '.repeat(by)}${line}`);
