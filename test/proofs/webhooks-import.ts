/**
 * Many rows are imported whose creation starts a process each: no start is lost, and writes of another app take no longer than during
 * an import of as many rows that start nothing.
 *
 *   npm run prove -- webhooks-import [--rows 10000] [--drain]
 *
 * Starts leave at `settings.starts_per_second`; with `--drain` the proof waits until the last one has left.
 */
import { parseArgs } from 'node:util';
import { demand } from '../support/demand.ts';
import { rigOf, type Rig } from '../support/rig.ts';
import { proofApp, quantile, rounded, until, type ProofApp } from '../support/webhook-proof.ts';

export interface ImportResult {
  readonly rows: number;
  /** Milliseconds of writes of another app, meanwhile. */
  readonly plainP95: number;
  readonly triggeredP95: number;
  readonly plainSeconds: number;
  readonly triggeredSeconds: number;
  readonly started: number;
  readonly pending: number;
}

const ROWS = 500;

export async function proveImport(
  options: { rows: number; drain: boolean },
  say: (line: string) => void,
  shared?: Rig,
): Promise<ImportResult> {
  const { rig, release } = await rigOf(shared);
  let proof: ProofApp | undefined;
  let other: ProofApp | undefined;
  try {
    proof = await proofApp(rig, 'imports', DOCUMENT);
    other = await proofApp(rig, 'beside', { entities: [{ name: 'note', fields: [{ name: 'text', type: 'string' }] }] });
    const plain = await importBeside(proof, other, 'plain', options.rows);
    say(`${options.rows} rows that start nothing: ${plain.seconds.toFixed(1)} s, writes beside them p95 ${rounded(plain.p95)} ms`);
    const triggered = await importBeside(proof, other, 'triggered', options.rows);
    say(
      `${options.rows} rows that start a process each: ${triggered.seconds.toFixed(1)} s, writes beside them p95 ${rounded(triggered.p95)} ms`,
    );
    const decided = await until(
      'decided starts',
      () => starts(proof),
      (found) => found.all >= options.rows,
      60_000,
    );
    demand(decided.all === options.rows, `${decided.all} starts of ${options.rows} rows`);
    const after = options.drain
      ? await until(
          'started',
          () => starts(proof),
          (found) => found.pending === 0,
          600_000,
        )
      : await starts(proof);
    demand(after.failed === 0, `${after.failed} starts failed`);
    demand(after.started + after.pending === options.rows, 'a start was lost');
    say(`${after.started} processes have been started, ${after.pending} wait for their turn`);
    return {
      rows: options.rows,
      plainP95: plain.p95,
      triggeredP95: triggered.p95,
      plainSeconds: plain.seconds,
      triggeredSeconds: triggered.seconds,
      started: after.started,
      pending: after.pending,
    };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await proof?.database.end();
    await other?.database.end();
    await release();
  }
}

const DOCUMENT = {
  entities: ['plain', 'triggered'].map((name) => ({ name, fields: [{ name: 'n', type: 'int' }] })),
  workflows: [
    {
      name: 'on import',
      trigger: { type: 'record_created', entity: 'triggered' },
      steps: [{ id: 'look', type: 'condition', expression: 'record.n > 0', on_true: 'end', on_false: 'end' }],
    },
  ],
};

async function importBeside(proof: ProofApp, other: ProofApp, entity: string, rows: number): Promise<{ p95: number; seconds: number }> {
  let isOver = false;
  const times: number[] = [];
  const beside = (async () => {
    while (!isOver || times.length < 20) {
      const start = performance.now();
      const made = await other.admin('POST', '/api/beside/note', { text: 'meanwhile' });
      demand(made.status === 201, `a write beside the import answered ${made.status}: ${made.text}`);
      times.push(performance.now() - start);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  const started = performance.now();
  for (let from = 0; from < rows; from += ROWS) {
    const create = Array.from({ length: Math.min(ROWS, rows - from) }, (_, n) => ({ n: from + n }));
    const reply = await proof.admin('POST', `/api/imports/${entity}/_bulk`, { create });
    demand(reply.status < 300, `a bulk answered ${reply.status}: ${reply.text.slice(0, 300)}`);
  }
  const seconds = (performance.now() - started) / 1000;
  isOver = true;
  await beside;
  return { p95: quantile(times, 0.95), seconds };
}

async function starts(proof: ProofApp | undefined): Promise<{ all: number; started: number; pending: number; failed: number }> {
  const found = await proof?.database.query<{ all: number; started: number; pending: number; failed: number }>(
    `select count(*)::int as all, count(*) filter (where state = 'started')::int as started,
       count(*) filter (where state = 'pending')::int as pending, count(*) filter (where state = 'failed')::int as failed
     from ${proof.storage}._starts where kind = 'process'`,
  );
  return found?.rows[0] ?? { all: 0, started: 0, pending: 0, failed: 0 };
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '10000' }, drain: { type: 'boolean', default: false } } });
  const say = (line: string): void => console.log(line);
  say(`webhooks-import: ${values.rows} rows, twice`);
  const result = await proveImport({ rows: Number(values.rows), drain: values.drain }, say);
  say(
    `proved: writes beside it p95 ${rounded(result.plainP95)} ms and ${rounded(result.triggeredP95)} ms; no start of ${result.rows} lost`,
  );
}
