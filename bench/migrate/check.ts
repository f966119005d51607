/** Compares what is stored and what is answered with the journal, record by record. */
import { ask, columnsOf, disagreements, type App } from './app.ts';
import type { Journal, Track } from './journal.ts';
import type { Dialect } from './load.ts';
import type { Body, State } from './subject.ts';

export interface Finding {
  /** An acknowledged write is not there; something is there that nobody wrote or that was deleted; two shapes disagree. */
  readonly kind: 'lost' | 'wrong' | 'mismatch';
  readonly ref: number;
  readonly message: string;
}

/** All rows by SQL: those that are not as they were loaded must be as the journal says, and the journal's must be there. */
export async function checkStored(app: App, journal: Journal, served: Dialect): Promise<Finding[]> {
  const stored = await changedRows(app, journal.rows, served);
  const findings = [...stored].flatMap(([ref, found]) => judge(app, journal, served, ref, found));
  const { absent, total } = await presence(app, journal);
  for (const [ref, track] of journal.tracks) {
    if (stored.has(ref)) continue;
    // What is not among the changed rows is as it was loaded, or gone.
    const found = absent.has(ref) || ref > journal.rows ? null : app.subject.untouched(ref, served.shape);
    findings.push(...judge(app, journal, served, ref, found, track));
  }
  const expected = [...journal.tracks.values()].reduce((sum, track) => sum + balance(track, journal.rows), journal.rows);
  const doubt = [...journal.tracks.values()].filter((track) => track.allowed.includes(null) && track.allowed.length > 1).length;
  if (Math.abs(total - expected) > doubt)
    findings.push({ kind: total < expected ? 'lost' : 'wrong', ref: 0, message: `there are ${total} rows, not ${expected}` });
  return [...findings, ...(await checkHits(app, journal))];
}

const balance = (track: Track, rows: number): number => (track.allowed.at(-1) === null ? 0 : 1) - (track.ref <= rows ? 1 : 0);

async function changedRows(app: App, rows: number, { shape, version }: Dialect): Promise<Map<number, State>> {
  const stored = app.subject.storedSql(shape, await columnsOf(app, version), app.storage);
  const untouched = app.subject.untouchedSql(shape);
  const found = await ask<{ ref: string; state: State }>(
    app.databaseUrl,
    `select w.ref, to_jsonb(w) - 'ref' as state from (
       select t.ref, ${Object.entries(stored)
         .map(([member, text]) => `${text} as "${member}"`)
         .join(', ')} from ${app.table} t where t.ref > 0) w
     where w.ref > ${rows} or ${Object.entries(untouched)
       .map(([member, text]) => `w."${member}" is distinct from (${text})`)
       .join(' or ')}`,
  );
  return new Map(found.map(({ ref, state }) => [Number(ref), state]));
}

async function presence(app: App, journal: Journal): Promise<{ absent: Set<number>; total: number }> {
  const refs = [...journal.tracks.keys()];
  const missing = await ask<{ ref: string }>(
    app.databaseUrl,
    `select w.ref from unnest($1::bigint[]) as w(ref) where not exists (select from ${app.table} t where t.ref = w.ref)`,
    [refs],
  );
  const [count] = await ask<{ count: string }>(app.databaseUrl, `select count(*) from ${app.table} where ref > 0`);
  return { absent: new Set(missing.map((row) => Number(row.ref))), total: Number(count?.count) };
}

function judge(app: App, journal: Journal, served: Dialect, ref: number, found: State | null, known?: Track): Finding[] {
  const track = known ?? journal.tracks.get(ref);
  const label = `record ${ref} is ${JSON.stringify(found)}`;
  if (track === undefined) return [{ kind: 'wrong', ref, message: `${label}, and nobody wrote to it` }];
  if (track.allowed.some((expected) => isSame(app, expected, found, served))) return [];
  const message = `${label}, not ${track.allowed.map((expected) => JSON.stringify(expected)).join(' or ')}; ${journal.history(ref)}`;
  return [{ kind: found === null || isStale(track, found) ? 'lost' : 'wrong', ref, message }];
}

const isSame = ({ subject }: App, expected: State | null, found: State | null, { shape }: Dialect): boolean =>
  expected === null || found === null ? expected === found : subject.differences(expected, found, shape, shape).length === 0;

/** An older value stands where an acknowledged one should; what was deleted and is there again is no lost value. */
function isStale(track: Track, found: State): boolean {
  const expected = track.allowed[0];
  if (expected === null || expected === undefined) return false;
  return Object.keys(found)
    .filter((field) => !Object.is(expected[field], found[field]))
    .every((field) => track.past.some((past) => past !== null && Object.is(past[field], found[field])));
}

async function checkHits(app: App, journal: Journal): Promise<Finding[]> {
  const rows = await ask<{ ref: string; hits: number }>(app.databaseUrl, `select ref, hits from ${app.table} where ref = any($1)`, [
    [...journal.hits.keys()],
  ]);
  return [...journal.hits].flatMap(([ref, { acknowledged, unknown }]): Finding[] => {
    const hits = Number(rows.find((row) => Number(row.ref) === ref)?.hits ?? 0);
    if (hits >= acknowledged && hits <= acknowledged + unknown) return [];
    const message = `record ${ref} counts ${hits}; ${acknowledged} increments were acknowledged, ${unknown} had no answer`;
    return [{ kind: hits < acknowledged ? 'lost' : 'wrong', ref, message }];
  });
}

const PAGE = 100;
const LOOKS = 4;

/**
 * What each of the served shapes answers for every record of the journal, over HTTP. Records that somebody works on at the moment are
 * asked for again later: it may run beside the load.
 */
export async function checkAnswers(app: App, journal: Journal, dialects: readonly Dialect[]): Promise<Finding[]> {
  const findings: Finding[] = [];
  let waiting = [...journal.tracks.values()];
  for (let round = 0; waiting.length > 0 && round < 20; round++) {
    const later: Track[] = [];
    for (let at = 0; at < waiting.length; at += PAGE) {
      const page = waiting.slice(at, at + PAGE).filter((track) => {
        const isHeld = journal.holdThis(track);
        if (!isHeld && track.allowed.length === 1 && track.allowed[0] !== null) later.push(track);
        return isHeld;
      });
      findings.push(...(await checkPage(app, page, dialects)));
      page.forEach((track) => journal.release(track));
    }
    waiting = later;
  }
  return findings;
}

async function checkPage(app: App, page: readonly Track[], dialects: readonly Dialect[]): Promise<Finding[]> {
  if (page.length === 0) return [];
  const next = dialects.at(-1)!;
  const { subject } = app;
  const findings: Finding[] = [];
  for (const dialect of dialects) {
    const path = `/api/${app.name}/${subject.listPath(
      dialect.shape,
      page.map((track) => track.id ?? ''),
    )}`;
    const answer = await app.client.send('GET', path, { headers: { 'schema-version': String(dialect.version) } });
    if (answer.status !== 200)
      throw new Error(`listing in version ${dialect.version} answered ${answer.status}: ${answer.text.slice(0, 300)}`);
    const found = new Map((answer.data as Body[]).map((body) => [subject.idOf(dialect.shape, body), subject.said(dialect.shape, body)]));
    for (const track of page) {
      const [expected, answered] = [track.allowed[0]!, found.get(track.id ?? '')];
      if (answered !== undefined && subject.differences(expected, answered, dialect.shape, next.shape).length === 0) continue;
      const message = `version ${dialect.version} answers ${JSON.stringify(answered ?? null)} for record ${track.ref}, not ${JSON.stringify(expected)}`;
      findings.push({ kind: 'mismatch', ref: track.ref, message });
    }
  }
  return findings;
}

/** What the columns of the two shapes say, over all rows at one moment; where an instant may pass between them, at several. */
export async function checkAgreement(app: App, old: Dialect, next: Dialect): Promise<Finding[]> {
  const look = (): Promise<number[]> => disagreements(app, [old.shape, old.version], [next.shape, next.version]);
  let refs = await look();
  for (let again = 0; app.subject.isBehindAtTimes && refs.length > 0 && again < LOOKS; again++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    const still = await look();
    refs = refs.filter((ref) => still.includes(ref));
  }
  return refs.map((ref) => ({ kind: 'mismatch', ref, message: `the columns of record ${ref} disagree between the shapes` }));
}
