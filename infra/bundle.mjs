/**
 * The server's TypeScript to dist/cli: one file per entry, and chunks for what several entries or a dynamic import share. The
 * packages of node_modules go in as well, because a process that reads a thousand files spends most of its start on that.
 * Types are the business of `npm run check`. Plain JavaScript because it runs before anything is built.
 */
import fs from 'node:fs';
import path from 'node:path';

const ENTRIES = [
  'cli/main.ts',
  'cli/build-bundle.ts',
  'infra/local/ensure-temporal.ts',
  // Threads are loaded by their file's name.
  'adapters/sandbox/jsonata-thread.ts',
  'adapters/sandbox/script-thread.ts',
  'adapters/bcrypt-thread.ts',
];

/** Left to Node: the SDK must be one copy (it tells its failures by class) and has native parts; knex loads dialects by name. */
const EXTERNAL = [
  '@temporalio/client',
  '@temporalio/common',
  '@temporalio/worker',
  '@temporalio/activity',
  '@temporalio/testing',
  'knex',
  // Its interpreter is a file beside its code.
  '@jitl/quickjs-wasmfile-release-sync',
  'pg-native',
];

/** Chunks are named by content, and a running process may still ask for one of the build that it was started from. */
const KEPT_MS = 24 * 3_600_000;

/** @param {string} root */
async function bundle(root) {
  const { build } = await import('vite');
  const { output } = await build({
    root,
    configFile: false,
    publicDir: false,
    logLevel: 'warn',
    ssr: { noExternal: true, external: EXTERNAL },
    build: {
      ssr: true,
      write: false,
      target: 'node20',
      minify: false,
      sourcemap: true,
      rolldownOptions: {
        input: Object.fromEntries(ENTRIES.map((file) => [path.basename(file, '.ts'), path.join(root, file)])),
        output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', sourcemapExcludeSources: true },
      },
    },
  });
  const folder = path.join(root, 'dist', 'cli');
  fs.mkdirSync(folder, { recursive: true });
  // Entries last: until they are there, the chunks of this build are asked for by nobody.
  const files = [...output].sort((a, b) => Number(a.isEntry ?? false) - Number(b.isEntry ?? false));
  for (const file of files) replace(path.join(folder, file.fileName), file.type === 'chunk' ? file.code : file.source);
  for (const { name } of fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isFile())) {
    if (Date.now() - fs.statSync(path.join(folder, name)).mtimeMs > KEPT_MS) fs.rmSync(path.join(folder, name));
  }
}

/** In one step, because a running stack may be loading the file. */
function replace(file, content) {
  fs.writeFileSync(`${file}.${process.pid}`, content);
  fs.renameSync(`${file}.${process.pid}`, file);
}

await bundle(path.dirname(import.meta.dirname));
