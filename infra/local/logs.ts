/** Log files of the children: everything goes to DATA_DIR/logs, warnings and errors to the console too. */
import fs from 'node:fs';
import path from 'node:path';
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';

const LARGEST_BYTES = 10 * 1_048_576;
const KEPT = 3;

/** `x.log` becomes `x.log.1`, `.1` becomes `.2`, and so on. */
export function rotate(file: string): void {
  if (!fs.existsSync(file)) return;
  for (let n = KEPT - 1; n >= 1; n--) if (fs.existsSync(`${file}.${n}`)) fs.renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  fs.renameSync(file, `${file}.1`);
}

/** For files a child writes itself: its handle stays valid (opened for appending), so the content is moved, not the file. */
export function rotateWritten(file: string): void {
  if (!fs.existsSync(file) || fs.statSync(file).size < LARGEST_BYTES) return;
  const copy = `${file}.copy`;
  fs.copyFileSync(file, copy);
  fs.truncateSync(file);
  for (let n = KEPT - 1; n >= 1; n--) if (fs.existsSync(`${file}.${n}`)) fs.renameSync(`${file}.${n}`, `${file}.${n + 1}`);
  fs.renameSync(copy, `${file}.1`);
}

/** Reads a child's output line by line into its file, and hands on what a person should see. */
export function captureLines(file: string, streams: readonly Readable[], show: (line: string) => void): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  if (fs.existsSync(file) && fs.statSync(file).size > LARGEST_BYTES) rotate(file);
  let written = fs.existsSync(file) ? fs.statSync(file).size : 0;
  for (const stream of streams) {
    createInterface({ input: stream }).on('line', (line) => {
      try {
        fs.appendFileSync(file, `${line}\n`);
      } catch {
        // A full disk must not end the supervisor; the line is still shown when it matters.
      }
      written += line.length + 1;
      if (written > LARGEST_BYTES) {
        rotate(file);
        written = 0;
      }
      const shown = forPeople(line);
      if (shown !== undefined) show(shown);
    });
  }
}

/** pino's numbers, for loggers that do not write names. */
const LEVELS: Readonly<Record<string | number, string>> = { 40: 'warn', 50: 'error', 60: 'fatal' };

/** JSON lines of level warn and above in short; other text (a crash, a stack) as it is. */
export function forPeople(line: string): string | undefined {
  if (!line.startsWith('{')) return line.trim() === '' ? undefined : line;
  try {
    const entry = JSON.parse(line) as { level?: string | number; msg?: string; err?: { message?: string } };
    const level = LEVELS[entry.level ?? ''] ?? entry.level;
    if (level !== 'warn' && level !== 'error' && level !== 'fatal') return undefined;
    const cause = entry.err?.message !== undefined && entry.err.message !== entry.msg ? `: ${entry.err.message}` : '';
    return `${level}: ${entry.msg ?? ''}${cause}`;
  } catch {
    return line;
  }
}
