/**
 * Exports of many rows through a real api: every row is there once, unharmed; the api's memory stays flat and other reads go on
 * meanwhile; clients that leave, stop reading or are cut off cost no connection, and none mistakes a part for the whole.
 *
 *   npm run prove -- export [--rows 1000000]
 */
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { waitFor } from '../../infra/local/system.ts';
import { callerOf, signIn, type Caller } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { rigOf, type Rig } from '../support/rig.ts';

export interface ExportResult {
  readonly csv: Measured;
  readonly ndjson: Measured;
  /** Ordinary reads that were answered during the two exports. */
  readonly reads: number;
  readonly readP50Ms: number;
  readonly readP99Ms: number;
}

interface Measured {
  readonly rows: number;
  readonly megabytes: number;
  readonly seconds: number;
  readonly rssGrowthMb: number;
}

const MAX_RSS_GROWTH_MB = 150;

export interface ExportOptions {
  readonly rows: number;
  /** Also waits until a client that has stopped reading is cut off, which takes half a minute. */
  readonly waitsForStalled: boolean;
}

/** `shared` is an installation to export from, left running; without one it has its own. */
export async function proveExport(options: ExportOptions, say: (line: string) => void, shared?: Rig): Promise<ExportResult> {
  const { rig, release } = await rigOf(shared);
  const database = new pg.Client({ connectionString: rig.databaseUrl });
  try {
    await database.connect();
    const proof = await prepare(rig, database, options.rows);
    say(`${options.rows} rows are stored`);
    const reads = startReads(proof.admin);
    const csv = await measure(proof, 'csv');
    say(described('CSV', csv));
    const ndjson = await measure(proof, 'ndjson');
    say(described('ndjson', ndjson));
    const { failed, ms } = await reads.stop();
    demand(failed.length === 0, `plain reads failed meanwhile: ${failed[0] ?? ''}`);
    await answersHeadAndAccept(proof);
    await leavesEarly(proof);
    say('a client that left: its connection was freed');
    await isCutOff(proof);
    say('a database connection that broke: the client saw it');
    if (options.waitsForStalled) await stopsReading(proof);
    return { csv, ndjson, reads: ms.length, readP50Ms: at(ms, 0.5), readP99Ms: at(ms, 0.99) };
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await database.end();
    await release();
  }
}

interface Proof {
  readonly rig: Rig;
  readonly database: pg.Client;
  readonly admin: Caller;
  readonly token: string;
  readonly truth: Checked;
}

interface Checked {
  readonly rows: number;
  readonly sum: bigint;
}

const FIELDS = [
  { name: 'title', type: 'string' },
  { name: 'note', type: 'text' },
  { name: 'amount', type: 'decimal', precision: 2 },
  { name: 'size', type: 'int' },
  { name: 'done', type: 'boolean' },
  { name: 'seen_at', type: 'timestamp' },
  { name: 'meta', type: 'json' },
];

async function prepare(rig: Rig, database: pg.Client, rows: number): Promise<Proof> {
  const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
  const login = await callerOf(rig.url)('POST', '/api/_platform/auth/login', { email: 'platform@localhost', password: 'changeme' });
  for (const [path, body] of [
    ['_platform/apps', { name: 'warehouse' }],
    ['warehouse/_admin/entities', { name: 'thing', fields: FIELDS }],
  ] as const) {
    const made = await admin('POST', `/api/${path}`, body);
    demand(made.status === 201, `${path} answered ${made.status}`);
  }
  const found = await database.query<{ name: string }>(
    `select quote_ident(table_schema) || '.thing' as name from information_schema.tables where table_name = 'thing'`,
  );
  const table = found.rows[0]?.name ?? '';
  await database.query(
    `insert into ${table} (id, title, note, amount, size, done, seen_at, meta)
     select ('00000000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid,
       case n % 7 when 0 then null when 1 then '' when 2 then 'a,b "c"' when 3 then E'two\\nlines ' || n when 4 then 'Ünïcode ✓ ' || n else 'thing ' || n end,
       repeat('note ', (n % 20)::int), n * 1.25, n % 1000, n % 3 = 0, timestamptz '2026-01-01' + n * interval '1 second', jsonb_build_object('n', n)
     from generate_series(1, ${rows}) n`,
  );
  await database.query(`analyze ${table}`);
  const truth = await database.query<{ rows: string; sum: string }>(
    `select count(*) as rows, sum(('x' || left(md5(concat_ws('|', id, coalesce(title, '<null>'), note, amount, size, done, meta->>'n')), 8))::bit(32)::bigint) as sum from ${table}`,
  );
  const { rows: stored = '0', sum = '0' } = truth.rows[0] ?? {};
  return { rig, database, admin, token: String(login.at('data', 'access_token')), truth: { rows: Number(stored), sum: BigInt(sum) } };
}

type Format = 'csv' | 'ndjson';

async function measure(proof: Proof, format: Format): Promise<Measured> {
  const { rig, truth } = proof;
  const memory = watchMemory(rig.pid('api'));
  const began = performance.now();
  const check = format === 'csv' ? checkCsv() : checkNdjson();
  let bytes = 0;
  const response = await request(proof, format === 'csv' ? '_export.csv?formulas=keep' : '_export.ndjson');
  demand(response.statusCode === 200, `the export answered ${response.statusCode ?? 0}`);
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    check.take(chunk as Buffer);
  }
  const seconds = (performance.now() - began) / 1000;
  const found = check.end();
  const rssGrowthMb = memory.stop();
  demand(found.rows === truth.rows, `${found.rows} of ${truth.rows} rows arrived as ${format}`);
  demand(found.sum === truth.sum, `the rows that arrived as ${format} are not those that are stored`);
  demand(rssGrowthMb < MAX_RSS_GROWTH_MB, `the api grew by ${rssGrowthMb} MB`);
  return { rows: found.rows, megabytes: Math.round(bytes / 1e6), seconds: Math.round(seconds * 10) / 10, rssGrowthMb };
}

const described = (name: string, { rows, megabytes, seconds, rssGrowthMb }: Measured): string =>
  `${name}: ${rows} rows, ${megabytes} MB in ${seconds} s (${Math.round(rows / seconds)} rows/s), the api grew by at most ${rssGrowthMb} MB`;

function request({ rig, token }: Proof, path: string): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    const sent = http.get(
      `${rig.url}/api/warehouse/thing/${path}`,
      { headers: { authorization: `Bearer ${token}` }, agent: false },
      resolve,
    );
    sent.on('error', reject);
  });
}

/** The most the process has grown beyond where it began, in MB. */
function watchMemory(pid: number): { stop(): number } {
  const rss = (): number => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  const first = rss();
  let peak = first;
  const timer = setInterval(() => (peak = Math.max(peak, rss())), 50);
  return {
    stop() {
      clearInterval(timer);
      return Math.round((Math.max(peak, rss()) - first) / 1024);
    },
  };
}

interface Check {
  take(chunk: Buffer): void;
  end(): Checked;
}

/** What is summed up per row, the same in Postgres and here. */
const digest = (values: readonly string[]): bigint => BigInt(`0x${createHash('md5').update(values.join('|')).digest('hex').slice(0, 8)}`);

function checkNdjson(): Check {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let rest = '';
  let rows = 0;
  let sum = 0n;
  return {
    take(chunk) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        const row = JSON.parse(line) as Record<string, unknown> & { meta: { n: number } };
        rows += 1;
        sum += digest(
          [row['id'], row['title'] ?? '<null>', row['note'], row['amount'], row['size'], row['done'] === true ? 't' : 'f', row.meta.n].map(
            String,
          ),
        );
      }
    },
    end() {
      demand(rest === '', 'the last line does not end');
      return { rows, sum };
    },
  };
}

/** Reads RFC 4180 by itself, character by character: what the product writes is not checked by the product's own code. */
function checkCsv(): Check {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let header: string[] | undefined;
  let cells: (string | null)[] = [];
  let cell = '';
  let state: 'plain' | 'quoted' | 'closed' = 'plain';
  let rows = 0;
  let sum = 0n;
  const endCell = (): void => {
    cells.push(state === 'plain' && cell === '' ? null : cell);
    cell = '';
    state = 'plain';
  };
  const endRow = (): void => {
    if (header === undefined) header = cells.map(String);
    else {
      const of = (name: string): string | null => cells[header?.indexOf(name) ?? -1] ?? null;
      const { n } = JSON.parse(of('meta') ?? '{}') as { n: number };
      const values = [of('id'), of('title') ?? '<null>', of('note'), of('amount'), of('size'), of('done') === 'true' ? 't' : 'f', n];
      rows += 1;
      sum += digest(values.map((value) => String(value ?? '')));
    }
    cells = [];
  };
  return {
    take(chunk) {
      for (const char of decoder.decode(chunk, { stream: true })) {
        if (state === 'quoted') {
          if (char === '"') state = 'closed';
          else cell += char;
        } else if (char === '"') {
          if (state === 'closed') cell += '"';
          state = 'quoted';
        } else if (char === ',') endCell();
        else if (char === '\n') {
          endCell();
          endRow();
        } else if (char !== '\r') cell += char;
      }
    },
    end() {
      demand(cells.length === 0 && cell === '', 'the last line does not end');
      return { rows, sum };
    },
  };
}

/** A read every 20 ms, one after the other. */
function startReads(admin: Caller): { stop(): Promise<{ failed: string[]; ms: number[] }> } {
  const failed: string[] = [];
  const ms: number[] = [];
  let isOver = false;
  const loop = (async (): Promise<void> => {
    while (!isOver) {
      const began = performance.now();
      const reply = await admin('GET', '/api/warehouse/thing?per_page=10&count=none').catch((error: unknown) => ({
        status: 0,
        body: String(error),
      }));
      ms.push(performance.now() - began);
      if (reply.status !== 200) failed.push(`${reply.status} ${JSON.stringify(reply.body)}`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  })();
  return {
    async stop() {
      isOver = true;
      await loop;
      return { failed, ms };
    },
  };
}

/** Database connections that an export holds, working or waiting for its reader. */
async function held({ database }: Proof): Promise<number[]> {
  const { rows } = await database.query<{ pid: number }>(
    `select pid from pg_stat_activity where application_name = 'durabase-api' and query like 'fetch%' and state <> 'idle'`,
  );
  return rows.map(({ pid }) => pid);
}

const areFreed = (proof: Proof, timeoutMs: number): Promise<boolean> =>
  waitFor(async () => (await held(proof)).length === 0, timeoutMs, 50);

/** HEAD has the headers and begins nothing; `Accept` on the list means the same file. */
async function answersHeadAndAccept(proof: Proof): Promise<void> {
  const url = `${proof.rig.url}/api/warehouse/thing`;
  const authorization = `Bearer ${proof.token}`;
  const head = await fetch(`${url}/_export.csv`, { method: 'HEAD', headers: { authorization } });
  demand(head.status === 200 && (await head.text()) === '', `HEAD answered ${head.status} with a body or without success`);
  demand(/^attachment; filename="thing-.+\.csv"$/.test(head.headers.get('content-disposition') ?? ''), 'HEAD names no file');
  demand((await held(proof)).length === 0, 'HEAD holds a connection');
  const asked = await fetch(`${url}?limit=2&fields=size`, { headers: { authorization, accept: 'text/csv, application/json;q=0.5' } });
  demand((await asked.text()) === 'size\r\n1\r\n2\r\n', 'Accept: text/csv is not the CSV export');
  const json = await fetch(`${url}?per_page=2`, { headers: { authorization, accept: 'application/json, text/csv;q=0.5' } });
  demand(json.headers.get('content-type')?.startsWith('application/json') === true, 'a preference for JSON is not heeded');
}

async function leavesEarly(proof: Proof): Promise<void> {
  const response = await request(proof, '_export.ndjson');
  response.on('error', () => undefined);
  await new Promise((resolve) => response.once('data', resolve));
  demand((await held(proof)).length === 1, 'the export holds no connection while it runs');
  response.destroy();
  demand(await areFreed(proof, 5_000), 'the connection of a client that left was not freed');
}

async function isCutOff(proof: Proof): Promise<void> {
  const response = await request(proof, '_export.csv');
  response.pause();
  const [pid] = await held(proof);
  demand(pid !== undefined, 'the export holds no connection while it runs');
  await proof.database.query('select pg_terminate_backend($1)', [pid]);
  const ending = new Promise<string>((resolve) => {
    response.on('data', () => undefined);
    response.once('end', () => resolve('whole'));
    response.once('error', () => resolve('broken'));
  });
  response.resume();
  demand((await ending) === 'broken', 'an export whose database connection broke looked whole');
  demand((await proof.admin('GET', '/api/warehouse/thing?per_page=1')).status === 200, 'reads do not go on after a broken export');
}

async function stopsReading(proof: Proof): Promise<void> {
  const response = await request(proof, '_export.ndjson');
  response.on('error', () => undefined);
  response.pause();
  const began = performance.now();
  demand((await held(proof)).length === 1, 'the export holds no connection while it runs');
  demand(await areFreed(proof, 60_000), 'a client that stopped reading was not cut off');
  demand(performance.now() - began > 10_000, 'a client that paused for a moment was cut off');
  response.destroy();
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { rows: { type: 'string', default: '1000000' } } });
  const say = (line: string): void => console.log(line);
  const result = await proveExport({ rows: Number(values.rows), waitsForStalled: true }, say);
  say(
    `${result.reads} plain reads meanwhile, p50 ${result.readP50Ms} ms, p99 ${result.readP99Ms} ms; a client that stopped reading was cut off`,
  );
}
