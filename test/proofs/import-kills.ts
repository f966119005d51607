/**
 * Files that are checked, written and taken back while the worker is killed with -9, in the middle of a batch and behind it, Temporal
 * and Postgres now and then. Every row is there once, with one event and one run of what it triggers; what was changed is as it was
 * after the undo, and nothing that was made is left. Then, with nothing killed, how fast it is beside `_bulk`, and what memory it takes.
 *
 *   npm run prove -- import-kills [--rows 40000] [--kills 24] [--seed 7] [--measured 10000] [--many 200000]
 */
import fs from 'node:fs';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { eventually, type Caller, type Reply } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Rig, rigOf, type Part } from '../support/rig.ts';
import { seeded } from '../support/seeded.ts';
import { proofApp, until } from '../support/webhook-proof.ts';

export interface ImportKillsOptions {
  readonly rows: number;
  readonly kills: number;
  readonly seed: number;
}

export interface ImportKillsResult {
  readonly kills: number;
  readonly rows: number;
  readonly resumed: number;
  readonly findings: readonly string[];
}

const APP = 'importing';
/** Rows that were there before, and are changed by the file. */
const KNOWN = 300;
/** One row in so many starts a workflow. */
const TRIGGERING = 40;

const DOCUMENT = {
  entities: [
    {
      name: 'article',
      fields: [
        { name: 'code', type: 'string', unique: true, required: true },
        { name: 'title', type: 'string', required: true },
        { name: 'price', type: 'decimal', precision: 2 },
        { name: 'kind', type: 'string' },
      ],
    },
  ],
  workflows: [
    {
      name: 'special',
      trigger: { type: 'record_created', entity: 'article', condition: "kind = 'special'" },
      steps: [{ id: 'tell', type: 'action', actions: [{ type: 'notify', to: 'role:admin', message: 'special' }] }],
    },
  ],
};

/** Rows as CSV, with a bad one among every thousand where they are to be skipped. */
function csv(rows: number, bad: number): string {
  const lines = ['Code;Title;Price;Kind'];
  for (let index = 0; index < rows; index++) {
    const isBad = bad > 0 && index % bad === bad - 1;
    lines.push(
      `a${String(index)};${isBad ? '' : `"Article ${String(index)}"`};${String(index % 90)},50;${index % TRIGGERING === 0 ? 'special' : ''}`,
    );
  }
  return lines.join('\r\n');
}

const post = (admin: Caller, file: string, query: string): Promise<Reply> =>
  admin('POST', `/api/${APP}/article/_import?${query}`, file, { 'content-type': 'text/csv' });

interface Import {
  readonly id: string;
  readonly state: string;
  readonly counts: { readonly created: number; readonly updated: number; readonly failed: number };
  readonly undo: { readonly removed: number; readonly restored: number; readonly kept: number };
  readonly resumed: readonly unknown[];
  readonly progress: { readonly done: number };
  readonly created_at: string;
  readonly finished_at: string;
}

const isAtRest = ({ state }: Import): boolean => !['checking', 'running', 'undoing'].includes(state);

export async function proveImportKills(options: ImportKillsOptions, say: (line: string) => void, shared?: Rig): Promise<ImportKillsResult> {
  const { rig, release } = await rigOf(shared);
  try {
    const { admin, database, app, storage } = await proofApp(rig, APP, DOCUMENT);
    await database.end();
    const known = Array.from({ length: KNOWN }, (_, index) => ({
      code: `a${String(index * 7)}`,
      title: `Before ${String(index)}`,
      price: '1.00',
    }));
    const made = await admin('POST', `/api/${APP}/article/_bulk`, { create: known });
    demand(made.status === 200, `the first articles answered ${made.status}`);
    return await new Proof(rig, admin, { app, storage }, options, say).prove();
  } catch (error) {
    say(rig.lastLines());
    throw error;
  } finally {
    await release();
  }
}

class Proof {
  readonly #rig: Rig;
  readonly #admin: Caller;
  readonly #place: { readonly app: string; readonly storage: string };
  readonly #options: ImportKillsOptions;
  readonly #say: (line: string) => void;
  readonly #chance: ReturnType<typeof seeded>;
  readonly #findings: string[] = [];
  #kills = 0;
  #resumed = 0;

  constructor(rig: Rig, admin: Caller, place: { app: string; storage: string }, options: ImportKillsOptions, say: (line: string) => void) {
    this.#rig = rig;
    this.#admin = admin;
    this.#place = place;
    this.#options = options;
    this.#say = say;
    this.#chance = seeded(options.seed);
  }

  async prove(): Promise<ImportKillsResult> {
    const { rows, kills } = this.#options;
    const bad = 1_000;
    const skipped = Math.floor(rows / bad);
    const whole = await this.#import(csv(rows, 0), 'run=true&mode=upsert&on=code&decimal=,', kills / 4);
    this.#hold('the whole file', whole.counts, { created: rows - KNOWN, updated: KNOWN, failed: 0 });
    await this.#everyRowOnce(rows, 'after the import');
    await this.#undo(whole, kills / 4, { removed: rows - KNOWN, restored: KNOWN });
    await this.#asBefore('after its undo');
    const some = await this.#import(csv(rows, bad), 'run=true&on_error=skip&mode=upsert&on=code&decimal=,', kills / 4);
    this.#hold('the file with bad rows', some.counts, { created: rows - KNOWN - skipped, updated: KNOWN, failed: skipped });
    await this.#undo(some, kills / 4, { removed: rows - KNOWN - skipped, restored: KNOWN });
    await this.#asBefore('at the end');
    await this.#startsOnce();
    return { kills: this.#kills, rows, resumed: this.#resumed, findings: this.#findings };
  }

  #hold(what: string, found: object, wanted: object): void {
    for (const [name, value] of Object.entries(wanted)) {
      const is = (found as Readonly<Record<string, unknown>>)[name];
      if (is !== value) this.#findings.push(`${what}: ${name} is ${String(is)}, not ${String(value)}`);
    }
  }

  async #import(file: string, query: string, kills: number): Promise<Import> {
    const sent = await post(this.#admin, file, query);
    demand(sent.status === 202, `the import answered ${sent.status}: ${sent.text}`);
    const id = String(sent.at('data', 'id'));
    await this.#strike(id, ['import.check', 'import.run', 'import.run.uncommitted'], kills);
    const done = await this.#rested(id);
    if (done.state !== 'completed') this.#findings.push(`the import is ${done.state}: ${JSON.stringify(done)}`);
    return done;
  }

  async #undo({ id }: Import, kills: number, wanted: { readonly removed: number; readonly restored: number }): Promise<void> {
    const asked = await this.#admin('POST', `/api/${APP}/_imports/${id}/undo`);
    demand(asked.status === 202, `the undo answered ${asked.status}: ${asked.text}`);
    await this.#strike(id, ['import.undo'], kills);
    const done = await this.#rested(id);
    if (done.state !== 'undone') this.#findings.push(`the undo is ${done.state}: ${JSON.stringify(done)}`);
    this.#hold('the undo', done.undo, { ...wanted, kept: 0 });
    this.#resumed += done.resumed.length;
  }

  async #look(id: string): Promise<Import> {
    return (await this.#admin('GET', `/api/${APP}/_imports/${id}`)).at('data') as Import;
  }

  #rested = (id: string): Promise<Import> => until('an import that rests', () => this.#look(id), isAtRest, 240_000);

  /** Kills while the import is under way: mostly the worker at a named place, then Temporal or Postgres at any. */
  async #strike(id: string, places: readonly string[], kills: number): Promise<void> {
    for (let kill = 0; kill < kills && !isAtRest(await this.#look(id)); kill++) {
      const other: Part | undefined = this.#chance.next() < 0.15 ? (this.#chance.next() < 0.5 ? 'temporal' : 'postgres') : undefined;
      if (other !== undefined) {
        await this.#rig.kill(other);
        await this.#rig.up(other);
        this.#kills++;
        this.#say(`kill ${this.#kills}: ${other}`);
        continue;
      }
      const place = places[Math.floor(this.#chance.next() * places.length)] ?? '';
      const pass = 1 + Math.floor(this.#chance.next() * 4);
      await this.#rig.kill('worker');
      await this.#rig.up('worker', `${place}:${String(pass)}`);
      // A place of a task that is over is passed no more: then it is killed wherever it is.
      const died = await this.#rig.died('worker', 2_500);
      if (!died) await this.#rig.kill('worker');
      await this.#rig.up('worker');
      this.#kills++;
      this.#say(`kill ${this.#kills}: worker ${died ? `at ${place}, pass ${String(pass)}` : 'anywhere'}`);
    }
  }

  async #ask<Row extends pg.QueryResultRow>(text: string, values: readonly unknown[] = []): Promise<Row[]> {
    const client = new pg.Client({ connectionString: this.#rig.databaseUrl });
    await client.connect();
    try {
      return (await client.query<Row>(text, [...values])).rows;
    } finally {
      await client.end();
    }
  }

  async #everyRowOnce(rows: number, when: string): Promise<void> {
    const { app, storage } = this.#place;
    const [table] = await this.#ask<{ rows: number; codes: number }>(
      `select count(*)::int as rows, count(distinct code)::int as codes from "${storage}".article where title like 'Article %'`,
    );
    this.#hold(when, table ?? {}, { rows, codes: rows });
    const [log] = await this.#ask<{ created: number; updated: number; versions: number }>(
      `select count(*) filter (where action = 'create' and cause is not null)::int as created, count(*) filter (where action = 'update')::int as updated,
         count(distinct (record_id, record_version))::int as versions from durabase.events where app = $1 and entity = 'article'`,
      [app],
    );
    this.#hold(`${when}, events`, log ?? {}, { created: rows - KNOWN, updated: KNOWN, versions: rows + KNOWN });
  }

  async #asBefore(when: string): Promise<void> {
    const [table] = await this.#ask<{ rows: number; before: number }>(
      `select count(*)::int as rows, count(*) filter (where title like 'Before %' and price = 1 and kind is null)::int as before from "${this.#place.storage}".article`,
    );
    this.#hold(when, table ?? {}, { rows: KNOWN, before: KNOWN });
  }

  /** Each row that triggers has its own run, and no start is left. */
  async #startsOnce(): Promise<void> {
    const { app, storage } = this.#place;
    const left = `select count(*) filter (where state <> 'started')::int as left from "${storage}"._starts`;
    await until(
      'the starts',
      async () => (await this.#ask<{ left: number }>(left))[0]?.left ?? -1,
      (count) => count === 0,
      240_000,
    );
    // A run is written by its own first step, a moment after its start.
    const look = async (): Promise<{ events: number; runs: number; records: number } | undefined> => {
      const [row] = await this.#ask<{ events: number; runs: number; records: number }>(
        `select (select count(*)::int from durabase.events e where e.app = $1 and e.action = 'create' and e.record ->> 'kind' = 'special') as events,
           count(*)::int as runs, count(distinct record_id)::int as records from "${storage}"._runs`,
        [app],
      );
      return row;
    };
    const counted = await eventually(look, (row) => row !== undefined && row.runs >= row.events, 60_000);
    this.#hold('runs', counted ?? {}, { runs: counted?.events, records: counted?.events });
    if ((counted?.events ?? 0) === 0) this.#findings.push('nothing was triggered');
  }
}

// --- how fast ------------------------------------------------------------------------------------------------------------

export interface ImportFigures {
  readonly bulkMs: number;
  /** From the first byte sent to its end: written at once, and checked before. */
  readonly skipMs: number;
  readonly wholeMs: number;
}

/** The same rows by `_bulk`, a thousand at a time, and by an import. */
export async function measureImports(rows: number, rig: Rig): Promise<ImportFigures> {
  const { admin, database } = await proofApp(rig, `measured${String(rows)}`, { entities: DOCUMENT.entities });
  await database.end();
  const name = `measured${String(rows)}`;
  const time = async (work: () => Promise<void>): Promise<number> => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
  const bulkMs = await time(async () => {
    for (let from = 0; from < rows; from += 1_000) {
      const create = Array.from({ length: Math.min(1_000, rows - from) }, (_, index) => {
        const at = from + index;
        return {
          code: `b${String(at)}`,
          title: `Article ${String(at)}`,
          price: `${String(at % 90)}.50`,
          kind: at % TRIGGERING === 0 ? 'special' : null,
        };
      });
      const done = await admin('POST', `/api/${name}/article/_bulk`, { create });
      demand(done.status === 200, `_bulk answered ${done.status}: ${done.text.slice(0, 300)}`);
    }
  });
  const through = (query: string, prefix: string): Promise<number> =>
    time(async () => {
      const file = csv(rows, 0).replaceAll('\na', `\n${prefix}`);
      const sent = await admin('POST', `/api/${name}/article/_import?${query}&decimal=,`, file, { 'content-type': 'text/csv' });
      demand(sent.status === 202, `the import answered ${sent.status}: ${sent.text}`);
      const look = async (): Promise<Import> =>
        (await admin('GET', `/api/${name}/_imports/${String(sent.at('data', 'id'))}`)).at('data') as Import;
      const done = await until('the import', look, isAtRest, 600_000);
      demand(done.state === 'completed' && done.counts.created === rows, `the import is ${JSON.stringify(done)}`);
    });
  const skipMs = await through('run=true&on_error=skip', 's');
  const wholeMs = await through('run=true', 'w');
  return { bulkMs, skipMs, wholeMs };
}

const memoryOf = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0) / 1024;

/** The most memory in MB that worker and api have while a file of so many rows is imported, and what they had before. */
export async function measureMemory(rows: number, rig: Rig): Promise<Readonly<Record<'worker' | 'api', { before: number; most: number }>>> {
  const parts = ['worker', 'api'] as const;
  const found = { worker: { before: memoryOf(rig.pid('worker')), most: 0 }, api: { before: memoryOf(rig.pid('api')), most: 0 } };
  const timer = setInterval(() => {
    for (const part of parts) found[part].most = Math.max(found[part].most, memoryOf(rig.pid(part)));
  }, 100);
  try {
    await measureImports(rows, rig);
  } finally {
    clearInterval(timer);
  }
  return found;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: {
      rows: { type: 'string', default: '40000' },
      kills: { type: 'string', default: '24' },
      seed: { type: 'string', default: String(Date.now() % 100_000) },
      measured: { type: 'string', default: '10000' },
      many: { type: 'string', default: '200000' },
    },
  });
  const say = (line: string): void => console.log(line);
  say(`import-kills: ${values.rows} rows, ${values.kills} kills, seed ${values.seed}`);
  const result = await proveImportKills({ rows: Number(values.rows), kills: Number(values.kills), seed: Number(values.seed) }, say);
  say(`${result.kills} kills; each of ${result.rows} rows once, twice over; resumed ${result.resumed} times`);
  for (const finding of result.findings.slice(0, 20)) say(finding);
  demand(result.findings.length === 0, `${result.findings.length} findings, the first: ${result.findings[0] ?? ''}`);
  const rig = await Rig.start();
  try {
    const told = (ms: number): string => `${(ms / 1_000).toFixed(2)} s`;
    const figures = await measureImports(Number(values.measured), rig);
    say(
      `${values.measured} rows: _bulk ${told(figures.bulkMs)}; import with skip ${told(figures.skipMs)} (${(figures.skipMs / figures.bulkMs).toFixed(2)} of it), ` +
        `all or nothing ${told(figures.wholeMs)} (${(figures.wholeMs / figures.bulkMs).toFixed(2)})`,
    );
    const memory = await measureMemory(Number(values.many), rig);
    for (const [part, { before, most }] of Object.entries(memory))
      say(`${values.many} rows: ${part} ${before.toFixed(0)} MB before, ${most.toFixed(0)} MB at most`);
  } finally {
    await rig.stop();
  }
  say('proved');
}
