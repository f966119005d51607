import { beforeAll, describe, expect, it } from 'vitest';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let token: string;
beforeAll(async () => {
  world = await startWorld();
  token = await world.platformToken();
  for (const name of ['main', 'other'])
    expect((await world.send('POST', '/api/_platform/apps', { token, body: { name } })).status).toBe(201);
});

const admin = (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> =>
  world.send(method, `/api/main/_admin/${path}`, { token, headers, ...(body === undefined ? {} : { body }) });

describe('definitions over HTTP', () => {
  it('a new entity and a new field are usable the moment the call returns', async () => {
    const made = await admin('POST', 'entities', { name: 'book', fields: [{ name: 'title', type: 'string', required: true }] });
    expect(made.status, made.text).toBe(201);
    expect(made.body).toMatchObject({ data: { name: 'book' }, schema_version: 1 });
    const first = await world.send('POST', '/api/main/book', { token, body: { title: 'A' } });
    expect(first.status, first.text).toBe(201);
    const path = `/api/book/${first.body.data.id}`;
    const before = (await world.send('GET', path, { token })).headers.get('etag') ?? '';
    const grown = await admin('PUT', 'entities/book', {
      fields: [
        { name: 'title', type: 'string', required: true },
        { name: 'pages', type: 'int' },
      ],
    });
    expect(grown.status, grown.text).toBe(200);
    // The same version of the record looks different now.
    const larger = await world.send('GET', path, { token, headers: { 'If-None-Match': before } });
    expect([larger.status, larger.body.data.pages]).toEqual([200, null]);
    const changed = await world.send('PUT', path, { token, body: { pages: 12 }, headers: { 'If-Match': before } });
    expect(changed.body.data, changed.text).toMatchObject({ title: 'A', pages: 12 });
    expect(changed.headers.get('etag')).toBe('"2"');
    expect((await world.send('PUT', path, { token, body: { pages: 13 }, headers: { 'If-Match': '"1"' } })).status).toBe(412);
    const etag = (await world.send('GET', path, { token })).headers.get('etag') ?? '';
    const known = await world.send('GET', path, { token, headers: { 'If-None-Match': etag } });
    expect([known.status, known.text]).toEqual([304, '']);
  });

  it('an edit of an older version is a 412', async () => {
    const old = await admin('POST', 'roles', { name: 'agent' }, { 'If-Match': '"1"' });
    expect(old.status, old.text).toBe(412);
    const version = Number((await admin('GET', 'entities/book')).headers.get('etag')?.replaceAll('"', ''));
    expect((await admin('POST', 'roles', { name: 'agent' }, { 'If-Match': String(version) })).status).toBe(201);
  });

  it('are listed, compared, exported and planned', async () => {
    expect((await admin('GET', 'entities')).body.data).toHaveLength(1);
    expect((await admin('GET', 'state-machines')).body.data).toEqual([]);
    const versions = (await admin('GET', 'versions')).body.data as { version: number }[];
    expect(versions[0]?.version).toBe(3);
    expect((await admin('GET', 'versions/1...2')).body.data).toMatchObject({ from: 1, to: 2, class: 'compatible' });
    expect((await admin('GET', 'migrations')).body.data[0]).toMatchObject({ app: 'main' });
    expect((await admin('GET', 'findings')).status).toBe(200);
    const document = (await admin('GET', 'export')).body.data as { entities: object[] };
    expect(document.entities).toHaveLength(1);
    const yaml = await admin('GET', 'export', undefined, { Accept: 'application/yaml' });
    expect(yaml.headers.get('content-type')).toContain('yaml');
    const plan = await admin('POST', 'versions?dry_run=true', document);
    expect(plan.status, plan.text).toBe(200);
    expect(plan.body.data.changes).toEqual([]);
    expect((await admin('POST', 'versions', yaml.text, { 'Content-Type': 'application/yaml' })).status).toBe(200);
  });

  it('a drop that nobody confirmed is refused and nothing of it applied', async () => {
    const gone = await admin('DELETE', 'entities/book');
    expect(gone.status, gone.text).toBe(409);
    expect(gone.body.error.code).toBe('UNSAFE_CHANGE');
    expect((await world.send('GET', '/api/main/book', { token })).status).toBe(200);
  });

  it('an imported document is usable when the call returns, and importing it again changes nothing', async () => {
    const body = 'version: 1\nname: shop\nentities:\n  - name: item\n    fields:\n      - {name: label, type: string}\n';
    const headers = { 'Content-Type': 'application/yaml' };
    const first = await admin('POST', 'import', body, headers);
    expect(first.status, first.text).toBeLessThan(300);
    expect((await world.send('POST', '/api/main/item', { token, body: { label: 'x' } })).status).toBe(201);
    const again = await admin('POST', 'import', body, headers);
    expect(again.status, again.text).toBe(200);
  });
});

describe('two apps', () => {
  it('see nothing of each other, by any path', async () => {
    const entity = { name: 'book', fields: [{ name: 'title', type: 'string' }] };
    expect((await world.send('POST', '/api/other/_admin/entities', { token, body: entity })).status).toBe(201);
    const mine = (await world.send('POST', '/api/main/book', { token, body: { title: 'mine' } })).body.data.id as string;
    const theirs = await world.login('other');
    expect((await world.send('GET', `/api/main/book/${mine}`, { token: theirs })).status).toBe(401);
    expect((await world.send('GET', `/api/other/book/${mine}`, { token: theirs })).status).toBe(404);
    expect((await world.send('PUT', `/api/other/book/${mine}`, { token: theirs, body: { title: 'x' } })).status).toBe(404);
    expect((await world.send('DELETE', `/api/other/book/${mine}`, { token: theirs })).status).toBe(404);
    expect((await world.send('GET', '/api/other/book', { token: theirs })).body.data).toEqual([]);
    expect((await world.send('GET', '/api/book', { token: theirs, headers: { 'X-Tenant-Id': 'other' } })).status).toBe(200);
    const [first] = (await world.send('GET', '/api/main/_admin/users', { token })).body.data as { id: string }[];
    expect((await world.send('GET', `/api/other/_admin/users/${first?.id}`, { token: theirs })).status).toBe(404);
  });

  it('a caller without permissions gets nothing, and no admin routes', async () => {
    await world.send('POST', '/api/main/_admin/users', { token, body: { email: 'ann@x', password: 'p', roles: ['agent'] } });
    const ann = await world.login('main', 'ann@x', 'p');
    expect((await world.send('GET', '/api/main/book', { token: ann })).status).toBe(403);
    expect((await world.send('POST', '/api/main/book', { token: ann, body: { title: 'x' } })).status).toBe(403);
    for (const path of ['entities', 'users', 'export', 'versions', 'deliveries', 'secrets', 'migrations']) {
      expect((await world.send('GET', `/api/main/_admin/${path}`, { token: ann })).status).toBe(403);
    }
    const discovery = await world.send('GET', '/api/main/_discovery', { token: ann });
    expect(discovery.body.data.entities).toEqual([]);
    const again = await world.send('GET', '/api/main/_discovery', {
      token: ann,
      headers: { 'If-None-Match': discovery.headers.get('etag') ?? '' },
    });
    expect(again.status).toBe(304);
    const granted = await admin('POST', 'permissions', { entity: 'book', action: 'read', roles: ['Agent'] });
    expect(granted.status, granted.text).toBe(201);
    expect((await world.send('GET', '/api/main/book', { token: ann })).status).toBe(200);
  });
});
