/** Files of records: checked, written, stopped and taken back, with every mistake at its line. */
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { Importer, SHOP } from './imports-world.ts';
import { startWorld, type World } from './world.ts';

let world: World;
let admin: Importer;
let clerk: Importer;
let viewer: Importer;
let tokens: Readonly<Record<string, string>>;
beforeAll(async () => {
  world = await startWorld({ IMPORT_MAX_MB: '2', IMPORT_MAX_ROWS: '5000' });
  ({ tokens } = await world.install(SHOP, { clerk: ['clerk'], viewer: ['viewer'], other: ['clerk'] }));
  admin = new Importer(world, tokens['admin'] ?? '');
  clerk = new Importer(world, tokens['clerk'] ?? '');
  viewer = new Importer(world, tokens['viewer'] ?? '');
}, 90_000);

const total = async (query = ''): Promise<number> => (await admin.call('GET', `customer?per_page=1${query}`)).body.meta.total as number;
const errorsOf = async (id: string): Promise<[number, string | null, string][]> =>
  (await admin.call('GET', `_imports/${id}/errors`)).body.data.map((one: { line: number; column: string | null; code: string }) => [
    one.line,
    one.column,
    one.code,
  ]);

describe('a file of CSV', () => {
  it('is looked at first and written when it is said', async () => {
    const before = await total();
    const sent = await clerk.send('E-Mail;Name;Since\r\nann@x.org;Ann;2020-01-01\r\nben@x.org;"Ben\nB.";\r\n');
    expect(sent.status, sent.text).toBe(202);
    expect(sent.body.data).toMatchObject({ state: 'checking', entity: 'customer', rows: 2, columns: ['E-Mail', 'Name', 'Since'] });
    expect(sent.body.data.mapping).toEqual({ 'E-Mail': 'email', Name: 'full_name', Since: 'since' });
    const { id } = sent.body.data;
    expect(sent.headers.get('location')).toBe(`/api/main/_imports/${String(id)}`);
    expect(sent.body.data.workflow_id).toMatch(new RegExp(`^import/[^/]+/${String(id)}.1$`));
    const checked = await clerk.rests(id as string);
    expect(checked).toMatchObject({ state: 'checked', counts: { created: 2, failed: 0 }, options: { delimiter: ';' } });
    expect(await total()).toBe(before);
    const run = await clerk.call('POST', `_imports/${String(id)}/run`);
    expect(run.status, run.text).toBe(202);
    const done = await clerk.rests(id as string);
    expect(done, JSON.stringify(done)).toMatchObject({ state: 'completed', counts: { created: 2, updated: 0, failed: 0 } });
    const [ben] = (await clerk.call('GET', 'customer?filter[email]=ben@x.org')).body.data;
    expect(ben).toMatchObject({ full_name: 'Ben\nB.', since: null, is_active: true });
    expect((await clerk.call('POST', `_imports/${String(id)}/run`)).body.error.code).toBe('CONFLICT');
  });

  it('names each mistake by its line, column and code, and writes nothing of it', async () => {
    const before = await total();
    const file = [
      'email,name,credit,since,tier,nothing',
      'a1@x.org,Good,1.5,2020-02-29,gold,',
      'a1@x.org,Twice,,,,',
      'no mail,X,-1,2021-02-29,Silver,',
      '"a2@x.org","two',
      'lines",-3,,,',
      ',Empty,,,,',
      'ann@x.org,Taken,,,,',
      'a3@x.org,Fine,,,,,too many',
    ].join('\n');
    const checked = await clerk.through(file, { query: 'run=true' });
    expect(checked).toMatchObject({ state: 'refused', counts: { created: 1, failed: 6 }, error: { code: 'VALIDATION_FAILED' } });
    expect(await errorsOf(checked.id)).toEqual([
      [3, 'email', 'CONFLICT'],
      [4, 'email', 'VALIDATION_FAILED'],
      [4, 'name', 'VALIDATION_FAILED'],
      [4, 'since', 'VALIDATION_FAILED'],
      [4, 'tier', 'VALIDATION_FAILED'],
      [4, null, 'VALIDATION_FAILED'],
      [5, null, 'VALIDATION_FAILED'],
      [7, 'email', 'VALIDATION_FAILED'],
      [8, 'email', 'CONFLICT'],
      [9, null, 'INVALID_VALUE'],
    ]);
    expect(await total()).toBe(before);
  });

  it('writes the good rows where bad ones are skipped, and gives the bad ones back to be corrected', async () => {
    const file = 'E-Mail,Name,Notes\r\nskip1@x.org,=1+1,n\r\nskip2@x.org,Y,n\r\nskip3@x.org,Zoe,n\r\n';
    const done = await clerk.through(file, { query: 'run=true&on_error=skip&mapping={"Notes":null}' });
    expect(done).toMatchObject({ state: 'completed', counts: { created: 2, failed: 1 }, progress: { task: 'run', done: 3, total: 3 } });
    const result = await clerk.raw(`/api/main/_imports/${String(done.id)}/errors.csv`, { method: 'GET' });
    expect(result.headers.get('content-disposition')).toBe('attachment; filename="customer-bad-rows.csv"');
    expect(result.text).toBe('E-Mail,Name,Notes,_line,_reason\r\nskip2@x.org,Y,n,3,Name: full_name must have at least 2 characters\r\n');
    const again = await clerk.through(result.text.replace(',Y,', ',Yves,'), { query: 'run=true' });
    expect(again, JSON.stringify(again)).toMatchObject({ state: 'completed', counts: { created: 1, failed: 0 } });
    expect((await clerk.call('GET', `_imports/${String(done.id)}/errors.ndjson`)).body.error.code).toBe('UNSUPPORTED');
  });

  it('is read as spreadsheets write it', async () => {
    const german = Buffer.from('sep=;\nE-Mail;Name;Credit;Since;Is active\nmu@x.org;M\u00fcller;1.234,50;31.12.2025;ja\n', 'latin1');
    const one = await clerk.through(german, { query: 'run=true&encoding=windows-1252&decimal=,&dates=dmy' });
    expect(one, JSON.stringify(one)).toMatchObject({ state: 'completed' });
    const [row] = (await clerk.call('GET', 'customer?filter[email]=mu@x.org')).body.data;
    expect(row).toMatchObject({ full_name: 'Müller', credit: '1234.50', since: '2025-12-31', is_active: true });
    const utf16 = Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from('email\tname\nut@x.org\tÜte\n', 'utf16le')]);
    const two = await clerk.through(utf16, { query: 'run=true', type: 'text/tab-separated-values' });
    expect(two).toMatchObject({ state: 'completed', options: { encoding: 'utf-16le', bom: true, delimiter: '\t' } });
    const wrong = await clerk.send(german);
    expect([wrong.status, wrong.body.error.code, wrong.body.error.hint]).toEqual([
      400,
      'INVALID_PAYLOAD',
      expect.stringContaining('windows-1252'),
    ]);
  });

  it('comes back as it was exported', async () => {
    await clerk.call('POST', 'customer', { email: 'round@x.org', full_name: '=trip, "quoted"', credit: '2.50' });
    const file = await clerk.raw('/api/main/customer/_export.csv?filter[email]=round@x.org', { method: 'GET' });
    expect(file.text).toContain("'=trip");
    await clerk.call('PATCH', `customer/${String((await clerk.call('GET', 'customer?filter[email]=round@x.org')).body.data[0].id)}`, {
      full_name: 'Other',
    });
    const back = await clerk.through(file.text, { query: 'run=true&mode=update' });
    expect(back, JSON.stringify(back)).toMatchObject({ state: 'completed', counts: { updated: 1, unchanged: 0 } });
    expect((await clerk.call('GET', 'customer?filter[email]=round@x.org')).body.data[0]).toMatchObject({ full_name: '=trip, "quoted"' });
    const same = await clerk.through(file.text, { query: 'run=true&mode=update' });
    expect(same.counts).toMatchObject({ updated: 0, unchanged: 1 });
  });

  it('comes as a form, packed, or as NDJSON', async () => {
    const form = new FormData();
    form.set('options', JSON.stringify({ mapping: { Mail: 'email' }, run: true }));
    form.set('trim', 'false');
    form.set('file', new Blob(['Mail,Name\nform@x.org, Form\n'], { type: 'application/vnd.ms-excel' }), 'C:\\temp\\people.csv');
    const formed = await clerk.through(form);
    expect(formed).toMatchObject({ state: 'completed', file_name: 'people.csv', options: { trim: false } });
    expect((await clerk.call('GET', 'customer?filter[email]=form@x.org')).body.data[0].full_name).toBe(' Form');
    const late = new FormData();
    late.set('file', new Blob(['email\nlate@x.org\n'], { type: 'text/csv' }), 'late.csv');
    late.set('run', 'true');
    expect((await clerk.send(late)).body.error).toMatchObject({
      code: 'INVALID_PAYLOAD',
      message: expect.stringContaining('behind the file'),
    });
    const packed = await clerk.raw('/api/main/customer/_import?run=true', {
      method: 'POST',
      body: gzipSync('email\nzip@x.org\n'),
      headers: { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip' },
    });
    expect(await clerk.rests(packed.body.data.id as string)).toMatchObject({ state: 'completed', counts: { created: 1 } });
    const lines = '{"email":"nd1@x.org","credit":"1.5"}\n\n{"email":"nd2@x.org","full_name":"N","x":1}\n';
    const json = await clerk.through(lines, { type: 'application/x-ndjson', query: 'run=true&on_error=skip' });
    expect(json).toMatchObject({ format: 'ndjson', columns: ['email', 'credit', 'full_name', 'x'], counts: { created: 1, failed: 1 } });
    const bad = await clerk.raw(`/api/main/_imports/${String(json.id)}/errors.ndjson`, { method: 'GET' });
    expect(JSON.parse(bad.text)).toEqual({
      email: 'nd2@x.org',
      full_name: 'N',
      x: 1,
      _line: 3,
      _reason: 'full_name: full_name must have at least 2 characters',
    });
  });
});

describe('relations and records that are there', () => {
  it('are found by a unique field', async () => {
    const missing = await admin.through('number,customer email,text\n1,ann@x.org,first\n2,gone@x.org,second\n', { entity: 'order_line' });
    expect(missing.mapping).toEqual({ number: 'number', 'customer email': 'customer.email', text: 'text' });
    expect(await errorsOf(missing.id)).toEqual([[3, 'customer email', 'VALIDATION_FAILED']]);
    const done = await admin.through('number,customer email\n1,ann@x.org\n2,ben@x.org\n', { entity: 'order_line', query: 'run=true' });
    expect(done).toMatchObject({ state: 'completed', counts: { created: 2 } });
    const { data } = (await admin.call('GET', 'order_line?include=customer&sort=number')).body;
    expect(data.map((one: { customer: { email: string } }) => one.customer.email)).toEqual(['ann@x.org', 'ben@x.org']);
    const key = data[0].customer_id as string;
    const wrong = key.replace(/.{4}$/, '0000');
    const byKey = await admin.through(`number,customer\n3,${key}\n4,${wrong}\n`, { entity: 'order_line', query: 'run=true&on_error=skip' });
    expect(byKey.counts).toMatchObject({ created: 1, failed: 1 });
    expect(await errorsOf(byKey.id)).toEqual([[3, 'customer', 'VALIDATION_FAILED']]);
  });

  it('may be rows of the same file that come before, also in another batch', async () => {
    const rows = Array.from(
      { length: 700 },
      (_, index) => `c${String(index)},${index === 0 ? '' : `c${String(Math.floor((index - 1) / 3))}`}`,
    );
    const file = ['code,parent.code', ...rows, 'c900,c901', 'c901,'].join('\n');
    const checked = await admin.through(file, { entity: 'category' });
    expect(checked).toMatchObject({ state: 'checked', counts: { created: 701, failed: 1 } });
    expect(await errorsOf(checked.id)).toEqual([[702, 'parent.code', 'VALIDATION_FAILED']]);
    await admin.call('POST', `_imports/${String(checked.id)}/run`, { on_error: 'skip' });
    expect(await admin.rests(checked.id as string)).toMatchObject({ state: 'completed', counts: { created: 701, failed: 1 } });
    const { data } = (await admin.call('GET', 'category?filter[code]=c699&include=parent')).body;
    expect(data[0].parent.code).toBe('c232');
    const undone = await admin.call('POST', `_imports/${String(checked.id)}/undo`);
    expect(undone.status, undone.text).toBe(202);
    expect(await admin.rests(checked.id as string)).toMatchObject({ state: 'undone', undo: { removed: 701, kept: 0 } });
  }, 60_000);

  it('are changed by update and upsert, and each only once', async () => {
    const upsert = await clerk.through('email,name\nann@x.org,Anna\nnew@x.org,New\nann@x.org,Again\n', {
      query: 'run=true&mode=upsert&on=email&on_error=skip',
    });
    expect(upsert.counts).toEqual({ created: 1, updated: 1, unchanged: 0, failed: 1 });
    expect(await errorsOf(upsert.id)).toEqual([[4, 'email', 'CONFLICT']]);
    const update = await clerk.through('email,name\nann@x.org,\nnobody@x.org,No\n,X\n', {
      query: 'run=true&mode=update&on=email&on_error=skip&empty=null',
    });
    expect(update.counts).toEqual({ created: 0, updated: 1, unchanged: 0, failed: 2 });
    expect(await errorsOf(update.id)).toEqual([
      [3, 'email', 'NOT_FOUND'],
      [4, 'email', 'VALIDATION_FAILED'],
    ]);
    expect((await clerk.call('GET', 'customer?filter[email]=ann@x.org')).body.data[0].full_name).toBeNull();
  });
});

describe('an undo', () => {
  it('takes away what was made and puts back what was changed, where nobody touched it since', async () => {
    await clerk.call('POST', 'customer', { email: 'old@x.org', full_name: 'Old', credit: '5.00' });
    const file = 'email,name,credit\nold@x.org,Newer,6\nu1@x.org,Uno,\nu2@x.org,Due,\nu3@x.org,Tre,\n';
    const done = await clerk.through(file, { query: 'run=true&mode=upsert&on=email' });
    expect(done).toMatchObject({ counts: { created: 3, updated: 1 }, undo: { possible: true } });
    const find = async (email: string) => (await clerk.call('GET', `customer?filter[email]=${email}`)).body.data[0];
    await clerk.call('PATCH', `customer/${String((await find('u1@x.org')).id)}`, { full_name: 'Touched' });
    await clerk.call('POST', 'order_line', { number: 77, customer_id: (await find('u2@x.org')).id });
    expect((await clerk.call('POST', `_imports/${String(done.id)}/undo`)).status).toBe(202);
    const undone = await clerk.rests(done.id as string);
    expect(undone).toMatchObject({ state: 'undone', undo: { removed: 1, restored: 1, kept: 2, possible: true } });
    expect(await find('old@x.org')).toMatchObject({ full_name: 'Old', credit: '5.00' });
    expect(await find('u3@x.org')).toBeUndefined();
    const { data } = (await clerk.call('GET', `_imports/${String(done.id)}/kept`)).body;
    expect(data).toEqual([
      {
        line: 3,
        record_id: expect.any(String),
        action: 'create',
        reason: 'It was changed since: it has version 2, and the import left 1.',
      },
      { line: 4, record_id: expect.any(String), action: 'create', reason: 'Other records refer to it: order_line.' },
    ]);
    const history = (await clerk.call('GET', `customer/${String((await find('old@x.org')).id)}/_history`)).body.data;
    expect(history.map((one: { cause: string | null }) => one.cause?.split('/')[0] ?? null)).toEqual(['import', 'import', null]);
    const nothing = await clerk.through('email\nnothing@x.org\n');
    expect((await clerk.call('POST', `_imports/${String(nothing.id)}/undo`)).body.error.code).toBe('CONFLICT');
  });
});

describe('who may import', () => {
  it('is who may write, as they are when the rows are looked at', async () => {
    expect((await viewer.send('email\nv@x.org\n')).body.error.code).toBe('FORBIDDEN');
    const hidden = await clerk.send('email,secret_note\ns@x.org,x\n', { query: 'mapping={"secret_note":"secret_note"}' });
    expect(hidden.body.error).toMatchObject({ code: 'VALIDATION_FAILED', details: [{ message: 'secret_note is no field of customer' }] });
    const suggested = await clerk.through('email,secret_note\ns@x.org,x\n');
    expect(suggested.mapping).toEqual({ email: 'email', secret_note: null });
    expect((await clerk.send('email\ne@x.org\n', { query: 'events=none' })).body.error.code).toBe('FORBIDDEN');
    const made = await admin.call('POST', '_admin/users', { email: 'gone@example.com', password: 'long enough for all', roles: ['clerk'] });
    const leaver = new Importer(world, await world.login('main', 'gone@example.com', 'long enough for all'));
    const checked = await leaver.through('email\nleaver@x.org\n');
    await admin.call('PATCH', `_admin/users/${String(made.body.data.id)}`, { roles: ['viewer'] });
    const session = new Importer(world, await world.login('main', 'gone@example.com', 'long enough for all'));
    expect((await session.call('POST', `_imports/${String(checked.id)}/run`)).status).toBe(404);
    expect(await total('&filter[email]=leaver@x.org')).toBe(0);
  });

  it('sees own imports, and admins all', async () => {
    const other = new Importer(world, tokens['other'] ?? '');
    const [own] = (await clerk.call('GET', '_imports?entity=customer&per_page=1')).body.data;
    expect(own.created_by.kind).toBe('user');
    expect((await other.call('GET', '_imports')).body).toMatchObject({ data: [], meta: { total: 0 } });
    for (const path of ['', '/errors', '/errors.csv', '/kept'])
      expect((await other.call('GET', `_imports/${String(own.id)}${path}`)).status).toBe(404);
    for (const verb of ['run', 'check', 'cancel', 'undo'])
      expect((await other.call('POST', `_imports/${String(own.id)}/${verb}`)).status).toBe(404);
    expect((await admin.call('GET', `_imports/${String(own.id)}`)).status).toBe(200);
    const actions = (await admin.call('GET', '_admin/audit?limit=100')).body.data.map((one: { action: string }) => one.action);
    expect(actions).toEqual(expect.arrayContaining(['records.import', 'records.import.run', 'records.import.undo']));
  });

  it('is held to the scopes of a key', async () => {
    const key = async (scopes: readonly string[]): Promise<string> =>
      (await admin.call('POST', '_admin/api-keys', { name: 'importer', scopes, roles: ['clerk'] })).body.data.key as string;
    const send = async (scopes: readonly string[], method: string, path: string, body?: string) =>
      fetch(`${world.url}/api/main/${path}`, {
        method,
        headers: { 'X-Api-Key': await key(scopes), ...(body === undefined ? {} : { 'Content-Type': 'text/csv' }) },
        ...(body === undefined ? {} : { body }),
      });
    expect((await send(['customer:read'], 'POST', 'customer/_import', 'email\nk@x.org\n')).status).toBe(403);
    const taken = await send(['customer:write', 'customer:read'], 'POST', 'customer/_import?run=true', 'email\nk@x.org\n');
    expect(taken.status).toBe(202);
    const { data } = (await taken.json()) as { data: { id: string } };
    expect(await admin.rests(data.id)).toMatchObject({ state: 'completed', created_by: { kind: 'api_key' } });
  });
});

describe('what cannot be imported', () => {
  it.each([
    ['', 'email\n', 400, 'INVALID_PAYLOAD', 'no rows'],
    ['', 'email\n"open\n', 400, 'INVALID_PAYLOAD', 'Line 2'],
    ['', 'email\n"a"b\n', 400, 'INVALID_PAYLOAD', 'Line 2'],
    ['', 'nothing,known\n1,2\n', 422, 'VALIDATION_FAILED', 'No column'],
    ['mode=update', 'name\nx\n', 422, 'VALIDATION_FAILED', 'No column goes to id'],
    ['mode=upsert&on=full_name', 'email,name\na@x.org,x\n', 422, 'VALIDATION_FAILED', '"on"'],
    ['on=email', 'email\na@x.org\n', 422, 'VALIDATION_FAILED', 'every row is a new one'],
    ['mapping={"email":"mail"}', 'email\na@x.org\n', 422, 'VALIDATION_FAILED', 'mail is no field'],
    ['mapping={"email":"id"}', 'email\na@x.org\n', 422, 'VALIDATION_FAILED', 'made by the engine'],
    ['mapping=1', 'email\na@x.org\n', 400, 'INVALID_VALUE', 'JSON object'],
    ['modus=create', 'email\na@x.org\n', 400, 'UNKNOWN_PARAMETER', 'modus'],
    ['mode=replace', 'email\na@x.org\n', 400, 'INVALID_PAYLOAD', 'mode'],
    ['time_zone=Mars/Base', 'email\na@x.org\n', 400, 'INVALID_PAYLOAD', 'time zone'],
    ['', `email\n${'a@x.org\n'.repeat(5001)}`, 413, 'TOO_LARGE', '5000 rows'],
    ['', `email\n${`${'x'.repeat(999)}\n`.repeat(2_200)}`, 413, 'TOO_LARGE', 'bytes'],
  ])('%s', async (query, file, status, code, words) => {
    const reply = await clerk.send(file, { query });
    expect([reply.status, reply.body.error.code]).toEqual([status, code]);
    expect(reply.body.error.message).toContain(words);
  });

  it('is said of other routes, types and ways too', async () => {
    expect((await clerk.send('{}', { type: 'application/json' })).body.error.code).toBe('UNSUPPORTED_MEDIA');
    expect((await clerk.send('email\nx\n', { entity: 'nothing' })).body.error.code).toBe('UNKNOWN_ENTITY');
    expect((await clerk.call('GET', 'customer/_import')).body.error.code).toBe('METHOD_NOT_ALLOWED');
    expect((await clerk.call('GET', '_imports/nothing')).body.error.code).toBe('NOT_FOUND');
    expect((await clerk.call('GET', '_imports?state=new')).body.error.code).toBe('INVALID_VALUE');
    const keyed = await clerk.raw('/api/main/customer/_import', {
      method: 'POST',
      body: 'email\nx\n',
      headers: { 'Content-Type': 'text/csv', 'Idempotency-Key': 'k' },
    });
    expect(keyed.body.error.code).toBe('INVALID_VALUE');
    const broken = await clerk.raw('/api/main/customer/_import', {
      method: 'POST',
      body: 'no gzip at all',
      headers: { 'Content-Type': 'text/csv', 'Content-Encoding': 'gzip' },
    });
    expect(broken.body.error.code).toBe('INVALID_PAYLOAD');
  });
});

describe('another look', () => {
  it('takes the rows in another way', async () => {
    const first = await clerk.through('a,b\nlook@x.org,31.01.2026\n', { query: 'mapping={"a":"email","b":"full_name"}' });
    expect(first.counts).toMatchObject({ created: 1 });
    const again = await clerk.call('POST', `_imports/${String(first.id)}/check`, { mapping: { b: 'since' } });
    expect(again.status, again.text).toBe(202);
    const second = await clerk.rests(first.id as string);
    expect(second).toMatchObject({ state: 'checked', mapping: { a: 'email', b: 'since' }, counts: { created: 0, failed: 1 } });
    expect((await clerk.call('POST', `_imports/${String(first.id)}/run`)).body.error.code).toBe('CONFLICT');
    await clerk.call('POST', `_imports/${String(first.id)}/check`, { dates: 'dmy' });
    expect(await clerk.rests(first.id as string)).toMatchObject({ state: 'checked', counts: { created: 1, failed: 0 } });
    expect((await clerk.call('POST', `_imports/${String(first.id)}/cancel`)).body.data.state).toBe('cancelled');
    await clerk.call('POST', `_imports/${String(first.id)}/run`);
    expect(await clerk.rests(first.id as string)).toMatchObject({ state: 'completed', counts: { created: 1 } });
  });
});
