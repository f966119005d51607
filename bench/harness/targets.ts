/** The servers that are compared: two written by hand for exactly these requests, and Durabase. */
import type { BareContext, BareTarget } from '../targets/bare.mjs';
import { config } from '../config.mjs';
import { csvPath } from '../lib/data.mjs';
import { psql } from '../lib/pg.mjs';
import { freePort } from '../../infra/local/system.ts';
import { repositoryRoot } from '../../infra/local/repository.ts';
import fs from 'node:fs';
import type { Checked } from './check.ts';
import { startServer } from './processes.ts';
import { SCENARIOS, type Requests, type Scenario } from './scenarios.ts';
import { createApp, signIn, startApi, withStack, type Caller, type World } from './world.ts';

export interface Target extends Checked {
  readonly pid: number;
  /** Brings the data back to what was loaded, after the writes of a round. */
  restore(): void;
  /** Tokens live for minutes, a run for longer. */
  renew(): Promise<void>;
  stop(): Promise<void>;
}

/** Created rows are younger than any that was loaded. */
const RESTORE = (tickets: string): string => `delete from ${tickets} where created_at > '2025-08-01'`;

export async function bareTarget(world: World, module: string): Promise<Target> {
  const { default: target } = (await import(`../targets/${module}.target.mjs`)) as { default: BareTarget };
  const context: BareContext = { dir: repositoryRoot(), db: module.replaceAll('-', '_'), config };
  target.prepare(context);
  const port = await freePort();
  const { cmd, args, env } = target.start(context);
  const server = await startServer({
    name: target.name,
    command: cmd,
    args,
    env: { PATH: process.env['PATH'], ...env, PORT: String(port) },
    port,
    logFile: world.log(target.name),
  });
  world.onEnd(() => server.stop());
  const tokens = target.tokens(context);
  return {
    name: target.name,
    port,
    pid: server.pid,
    stop: () => server.stop(),
    scenarios: SCENARIOS,
    requests: { ...target.requests, G: (region) => target.requests.G(region, 0, { tokens }) },
    view: (scenario, json) => target.view(scenario, json),
    restore: () => void [RESTORE('tickets'), 'vacuum analyze tickets'].map((statement) => psql(context.db, statement)),
    renew: () => Promise.resolve(),
  };
}

const APP = 'bench';
const DATABASE = 'durabase';
const PASSWORD = 'a-password-of-the-bench';

/** schema.sql and schema-indexes.sql as a document; the same tables, columns and indexes. */
export const DOCUMENT = {
  version: 1,
  name: APP,
  roles: [{ name: 'agent' }, ...Array.from({ length: config.regions }, (_none, region) => ({ name: `r${region}` }))],
  entities: [
    {
      name: 'customer',
      table: 'customers',
      fields: [
        { name: 'name', type: 'string', required: true },
        { name: 'email', type: 'string', required: true },
        { name: 'region', type: 'string', required: true },
      ],
    },
    {
      name: 'ticket',
      table: 'tickets',
      indexes: [{ fields: ['status'] }, { fields: ['created_at'] }],
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'status', type: 'enum', enum: ['open', 'pending', 'resolved', 'closed'], required: true },
        { name: 'priority', type: 'int', min: 1, max: 5, required: true },
        { name: 'customer', type: 'relation', target: 'customer', required: true },
        { name: 'created_at', type: 'timestamp', auto: 'create' },
        { name: 'body', type: 'text' },
      ],
    },
    {
      name: 'comment',
      table: 'comments',
      fields: [
        { name: 'ticket', type: 'relation', target: 'ticket', required: true, on_delete: 'cascade' },
        { name: 'author', type: 'string', required: true },
        { name: 'body', type: 'text', required: true },
        { name: 'created_at', type: 'timestamp', auto: 'create' },
      ],
    },
  ],
  permissions: [
    { entity: '*', action: 'read', roles: ['agent'] },
    { entity: 'ticket', action: 'create', roles: ['agent'] },
    { entity: 'ticket', action: 'update', roles: ['agent'] },
    // Scenario G: a region is a role, and the one condition over the relation serves them all.
    {
      entity: 'ticket',
      action: 'read',
      roles: Array.from({ length: config.regions }, (_none, region) => `r${region}`),
      conditions: [{ field: 'customer.region', operator: 'eq', value: '$user.roles' }],
    },
  ],
};

/** Makes the app with Temporal and a worker, which end with that, and loads the data. Answers the schema its tables are in. */
export async function setUpDurabase(world: World): Promise<string> {
  psql('postgres', `create database ${DATABASE}`);
  await withStack(world, DATABASE, async ({ call }) => {
    await createApp(call, APP, DOCUMENT);
    await createUsers(call);
  });
  const storage = loadData(DATABASE, APP);
  psql(DATABASE, 'vacuum analyze');
  psql('postgres', 'checkpoint');
  return storage;
}

/** Fills the app's tables; answers the schema they are in. */
export function loadData(database: string, app: string): string {
  const storage = psql(database, `select storage from durabase.apps where name = '${app}'`);
  for (const table of ['customers', 'tickets', 'comments']) {
    const header = fs.readFileSync(csvPath(table), 'utf8').split('\n', 1)[0];
    psql(database, `\\copy ${storage}.${table} (${header}) from '${csvPath(table)}' with (format csv, header)`);
  }
  return storage;
}

async function createUsers(call: Caller): Promise<void> {
  const names = ['agent', ...Array.from({ length: config.regions }, (_none, region) => `r${region}`)];
  for (const name of names)
    await call('POST', `/api/${APP}/_admin/users`, { email: `${name}@bench.test`, password: PASSWORD, roles: [name] });
}

/** Twice the same api: asked as a user with plain grants (and in G as one of a region), and as an admin. */
export async function durabaseTargets(world: World, storage: string, options: { nodeArgs?: readonly string[] } = {}): Promise<Target[]> {
  const { api } = await startApi(world, DATABASE, options);
  const tokens = { agent: '', admin: '', regions: [] as string[] };
  const login = (name: string): Promise<string> => signIn(api.port, APP, `${name}@bench.test`, PASSWORD);
  const renew = async (): Promise<void> => {
    tokens.agent = await login('agent');
    tokens.admin = await signIn(api.port, '_platform', 'platform@bench.test', 'bench-platform-password');
    for (let region = 0; region < config.regions; region++) tokens.regions[region] = await login(`r${region}`);
  };
  await renew();
  const target = (name: string, token: () => string, scenarios: readonly Scenario[]): Target => ({
    name,
    port: api.port,
    pid: api.pid,
    stop: () => api.stop(),
    scenarios,
    renew,
    requests: durabaseRequests(APP, token, (region) => tokens.regions[region] ?? ''),
    view: viewOf,
    restore() {
      psql(DATABASE, RESTORE(`${storage}.tickets`));
      psql(DATABASE, `vacuum analyze ${storage}.tickets`);
    },
  });
  return [
    target('durabase', () => tokens.agent, SCENARIOS),
    target(
      'durabase-admin',
      () => tokens.admin,
      SCENARIOS.filter((scenario) => scenario !== 'G'),
    ),
  ];
}

export function durabaseRequests(app: string, token: () => string, regionToken: (region: number) => string): Requests {
  const tickets = `/api/${app}/ticket`;
  const headers = (): Record<string, string> => ({ authorization: `Bearer ${token()}` });
  const newest = 'sort=-created_at&per_page=25&count=none';
  return {
    A: (id) => ({ path: `${tickets}/${id}`, headers: headers() }),
    B: (status) => ({ path: `${tickets}?filter[status]=${status}&${newest}`, headers: headers() }),
    C: (statuses) => ({
      path: `${tickets}?filter[priority.gte]=3&filter[status.in]=${statuses.join(',')}&${newest}&page=3`,
      headers: headers(),
    }),
    D: (id) => ({ path: `${tickets}/${id}?include=customer,comments`, headers: headers() }),
    E: (ticket) => ({ method: 'POST', path: tickets, json: ticket, headers: headers() }),
    F: (id, index) => ({ method: 'PATCH', path: `${tickets}/${id}`, json: { priority: 1 + (index % 5) }, headers: headers() }),
    G: (region) => ({ path: `${tickets}?filter[status]=open&${newest}`, headers: { authorization: `Bearer ${regionToken(region)}` } }),
  };
}

function viewOf(scenario: Scenario, json: unknown): unknown {
  const { data } = json as { data: Record<string, unknown> };
  if (scenario !== 'D') return data;
  const { customer, comments } = data as { customer: { name: string }; comments: unknown[] };
  return { ...data, customer: customer.name, comments: comments.length };
}
