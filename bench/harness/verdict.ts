/** What a run is held to: the targets of docs/performance.md, and the ratios that were recorded when they were met last. */
import fs from 'node:fs';
import path from 'node:path';
import { geometricMean, median, of, ratio, type Sample } from './table.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/** The one that is judged. */
export const SUBJECT = 'durabase';

/** Whole CPU per request against the base of the same round. */
const MAX_RATIO = { reads: 1.15, G: 1.1, E: 1.8, F: 1.8 } as const;
const READS: readonly Scenario[] = ['A', 'B', 'C', 'D'];
const MAX_SPREAD = 4;
export const MAX_MEMORY_MIB = 200;
/** How far over its recorded ratio a scenario may be. */
const TOLERANCE = 1.15;

export interface Finding {
  readonly what: string;
  readonly found: number;
  readonly limit: number;
}

export const isMet = ({ found, limit }: Finding): boolean => found <= limit;

/** Each target and what was found; scenarios that did not run are left out. */
export function findings(samples: readonly Sample[]): Finding[] {
  const ratios = ratiosOf(samples);
  const reads = READS.flatMap((scenario) => ratios[scenario] ?? []);
  const found: Finding[] = [];
  if (reads.length === READS.length) found.push({ what: 'A to D, geometric mean', found: geometricMean(reads), limit: MAX_RATIO.reads });
  for (const scenario of ['G', 'E', 'F'] as const) {
    const value = ratios[scenario];
    if (value !== undefined) found.push({ what: scenario, found: value, limit: MAX_RATIO[scenario] });
  }
  for (const scenario of SCENARIOS) {
    const own = of(samples, SUBJECT, scenario);
    if (own.length === 0) continue;
    found.push({ what: `${scenario} p99 / p50`, found: median(own.map(({ p50Ms, p99Ms }) => p99Ms / p50Ms)), limit: MAX_SPREAD });
  }
  const memory = samples.filter(({ target }) => target === SUBJECT).map(({ memoryMiB }) => memoryMiB);
  if (memory.length > 0) found.push({ what: 'memory under load, MiB', found: Math.max(...memory), limit: MAX_MEMORY_MIB });
  return found;
}

export type Ratios = Partial<Record<Scenario, number>>;

export function ratiosOf(samples: readonly Sample[]): Ratios {
  return Object.fromEntries(
    SCENARIOS.flatMap((scenario) => {
      const found = ratio(samples, SUBJECT, scenario);
      return found === undefined ? [] : [[scenario, found]];
    }),
  );
}

const FILE = path.join(import.meta.dirname, '..', 'recorded.json');

/** Scenarios that did not run keep what was recorded of them. */
export function record(samples: readonly Sample[]): void {
  const rounded = Object.entries({ ...recorded(), ...ratiosOf(samples) }).map(([name, found]) => [name, Number(found.toFixed(2))]);
  fs.writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(rounded), undefined, 2)}\n`);
}

const recorded = (): Ratios => (fs.existsSync(FILE) ? (JSON.parse(fs.readFileSync(FILE, 'utf8')) as Ratios) : {});

/** The scenarios that have become dearer than they were when the ratios were recorded. */
export function regressions(samples: readonly Sample[]): Finding[] {
  const before = recorded();
  return Object.entries(ratiosOf(samples)).flatMap(([name, found]) => {
    const then = before[name as Scenario];
    return then === undefined ? [] : [{ what: name, found, limit: then * TOLERANCE }].filter((finding) => !isMet(finding));
  });
}
