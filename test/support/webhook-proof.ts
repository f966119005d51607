/** What the proofs of webhooks share: an app made out of a document, and receivers that count. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import pg from 'pg';
import { eventually, signIn, type Caller } from './api.ts';
import { demand } from './demand.ts';
import type { Rig } from './rig.ts';

export interface ProofApp {
  readonly admin: Caller;
  readonly database: pg.Client;
  readonly app: string;
  /** The Postgres schema of the app. */
  readonly storage: string;
}

/** `database` must be ended by the caller. */
export async function proofApp(rig: Rig, name: string, document: object): Promise<ProofApp> {
  const admin = await signIn(rig.url, 'platform@localhost', 'changeme');
  const made = await admin('POST', '/api/_platform/apps', { name });
  demand(made.status === 201 || made.status === 202, `making the app answered ${made.status}: ${made.text}`);
  // 202: on a busy machine it is not there yet.
  const statusOf = async (): Promise<unknown> => (await admin('GET', `/api/_platform/apps/${name}`)).at('data', 'status');
  if (made.status === 202) await until('the app', statusOf, (status) => status === 'active', 60_000);
  const imported = await admin('POST', `/api/${name}/_admin/import`, { version: 1, ...document });
  demand(imported.status < 300, `importing the document answered ${imported.status}: ${imported.text}`);
  const database = new pg.Client({ connectionString: rig.databaseUrl });
  await database.connect();
  const { rows } = await database.query<{ id: string; storage: string }>('select id, storage from durabase.apps where name = $1', [name]);
  return { admin, database, app: rows[0]?.id ?? '', storage: rows[0]?.storage ?? '' };
}

export interface ProofCall {
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly at: number;
  /** `timestamp` is the beginning of the change's transaction. */
  readonly body: { readonly record: Readonly<Record<string, unknown>>; readonly timestamp: string };
}

export interface ProofReceiver {
  readonly url: string;
  readonly calls: ProofCall[];
  close(): void;
}

/** `hang` never answers, `cut` reads the call and closes the connection. */
export async function proofReceiver(answer: (call: ProofCall) => number | 'hang' | 'cut'): Promise<ProofReceiver> {
  const calls: ProofCall[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = {
        id: String(request.headers['webhook-id']),
        at: performance.timeOrigin + performance.now(),
        body: JSON.parse(Buffer.concat(chunks).toString('utf8')) as ProofCall['body'],
      };
      const given = answer(call);
      calls.push(call);
      if (given === 'cut') request.socket.destroy();
      else if (given !== 'hang') response.writeHead(given).end();
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    calls,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** `rate` calls of `act` a second, begun on time whether or not the ones before have ended. */
export async function openLoop(rate: number, seconds: number, act: (index: number) => Promise<void>): Promise<void> {
  const start = performance.now();
  const under: Promise<void>[] = [];
  for (let index = 0; index < rate * seconds; index++) {
    const wait = start + (index * 1000) / rate - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    under.push(act(index));
  }
  await Promise.all(under);
}

export const quantile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0;

export const rounded = (ms: number): string => ms.toFixed(ms < 10 ? 1 : 0);

/** Waits until `read` holds, and demands it. */
export async function until<T>(what: string, read: () => Promise<T>, holds: (value: T) => boolean, timeoutMs: number): Promise<T> {
  const found = await eventually(read, holds, timeoutMs);
  demand(holds(found), `${what}: still ${JSON.stringify(found)} after ${timeoutMs / 1000} s`);
  return found;
}
