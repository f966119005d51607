/** A target that answers something else than SQL does is not measured. */
import { deepStrictEqual } from 'node:assert';
import { config } from '../config.mjs';
import type { SampleIds } from '../lib/data.mjs';
import type { Expectations } from '../lib/expect.mjs';
import { send, type BenchRequest } from '../lib/http.mjs';
import { newTicket, ORDER, type Requests, type Scenario } from './scenarios.ts';

export interface Checked {
  readonly name: string;
  readonly port: number;
  readonly requests: Requests;
  readonly scenarios: readonly Scenario[];
  /** The answer without the target's own envelope; D as {id, customer: name, comments: count}. */
  view(scenario: Scenario, json: unknown): unknown;
}

type Row = Readonly<Record<string, unknown>>;

export async function checkAnswers(target: Checked, data: SampleIds, expected: Expectations): Promise<void> {
  const ask = async (scenario: Scenario, request: BenchRequest): Promise<unknown> => {
    config.port = target.port;
    const answer = await send(target, request);
    if (answer.status >= 300)
      throw new Error(`${target.name} ${scenario}: ${request.path} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
    return target.view(scenario, answer.json);
  };
  const { requests } = target;
  const id = data.ticketIds[0]!;
  const ticket = newTicket(data, 0);
  const checks: Record<Scenario, () => Promise<void>> = {
    A: async () => same(target, 'A', pick(await ask('A', requests.A(id)), expected.A), expected.A),
    B: async () => same(target, 'B', idsOf(await ask('B', requests.B('open'))), expected.B),
    C: async () => same(target, 'C', idsOf(await ask('C', requests.C(['open', 'pending']))), expected.C),
    D: async () => same(target, 'D', pick(await ask('D', requests.D(id)), expected.D), expected.D),
    E: async () => same(target, 'E', pick(await ask('E', requests.E(ticket)), ticket), ticket),
    F: async () => {
      const before = Number(expected.A['priority']);
      const after = { id, priority: 1 + (before % 5) };
      same(target, 'F', pick(await ask('F', requests.F(id, before)), after), after);
      await ask('F', requests.F(id, before - 1));
    },
    G: async () => {
      for (const region of [0, 1]) same(target, 'G', idsOf(await ask('G', requests.G(region))), expected.G[region]);
    },
  };
  for (const scenario of ORDER) if (target.scenarios.includes(scenario)) await checks[scenario]();
}

const idsOf = (rows: unknown): unknown => (Array.isArray(rows) ? rows.map((row: Row) => row['id']) : rows);
const pick = (row: unknown, keys: object): Row => Object.fromEntries(Object.keys(keys).map((key) => [key, (row as Row | null)?.[key]]));

function same(target: Checked, scenario: Scenario, actual: unknown, expected: unknown): void {
  try {
    deepStrictEqual(actual, structuredClone(expected));
  } catch (error) {
    throw new Error(`${target.name} answers ${scenario} wrongly: ${(error as Error).message}`, { cause: error });
  }
}
