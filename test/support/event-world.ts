/** One app's system tables and an event log to write into, with the services that follow it; no Temporal. */
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';
import pg from 'pg';
import { afterAll } from 'vitest';
import { loadConfig } from '../../adapters/config.ts';
import { appId } from '../../adapters/ids.ts';
import { migrateApp, migrateControl } from '../../adapters/postgres/migrate.ts';
import { readDocument } from '../../core/model/read-document.ts';
import { createServices, type RunningServices } from '../../operations/services.ts';
import { freshDatabase } from './database.ts';

export interface EventWorld {
  readonly services: RunningServices;
  readonly url: string;
  readonly app: string;
  readonly storage: string;
  /** Autocommit SQL as the owner. */
  query<Row extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<Row[]>;
  /** Writes one event as an operation would; on its own connection when one is given. */
  writeEvent(event: { recordId: string; version: number; title?: string; note?: string }, client?: pg.Client): Promise<void>;
  connect(): Promise<pg.Client>;
}

const SECRET_KEY = 'a key of the tests, of thirty-two characters or more';

export async function eventWorld(document: object): Promise<EventWorld> {
  const url = await freshDatabase();
  await migrateControl(url);
  const app = appId();
  const storage = `app_${app}`;
  const owner = new pg.Pool({ connectionString: url, max: 4 });
  await owner.query("insert into durabase.schemas (name, owner_app, latest_version) values ('desk', $1, 1)", [app]);
  await owner.query(
    "insert into durabase.schema_versions (schema_name, version, document, class, changes, hash, created_by) values ('desk', 1, $1, 'initial', '[]', '', '{}')",
    [JSON.stringify(readDocument(document))],
  );
  await owner.query(
    `insert into durabase.apps (id, name, display_name, storage, status, schema_name, served_version) values ($1, 'desk', 'Desk', $2, 'active', 'desk', 1)`,
    [app, storage],
  );
  await migrateApp(url, storage);
  const config = loadConfig({ DATABASE_URL: url, SECRET_KEY, LOG_LEVEL: 'silent', NODE_ENV: 'test', TEMPORAL_ADDRESS: '127.0.0.1:1' });
  const services = await createServices(config, 'worker', pino({ level: process.env['TEST_LOG'] ?? 'silent' }));
  afterAll(async () => {
    await services.close();
    await owner.end();
  });
  return {
    services,
    url,
    app,
    storage,
    query: async (text, values = []) => (await owner.query(text, values)).rows as never,
    async writeEvent({ recordId, version, title = 'a ticket', note = 'inner' }, client) {
      const text = `insert into durabase.events (app, entity, record_id, action, record_version, schema_version, actor, record, old)
        values ($1, 'ticket', $2, $3, $4, 1, '{"kind":"user","id":null,"roles":["agent"]}', $5, $6)`;
      const record = JSON.stringify({ id: recordId, title, note });
      const values = [
        app,
        recordId,
        version === 1 ? 'create' : 'update',
        version,
        record,
        version === 1 ? null : JSON.stringify({ title: 'before' }),
      ];
      await (client ?? owner).query(text, values);
    },
    async connect() {
      const client = new pg.Client({ connectionString: url });
      client.on('error', () => undefined);
      await client.connect();
      afterAll(() => client.end().catch(() => undefined));
      return client;
    },
  };
}

export interface Received {
  readonly path: string;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

export interface Receiver {
  readonly url: string;
  readonly received: Received[];
  /** Ends when there are at least `count`, or fails after ten seconds. */
  waitFor(count: number): Promise<void>;
}

export interface ReceiverAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A webhook receiver on loopback; `answer` decides what each call gets, and may take its time. */
export async function receiver(
  answer: (call: number, received: Received) => number | ReceiverAnswer | Promise<number | ReceiverAnswer> = () => 200,
): Promise<Receiver> {
  const received: Received[] = [];
  let changed: (() => void)[] = [];
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const call = { path: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString('utf8'), at: Date.now() };
      received.push(call);
      for (const tell of changed.splice(0)) tell();
      void Promise.resolve(answer(received.length, call)).then((given) => {
        const { status, headers = {}, body } = typeof given === 'number' ? { status: given } : given;
        response.writeHead(status, headers).end(body);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  afterAll(() => {
    changed = [];
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    async waitFor(count) {
      const deadline = Date.now() + 10_000;
      while (received.length < count) {
        const left = deadline - Date.now();
        if (left <= 0) throw new Error(`Received ${received.length} calls, waited for ${count}.`);
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left);
          changed.push(() => (clearTimeout(timer), resolve()));
        });
      }
    },
  };
}
