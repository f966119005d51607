/**
 * Temporal is stopped: reads and writes of plain data go on; a write that triggers a process is accepted and its process starts when
 * Temporal is back; approving and publishing answer 503 in the meantime.
 *
 *   npm run prove -- temporal-away
 */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { startTemporal } from '../../infra/local/temporal.ts';
import { eventually, signIn, type Caller } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Stack } from '../support/process.ts';

export interface TemporalAwayResult {
  readonly requests: number;
  readonly failedRequests: number;
  /** Milliseconds from Temporal's return to the approval that waits. */
  readonly startedAfterMs: number;
}

export async function proveTemporalAway(say: (line: string) => void): Promise<TemporalAwayResult> {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-away-'));
  const files = { file: path.join(dir, 'temporal.db'), logFile: path.join(dir, 'temporal.log') };
  let temporal = await startTemporal(files);
  const { port } = temporal;
  const stack = await (await Stack.spawn({ env: { TEMPORAL_ADDRESS: `127.0.0.1:${port}` } })).ready();
  try {
    const { agent, lead, admin, customer } = await people(stack);
    const waiting = await criticalTicket(agent, customer);
    const run = await pendingRun(lead, waiting);
    await temporal.stop();
    say('Temporal is stopped');
    const plain = await plainTraffic(agent, customer);
    const decided = await lead('POST', `/api/helpdesk/_workflows/${run}/approve`, {});
    demand(decided.status === 503 && decided.at('error', 'code') === 'UNAVAILABLE', `approving answered ${decided.status}, not 503`);
    const published = await admin('POST', '/api/helpdesk/_admin/entities', { name: 'away', fields: [{ name: 'title', type: 'string' }] });
    demand(published.status === 503, `publishing answered ${published.status}, not 503`);
    const missed = await criticalTicket(agent, customer);
    temporal = await startTemporal({ ...files, port });
    const backAt = Date.now();
    await pendingRun(lead, missed);
    const startedAfterMs = Date.now() - backAt;
    say(`the missed process waits for its approval ${startedAfterMs} ms after Temporal came back`);
    const again = await eventually(
      () => lead('POST', `/api/helpdesk/_workflows/${run}/approve`, {}),
      (reply) => reply.status < 500,
      30_000,
    );
    demand(again.status === 200, `approving after the return answered ${again.status}: ${JSON.stringify(again.body)}`);
    return { ...plain, startedAfterMs };
  } finally {
    await stack.stop();
    await temporal.stop();
    fs.rmSync(dir, { recursive: true, force: true });
  }
}

async function people(stack: Stack): Promise<{ agent: Caller; lead: Caller; admin: Caller; customer: string }> {
  const admin = await signIn(stack.url, 'platform@localhost', 'changeme');
  for (const [email, roles] of [
    ['ann@desk.test', ['agent']],
    ['lea@desk.test', ['team_lead']],
  ] as const) {
    await admin('POST', '/api/helpdesk/_admin/users', { email, password: 'longer-password', roles });
  }
  const agent = await signIn(stack.url, 'ann@desk.test', 'longer-password', 'helpdesk');
  const lead = await signIn(stack.url, 'lea@desk.test', 'longer-password', 'helpdesk');
  const customers = await agent('GET', '/api/helpdesk/customer?per_page=1');
  return { agent, lead, admin, customer: String(customers.at('data', 0, 'id')) };
}

async function criticalTicket(agent: Caller, customer: string): Promise<string> {
  const reply = await agent('POST', '/api/helpdesk/ticket', {
    title: 'Server room is flooding',
    description: 'Knee deep',
    priority: 'critical',
    customer_id: customer,
  });
  demand(reply.status === 201, `creating a critical ticket answered ${reply.status}: ${JSON.stringify(reply.body)}`);
  return String(reply.at('data', 'id'));
}

async function pendingRun(lead: Caller, ticket: string): Promise<string> {
  const run = await eventually(
    async () => {
      const reply = await lead('GET', '/api/helpdesk/_workflows/pending?assignee=me');
      return ((reply.at('data') ?? []) as { id: string; record_id: string }[]).find((one) => one.record_id === ticket);
    },
    (found) => found !== undefined,
    60_000,
  );
  demand(run !== undefined, `no approval waits for ticket ${ticket}`);
  return run.id;
}

/** Creates, updates and reads, as fast as one caller can, twenty of each. */
async function plainTraffic(agent: Caller, customer: string): Promise<{ requests: number; failedRequests: number }> {
  let requests = 0;
  let failedRequests = 0;
  const count = (status: number): void => {
    requests++;
    if (status >= 300) failedRequests++;
  };
  for (let i = 0; i < 20; i++) {
    const created = await agent('POST', '/api/helpdesk/ticket', { title: `Ticket number ${i}`, description: 'x', customer_id: customer });
    count(created.status);
    const path = `/api/helpdesk/ticket/${String(created.at('data', 'id'))}`;
    count((await agent('PATCH', path, { priority: 'high' })).status);
    count((await agent('GET', path)).status);
  }
  return { requests, failedRequests };
}

if (process.argv[1] === import.meta.filename) {
  const result = await proveTemporalAway((line) => console.log(line));
  console.log(
    `proved: ${result.requests} plain requests without Temporal, ${result.failedRequests} failed; the missed process started ${result.startedAfterMs} ms after its return`,
  );
}
