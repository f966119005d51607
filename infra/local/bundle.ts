/** Builds the workflow bundle ahead: five seconds of webpack that no start of a worker should pay. */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository, from the sources and from dist/ alike. */
export function repositoryRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package-lock.json'))) folder = path.dirname(folder);
  return folder;
}

/** Where `npm start` and the containers find the bundle of the built code. */
export const builtBundle = (): string => path.join(repositoryRoot(), 'dist', 'workflow-bundle.js');

/** Bundles the workflows of a tree (`dist`, or the repository for its sources) into a file named by content, once. */
export async function ensureBundle(tree: string, folder: string): Promise<string> {
  const file = path.join(folder, `workflow-bundle-${hashOf(tree)}.js`);
  if (fs.existsSync(file)) return file;
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const index = ['index.js', 'index.ts'].map((name) => path.join(tree, 'workflows', name)).find((name) => fs.existsSync(name));
  const { code } = await bundleWorkflowCode({ workflowsPath: index ?? path.join(tree, 'workflows'), logger: quiet });
  fs.mkdirSync(folder, { recursive: true });
  for (const old of fs.readdirSync(folder)) if (old.startsWith('workflow-bundle-')) removeWhenOld(path.join(folder, old));
  fs.writeFileSync(`${file}.${process.pid}`, code);
  fs.renameSync(`${file}.${process.pid}`, file);
  return file;
}

/** Other runs may be about to read a bundle of theirs; an hour later nobody is. */
function removeWhenOld(file: string): void {
  if (Date.now() - fs.statSync(file).mtimeMs > 3_600_000) fs.rmSync(file, { force: true });
}

function hashOf(tree: string): string {
  const hash = createHash('sha256');
  hash.update(fs.readFileSync(path.join(repositoryRoot(), 'package-lock.json')));
  for (const folder of ['core', 'workflows', 'activities']) {
    for (const file of sources(path.join(tree, folder))) hash.update(file.slice(tree.length)).update('\0').update(fs.readFileSync(file)).update('\0');
  }
  return hash.digest('hex').slice(0, 16);
}

function sources(folder: string): string[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.(ts|js)$/.test(name))
    .map((name) => path.join(folder, name))
    .sort();
}

const silent = (): void => undefined;
const quiet = { log: silent, trace: silent, debug: silent, info: silent, warn: silent, error: (message: string): void => void process.stderr.write(`${message}\n`) };
