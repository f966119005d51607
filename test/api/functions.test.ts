import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { receiver, type Receiver } from '../support/event-world.ts';
import { startSmtp, type Smtp } from '../support/smtp.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
let hook: Receiver;
let smtp: Smtp;
let owner: pg.Pool;
let storage: string;

const DOCUMENT = (url: string) => ({
  version: 1,
  entities: [
    {
      name: 'article',
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'slug', type: 'string', unique: true, required: true },
        { name: 'email', type: 'string' },
        { name: 'phone', type: 'string' },
        { name: 'secret', type: 'string', hidden: true },
        { name: 'digest', type: 'string' },
        { name: 'status', type: 'string', default: 'draft' },
        { name: 'loud', type: 'string' },
        { name: 'note', type: 'text' },
      ],
    },
    {
      name: 'comment',
      fields: [
        { name: 'body', type: 'string', required: true },
        { name: 'article_id', type: 'uuid' },
        { name: 'slug', type: 'string', unique: true },
      ],
    },
    {
      name: 'trace',
      fields: [
        { name: 'text', type: 'string' },
        { name: 'of', type: 'string' },
      ],
    },
    { name: 'plain', fields: [{ name: 'text', type: 'string' }] },
    {
      name: 'scripted',
      fields: [
        { name: 'text', type: 'string' },
        { name: 'count', type: 'int' },
        { name: 'seen', type: 'string' },
      ],
    },
  ],
  relations: [{ name: 'comments', type: 'one_to_many', source: 'article', target: 'comment', target_key: 'article_id' }],
  workflows: [
    {
      name: 'called',
      trigger: { type: 'record_updated', entity: 'plain' },
      steps: [
        {
          id: 'call',
          type: 'action',
          actions: [
            { type: 'call_function', function: 'slugify', params: { value: 'record.text' }, save_as: 'made' },
            {
              type: 'call_function',
              function: 'create_records',
              params: { entity: 'trace', records: [{ text: 'context.made', of: 'record.id' }] },
            },
          ],
        },
      ],
    },
  ],
  settings: { scripts: true, allowed_domains: ['127.0.0.1', 'example.com'] },
  functions: [
    {
      name: 'slug',
      entity: 'article',
      on: 'before_create',
      function: 'slugify',
      params: { value: 'record.title', unique: true },
      into: 'slug',
    },
    {
      name: 'comment slug',
      entity: 'comment',
      on: 'before_create',
      function: 'slugify',
      params: { value: 'record.body', unique: true },
      into: 'slug',
    },
    { name: 'email', entity: 'article', on: ['before_create', 'before_update'], function: 'validate_email', field: 'email' },
    {
      name: 'phone',
      entity: 'article',
      on: ['before_create', 'field_change'],
      function: 'normalize_phone',
      field: 'phone',
      params: { country: 'DE' },
      message: 'we cannot call that',
      tests: [
        {
          name: 'a number of Berlin',
          input: { record: { phone: '030 901820' } },
          expect: { result: '+4930901820', record: { phone: '+4930901820' } },
        },
        { name: 'no number', input: { record: { phone: 'x' } }, expect: { error: 'cannot call' } },
      ],
    },
    {
      name: 'digest',
      entity: 'article',
      on: 'before_create',
      function: 'hmac',
      params: { value: 'record.secret' },
      into: 'digest',
      log: true,
    },
    {
      name: 'published stay',
      entity: 'article',
      on: 'before_delete',
      function: 'refuse',
      when: "record.status = 'published'",
      params: { message: 'published articles stay' },
    },
    {
      name: 'trace',
      entity: 'article',
      on: 'after_create',
      function: 'create_records',
      params: { entity: 'trace', records: [{ text: 'created {{record.title}}', of: 'record.id' }] },
    },
    {
      name: 'loud',
      entity: 'article',
      on: 'after_update',
      field: 'title',
      function: 'change_case',
      params: { value: 'record.title', to: 'upper' },
      into: 'loud',
    },
    {
      name: 'tell',
      entity: 'article',
      on: 'field_change',
      field: 'status',
      function: 'http_request',
      when: "record.status = 'published' and record.title = 'told'",
      params: { url, body: { title: 'record.title', was: 'old.status' }, headers: { 'x-key': '{{secret.HOOK}}' } },
      retry: { initial: '1s', backoff: 'fixed', max_attempts: 3 },
    },
    { name: 'far', entity: 'trace', on: 'after_delete', function: 'http_request', params: { url: 'https://elsewhere.test/' } },
    {
      name: 'many',
      entity: 'trace',
      on: 'after_update',
      function: 'send_email',
      params: { to: ['a@x.de', 'b@x.de', 'c@x.de', 'd@x.de', 'e@x.de', 'f@x.de'], subject: 's', text: 't' },
    },
    {
      name: 'thanks',
      entity: 'comment',
      on: 'after_create',
      function: 'send_email',
      when: "record.body = 'thank me'",
      params: {
        to: ['one@thanks.example', 'two@thanks.example', 'one@thanks.example'],
        subject: 'Thanks for {{record.body}}',
        text: 'Your comment: {{record.body}}',
      },
    },
    {
      name: 'guard',
      entity: 'scripted',
      on: ['before_create', 'before_update', 'before_delete'],
      script:
        "if (record.text === 'no') throw new Error('no is no text'); if (record.text === 'loop') for (;;); record.count = (record.count || 0) + 1; if (record.text === 'odd') return { ...record, nothing: 1 };",
      tests: [{ name: 'counts', input: { record: { text: 'a', count: 2 } }, expect: { record: { count: 3 } } }],
    },
    { name: 'afterwards', entity: 'scripted', on: 'after_create', script: "return { seen: 'seen ' + record.text }" },
  ],
});

beforeAll(async () => {
  hook = await receiver((call) => (call === 1 ? 500 : 200));
  smtp = await startSmtp();
  world = await startWorld({ SCRIPTS_ENABLED: 'true', SMTP_URL: smtp.url, MAIL_FROM: 'desk@example.com' });
  owner = new pg.Pool({ connectionString: world.databaseUrl, max: 2 });
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
  const made = await world.send('POST', '/api/main/_admin/import', { token, body: DOCUMENT(hook.url) });
  expect(made.status, made.text).toBe(200);
  expect((await world.send('PUT', '/api/main/_admin/secrets/HOOK', { token, body: { value: 'of the hook' } })).status).toBe(200);
  storage = (await owner.query<{ storage: string }>("select storage from durabase.apps where name = 'main'")).rows[0]?.storage ?? '';
});
afterAll(() => owner.end());

const call = (method: string, target: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send(method, `/api/main/${target}`, { token, headers, ...(body === undefined ? {} : { body }) });
const created = async (target: string, body: unknown): Promise<Record<string, string>> => {
  const reply = await call('POST', target, body);
  expect(reply.status, reply.text).toBe(201);
  return reply.body.data as Record<string, string>;
};
interface Run {
  readonly id: string;
  readonly status: string;
  readonly attempt: number;
  readonly error: string | null;
  readonly error_kind: string | null;
  readonly input: unknown;
  readonly output: unknown;
}
const runs = async (query: string): Promise<Run[]> => ((await call('GET', `_admin/functions/runs?${query}`)).body as { data: Run[] }).data;
const ended = (query: string, count = 1): Promise<Run[]> =>
  vi.waitFor(
    async () => {
      const found = await runs(query);
      expect(found.filter(({ status }) => status === 'succeeded' || status === 'failed')).toHaveLength(count);
      return found;
    },
    { timeout: 20_000, interval: 50 },
  );

/** A run as a crash between its effect and the acknowledgement leaves it. */
async function performAgain(runId: string): Promise<void> {
  await owner.query(`update ${storage}._function_runs set status = 'running', due_at = now(), finished_at = null where id = $1`, [runId]);
  await owner.query(
    "insert into durabase.work (app, kind, due_at) select id, 'functions', now() from durabase.apps where name = 'main' on conflict (app, kind) do update set due_at = now()",
  );
}

describe('functions inside a write', () => {
  it('fill, normalize and refuse the candidate before its rules', async () => {
    const first = await created('article', { title: 'Über Grüße', phone: '030 901820', secret: 'a' });
    expect(first).toMatchObject({ slug: 'uber-grusse', phone: '+4930901820' });
    expect(first['digest']).toMatch(/^[0-9a-f]{64}$/);
    expect((await created('article', { title: 'Über Grüße', secret: 'a' }))['digest']).toBe(first['digest']);
    const refused = await call('POST', 'article', { title: 'x', email: 'nobody', phone: 'call me' });
    expect(refused.status).toBe(422);
    expect(refused.body.errors).toEqual([
      expect.objectContaining({ field: 'email', code: 'function', message: 'email must be an email address' }),
      expect.objectContaining({ field: 'phone', code: 'function', message: 'we cannot call that' }),
    ]);
    expect((await call('POST', 'article', { title: '!!!' })).body.errors[0]).toMatchObject({ field: 'slug', code: 'required' });
  });

  it('run on an update when their field changed, and on a delete', async () => {
    const { id } = await created('article', { title: 'updates', phone: '+4930901820' });
    expect((await call('PATCH', `article/${String(id)}`, { phone: '(030) 90 18 21' })).body.data.phone).toBe('+4930901821');
    expect((await call('PATCH', `article/${String(id)}`, { email: 'bad' })).status).toBe(422);
    await call('PATCH', `article/${String(id)}`, { status: 'published' });
    const refused = await call('DELETE', `article/${String(id)}`);
    expect([refused.status, refused.body.errors[0].message]).toEqual([422, 'published articles stay']);
  });

  it('hold in bulk, nested, batch and import writes, with slugs that do not clash', async () => {
    const bulk = await call('POST', 'article/_bulk', {
      create: [{ title: 'same' }, { title: 'same' }, { title: 'same', phone: '030 901820' }],
    });
    expect(bulk.status, bulk.text).toBe(200);
    expect(bulk.body.data.map((row: { data: { slug: string } }) => row.data.slug)).toEqual(['same', 'same-2', 'same-3']);
    const wrong = await call('POST', 'article/_bulk', { create: [{ title: 'fine' }, { title: 'same', email: 'bad' }] });
    expect([wrong.status, wrong.body.errors[0].field ?? wrong.body.errors[0].path]).toEqual([422, 'create[1].email']);
    const nested = await call('POST', 'article?include=comments', {
      title: 'with comments',
      comments: [{ body: 'me too' }, { body: 'me too' }],
    });
    expect(nested.status, nested.text).toBe(201);
    const slugs = (await call('GET', `comment?filter[article_id]=${String(nested.body.data.id)}&sort=slug`)).body.data.map(
      (row: { slug: string }) => row.slug,
    );
    expect(slugs).toEqual(['me-too', 'me-too-2']);
    const batch = await call('POST', '_batch', {
      operations: [
        { op: 'create', entity: 'article', body: { title: 'same' } },
        { op: 'create', entity: 'comment', body: { body: 'me too' } },
      ],
    });
    expect(batch.status, batch.text).toBe(200);
    expect(batch.body.data.map((row: { data: { slug: string } }) => row.data.slug)).toEqual(['same-4', 'me-too-3']);
  });

  it('give a slug to each of many writes at one moment', async () => {
    const made = await Promise.all(Array.from({ length: 5 }, () => created('article', { title: 'at once' })));
    expect(new Set(made.map(({ slug }) => slug)).size).toBe(5);
  });

  it('answer a repeated request with the record of the first', async () => {
    const key = { 'Idempotency-Key': 'the-same-article' };
    const first = await call('POST', 'article', { title: 'repeated' }, key);
    const again = await call('POST', 'article', { title: 'repeated' }, key);
    expect([again.status, again.body.data.slug]).toEqual([201, first.body.data.slug]);
    expect((await call('GET', 'article?filter[title]=repeated')).body.data).toHaveLength(1);
  });
});

describe('functions after the commit', () => {
  it('run once per event, and never for a write that was refused', async () => {
    const { id } = await created('article', { title: 'traced' });
    await vi.waitFor(async () => expect((await call('GET', `trace?filter[of]=${String(id)}`)).body.data).toHaveLength(1), {
      timeout: 20_000,
      interval: 50,
    });
    const [run] = await ended(`function=create_records&record_id=${String(id)}`);
    expect(run).toMatchObject({
      status: 'succeeded',
      attempt: 1,
      input: { entity: 'trace', records: [{ text: 'created traced', of: id }] },
    });
    await performAgain(run?.id ?? '');
    await vi.waitFor(
      async () =>
        expect((await runs(`function=create_records&record_id=${String(id)}`))[0]).toMatchObject({ status: 'succeeded', attempt: 2 }),
      { timeout: 20_000, interval: 50 },
    );
    expect((await call('GET', `trace?filter[of]=${String(id)}`)).body.data).toHaveLength(1);
    expect((await call('POST', 'article', { title: 'never traced', email: 'bad' })).status).toBe(422);
    expect((await call('GET', 'trace?filter[text]=created never traced')).body.data).toHaveLength(0);
  });

  it('change the record when their field changed, and end there', async () => {
    const { id } = await created('article', { title: 'quiet' });
    await call('PATCH', `article/${String(id)}`, { title: 'louder' });
    await vi.waitFor(async () => expect((await call('GET', `article/${String(id)}`)).body.data.loud).toBe('LOUDER'), {
      timeout: 20_000,
      interval: 50,
    });
    expect(await ended(`function=change_case&record_id=${String(id)}`)).toHaveLength(1);
  });

  it('call other servers again under the same key until they answer', async () => {
    const { id } = await created('article', { title: 'told' });
    await call('PATCH', `article/${String(id)}`, { status: 'review' });
    await call('PATCH', `article/${String(id)}`, { status: 'published' });
    await hook.waitFor(2);
    const [run] = await ended(`function=http_request&record_id=${String(id)}`);
    expect(run).toMatchObject({ status: 'succeeded', attempt: 2, input: { headers: '•••' }, output: { status: 200 } });
    const [first, second] = hook.received.slice(-2);
    expect(JSON.parse(second?.body ?? '{}')).toEqual({ title: 'told', was: 'review' });
    expect(second?.headers).toMatchObject({ 'x-key': 'of the hook', 'idempotency-key': first?.headers['idempotency-key'] });
  });

  it('send mails, each receiver one, also when the run is performed again', async () => {
    const { id } = await created('comment', { body: 'thank me' });
    const [run] = await ended(`function=send_email&record_id=${String(id)}`);
    expect(run).toMatchObject({ status: 'succeeded', output: { queued: 2 } });
    const mails = (): { to: string; text: string }[] =>
      smtp.mails.map(({ to, text }) => ({ to: to.join(), text })).filter(({ to }) => to.endsWith('@thanks.example'));
    await vi.waitFor(() => expect(mails()).toHaveLength(2), { timeout: 10_000, interval: 50 });
    await performAgain(run?.id ?? '');
    await vi.waitFor(
      async () => expect((await runs(`function=send_email&record_id=${String(id)}`))[0]).toMatchObject({ status: 'succeeded', attempt: 2 }),
      { timeout: 20_000, interval: 50 },
    );
    const queued = await owner.query("select status from durabase.mails where key like $1 and app <> ''", [`%${run?.id ?? ''}%`]);
    expect(queued.rows).toEqual([{ status: 'sent' }, { status: 'sent' }]);
    expect(
      mails()
        .map(({ to }) => to)
        .sort(),
    ).toEqual(['one@thanks.example', 'two@thanks.example']);
    for (const { text } of mails()) {
      expect(text).toContain('Subject: Thanks for thank me');
      expect(text).toContain('Your comment: thank me');
    }
  });

  it('refuse what passes the limits of a run or the allowed domains, and may be tried again by hand', async () => {
    const { id } = await created('trace', { text: 'limits' });
    await call('PATCH', `trace/${String(id)}`, { text: 'limited' });
    const [mail] = await ended(`function=send_email&record_id=${String(id)}`);
    expect(mail).toMatchObject({ status: 'failed', error_kind: 'BusinessLogic' });
    expect(mail?.error).toMatch(/at most 5 mails/);
    await call('DELETE', `trace/${String(id)}`);
    const [far] = await ended(`function=http_request&record_id=${String(id)}`);
    expect(far).toMatchObject({ status: 'failed', error_kind: 'Authorization' });
    expect(far?.error).toMatch(/allowed_domains/);
    const retried = await call('POST', `_admin/functions/runs/${String(far?.id)}/retry`);
    expect(retried.status, retried.text).toBe(200);
    await vi.waitFor(
      async () =>
        expect((await call('GET', `_admin/functions/runs/${String(far?.id)}`)).body.data).toMatchObject({ status: 'failed', attempt: 2 }),
      { timeout: 20_000, interval: 50 },
    );
  });
});

describe('functions called by a workflow', () => {
  it('get values of the run, and hand their answer on', async () => {
    const { id } = await created('plain', { text: 'before' });
    await call('PATCH', `plain/${String(id)}`, { text: 'Über uns' });
    await vi.waitFor(
      async () =>
        expect((await call('GET', `trace?filter[of]=${String(id)}`)).body.data).toEqual([expect.objectContaining({ text: 'uber-uns' })]),
      { timeout: 20_000, interval: 50 },
    );
  });

  it('are refused where there is none of that name, or without what it needs', async () => {
    const step = (action: object) => ({
      name: 'wrong',
      trigger: { type: 'manual' },
      steps: [{ id: 'a', type: 'action', actions: [{ type: 'call_function', ...action }] }],
    });
    expect((await call('POST', '_admin/workflows', step({ function: 'slugfy' }))).text).toMatch(/slugify/);
    expect((await call('POST', '_admin/workflows', step({ function: 'truncate', params: { value: 'x' } }))).text).toMatch(/max_length/);
    expect((await call('POST', '_admin/workflows', step({ function: 'truncate', params: { max_len: 'x' } }))).status).toBe(422);
  });
});

describe('script hooks', () => {
  it('change and refuse the record, alone and in a transaction', async () => {
    expect(await created('scripted', { text: 'a' })).toMatchObject({ text: 'a', count: 1 });
    const no = await call('POST', 'scripted', { text: 'no' });
    expect([no.status, no.body.errors[0]]).toEqual([422, expect.objectContaining({ code: 'script', message: 'no is no text' })]);
    const bulk = await call('POST', 'scripted/_bulk', { create: [{ text: 'b' }, { text: 'c', count: 5 }] });
    expect(bulk.status, bulk.text).toBe(200);
    expect(bulk.body.data.map((row: { data: { count: number } }) => row.data.count)).toEqual([1, 6]);
    const refused = await call('POST', 'scripted/_bulk', { create: [{ text: 'd' }, { text: 'no' }] });
    expect([refused.status, refused.body.errors[0].message]).toEqual([422, 'no is no text']);
    expect((await call('GET', 'scripted?filter[text]=d')).body.data).toHaveLength(0);
    const once = await call('POST', 'scripted', { text: 'kept' }, { 'Idempotency-Key': 'kept' });
    expect([once.status, once.body.data.count]).toEqual([201, 1]);
    expect((await call('POST', 'scripted', { text: 'odd' })).body.errors[0]).toMatchObject({ field: 'nothing', code: 'script' });
  });

  it('hold no connection while they run, and are ended', async () => {
    const looping = call('POST', 'scripted/_bulk', { create: [{ text: 'loop' }, { text: 'e' }] });
    let isOver = false;
    void looping.then(() => (isOver = true));
    expect((await call('POST', 'plain', { text: 'meanwhile' })).status).toBe(201);
    // A transaction that waited for the script would be as old as that runs.
    let oldest = 0;
    while (!isOver) {
      const { rows } = await owner.query<{ age: number }>(
        "select coalesce(max(extract(epoch from now() - xact_start)), 0)::float8 as age from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'",
      );
      oldest = Math.max(oldest, rows[0]?.age ?? 0);
    }
    expect(oldest).toBeLessThan(4);
    const reply = await looping;
    expect([reply.status, reply.body.errors[0].message]).toEqual([422, expect.stringContaining('did not end within 5000 ms')]);
  });

  it('run after the commit as well', async () => {
    const { id } = await created('scripted', { text: 'later' });
    await vi.waitFor(async () => expect((await call('GET', `scripted/${String(id)}`)).body.data.seen).toBe('seen later'), {
      timeout: 20_000,
      interval: 50,
    });
  });
});

describe('what admins ask', () => {
  it('lists the registry, and refuses everybody else', async () => {
    const listed = await call('GET', '_admin/functions');
    expect(listed.body.data.find((one: { name: string }) => one.name === 'slugify')).toMatchObject({
      kind: 'transform',
      runs: 'in_the_write',
    });
    expect((await world.send('GET', '/api/main/_admin/functions')).status).toBe(401);
  });

  it('keeps failures of runs in a write, and others on request, without secrets', async () => {
    expect((await runs('function=validate_email&status=failed'))[0]).toMatchObject({
      error: 'must be an email address',
      error_kind: 'Validation',
    });
    expect((await runs('function=hmac&limit=100')).at(-1)).toMatchObject({ status: 'succeeded', output: null, input: { value: '•••' } });
    expect(await runs('function=slugify')).toEqual([]);
    const first = (await call('GET', '_admin/functions/runs?limit=1')).body;
    const next = (await call('GET', `_admin/functions/runs?limit=1&cursor=${String(first.page.next_cursor)}`)).body;
    expect(next.data[0].id < first.data[0].id).toBe(true);
    for (const [query, status] of [
      ['kind=x', 400],
      ['cursor=x', 400],
      ['limit=0', 400],
      ['nonsense=1', 400],
    ] as const)
      expect((await call('GET', `_admin/functions/runs?${query}`)).status, query).toBe(status);
    expect((await call('GET', '_admin/functions/runs/nonsense')).status).toBe(404);
    const inWrite = (await runs('function=validate_email'))[0];
    expect((await call('POST', `_admin/functions/runs/${String(inWrite?.id)}/retry`)).status).toBe(422);
  });

  it('tries functions without writing or calling, unless asked to', async () => {
    const attempt = (body: unknown): Promise<Reply> => call('POST', '_admin/functions/try', body);
    expect(
      (await attempt({ function: 'slugify', params: { value: 'record.title' }, record: { title: 'Grüße!' } })).body.data,
    ).toMatchObject({ result: 'grusse', error: null });
    expect((await attempt({ function: 'validate_iban', params: { value: 'x' } })).body.data.error).toEqual({
      kind: 'Validation',
      message: 'must be an IBAN',
    });
    const before = hook.received.length;
    const described = (
      await attempt({ function: 'http_request', params: { url: hook.url, body: { a: 'record.title' } }, record: { title: 't' } })
    ).body.data;
    expect([described.would_run_with, hook.received.length]).toEqual([{ url: hook.url, body: { a: 't' } }, before]);
    const executed = (await attempt({ function: 'http_request', params: { url: hook.url }, execute: true })).body.data;
    expect([executed.result.status, hook.received.length]).toEqual([200, before + 1]);
    expect(
      (await attempt({ function: 'find_records', params: { entity: 'plain', limit: 1_001 }, execute: true })).body.data.error.message,
    ).toMatch(/1000 rows/);
    expect(
      (
        await attempt({
          function: 'create_records',
          params: { entity: 'plain', records: Array.from({ length: 51 }, () => ({ text: 'x' })) },
          execute: true,
        })
      ).body.data.error.message,
    ).toMatch(/50 record/);
    expect(
      (await attempt({ function: 'http_request', params: { url: Array.from({ length: 11 }, () => hook.url) }, execute: true })).body.data
        .error.message,
    ).toMatch(/10 calls/);
    expect((await attempt({ script: 'record.a = 1; return record', record: {} })).body.data.result).toEqual({ a: 1 });
    for (const body of [
      { function: 'slugfy' },
      { params: {} },
      { function: 'slugify', script: 'x' },
      { function: 'slugify', nonsense: 1 },
      [],
      { function: 'slugify', params: { value: { expression: 'record.(' } } },
    ])
      expect((await attempt(body)).status, JSON.stringify(body)).toBeGreaterThanOrEqual(400);
    expect((await attempt({ function: 'slugfy' })).body.hint ?? (await attempt({ function: 'slugfy' })).text).toMatch(/slugify/);
  });

  it('runs the tests of the document, and tells a publish of those that fail', async () => {
    const tested = (await call('POST', '_admin/functions/test')).body.data;
    expect([tested.passed, tested.results.map(({ outcome }: { outcome: string }) => outcome)]).toEqual([
      true,
      ['passed', 'passed', 'passed'],
    ]);
    const attached = await call('POST', '_admin/function-attachments', {
      name: 'broken',
      entity: 'plain',
      on: 'before_create',
      function: 'change_case',
      field: 'text',
      params: { to: 'upper' },
      tests: [{ name: 'wrong', input: { record: { text: 'a' } }, expect: { result: 'a' } }],
    });
    expect(attached.status, attached.text).toBe(201);
    expect(attached.body.findings).toContainEqual(expect.objectContaining({ id: 'function-test:plain:broken:wrong', level: 'error' }));
    expect((await call('GET', '_admin/findings')).body.data).toContainEqual(
      expect.objectContaining({ id: 'function-test:plain:broken:wrong' }),
    );
    expect((await call('POST', 'plain', { text: 'abc' })).body.data.text).toBe('ABC');
    expect((await call('PATCH', `_admin/function-attachments/${String(attached.body.data.id)}`, { active: false })).status).toBe(200);
    expect((await call('POST', 'plain', { text: 'abc' })).body.data.text).toBe('abc');
    const exported = (await call('GET', '_admin/export')).body;
    expect(JSON.stringify(exported)).toContain('"broken"');
  });

  it('refuses attachments that cannot work, naming what is near', async () => {
    const attach = async (body: object): Promise<{ status: number; text: string }> =>
      call('POST', '_admin/function-attachments', { name: 'x', entity: 'plain', on: 'before_create', ...body });
    for (const [body, words] of [
      [{ function: 'slugifi' }, /slugify/],
      [{ function: 'slugify', params: { value: 'record.text' } }, /into/],
      [{ function: 'slugify', field: 'txt' }, /text/],
      [{ function: 'truncate', field: 'text', params: { max_length: 0 } }, /max_length/],
      [{ function: 'truncate', field: 'text', params: { max_len: 3 } }, /max_length/],
      [{ function: 'truncate', field: 'text' }, /max_length/],
      [{ function: 'slugify', params: { value: 'record.titel' }, into: 'text' }, /titel/],
      [{ function: 'http_request', params: { url: 'https://example.com' } }, /after_create/],
      [{ function: 'validate_email', field: 'text', on: 'after_create' }, /before_create/],
      [{ function: 'slugify', params: { value: 'record.text', unique: true }, into: 'text' }, /unique/],
      [{ function: 'set_value', on: 'field_change', params: { value: 1 }, into: 'text' }, /field/],
      [{ script: 'return 1', function: 'slugify' }, /not both/],
      [{}, /function/],
    ] as const) {
      const reply = await attach(body);
      expect([reply.status, reply.text], JSON.stringify(body)).toEqual([422, expect.stringMatching(words)]);
    }
  });
});
