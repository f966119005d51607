/** The api over real HTTP with a relay beside it: what realtime needs of an installation. */
import pino from 'pino';
import { loadConfig } from '../../adapters/config.ts';
import { createServices, type RunningServices } from '../../operations/services.ts';
import { startRelay } from '../../workers/relay.ts';
import type { Loop } from '../../workers/loop.ts';
import { tokenOf } from './api.ts';
import { httpWorld, type HttpWorld } from './http-world.ts';
import { uuid } from './records.ts';
import { listen, type SseClient } from './sse.ts';

export const PASSWORD = 'correct horse';
export const USERS = [
  { id: uuid(0xa1), email: 'admin@x.test', roles: ['admin'] },
  { id: uuid(0xa2), email: 'ann@x.test', roles: ['agent'] },
  { id: uuid(0xa3), email: 'bob@x.test', roles: ['agent'] },
  { id: uuid(0xa4), email: 'eve@x.test', roles: ['nobody'] },
];

/** Agents see their own tickets, without the note; admins see all. */
export const DESK = {
  version: 1,
  entities: [
    {
      name: 'ticket',
      soft_delete: true,
      fields: [
        { name: 'title', type: 'string' },
        { name: 'status', type: 'enum', enum: ['open', 'closed'] },
        { name: 'owner', type: 'uuid' },
        { name: 'note', type: 'text' },
        { name: 'size', type: 'int' },
      ],
    },
    { name: 'secret', fields: [{ name: 'text', type: 'string' }] },
    { name: 'comment', fields: [{ name: 'text', type: 'string' }] },
    { name: 'plain', fields: [{ name: 'n', type: 'int' }] },
  ],
  relations: [
    {
      name: 'ticket_comments',
      type: 'one_to_many',
      source: 'ticket',
      target: 'comment',
      target_key: 'ticket_id',
      source_name: 'comments',
      target_name: 'ticket',
    },
  ],
  permissions: [
    {
      entity: 'ticket',
      action: 'read',
      roles: ['agent'],
      conditions: [{ field: 'owner', operator: 'eq', value: '$user.id' }],
      fields: { read: ['id', 'title', 'status', 'owner', 'size'] },
    },
    // Comments are seen by whoever sees to their ticket.
    { entity: 'comment', action: 'read', roles: ['agent'], conditions: [{ field: 'ticket.owner', operator: 'eq', value: '$user.id' }] },
    { entity: 'plain', action: '*', roles: ['agent'] },
    { entity: 'ticket', action: 'update', roles: ['agent'] },
  ],
};

export interface RealtimeWorld extends HttpWorld {
  readonly databaseUrl: string;
  readonly services: RunningServices;
  token(email: string): Promise<string>;
  stream(token: string, query?: string, headers?: Readonly<Record<string, string>>): Promise<SseClient>;
}

/** The relay of a database is started once, whoever serves it. */
export async function startRelayOn(databaseUrl: string): Promise<{ readonly relay: Loop; readonly services: RunningServices }> {
  const config = loadConfig({
    DATABASE_URL: databaseUrl,
    SECRET_KEY: 'k'.repeat(40),
    LOG_LEVEL: 'silent',
    NODE_ENV: 'test',
    TEMPORAL_ADDRESS: '127.0.0.1:9',
  });
  const services = await createServices(config, 'worker', pino({ level: process.env['TEST_LOG'] ?? 'silent' }));
  return { relay: startRelay(services), services };
}

export async function realtimeWorld(databaseUrl: string, env: Readonly<Record<string, string>> = {}): Promise<RealtimeWorld> {
  const world = await httpWorld(databaseUrl, env);
  const { relay, services } = await startRelayOn(databaseUrl);
  return {
    ...world,
    databaseUrl,
    services,
    token: (email) => tokenOf(world.url, email, PASSWORD, 'desk'),
    stream: (token, query = '', headers = {}) =>
      listen(`${world.url}/api/desk/_events${query === '' ? '' : `?${query}`}`, { authorization: `Bearer ${token}`, ...headers }),
    async close() {
      await relay.close();
      await services.close();
      await world.close();
    },
  };
}
