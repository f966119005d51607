/** `npm run check`: format, lint, types, architecture, known vulnerabilities. All of them run, two at a time; failures are shown whole. */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = (file) => [process.execPath, path.join(root, 'node_modules', file)];
const CACHE = path.join('node_modules', '.cache', 'durabase');

const STEPS = [
  {
    name: 'lint',
    command: [...bin('eslint/bin/eslint.js'), '.', '--cache', '--cache-location', path.join(CACHE, 'eslint'), '--max-warnings', '0'],
  },
  {
    name: 'types',
    command: [
      ...bin('typescript/bin/tsc'),
      '-p',
      '.',
      '--noEmit',
      '--incremental',
      '--tsBuildInfoFile',
      path.join(CACHE, 'types.tsbuildinfo'),
    ],
  },
  ...(fs.existsSync(path.join(root, 'admin', 'tsconfig.json'))
    ? ['admin', 'test/admin'].map((folder) => ({
        name: `types of ${folder}`,
        command: [...bin('typescript/bin/tsc'), '-p', folder, '--noEmit'],
      }))
    : []),
  {
    name: 'format',
    command: [
      ...bin('prettier/bin/prettier.cjs'),
      '--check',
      '--log-level',
      'warn',
      '--cache',
      '--cache-location',
      path.join(CACHE, 'prettier'),
      '.',
    ],
  },
  { name: 'architecture', command: [...bin('vitest/vitest.mjs'), 'run', '--mode', 'architecture', '--reporter', 'dot'] },
  {
    name: 'audit',
    command: [process.execPath, process.env.npm_execpath ?? '', 'audit', '--audit-level', 'high', '--json'],
    judge: judgeAudit,
  },
];

/** A registry that has no audit service, or none at all, proves nothing; one that answers decides. */
function judgeAudit(code, output) {
  try {
    const { metadata } = JSON.parse(output.slice(output.indexOf('{')));
    if (metadata?.vulnerabilities === undefined) return 'skipped';
    return metadata.vulnerabilities.high + metadata.vulnerabilities.critical === 0 ? 'passed' : 'failed';
  } catch {
    return 'skipped';
  }
}

const results = [];
const queue = STEPS.filter(({ name }) => name !== 'audit' || process.env.npm_execpath);
fs.mkdirSync(path.join(root, CACHE), { recursive: true });
await Promise.all([lane(), lane()]);
const failed = results.filter(({ outcome }) => outcome === 'failed');
console.log(`check: ${results.filter(({ outcome }) => outcome === 'passed').length} passed, ${failed.length} failed`);
process.exitCode = failed.length === 0 ? 0 : 1;

async function lane() {
  for (let step = queue.shift(); step !== undefined; step = queue.shift()) {
    const started = Date.now();
    const { code, output } = await run(step.command);
    const outcome = step.judge?.(code, output) ?? (code === 0 ? 'passed' : 'failed');
    results.push({ name: step.name, outcome });
    console.log(`${outcome.padEnd(7)} ${step.name} (${((Date.now() - started) / 1000).toFixed(1)} s)`);
    if (outcome === 'failed') console.log(output.trimEnd());
  }
}

function run([program, ...args]) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], timeout: 600_000 });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
    child.once('error', (error) => resolve({ code: 1, output: error.message }));
    child.once('close', (code) => resolve({ code, output }));
  });
}
