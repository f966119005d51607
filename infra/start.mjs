#!/usr/bin/env node
/**
 * The bootstrap: plain JavaScript without dependencies, because on a clean clone there are none. Checks Node, installs the
 * packages, builds what changed (by content; an unchanged tree costs a fraction of a second), then hands over to the verb.
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const FOLDERS = ['core', 'adapters', 'workflows', 'operations', 'activities', 'workers', 'api', 'cli', 'infra/local'];
const LEAST_NODE = [20, 19];

/** Verbs of the workshop; every other verb is one of the command line (cli/main.ts). */
const WORKSHOP = {
  build: { needs: ['server', 'bundle', 'admin'], run: async () => say('Built') },
  test: { needs: ['server', 'bundle', 'admin'], run: (args) => suite(args) },
  'test:e2e': { needs: ['server', 'bundle', 'admin'], run: (args) => suite(['--mode', 'e2e', ...args]) },
  check: { needs: [], run: (args) => runNode([path.join(root, 'infra', 'check.mjs'), ...args]) },
  bench: {
    needs: ['server', 'bundle', 'admin'],
    run: (args) => script('bench', args.length > 0 && !args[0].startsWith('-') ? args : ['main', ...args]),
  },
  prove: { needs: ['server', 'bundle', 'admin'], run: (args) => script(path.join('test', 'proofs'), args) },
};

async function main([verb = 'start', ...args]) {
  try {
    checkNode();
    await install();
    const workshop = WORKSHOP[verb];
    const wantsHelp = args.includes('--help') || args.includes('-h');
    const needs =
      workshop?.needs ??
      (verb === 'start' && !wantsHelp
        ? ['server', 'bundle', 'admin']
        : ['api', 'worker'].includes(verb) && !wantsHelp
          ? ['server', 'bundle']
          : ['server']);
    if (needs.length > 0) await locked(() => build(needs));
    if (workshop !== undefined) process.exitCode = (await workshop.run(args)) ?? 0;
    else await commandLine(verb, args);
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    console.error(`durabase: ${error.message}`);
    process.exitCode = 1;
  }
}

class Stop extends Error {}

function say(line) {
  if (process.stderr.isTTY || process.env.DURABASE_QUIET !== '1') console.error(`· ${line}`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > LEAST_NODE[0] || (major === LEAST_NODE[0] && minor >= LEAST_NODE[1])) return;
  throw new Stop(`Node ${LEAST_NODE.join('.')} or newer is needed, this is ${process.versions.node}. Get one from https://nodejs.org.`);
}

/** `npm ci` when node_modules is missing or belongs to another lockfile. */
async function install() {
  const modules = path.join(root, 'node_modules');
  const lockfile = path.join(root, 'package-lock.json');
  const stamp = path.join(modules, '.durabase-lockfile');
  const installed = path.join(modules, '.package-lock.json');
  const hash = hashOf(lockfile);
  if (readText(stamp) === hash && fs.existsSync(installed)) return;
  if (fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lockfile).mtimeMs) {
    fs.writeFileSync(stamp, hash);
    return;
  }
  await withTicker('Installing the packages (npm ci, under a minute on most machines)', async () => {
    const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm'];
    const { code, output } = await capture(npm[0], [
      ...npm.slice(1),
      'ci',
      '--no-audit',
      '--no-fund',
      '--include=dev',
      '--include=optional',
    ]);
    if (code !== 0) throw new Stop(`npm ci failed: ${/ENOSPC/.test(output) ? 'the disk is full.' : reasonOf(output)}`);
    fs.writeFileSync(stamp, hash);
  });
}

/** npm prints its reason first and its manual after it. */
function reasonOf(output) {
  const lines = output
    .split('\n')
    .filter((line) => line.startsWith('npm error '))
    .map((line) => line.slice('npm error '.length));
  return lines.slice(0, 6).join(' ') || output.trim().split('\n').slice(-6).join('\n');
}

/** One build at a time: a second start waits for the first and then finds its work done. */
async function locked(work) {
  const lock = path.join(root, 'dist', '.cache', 'lock');
  fs.mkdirSync(path.dirname(lock), { recursive: true });
  for (let waited = 0; ; waited += 100) {
    try {
      fs.writeFileSync(lock, String(process.pid), { flag: 'wx' });
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error.code === 'ENOSPC' ? new Stop('The disk is full: the build needs about 100 MB.') : error;
      if (waited === 2000) say('Another build is running; waiting for it');
      if (!isAlive(Number(readText(lock)))) fs.rmSync(lock, { force: true });
      else await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
  try {
    await work();
  } finally {
    fs.rmSync(lock, { force: true });
  }
}

async function build(needs) {
  await whenChanged('server', [...FOLDERS, 'infra/bundle.mjs', 'package-lock.json'], 'Bundling the server', () =>
    // In a process of its own: the bundler sets NODE_ENV, which what is started afterwards would inherit.
    tool([path.join(root, 'infra', 'bundle.mjs')]),
  );
  if (needs.includes('bundle')) {
    await whenChanged('bundle', ['core', 'workflows', 'workers/bundle.ts', 'package-lock.json'], 'Bundling the workflows', () =>
      tool([path.join(root, 'dist', 'cli', 'build-bundle.js')]),
    );
  }
  if (needs.includes('admin')) await buildAdmin();
}

async function buildAdmin() {
  if (!fs.existsSync(path.join(root, 'admin', 'index.html'))) return say('No admin to build: admin/index.html is missing');
  await whenChanged('admin', ['admin', 'client', 'core', 'package-lock.json'], 'Building the admin', () =>
    tool([path.join(root, 'node_modules', 'vite', 'bin', 'vite.js'), 'build', 'admin', '--logLevel', 'warn']),
  );
}

/** Runs a build step unless the content of its inputs is that of its last success. */
async function whenChanged(name, inputs, title, work) {
  const stamp = path.join(root, 'dist', '.cache', `${name}.hash`);
  const hash = treeHash(inputs);
  if (readText(stamp) === hash && isOutputThere(name)) return;
  await withTicker(title, work);
  fs.writeFileSync(stamp, hash);
}

const OUTPUTS = {
  server: ['dist/cli/main.js'],
  bundle: ['dist/workflow-bundle.js'],
  admin: ['admin/dist/index.html', 'dist/admin/index.html'],
};
const isOutputThere = (name) => OUTPUTS[name].some((file) => fs.existsSync(path.join(root, file)));

function treeHash(inputs) {
  const hash = createHash('sha256');
  for (const input of inputs) {
    const at = path.join(root, input);
    if (!fs.existsSync(at)) continue;
    const files = fs.statSync(at).isFile()
      ? ['']
      : fs.readdirSync(at, { recursive: true, withFileTypes: true }).flatMap((entry) => insideOf(at, entry));
    for (const file of files.sort()) hash.update(`${input}/${file}\0`).update(fs.readFileSync(path.join(at, file)));
  }
  return hash.digest('hex');
}

function insideOf(at, entry) {
  const file = path.relative(at, path.join(entry.parentPath ?? entry.path, entry.name));
  return entry.isFile() && !/^(dist|node_modules)\//.test(file) ? [file] : [];
}

async function tool(args) {
  const { code, output } = await capture(process.execPath, args);
  if (code !== 0) throw new Stop(`${path.relative(root, args[0])} failed:\n${output.trim().split('\n').slice(-20).join('\n')}`);
}

/** Says what is going on, again every ten seconds, and how long it took. */
async function withTicker(title, work) {
  const started = Date.now();
  say(`${title} ...`);
  const ticker = setInterval(() => say(`${title} ... ${seconds(started)}`), 10_000);
  try {
    await work();
    say(`${title}: done in ${seconds(started)}`);
  } finally {
    clearInterval(ticker);
  }
}

function capture(program, args) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-20_000)));
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}

/** In this very process: a supervisor with one parent less to lose. */
async function commandLine(verb, args) {
  const { main: run } = await import(pathToFileURL(path.join(root, 'dist', 'cli', 'main.js')).href);
  process.exit(await run([verb, ...args]));
}

async function suite(args) {
  const found = await runNode([path.join(root, 'dist', 'cli', 'ensure-temporal.js')]);
  return found === 0 ? runNode([path.join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run', ...args]) : found;
}

function script(folder, [name, ...args]) {
  const files = fs.existsSync(path.join(root, folder))
    ? fs.readdirSync(path.join(root, folder)).filter((file) => file.endsWith('.ts'))
    : [];
  if (!files.includes(`${name}.ts`))
    throw new Stop(`Say which: ${files.map((file) => file.slice(0, -3)).join(', ') || `there is nothing in ${folder} yet`}.`);
  return runNode(['--import', 'tsx', path.join(root, folder, `${name}.ts`), ...args]);
}

/** A child on the same terminal; the terminal's Ctrl-C reaches it by itself, other signals are passed on. */
function runNode(args) {
  const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit' });
  const ignore = () => undefined;
  const pass = () => child.kill('SIGTERM');
  process.on('SIGINT', ignore).on('SIGTERM', pass);
  return new Promise((resolve) => {
    child.once('close', (code, signal) => {
      process.off('SIGINT', ignore).off('SIGTERM', pass);
      resolve(code ?? (signal === null ? 1 : 130));
    });
  });
}

function hashOf(file) {
  return createHash('sha256').update(fs.readFileSync(file)).digest('hex').slice(0, 20);
}

function readText(file) {
  try {
    return fs.readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function seconds(since) {
  return `${((Date.now() - since) / 1000).toFixed(1)} s`;
}

await main(process.argv.slice(2));
