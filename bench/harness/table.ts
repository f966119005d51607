/** Medians over rounds, ratios within a round, and the tables of docs/performance.md. */
import type { Measurement } from './load.ts';
import { LABELS, SCENARIOS, type Scenario } from './scenarios.ts';

export interface Sample extends Measurement {
  readonly target: string;
  readonly scenario: Scenario;
  readonly round: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : ((sorted[middle - 1] ?? NaN) + (sorted[middle] ?? NaN)) / 2;
}

export const geometricMean = (values: readonly number[]): number =>
  Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
export const wholeMs = (sample: Pick<Measurement, 'serverMs' | 'postgresMs'>): number => sample.serverMs + sample.postgresMs;

/** The target all others are compared with. */
export const BASE = 'bare-node-rows';
/** A run is void when the base's A costs more than this: the machine is busy. */
export const VOID_MS = 0.25;

export const of = (samples: readonly Sample[], target: string, scenario: Scenario): Sample[] =>
  samples.filter((sample) => sample.target === target && sample.scenario === scenario);

/** Each round's ratio to the base of the same round; the median of these. */
export function ratio(samples: readonly Sample[], target: string, scenario: Scenario): number | undefined {
  const bases = of(samples, BASE, scenario);
  const ratios = of(samples, target, scenario).flatMap((sample) => {
    const base = bases.find(({ round }) => round === sample.round);
    return base === undefined ? [] : [wholeMs(sample) / wholeMs(base)];
  });
  return ratios.length === 0 ? undefined : median(ratios);
}

export function isVoid(samples: readonly Sample[]): boolean {
  const base = of(samples, BASE, 'A');
  return base.length > 0 && median(base.map(wholeMs)) > VOID_MS;
}

export function report(samples: readonly Sample[]): string {
  const targets = [...new Set(samples.map(({ target }) => target))].sort();
  const used = SCENARIOS.filter((scenario) => samples.some((sample) => sample.scenario === scenario));
  const cell = (target: string, scenario: Scenario, show: (samples: Sample[]) => string): string => {
    const found = of(samples, target, scenario);
    return found.length === 0 ? '–' : show(found);
  };
  const section = (title: string, show: (samples: Sample[]) => string): string =>
    table(
      title,
      ['target', ...used.map((scenario) => `${scenario} ${LABELS[scenario]}`)],
      targets.map((target) => [target, ...used.map((scenario) => cell(target, scenario, show))]),
    );
  const mid = (found: readonly Sample[], key: keyof Measurement, digits: number): string =>
    median(found.map((sample) => sample[key])).toFixed(digits);
  return [
    section('Server CPU ms + Postgres CPU ms per request', (found) => `${mid(found, 'serverMs', 2)} + ${mid(found, 'postgresMs', 2)}`),
    ratios(samples, targets, used),
    section('Requests per second', (found) => median(found.map(({ requests, seconds }) => requests / seconds)).toFixed(0)),
    section(
      'Latency p50 / p99, ms (p99 / p50)',
      (found) =>
        `${mid(found, 'p50Ms', 1)} / ${mid(found, 'p99Ms', 1)} (${median(found.map(({ p50Ms, p99Ms }) => p99Ms / p50Ms)).toFixed(1)})`,
    ),
    section('Memory of the server under load, MiB (most of all rounds)', (found) =>
      Math.max(...found.map(({ memoryMiB }) => memoryMiB)).toFixed(0),
    ),
  ].join('\n');
}

function ratios(samples: readonly Sample[], targets: readonly string[], used: readonly Scenario[]): string {
  const rows = targets.map((target) => {
    const found = used.map((scenario) => ratio(samples, target, scenario));
    const known = found.filter((value) => value !== undefined);
    const mean = known.length === used.length ? geometricMean(known).toFixed(2) : `${geometricMean(known).toFixed(2)} (of ${known.length})`;
    return [target, ...found.map((value) => value?.toFixed(2) ?? '–'), mean];
  });
  return table(
    `Whole CPU (server + Postgres) per request, as a multiple of ${BASE} in the same round`,
    ['target', ...used, 'geometric mean'],
    rows,
  );
}

export function table(title: string, head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return `**${title}**\n\n${line(head)}|---|${head
    .slice(1)
    .map(() => '---:')
    .join('|')}|\n${rows.map(line).join('')}`;
}
