/**
 * The README's tour as a mix of requests against the helpdesk example, beside a bare node:http + pg server, in one run:
 *
 *   npm run bench -- tour [--seconds 30] [--rounds 3]
 *
 * Ends with an error when a single request was answered wrongly.
 */
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { repositoryRoot } from '../infra/local/repository.ts';
import { freePort } from '../infra/local/system.ts';
import { config, pgUrl } from './config.mjs';
import { rawRequest, send, type BenchRequest } from './lib/http.mjs';
import { signJwt } from './lib/jwt.mjs';
import { psql } from './lib/pg.mjs';
import { bareTour, durabaseTour, mixOf, type HelpdeskIds, type Tour } from './helpdesk/mix.ts';
import { measure, writeRequests, type Measurement } from './harness/load.ts';
import { startServer } from './harness/processes.ts';
import { untilQuiet } from './harness/quiet.ts';
import { median, table, wholeMs } from './harness/table.ts';
import { createApp, pointSharedPartsAt, signIn, startApi, withStack, withWorld, type World } from './harness/world.ts';

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' }, rounds: { type: 'string', default: '3' } } });

const APP = 'helpdesk';
const DATABASE = 'durabase';
const BARE_DATABASE = 'bare_helpdesk';
const AGENT = { email: 'ann@desk.test', password: 'agent-ann-of-the-bench' };

interface Side {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  readonly tour: () => Promise<Tour>;
  restore(): void;
}

/** Both sides start from the same thousand tickets. */
const rowsSql = (schema: string): string => `
  delete from ${schema}.responses;
  delete from ${schema}.tickets;
  delete from ${schema}.customers;
  insert into ${schema}.customers (id, name, email, company)
    select md5('c' || n)::uuid, 'Customer ' || n, 'c' || n || '@example.test', 'Company ' || case when n % 2 = 0 then 'alpha' else 'one' end
    from generate_series(1, 100) n;
  insert into ${schema}.tickets (id, title, description, status, priority, category, customer_id)
    select md5('t' || n)::uuid, 'Ticket number ' || n, repeat('It does not work. ', 10), 'open', (array['low', 'medium', 'high', 'critical'])[1 + n % 4],
      'bug', md5('c' || (1 + n % 100))::uuid
    from generate_series(1, 1000) n;
  insert into ${schema}.responses (id, ticket_id, author_type, author_id, body)
    select md5('r' || n)::uuid, md5('t' || (1 + n % 1000))::uuid, 'agent', md5('c1')::uuid, 'Did you switch it off and on again?'
    from generate_series(1, 3000) n;`;

/** One by one: VACUUM runs in no transaction. */
function loadRows(database: string, schema: string): void {
  psql(database, rowsSql(schema));
  for (const name of ['customers', 'tickets', 'responses']) psql(database, `vacuum analyze ${schema}.${name}`);
}

async function durabaseSide(world: World): Promise<{ side: Side; discovery: string }> {
  psql('postgres', `create database ${DATABASE}`);
  const document: unknown = JSON.parse(fs.readFileSync(path.join(repositoryRoot(), 'examples', 'helpdesk-ticketing.json'), 'utf8'));
  await withStack(world, DATABASE, async ({ call }) => {
    await createApp(call, APP, document);
    await call('POST', `/api/${APP}/_admin/users`, { ...AGENT, roles: ['agent'] });
  });
  const schema = psql(DATABASE, `select storage from durabase.apps where name = '${APP}'`);
  const { api } = await startApi(world, DATABASE);
  const tour = async (): Promise<Tour> => durabaseTour(APP, await signIn(api.port, APP, AGENT.email, AGENT.password));
  config.port = api.port;
  const { text } = await send({}, (await tour()).discovery());
  return { side: { name: 'durabase', pid: api.pid, port: api.port, tour, restore: () => loadRows(DATABASE, schema) }, discovery: text };
}

async function bareSide(world: World, discovery: string): Promise<Side> {
  psql('postgres', `create database ${BARE_DATABASE}`);
  psql(BARE_DATABASE, fs.readFileSync(path.join(import.meta.dirname, 'helpdesk', 'bare-helpdesk.sql'), 'utf8'));
  const file = path.join(world.dir, 'discovery.json');
  fs.writeFileSync(file, discovery);
  const port = await freePort();
  const server = await startServer({
    name: 'bare-node',
    command: process.execPath,
    args: [path.join(import.meta.dirname, 'helpdesk', 'bare-helpdesk.mjs')],
    port,
    logFile: world.log('bare'),
    env: {
      PORT: String(port),
      DATABASE_URL: pgUrl(BARE_DATABASE),
      POOL: String(config.poolSize),
      SECRET: config.jwtSecret,
      DISCOVERY_FILE: file,
    },
  });
  world.onEnd(() => server.stop());
  const token = signJwt({ sub: 'ann' }, config.jwtSecret);
  return {
    name: server.name,
    pid: server.pid,
    port,
    tour: () => Promise.resolve(bareTour(token)),
    restore: () => loadRows(BARE_DATABASE, 'public'),
  };
}

/** What each kind of request must be answered with; a side that errs is not measured. */
async function check(side: Side, tour: Tour, { tickets, customers }: HelpdeskIds): Promise<void> {
  config.port = side.port;
  const ask = async (request: BenchRequest, status: number, isRight: (json: never) => boolean): Promise<void> => {
    const answer = await send({}, request);
    if (answer.status !== status || !isRight(answer.json as never))
      throw new Error(`${side.name}: ${request.path} answered ${answer.status}: ${answer.text.slice(0, 500)}`);
  };
  type Row = {
    readonly id: string;
    readonly category: string;
    readonly title: string;
    readonly customer: { readonly company: string };
    readonly responses: unknown[];
  };
  const [ticket, customer] = [tickets[0]!, customers[0]!];
  await ask(
    tour.listByPriority(),
    200,
    (json: { data: Row[]; meta: { total: number } }) => json.data.length === 3 && json.meta.total === 500,
  );
  await ask(
    tour.listByCompany(),
    200,
    ({ data: [row], meta }: { data: Row[]; meta: { total: number } }) =>
      row!.customer.company.includes('a') && row!.responses.length === 3 && meta.total > 0,
  );
  await ask(tour.get(ticket), 200, ({ data }: { data: Row }) => data.id === ticket);
  await ask(tour.create(customer), 201, ({ data }: { data: Row }) => data.title.startsWith('Printer'));
  await ask(tour.update(ticket, 'billing'), 200, ({ data }: { data: Row }) => data.category === 'billing');
  await ask(tour.refused(customer), 422, () => true);
  await ask(tour.discovery(), 200, ({ data }: { data: { entities: unknown[] } }) => data.entities.length === 4);
}

interface Round {
  readonly side: string;
  readonly measured: Measurement;
}

async function compare(world: World): Promise<Round[]> {
  pointSharedPartsAt(world);
  const { side: durabase, discovery } = await durabaseSide(world);
  const sides = [await bareSide(world, discovery), durabase];
  for (const side of sides) side.restore();
  const idsOf = (name: string): string[] => psql(BARE_DATABASE, `select id from ${name} order by id`).split('\n');
  const ids = { tickets: idsOf('tickets'), customers: idsOf('customers') };
  const rounds: Round[] = [];
  for (let round = 1; round <= Number(values.rounds); round++) {
    for (const side of round % 2 === 0 ? sides : [...sides].reverse()) {
      side.restore();
      const tour = await side.tour();
      await check(side, tour, ids);
      const file = writeRequests(
        path.join(world.dir, 'requests'),
        mixOf(tour, ids).map((request) => rawRequest({}, request)),
      );
      await untilQuiet(config.quietShare, config.quietWait);
      const load = { port: side.port, connections: config.connections, seconds: Number(values.seconds), file, alsoRight: 422 };
      const measured = await measure(config.wrk, load, { server: side.pid, postgres: world.postgres.pid }, config.warmup);
      console.error(`· round ${round} ${side.name}: ${JSON.stringify(measured)}`);
      if (measured.badStatus + measured.socketErrors > 0)
        throw new Error(`${side.name}: not every request was answered as it should be: ${JSON.stringify(measured)}`);
      rounds.push({ side: side.name, measured });
    }
  }
  return rounds;
}

const rounds = await withWorld(compare);
const rows = ['bare-node', 'durabase'].map((name) => {
  const found = rounds.filter(({ side }) => side === name).map(({ measured }) => measured);
  const of = (read: (measured: Measurement) => number, digits: number): string => median(found.map(read)).toFixed(digits);
  return [
    name,
    of(({ requests, seconds }) => requests / seconds, 0),
    of(({ p50Ms }) => p50Ms, 1),
    of(({ p99Ms }) => p99Ms, 1),
    of(({ serverMs }) => serverMs, 3),
    of(({ postgresMs }) => postgresMs, 3),
    of(wholeMs, 3),
    String(found.reduce((sum, { requests }) => sum + requests, 0)),
  ];
});
console.log(
  `\n${table(
    `The README tour, ${config.connections} connections, ${values.seconds} s, median of ${values.rounds}; no request failed`,
    ['server', 'requests/s', 'p50 ms', 'p99 ms', 'server CPU ms', 'Postgres CPU ms', 'whole CPU ms', 'requests'],
    rows,
  )}`,
);
