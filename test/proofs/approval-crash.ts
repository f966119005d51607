/**
 * The product's first promise: a critical ticket waits for its approval through `kill -9` of the worker, the api and the Temporal
 * server; after the decision everything is killed at once inside the step that follows; the ticket is assigned exactly once and the
 * webhook's receiver has seen each change under one id, correctly signed, and missed none.
 *
 *   npm run prove -- approval-crash [--rounds 20] [--seed 7]
 */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { parseArgs } from 'node:util';
import { Webhook } from 'standardwebhooks';
import { eventually, signIn, type Caller, type Reply } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { Stack } from '../support/process.ts';
import { seeded, type Seeded } from '../support/seeded.ts';

export interface ApprovalCrashResult {
  readonly rounds: number;
  readonly seed: number;
  /** Milliseconds from the approval of a round to the assigned ticket, all processes killed in between. */
  readonly recoveryMs: readonly number[];
  readonly deliveries: number;
}

const QUIET_BETWEEN_ROUNDS_MS = 20_000;

interface Call {
  readonly id: string;
  readonly record: { readonly id: string; readonly status: string };
  readonly changes: Readonly<Record<string, { readonly new: unknown }>>;
  readonly action: string;
}

interface Receiver {
  readonly url: string;
  readonly calls: Call[];
  readonly badSignatures: string[];
  secret: string;
  close(): void;
}

export async function proveApprovalCrash(
  options: { rounds: number; seed: number },
  say: (line: string) => void,
): Promise<ApprovalCrashResult> {
  const chance = seeded(options.seed);
  const receiver = await startReceiver();
  const stack = await (await Stack.spawn()).ready();
  try {
    const world = await setUp(stack, receiver);
    const recoveryMs: number[] = [];
    const tickets: string[] = [];
    for (let round = 1; round <= options.rounds; round++) {
      // The supervisor gives up on a child that dies five times in a minute, and rightly so.
      if (round > 1) await new Promise((resolve) => setTimeout(resolve, QUIET_BETWEEN_ROUNDS_MS));
      const ticket = await raiseCriticalTicket(world);
      tickets.push(ticket);
      if (round === 1) await killInTurn(stack);
      recoveryMs.push(await approveAndKillAll(stack, world, ticket, chance, say));
      say(`round ${round}: assigned ${recoveryMs.at(-1)} ms after the approval`);
    }
    await checkDeliveries(receiver, tickets);
    await checkHistory(stack, tickets);
    return { rounds: options.rounds, seed: options.seed, recoveryMs, deliveries: receiver.calls.length };
  } finally {
    receiver.close();
    await stack.stop();
  }
}

interface World {
  readonly url: string;
  readonly agent: Caller;
  readonly lead: Caller;
  readonly customer: string;
}

async function setUp(stack: Stack, receiver: Receiver): Promise<World> {
  const admin = await signIn(stack.url, 'platform@localhost', 'changeme');
  for (const [email, roles] of [
    ['ann@desk.test', ['agent']],
    ['lea@desk.test', ['team_lead']],
  ] as const) {
    await admin('POST', '/api/helpdesk/_admin/users', { email, password: 'longer-password', roles });
  }
  const hook = await admin('POST', '/api/helpdesk/_admin/webhooks', {
    name: 'proof',
    entity: 'ticket',
    hook: 'after_write',
    url: receiver.url,
    retry: { max_attempts: 50, backoff: 'fixed', initial: '1s' },
  });
  demand(hook.status === 201, `creating the webhook answered ${hook.status}: ${JSON.stringify(hook.body)}`);
  receiver.secret = String(hook.at('data', 'secret'));
  const agent = await signIn(stack.url, 'ann@desk.test', 'longer-password', 'helpdesk');
  const lead = await signIn(stack.url, 'lea@desk.test', 'longer-password', 'helpdesk');
  const customers = await agent('GET', '/api/helpdesk/customer?per_page=1');
  return { url: stack.url, agent, lead, customer: String(customers.at('data', 0, 'id')) };
}

async function raiseCriticalTicket({ agent, customer }: World): Promise<string> {
  const created = await agent('POST', '/api/helpdesk/ticket', {
    title: 'Server room is flooding',
    description: 'Knee deep',
    customer_id: customer,
  });
  demand(created.status === 201, `creating the ticket answered ${created.status}: ${JSON.stringify(created.body)}`);
  const id = String(created.at('data', 'id'));
  const raised = await agent('PATCH', `/api/helpdesk/ticket/${id}`, { priority: 'critical' });
  demand(raised.status === 200, `raising the priority answered ${raised.status}`);
  return id;
}

/** The run about a ticket waits for the lead, however often it has to be asked. */
async function pendingRun(world: World, ticket: string): Promise<string> {
  const found = await eventually(
    async () => {
      const reply = await world.lead('GET', '/api/helpdesk/_workflows/pending?assignee=me').catch(() => undefined);
      return ((reply?.at('data') ?? []) as { id: string; record_id: string }[]).find?.((run) => run.record_id === ticket);
    },
    (run) => run !== undefined,
    60_000,
  );
  demand(found !== undefined, `no approval waits for ticket ${ticket}`);
  return found.id;
}

async function killInTurn(stack: Stack): Promise<void> {
  for (const name of ['worker', 'api', 'temporal'] as const) {
    await stack.revived(name, await stack.kill(name));
  }
}

/** The decision is under way, the step after it begins or has begun: everything dies at a random instant of that. */
async function approveAndKillAll(stack: Stack, world: World, ticket: string, chance: Seeded, say: (line: string) => void): Promise<number> {
  const run = await pendingRun(world, ticket);
  const approvedAt = Date.now();
  const answer = approve(world, run).catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, chance.between(5, 250)));
  const killed = await Promise.all(
    (['worker', 'api', 'temporal', 'postgres'] as const).map(async (name) => [name, await stack.kill(name)] as const),
  );
  for (const [name, pid] of killed) await stack.revived(name, pid, 60_000);
  if ((await answer)?.status !== 200) await decideAgain(world, run, say);
  const after = await eventually(
    async () => (await world.agent('GET', `/api/helpdesk/ticket/${ticket}`).catch(() => undefined))?.at('data', 'status'),
    (status) => status === 'assigned',
    60_000,
  );
  if (after !== 'assigned') {
    const state = await world.lead('GET', `/api/helpdesk/_workflows/${run}`);
    throw new Error(`ticket ${ticket} is ${String(after)} a minute after its approval; its run: ${JSON.stringify(state.body)}`);
  }
  return Date.now() - approvedAt;
}

const approve = (world: World, run: string): Promise<Reply> =>
  world.lead('POST', `/api/helpdesk/_workflows/${run}/approve`, { comment: 'go' });

/** Whoever got no answer repeats: either it counts now, or the run says that it has been decided. */
async function decideAgain(world: World, run: string, say: (line: string) => void): Promise<void> {
  const reply = await eventually(
    () => approve(world, run).catch(() => undefined),
    (answer) => answer !== undefined && answer.status < 500,
    60_000,
  );
  say(`the decision had no answer; repeated, it is answered ${reply?.status}`);
  const isDecided = reply?.status === 200 || (reply?.status === 422 && reply.at('error', 'code') === 'INVALID_STATE');
  demand(isDecided, `approving again answered ${reply?.status}: ${JSON.stringify(reply?.body)}`);
}

async function checkDeliveries(receiver: Receiver, tickets: readonly string[]): Promise<void> {
  const idsOf = (ticket: string): Set<string> => new Set(receiver.calls.filter((call) => call.record.id === ticket).map((call) => call.id));
  await eventually(
    async () => tickets.every((ticket) => idsOf(ticket).size >= 3),
    (complete) => complete,
    60_000,
  );
  demand(receiver.badSignatures.length === 0, `bad signatures: ${receiver.badSignatures.join(', ')}`);
  for (const ticket of tickets) {
    demand(idsOf(ticket).size === 3, `ticket ${ticket}: ${idsOf(ticket).size} different webhook ids for its 3 changes`);
    const own = receiver.calls.filter((call) => call.record.id === ticket);
    for (const wanted of ['create', 'priority', 'status']) {
      const matching = own.filter((call) => (wanted === 'create' ? call.action === 'create' : call.changes[wanted] !== undefined));
      demand(
        new Set(matching.map((call) => call.id)).size === 1,
        `ticket ${ticket}: the change "${wanted}" has ${matching.length} deliveries under several ids or none`,
      );
    }
  }
}

async function checkHistory(stack: Stack, tickets: readonly string[]): Promise<void> {
  const admin = await signIn(stack.url, 'platform@localhost', 'changeme');
  for (const ticket of tickets) {
    const reply = await admin('GET', `/api/helpdesk/ticket/${ticket}`);
    demand(
      /^"3-/.test(reply.headers.get('etag') ?? ''),
      `ticket ${ticket} has ETag ${String(reply.headers.get('etag'))}: it was written more or less than three times`,
    );
  }
}

async function startReceiver(): Promise<Receiver> {
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8');
      try {
        new Webhook(receiver.secret).verify(body, request.headers as Record<string, string>);
        receiver.calls.push(JSON.parse(body) as Call);
      } catch {
        receiver.badSignatures.push(String(request.headers['webhook-id']));
      }
      response.writeHead(204).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    calls: [],
    badSignatures: [],
    secret: '',
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return receiver;
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({
    options: { rounds: { type: 'string', default: '10' }, seed: { type: 'string', default: String(Date.now() % 100_000) } },
  });
  const say = (line: string): void => console.log(line);
  say(`approval-crash: ${values.rounds} rounds, seed ${values.seed}`);
  const result = await proveApprovalCrash({ rounds: Number(values.rounds), seed: Number(values.seed) }, say);
  const sorted = [...result.recoveryMs].sort((a, b) => a - b);
  say(
    `proved: ${result.rounds} rounds, ${result.deliveries} signed deliveries, recovery median ${sorted[Math.floor(sorted.length / 2)]} ms, worst ${sorted.at(-1)} ms`,
  );
}
