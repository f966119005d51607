/**
 * Thousands of hostile requests against every data route of a real api: each is refused (or, where it happens to be valid, answered)
 * quickly, never with a failure of ours, never with SQL or a stack, and they leave neither memory nor connections behind.
 *
 *   npm run prove -- hostile [--requests 10000] [--seed n]
 */
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { parseArgs } from 'node:util';
import pg from 'pg';
import { callerOf, signIn, type Reply } from '../support/api.ts';
import { demand } from '../support/demand.ts';
import { HELPDESK } from '../support/helpdesk.ts';
import { BROKEN_HTTP, hostileRequest, randomOf, type HostileRequest } from '../support/hostile-requests.ts';
import { nearlyValid, ticketId, type Targets } from '../support/nearly-valid.ts';
import { rigOf, type Rig } from '../support/rig.ts';

export interface HostileResult {
  readonly requests: number;
  readonly byStatus: Readonly<Record<string, number>>;
  readonly faults: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly rssGrowthMb: number;
}

const MAX_MS = 50;
const MAX_RSS_GROWTH_MB = 150;
const WARM_UP = 300;
/** The share of requests with one mistake in an otherwise right request. */
const NEARLY_VALID = 0.6;
const APP = 'desk';
const PASSWORD = 'a long password';

export interface HostileOptions {
  readonly requests: number;
  readonly seed: number;
}

/** `shared` is an installation to attack, left running; without one it has its own. */
export async function proveHostile(options: HostileOptions, say: (line: string) => void, shared?: Rig): Promise<HostileResult> {
  const { rig, release } = await rigOf(shared);
  const database = new pg.Client({ connectionString: rig.databaseUrl });
  try {
    await database.connect();
    say(`seed ${options.seed}, ${options.requests} requests`);
    const { targets, tokens } = await prepare(rig);
    const attack = new Attack(rig, tokens);
    const random = randomOf(options.seed);
    const next = (): HostileRequest => (random() < NEARLY_VALID ? nearlyValid(random, targets) : hostileRequest(random, APP));
    for (let sent = 0; sent < WARM_UP; sent++) await attack.send(next());
    const before = rssMb(rig);
    for (let sent = WARM_UP; sent < options.requests; sent++) await attack.send(next());
    for (const bytes of BROKEN_HTTP) await sendBytes(rig, bytes);
    demand((await fetch(`${rig.url}/health/ready`)).status === 200, 'the api does not serve any more');
    const rssGrowthMb = rssMb(rig) - before;
    const { rows } = await database.query<{ open: number; busy: number }>(
      `select count(*)::int as open, count(*) filter (where state <> 'idle')::int as busy from pg_stat_activity where application_name = 'durabase-api'`,
    );
    demand((rows[0]?.busy ?? 0) === 0, `${rows[0]?.busy ?? 0} database connections are still busy`);
    demand((rows[0]?.open ?? 0) <= 41, `${rows[0]?.open ?? 0} database connections are open`);
    demand(rssGrowthMb < MAX_RSS_GROWTH_MB, `the api grew by ${rssGrowthMb} MB`);
    return { ...attack.result(), rssGrowthMb };
  } finally {
    await database.end();
    await release();
  }
}

type Tokens = Readonly<Record<HostileRequest['caller'], string | undefined>>;

async function prepare(rig: Rig): Promise<{ targets: Targets; tokens: Tokens }> {
  const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
  const wanted = async (method: string, path: string, body: unknown): Promise<Reply> => {
    const reply = await admin(method, `/api/${path}`, body);
    demand(reply.status < 300, `${path} answered ${reply.status}: ${JSON.stringify(reply.body)}`);
    return reply;
  };
  const made = async (path: string, body: unknown, answer = 'id'): Promise<string> =>
    String((await wanted('POST', `${APP}/${path}`, body)).at('data', answer));
  await wanted('POST', '_platform/apps', { name: APP });
  await wanted('POST', `${APP}/_admin/import?mode=replace`, {
    ...HELPDESK,
    // A slug must be unique; reading tests, which make their own tables, do not care.
    entities: HELPDESK.entities.map((entity) => ({
      ...entity,
      fields: entity.fields.map((field) => (field.name === 'slug' ? { ...field, unique: true } : field)),
    })),
    permissions: [
      { entity: 'ticket', action: '*', roles: ['customer'], conditions: [{ field: 'owner_id', operator: 'eq', value: '$user.id' }] },
      { entity: 'ticket', action: 'read', roles: ['customer'], fields: { read: ['title', 'status', 'customer_id'] } },
      { entity: 'customer', action: 'read', roles: ['customer'], conditions: [{ field: 'name', operator: 'neq', value: 'hidden' }] },
    ],
  });
  const user = (email: string): Promise<string> => made('_admin/users', { email, password: PASSWORD, roles: ['customer'] });
  const key = { name: 'a program', scopes: ['*:*', '_workflows:read'], roles: ['customer'] };
  const targets: Targets = {
    app: APP,
    customer: await user('c@example.com'),
    user: await user('spare@example.com'),
    key: await made('_admin/api-keys', key),
    invite: await made('_admin/invites', { email: 'invited@example.com', roles: ['customer'] }),
  };
  await user('leaver@example.com');
  await wanted('POST', `${APP}/customer`, { name: 'First', email: 'a@example.com' });
  for (let n = 0; n < 40; n++) {
    await wanted('POST', `${APP}/ticket`, {
      id: ticketId(n),
      title: `ticket ${n}`,
      priority: n,
      price: '1.50',
    });
  }
  const sign = async (realm: string, email: string, password: string): Promise<string> =>
    String((await callerOf(rig.url)('POST', `/api/${realm}/auth/login`, { email, password })).at('data', 'access_token'));
  const tokens: Tokens = {
    admin: await sign('_platform', 'platform@localhost', 'changeme'),
    customer: await sign(APP, 'c@example.com', PASSWORD),
    program: await made('_admin/api-keys', key, 'key'),
    leaver: await sign(APP, 'leaver@example.com', PASSWORD),
    nobody: undefined,
    forger: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.',
  };
  return { targets, tokens };
}

const rssMb = (rig: Rig): number =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${rig.pid('api')}/status`, 'utf8'))?.[1] ?? 0) / 1024);

/** Sends bytes as they are; resolves with the first answer, the end of the connection, or after a moment of silence. */
function sendBytes(rig: Rig, bytes: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(Number(new URL(rig.url).port), '127.0.0.1', () => socket.write(Buffer.from(bytes, 'latin1')));
    const done = (): void => {
      socket.destroy();
      resolve();
    };
    socket.setTimeout(1_000, done).on('data', done).on('error', done).on('close', done);
  });
}

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly ms: number;
}

/** What no answer may hold: SQL, its errors, stacks and paths of ours. */
const LEAK =
  /syntax error at|pg_catalog|does not exist at character|\bselect\b[^"]{0,200}\bfrom\b "|\n\s+at .+:\d+:\d+|node_modules|(?<!")\/(?:api|core|operations)\/[\w/-]+\.[jt]s\b|ECONNREFUSED/i;

/** Commands that a busy engine may put off. */
const TEMPORAL_BOUND = /^\/api\/desk\/_workflows\//;
/** Hashing a password, or comparing one, is slow on purpose, and must not tell by its time whether there is such an account. */
const HASHES_A_PASSWORD = /^\/api\/\w+\/(?:auth\/(?:login|password|register|reset|verify|accept-invite)|_admin\/users)\b/;
const HASHING_MS = 1_000;
/** The refusal of a bulk names the clashes of every row, so it has done the work of them all. */
const MANY_ROWS = /\/_(?:bulk|batch)\b/;
const ROW_MS = 1;
/** What the database refuses it has been sent before. */
const KILOBYTE_MS = 0.2;

function mostMs({ path, body }: HostileRequest, status: number): number {
  if (HASHES_A_PASSWORD.test(path)) return HASHING_MS;
  const bytes = status === 409 || status === 422 ? (body?.length ?? 0) : 0;
  return MAX_MS + (MANY_ROWS.test(path) ? ROW_MS * Math.min(1_000, bytes / 25) : (KILOBYTE_MS * bytes) / 1024);
}

class Attack {
  readonly #rig: Rig;
  readonly #tokens: Tokens;
  readonly #agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  readonly #faults: string[] = [];
  readonly #ms: number[] = [];
  readonly #byStatus: Record<string, number> = {};

  constructor(rig: Rig, tokens: Tokens) {
    this.#rig = rig;
    this.#tokens = tokens;
  }

  async send(request: HostileRequest): Promise<void> {
    let reply = await this.#once(request);
    this.#byStatus[reply.status] = (this.#byStatus[reply.status] ?? 0) + 1;
    // The machine is shared: slow once is slow only if it stays so. What was written must not be written again.
    for (let attempt = 0; attempt < 4 && reply.ms > mostMs(request, reply.status) && reply.status >= 400; attempt++) {
      const again = await this.#once(request);
      if (again.ms < reply.ms) reply = again;
    }
    this.#ms.push(reply.ms);
    const fault = this.#faultOf(request, reply);
    if (fault === undefined || this.#faults.length >= 100) return;
    const { method, path, headers, body, caller } = request;
    this.#faults.push(
      `${fault}: ${caller} ${method} ${path.slice(0, 300)} ${JSON.stringify(headers).slice(0, 200)} ${body?.toString('utf8').slice(0, 300) ?? ''} -> ${reply.status} ${reply.text.slice(0, 300)}`,
    );
  }

  result(): Omit<HostileResult, 'rssGrowthMb'> {
    const sorted = this.#ms.toSorted((a, b) => a - b);
    const at = (share: number): number =>
      Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;
    return { requests: sorted.length, byStatus: this.#byStatus, faults: this.#faults, p50Ms: at(0.5), p99Ms: at(0.99), worstMs: at(1) };
  }

  #faultOf(request: HostileRequest, { status, text, ms }: Answered): string | undefined {
    if (status === 503 && TEMPORAL_BOUND.test(request.path)) return undefined;
    if (status >= 500 || status === 0) return 'a failure of ours';
    if (LEAK.test(text)) return 'an answer that shows the inside';
    // A valid write may wait for a workflow; what is refused has no reason to be slow.
    if (ms > mostMs(request, status) && status >= 400) return `slow (${Math.round(ms)} ms)`;
    return undefined;
  }

  #once({ method, path, headers, body, caller }: HostileRequest): Promise<Answered> {
    const token = this.#tokens[caller];
    const began = performance.now();
    return new Promise((resolve) => {
      const done = (status: number, text: string): void => resolve({ status, text, ms: performance.now() - began });
      const request = http.request(
        `${this.#rig.url}/`,
        {
          method,
          path,
          agent: this.#agent,
          headers: {
            ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
            ...headers,
            ...(body === undefined ? {} : { 'content-length': body.length }),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => done(response.statusCode ?? 0, Buffer.concat(chunks).toString('utf8')));
          response.once('error', (error) => done(0, String(error)));
        },
      );
      request.once('error', (error) => done(0, String(error)));
      request.end(body);
    });
  }
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { requests: { type: 'string', default: '10000' }, seed: { type: 'string' } } });
  const say = (line: string): void => console.log(line);
  const result = await proveHostile({ requests: Number(values.requests), seed: Number(values.seed ?? Date.now() % 1_000_000) }, say);
  for (const fault of result.faults) say(fault);
  say(`${result.requests} requests, ${result.faults.length} faults; by status ${JSON.stringify(result.byStatus)}`);
  say(`p50 ${result.p50Ms} ms, p99 ${result.p99Ms} ms, worst ${result.worstMs} ms; the api grew by ${result.rssGrowthMb} MB`);
  if (result.faults.length > 0) process.exitCode = 1;
}
