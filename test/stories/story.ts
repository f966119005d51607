/** An example's app with its people, a receiver for its webhooks and a mail server, used as its clients use it: over HTTP. */
import { readFileSync } from 'node:fs';
import { vi } from 'vitest';
import { startWorld, type Reply } from '../api/world.ts';
import { receiver, type Receiver } from '../support/event-world.ts';
import { startSmtp, type Smtp } from '../support/smtp.ts';

export type Send = (method: string, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) => Promise<Reply>;

export interface Story {
  as(who: string): Send;
  readonly admin: Send;
  /** Account ids by name. */
  readonly ids: Readonly<Record<string, string>>;
  readonly smtp: Smtp;
  /** What came at a path of the receiver, oldest first. */
  hooks(path: string): { readonly record: Readonly<Record<string, unknown>> }[];
  /** The run about a record, once it is so. */
  run(recordId: string, holds: (run: RunOfStory) => boolean): Promise<RunOfStory>;
  /** The record as an admin reads it, once it is so. */
  record(
    entity: string,
    id: string,
    holds: (record: Readonly<Record<string, unknown>>) => boolean,
  ): Promise<Readonly<Record<string, unknown>>>;
}

export interface RunOfStory {
  readonly id: string;
  readonly status: string;
  readonly current_step: string | null;
  readonly task: { readonly on_behalf_of?: string } | null;
  readonly history: readonly { readonly step: string; readonly status: string; readonly by?: string; readonly on_behalf_of?: string }[];
}

/** `people` are accounts `<name>@example.com` with their roles. */
export async function tellStory(example: string, people: Readonly<Record<string, readonly string[]>>): Promise<Story> {
  const [hook, smtp] = await Promise.all([receiver(), startSmtp()]);
  const world = await startWorld({ WEBHOOK_ALLOW_CIDRS: '127.0.0.0/8', SMTP_URL: smtp.url, MAIL_FROM: 'durabase@example.com' });
  const text = readFileSync(new URL(`../../examples/${example}.json`, import.meta.url), 'utf8');
  const document = JSON.parse(text.replaceAll('http://127.0.0.1:4010', hook.url.replace(/\/$/, ''))) as Record<string, unknown>;
  const { tokens, ids } = await world.install({ ...document, sample_data: undefined }, people);
  const as =
    (who: string): Send =>
    (method, path, body, headers) =>
      world.send(method, `/api/main/${path}`, {
        token: tokens[who] ?? '',
        ...(body === undefined ? {} : { body }),
        ...(headers === undefined ? {} : { headers }),
      });
  const admin = as('admin');
  return {
    as,
    admin,
    ids,
    smtp,
    hooks: (path) => hooksAt(hook, path),
    run: (recordId, holds) =>
      untilSo(async () => (await admin('GET', `_workflows?record_id=${recordId}`)).body.data[0] as RunOfStory | undefined, holds),
    record: (entity, id, holds) => untilSo(async () => (await admin('GET', `${entity}/${id}`)).body.data as Record<string, unknown>, holds),
  };
}

const hooksAt = (hook: Receiver, path: string): { record: Record<string, unknown> }[] =>
  hook.received.filter((call) => call.path.endsWith(path)).map(({ body }) => JSON.parse(body) as { record: Record<string, unknown> });

async function untilSo<T>(read: () => Promise<T | undefined>, holds: (value: T) => boolean): Promise<T> {
  let last: T | undefined;
  await vi
    .waitUntil(
      async () => {
        last = await read();
        return last !== undefined && holds(last);
      },
      { timeout: 20_000, interval: 40 },
    )
    .catch(() => {
      throw new Error(`It did not come to that: ${JSON.stringify(last)}`);
    });
  return last as T;
}
