/**
 * An app under 50 requests a second has an entity defined, then a field, again and again, through HTTP: no request fails, and what
 * was defined is usable the moment its call returns.
 *
 *   npm run prove -- publish-load [--seconds 60] [--rate 50]
 */
import { parseArgs } from 'node:util';
import { signIn, type Caller, type Reply } from '../support/api.ts';
import { Rig } from '../support/rig.ts';

export interface PublishLoadResult {
  readonly requests: number;
  readonly failed: readonly string[];
  readonly publishes: number;
  readonly publishP50Ms: number;
  readonly publishWorstMs: number;
  readonly requestP50Ms: number;
  readonly requestP99Ms: number;
}

export async function provePublishLoad(
  options: { seconds: number; rate: number },
  say: (line: string) => void,
): Promise<PublishLoadResult> {
  const rig = await Rig.start();
  try {
    const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
    await wanted(admin('POST', '/api/_platform/apps', { name: 'desk' }), 201);
    await wanted(
      admin('POST', '/api/desk/_admin/entities', {
        name: 'ticket',
        fields: [
          { name: 'title', type: 'string' },
          { name: 'status', type: 'string', default: 'open' },
        ],
      }),
      201,
    );
    const first = String((await wanted(admin('POST', '/api/desk/ticket', { title: 'first' }), 201)).at('data', 'id'));
    say(`${options.rate} requests a second for ${options.seconds} s`);
    const load = startLoad(admin, first, options.rate);
    const publishMs = await publishUntil(admin, Date.now() + options.seconds * 1000);
    const { failed, ms } = await load.stop();
    return {
      requests: ms.length,
      failed,
      publishes: publishMs.length,
      publishP50Ms: at(publishMs, 0.5),
      publishWorstMs: at(publishMs, 1),
      requestP50Ms: at(ms, 0.5),
      requestP99Ms: at(ms, 0.99),
    };
  } finally {
    await rig.stop();
  }
}

/** Requests at a fixed rate, whatever the answers take: lists, single records, creations and changes in turn. */
function startLoad(admin: Caller, id: string, rate: number): { stop(): Promise<{ failed: string[]; ms: number[] }> } {
  const kinds: readonly (() => Promise<Reply>)[] = [
    () => admin('GET', '/api/desk/ticket?per_page=10&sort=title'),
    () => admin('GET', `/api/desk/ticket/${id}`),
    () => admin('POST', '/api/desk/ticket', { title: 'under load' }),
    () => admin('PATCH', `/api/desk/ticket/${id}`, { title: `changed ${Date.now()}` }),
    () => admin('GET', '/api/desk/ticket?filter[status]=open&per_page=5'),
  ];
  const failed: string[] = [];
  const ms: number[] = [];
  const open = new Set<Promise<void>>();
  let sent = 0;
  const one = async (): Promise<void> => {
    const kind = sent++ % kinds.length;
    const began = performance.now();
    try {
      const reply = await kinds[kind]?.();
      if (reply === undefined || reply.status >= 300) failed.push(`kind ${kind}: ${reply?.status} ${JSON.stringify(reply?.body)}`);
    } catch (error) {
      failed.push(`kind ${kind}: ${String(error)}`);
    }
    ms.push(performance.now() - began);
  };
  const began = performance.now();
  const timer = setInterval(() => {
    // A late timer sends what is due, so that the rate holds.
    for (let due = Math.floor(((performance.now() - began) * rate) / 1000) - sent; due > 0; due--) {
      const request = one().finally(() => open.delete(request));
      open.add(request);
    }
  }, 1000 / rate);
  return {
    async stop() {
      clearInterval(timer);
      await Promise.all(open);
      return { failed, ms };
    },
  };
}

/** Defines an entity, writes to it, gives it a field and the busy table one too, and writes both: each right after its definition. */
async function publishUntil(admin: Caller, end: number): Promise<number[]> {
  const took: number[] = [];
  const fields: object[] = [
    { name: 'title', type: 'string' },
    { name: 'status', type: 'string', default: 'open' },
  ];
  const publish = async (method: string, path: string, body: unknown, status: number): Promise<void> => {
    const began = performance.now();
    await wanted(admin(method, `/api/desk/_admin/${path}`, body), status);
    took.push(performance.now() - began);
  };
  for (let round = 1; Date.now() < end; round++) {
    const name = `thing_${round}`;
    await publish('POST', 'entities', { name, fields: [{ name: 'title', type: 'string' }] }, 201);
    await wanted(admin('POST', `/api/desk/${name}`, { title: 'new' }), 201);
    await publish(
      'PUT',
      `entities/${name}`,
      {
        name,
        fields: [
          { name: 'title', type: 'string' },
          { name: 'size', type: 'int', default: round },
        ],
      },
      200,
    );
    const made = await wanted(admin('POST', `/api/desk/${name}`, { title: 'newer' }), 201);
    if (made.at('data', 'size') !== round) throw new Error(`the new field's default is ${String(made.at('data', 'size'))}, not ${round}`);
    fields.push({ name: `field_${round}`, type: 'int' });
    await publish('PUT', 'entities/ticket', { name: 'ticket', fields }, 200);
    await wanted(admin('POST', '/api/desk/ticket', { title: 'with the field', [`field_${round}`]: round }), 201);
  }
  return took;
}

async function wanted(request: Promise<Reply>, status: number): Promise<Reply> {
  const reply = await request;
  if (reply.status !== status) throw new Error(`answered ${reply.status}, not ${status}: ${JSON.stringify(reply.body)}`);
  return reply;
}

function at(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

if (process.argv[1] === import.meta.filename) {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '60' }, rate: { type: 'string', default: '50' } } });
  const say = (line: string): void => console.log(line);
  const result = await provePublishLoad({ seconds: Number(values.seconds), rate: Number(values.rate) }, say);
  for (const failure of result.failed.slice(0, 10)) say(failure);
  say(
    `${result.requests} requests, ${result.failed.length} failed, p50 ${result.requestP50Ms} ms, p99 ${result.requestP99Ms} ms; ${result.publishes} publishes, p50 ${result.publishP50Ms} ms, worst ${result.publishWorstMs} ms`,
  );
  if (result.failed.length > 0) process.exitCode = 1;
}
