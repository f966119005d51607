/** Imports as clients see them. */
import { expect, vi } from 'vitest';
import { complaintsAbout } from '../support/openapi-check.ts';
import type { Reply, World } from './world.ts';

export const SHOP = {
  version: 1,
  roles: [{ name: 'clerk' }, { name: 'viewer' }],
  entities: [
    {
      name: 'customer',
      soft_delete: true,
      fields: [
        { name: 'email', type: 'email', unique: true, required: true, label: 'E-Mail' },
        { name: 'full_name', type: 'string', label: 'Name', min_length: 2 },
        { name: 'credit', type: 'decimal', precision: 2 },
        { name: 'since', type: 'date' },
        { name: 'is_active', type: 'boolean', default: true },
        { name: 'tier', type: 'enum', enum: ['Basic', 'Gold'] },
        { name: 'secret_note', type: 'text' },
      ],
    },
    {
      name: 'order_line',
      fields: [
        { name: 'number', type: 'int', unique: true, required: true },
        { name: 'customer', type: 'relation', target: 'customer', required: true, on_delete: 'restrict' },
        { name: 'text', type: 'text' },
      ],
    },
    {
      name: 'category',
      fields: [
        { name: 'code', type: 'string', unique: true, required: true },
        { name: 'parent', type: 'relation', target: 'category', on_delete: 'restrict' },
      ],
    },
  ],
  rules: [
    {
      name: 'no_negative_credit',
      entity: 'customer',
      type: 'expression',
      expression: 'credit < 0',
      message: 'credit must not be negative',
    },
  ],
  permissions: [
    {
      role: 'clerk',
      entity: 'customer',
      actions: ['read', 'create', 'update', 'delete'],
      fields: ['id', 'email', 'full_name', 'credit', 'since', 'is_active', 'tier'],
    },
    { role: 'clerk', entity: 'order_line', actions: ['read', 'create'] },
    { role: 'viewer', entity: 'customer', actions: ['read'] },
  ],
};

export interface Sending {
  readonly entity?: string;
  readonly query?: string;
  readonly type?: string;
}

/** What is sent for imports of one app, by one caller. Whatever is answered must be as the caller's description says. */
export class Importer {
  readonly #world: World;
  readonly #token: string;
  #description: Record<string, unknown> | undefined;

  constructor(world: World, token: string) {
    this.#world = world;
    this.#token = token;
  }

  send(file: string | Buffer | FormData, { entity = 'customer', query = '', type = 'text/csv' }: Sending = {}): Promise<Reply> {
    return this.raw(`/api/main/${entity}/_import${query === '' ? '' : `?${query}`}`, {
      method: 'POST',
      body: file,
      headers: file instanceof FormData ? {} : { 'Content-Type': type },
    });
  }

  async raw(path: string, init: { method: string; body?: string | Buffer | FormData; headers?: Record<string, string> }): Promise<Reply> {
    const response = await fetch(this.#world.url + path, {
      ...init,
      ...(init.body === undefined ? {} : { body: init.body as NonNullable<RequestInit['body']> }),
      headers: { ...init.headers, Authorization: `Bearer ${this.#token}` },
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('/json') === true && text !== '';
    return this.#described(init.method, path, {
      status: response.status,
      headers: response.headers,
      text,
      body: isJson ? JSON.parse(text) : undefined,
    });
  }

  async #described(method: string, path: string, reply: Reply): Promise<Reply> {
    this.#description ??= (await this.#world.send('GET', '/api/main/_openapi.json', { token: this.#token })).body as Record<
      string,
      unknown
    >;
    // What is refused may be no operation of this caller.
    if (reply.status < 300 && path.includes('_import')) expect(complaintsAbout(this.#description, { method, path, ...reply })).toEqual([]);
    return reply;
  }

  async call(method: string, path: string, body?: unknown): Promise<Reply> {
    const reply = await this.#world.send(method, `/api/main/${path}`, { token: this.#token, ...(body === undefined ? {} : { body }) });
    return this.#described(method, `/api/main/${path}`, reply);
  }

  /** The import when nothing is at it any more. */
  async rests(id: string, timeout = 30_000): Promise<Reply['body']> {
    let found: Reply | undefined;
    await vi.waitUntil(
      async () => {
        found = await this.call('GET', `_imports/${id}`);
        return !['checking', 'running', 'undoing'].includes(found.body?.data?.state as string);
      },
      { timeout, interval: 30 },
    );
    return found?.body.data;
  }

  /** Sent, and looked at or done with. */
  async through(file: string | Buffer | FormData, sending: Sending = {}): Promise<Reply['body']> {
    const sent = await this.send(file, sending);
    if (sent.status !== 202) throw new Error(`The import was answered ${String(sent.status)}: ${sent.text}`);
    return this.rests(sent.body.data.id as string);
  }
}
