/**
 * TypeScript to dist/, file by file and only what changed: types are the business of `npm run check`. Plain JavaScript
 * because it runs before anything is compiled. Answers how many files were written or removed.
 */
import fs from 'node:fs';
import path from 'node:path';

/** @param {string} root @param {readonly string[]} folders @param {(file: string) => string} hashOf */
export async function compile(root, folders, hashOf) {
  const stampFile = path.join(root, 'dist', '.cache', 'compiled.json');
  const before = readJson(stampFile);
  const settings =
    hashOf(path.join(root, 'tsconfig.build.json')) +
    hashOf(path.join(root, 'tsconfig.json')) +
    hashOf(path.join(root, 'package-lock.json'));
  const known = before.settings === settings ? before.files : {};
  const files = Object.fromEntries(folders.flatMap((folder) => sources(root, folder)).map((file) => [file, hashOf(path.join(root, file))]));
  const changed = Object.keys(files).filter((file) => files[file] !== known[file] || !fs.existsSync(outputOf(root, file)));
  const gone = Object.keys(before.files ?? {}).filter((file) => files[file] === undefined);
  for (const file of gone) for (const suffix of ['', '.map']) fs.rmSync(outputOf(root, file) + suffix, { force: true });
  if (changed.length > 0) await transpile(root, changed);
  if (changed.length + gone.length > 0 || before.settings !== settings) {
    fs.mkdirSync(path.dirname(stampFile), { recursive: true });
    fs.writeFileSync(stampFile, JSON.stringify({ settings, files }));
  }
  return changed.length + gone.length;
}

async function transpile(root, files) {
  const { default: ts } = await import('typescript');
  const { config } = ts.readConfigFile(path.join(root, 'tsconfig.build.json'), ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent({ ...config, include: [], files: files.slice(0, 1) }, ts.sys, root);
  // Alone, a file does not know that the package is of type module.
  const compilerOptions = { ...options, module: ts.ModuleKind.ESNext, moduleResolution: undefined, rootDir: undefined, outDir: undefined };
  for (const file of files) {
    const { outputText, sourceMapText } = ts.transpileModule(fs.readFileSync(path.join(root, file), 'utf8'), {
      compilerOptions,
      fileName: path.basename(file),
    });
    const output = outputOf(root, file);
    const source = path.relative(path.dirname(output), path.join(root, file));
    fs.mkdirSync(path.dirname(output), { recursive: true });
    replace(`${output}.map`, JSON.stringify({ ...JSON.parse(sourceMapText ?? '{}'), sourceRoot: '', sources: [source] }));
    replace(output, outputText);
  }
}

/** In one step, because a running stack may be loading the file. */
function replace(file, text) {
  fs.writeFileSync(`${file}.${process.pid}`, text);
  fs.renameSync(`${file}.${process.pid}`, file);
}

const outputOf = (root, file) => path.join(root, 'dist', file.replace(/\.ts$/, '.js'));

function sources(root, folder) {
  if (!fs.existsSync(path.join(root, folder))) return [];
  return fs
    .readdirSync(path.join(root, folder), { recursive: true })
    .map((name) => path.join(folder, name))
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'));
}

function readJson(file) {
  try {
    return JSON.parse(fs.readFileSync(file, 'utf8'));
  } catch {
    return {};
  }
}
