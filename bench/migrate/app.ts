/** The app under load: its table filled by SQL, its migrations followed over HTTP. */
import pg from 'pg';
import type { Answer, Client } from './client.ts';
import type { Body, ChangeName, Columns, Shape, Subject } from './subject.ts';

export interface Installation {
  readonly url: string;
  readonly databaseUrl: string;
  /** Of an admin of the platform. */
  readonly client: Client;
}

export interface App extends Installation {
  readonly name: string;
  readonly storage: string;
  readonly subject: Subject;
  readonly table: string;
}

/** How a migration ends. */
export const ENDED = ['completed', 'failed', 'aborted'];

export interface Migration {
  readonly id: string;
  readonly status: string;
  readonly phase: string;
  readonly error: string | null;
  readonly from_version: number;
  readonly to_version: number;
  readonly workflow_id: string;
}

/** A connection per question: during an outage a kept one would be lost. */
export async function ask<Row extends pg.QueryResultRow>(url: string, text: string, values: readonly unknown[] = []): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<Row>(text, [...values])).rows;
  } finally {
    await client.end();
  }
}

/** An app with so many records of the subject. May be repeated after a failure. */
export async function makeApp(installation: Installation, name: string, rows: number, subject: Subject): Promise<App> {
  const { client, databaseUrl } = installation;
  must(await client.send('POST', '/api/_platform/apps', { body: { name, display_name: name } }), [201, 202, 409]);
  // Only the request ends the grace and the retention.
  const settings = { migrations: { approval: 'never', grace: '1d', retention: '1d' } };
  must(
    await client.send('POST', `/api/${name}/_admin/import?events=none`, { body: { ...subject.documentOf(new Set()), settings } }),
    [200, 201],
  );
  const [found] = await ask<{ storage: string }>(databaseUrl, 'select storage from durabase.apps where name = $1', [name]);
  const storage = found?.storage ?? '';
  const table = `"${storage}"."${subject.entity}"`;
  for (const statement of subject.seedSql(storage, rows)) await ask(databaseUrl, statement);
  await ask(databaseUrl, `vacuum analyze ${table}`);
  return { ...installation, name, storage, subject, table };
}

/** Publishes the shape with the change. */
export async function publish(app: App, shape: Shape, change: ChangeName): Promise<Answer> {
  const { subject } = app;
  const document = subject.documentOf(new Set([...shape, change]));
  const body = { ...document, settings: await settingsOf(app), migrate: subject.instructions(change) };
  return app.client.send('POST', `/api/${app.name}/_admin/versions?confirm=drop`, { body });
}

/** A whole document is published: the settings stay as they are served. */
async function settingsOf(app: App): Promise<unknown> {
  const answer = await app.client.send('GET', `/api/${app.name}/_admin/export`);
  return (answer.data as { settings?: unknown } | undefined)?.settings;
}

/** The newest migration; undefined while nobody answers. */
export async function newestMigration(app: App): Promise<Migration | undefined> {
  const answer = await app.client.send('GET', `/api/${app.name}/_admin/migrations`);
  return answer.status === 200 ? (answer.data as Migration[])[0] : undefined;
}

/** Asks for the end of grace and retention. True when it is taken, or nothing is left to ask for. */
export async function contract(app: App, id: string): Promise<boolean> {
  const answer = await app.client.send('POST', `/api/${app.name}/_admin/migrations/${id}/contract`, { body: { drop: true } });
  return answer.status === 200 || answer.status === 202 || (await newestMigration(app))?.status === 'completed';
}

export async function servedVersion(app: App): Promise<number | undefined> {
  const answer = await app.client.send('GET', `/api/${app.name}/_discovery`);
  return answer.status === 200 ? Number((answer.data as { schema_version: number }).schema_version) : undefined;
}

/** Where the version stores the fields of the entity. */
export async function columnsOf(app: App, version: number): Promise<Columns> {
  const rows = await ask<{ name: string; column: string | null }>(
    app.databaseUrl,
    `select f->>'name' as name, f->>'column' as column from durabase.apps a
     join durabase.schema_versions v on v.schema_name = a.schema_name and v.version = $2
     cross join lateral jsonb_array_elements(v.document::jsonb->'entities') e
     cross join lateral jsonb_array_elements(e->'fields') f where a.name = $1 and e->>'name' = $3`,
    [app.name, version, app.subject.entity],
  );
  return new Map(rows.map((row) => [row.name, row.column ?? row.name]));
}

/** Rows of which the two shapes say different things: one statement, so one moment. */
export async function disagreements(app: App, left: [Shape, number], right: [Shape, number]): Promise<number[]> {
  const [older, newer] = [await columnsOf(app, left[1]), await columnsOf(app, right[1])];
  const differs = app.subject.disagreementSql([left[0], older], [right[0], newer], app.storage);
  const rows = await ask<{ ref: string }>(app.databaseUrl, `select t.ref from ${app.table} t where ${differs} limit 1000`);
  return rows.map((row) => Number(row.ref));
}

/**
 * Tells when clients of the next version are served before its switch, as soon as a request of theirs is. Of a migration that goes
 * through too fast, or whose change cannot be shown so early, it tells nothing.
 */
export async function earlyVersion(app: App, from: number, isOver: () => boolean): Promise<number | undefined> {
  while (!isOver()) {
    const migration = await newestMigration(app);
    if (migration?.from_version === from && ['ready', ...ENDED].includes(migration.status)) return undefined;
    if (migration?.from_version === from && ['backfill', 'verify'].includes(migration.phase)) {
      const headers = { 'schema-version': String(migration.to_version) };
      const answer = await app.client.send('GET', `/api/${app.name}/${app.subject.entity}?per_page=1`, { headers });
      if (answer.status === 200) return migration.to_version;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return undefined;
}

/** Repeats until it answers something, for at most so long. */
export async function until<T>(read: () => Promise<T | undefined>, timeoutMs: number, pauseMs = 100): Promise<T | undefined> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const found = await read();
    if (found !== undefined || Date.now() > end) return found;
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

export function must(answer: Answer, statuses: readonly number[]): Body {
  if (!statuses.includes(answer.status)) throw new Error(`answered ${answer.status}: ${answer.text.slice(0, 800)}`);
  return (answer.data ?? {}) as Body;
}
