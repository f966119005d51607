/** What is asked: scenarios A to G of docs/performance.md, the same for every target. */
import { rng, STATUSES, text, type SampleIds } from '../lib/data.mjs';
import type { BenchRequest } from '../lib/http.mjs';

export const SCENARIOS = ['A', 'B', 'C', 'D', 'E', 'F', 'G'] as const;
export type Scenario = (typeof SCENARIOS)[number];

/** Writes last, so that reads of a round meet the data as it was loaded. */
export const ORDER: readonly Scenario[] = ['A', 'B', 'C', 'D', 'G', 'F', 'E'];

export const LABELS: Readonly<Record<Scenario, string>> = {
  A: 'get by id',
  B: 'list 25',
  C: 'filter + page 3',
  D: 'get + includes',
  E: 'create',
  F: 'update field',
  G: 'list, row-level permission',
};

export interface NewTicket {
  readonly title: string;
  readonly status: string;
  readonly priority: number;
  readonly customer_id: string;
  readonly body: string;
}

/** How a target spells the scenarios. */
export interface Requests {
  readonly A: (id: string) => BenchRequest;
  readonly B: (status: string) => BenchRequest;
  readonly C: (statuses: readonly string[]) => BenchRequest;
  readonly D: (id: string) => BenchRequest;
  readonly E: (ticket: NewTicket) => BenchRequest;
  readonly F: (id: string, index: number) => BenchRequest;
  /** Region r0 to r9 by number. */
  readonly G: (region: number) => BenchRequest;
}

export function newTicket(data: SampleIds, index: number): NewTicket {
  const random = rng(1000 + index);
  return {
    title: text(random, 40),
    status: STATUSES[index % STATUSES.length]!,
    priority: 1 + (index % 5),
    customer_id: data.customerIds[index % data.customerIds.length]!,
    body: text(random, 200),
  };
}

/** The distinct requests of one scenario, in the order they are sent. */
export function requestsOf(scenario: Scenario, requests: Requests, data: SampleIds, regions: number): BenchRequest[] {
  const ids = data.ticketIds;
  switch (scenario) {
    case 'A':
      return ids.map((id) => requests.A(id));
    case 'B':
      return [requests.B('open')];
    case 'C':
      return [requests.C(['open', 'pending'])];
    case 'D':
      return ids.map((id) => requests.D(id));
    case 'E':
      return ids.map((_id, index) => requests.E(newTicket(data, index)));
    case 'F':
      // Every id twice with another value: an update that changes nothing would be cheaper for whoever notices.
      return [0, 1].flatMap((turn) => ids.map((id, index) => requests.F(id, index + turn)));
    case 'G':
      return Array.from({ length: regions }, (_none, region) => requests.G(region));
  }
}
