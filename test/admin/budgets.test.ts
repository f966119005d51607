/** What a production build weighs, compressed as it is served: the first load, and what each lazy part adds to it. */
import fs from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../infra/local/repository.ts';

const dist = path.join(repositoryRoot(), 'admin', 'dist');

interface Chunk {
  readonly file: string;
  readonly imports?: readonly string[];
  readonly isDynamicEntry?: boolean;
}
const manifest = JSON.parse(fs.readFileSync(path.join(dist, '.vite', 'manifest.json'), 'utf8')) as Readonly<Record<string, Chunk>>;

/** KB of everything that must be there before `key` runs, but for what is there already. */
function weight(key: string, present: ReadonlySet<string> = new Set()): { readonly kb: number; readonly files: ReadonlySet<string> } {
  const files = new Set<string>();
  const seen = new Set<string>();
  const follow = (name: string): void => {
    const chunk = manifest[name];
    if (chunk === undefined || seen.has(name)) return;
    seen.add(name);
    if (chunk.file.endsWith('.js') && !present.has(chunk.file)) files.add(chunk.file);
    chunk.imports?.forEach(follow);
  };
  follow(key);
  const bytes = [...files].map((file) => gzipSync(fs.readFileSync(path.join(dist, file)), { level: 9 }).length);
  return { kb: bytes.reduce((sum, one) => sum + one, 0) / 1024, files };
}

const PAGE_KB = 60;
/** Loaded within a page, when it is needed. */
const HEAVY: readonly (readonly [part: RegExp, kb: number])[] = [
  // CodeMirror, and the very code that judges and runs expressions on the server.
  [/\/ExpressionEditor\.tsx$/, 215],
  [/\/(CodeEditor|DocumentText|DocumentDiff|CodeView|code\/Code)\.tsx$|codemirror/, 180],
  [/Diagram[^/]*\.tsx$/, 95],
];

const first = weight('index.html');
const lazy = Object.entries(manifest).flatMap(([key, { isDynamicEntry }]) => (isDynamicEntry === true ? [key] : []));

describe('the back office, built', () => {
  it('begins with at most 400 KB of scripts in six files', () => {
    expect(first.kb).toBeLessThan(400);
    expect(first.files.size).toBeLessThanOrEqual(6);
  });

  it.each(lazy)('adds no more than its budget by %s', (key) => {
    const budget = HEAVY.find(([part]) => part.test(key))?.[1] ?? PAGE_KB;
    expect(weight(key, first.files).kb).toBeLessThan(budget);
  });

  it('has pages that are loaded when they are opened, and stays under 3.5 MB', () => {
    expect(lazy.length).toBeGreaterThan(10);
    const sizes = fs.readdirSync(path.join(dist, 'assets')).filter((name) => !name.endsWith('.gz'));
    const bytes = sizes.reduce((sum, name) => sum + fs.statSync(path.join(dist, 'assets', name)).size, 0);
    expect(bytes).toBeLessThan(3.5 * 1024 * 1024);
  });
});
