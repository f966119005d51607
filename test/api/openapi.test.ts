import fs from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { complaintsAbout } from '../support/openapi-check.ts';
import { startWorld, type Reply, type World } from './world.ts';

let world: World;
let admin: string;
let agent: string;
let customer: string;
const descriptions = new Map<string, Record<string, unknown>>();

beforeAll(async () => {
  world = await startWorld();
  admin = await world.platformToken();
  await world.send('POST', '/api/_platform/apps', { token: admin, body: { name: 'helpdesk' } });
  const example = fs.readFileSync(new URL('../../examples/helpdesk-ticketing.json', import.meta.url), 'utf8');
  await world.send('POST', '/api/helpdesk/_admin/import', { token: admin, body: example, headers: { 'Content-Type': 'application/json' } });
  for (const role of ['agent', 'customer']) {
    const body = { email: `${role}@example.com`, password: 'a long enough password', roles: [role] };
    await world.send('POST', '/api/helpdesk/_admin/users', { token: admin, body });
  }
  agent = await world.login('helpdesk', 'agent@example.com', 'a long enough password');
  customer = await world.login('helpdesk', 'customer@example.com', 'a long enough password');
  for (const token of [admin, agent, customer])
    descriptions.set(token, (await world.send('GET', '/api/helpdesk/_openapi.json', { token })).body);
}, 120_000);

/** Sends, and holds the answer against what the caller's own description says. */
async function ask(token: string, method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Reply> {
  const reply = await world.send(method, path, { token, headers, ...(body === undefined ? {} : { body }) });
  expect(complaintsAbout(descriptions.get(token) ?? {}, { method, path, ...reply })).toEqual([]);
  return reply;
}

describe('_openapi.json', () => {
  it('is told to who signs in, with an ETag, in JSON or YAML', async () => {
    expect((await world.send('GET', '/api/helpdesk/_openapi.json')).status).toBe(401);
    const first = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent });
    expect(first.body).toMatchObject({ openapi: '3.1.0', info: { title: 'helpdesk' } });
    const etag = first.headers.get('etag') ?? '';
    const again = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent, headers: { 'If-None-Match': etag } });
    expect([again.status, again.text]).toEqual([304, '']);
    const yaml = await world.send('GET', '/api/helpdesk/_openapi.json', { token: agent, headers: { Accept: 'application/yaml' } });
    expect(yaml.headers.get('content-type')).toContain('yaml');
    expect(yaml.text).toMatch(/^openapi: \"3\.1\.0\"\n/);
  });

  it('is another document for another role', () => {
    const paths = (token: string): string[] => Object.keys(descriptions.get(token)?.['paths'] as object);
    expect(paths(agent)).toContain('/api/helpdesk/agent');
    expect(paths(customer)).not.toContain('/api/helpdesk/agent');
    expect(JSON.stringify(descriptions.get(customer))).not.toContain('department');
  });

  it('changes with the schema', async () => {
    const before = await world.send('GET', '/api/helpdesk/_openapi.json', { token: admin });
    const entity = { name: 'note', fields: [{ name: 'text', type: 'text', required: true }] };
    expect((await world.send('POST', '/api/helpdesk/_admin/entities', { token: admin, body: entity })).status).toBe(201);
    const after = await world.send('GET', '/api/helpdesk/_openapi.json', { token: admin });
    expect(after.headers.get('etag')).not.toBe(before.headers.get('etag'));
    expect(after.body.paths['/api/helpdesk/note'].post.operationId).toBe('create_note');
    descriptions.set(admin, after.body);
  });
});

describe('answers are as they are described', () => {
  it('for reads, with includes, fields, aggregates and exports', async () => {
    for (const token of [admin, agent]) {
      await ask(token, 'GET', '/api/helpdesk/ticket?include=customer,responses,agent.tickets&sort=-created_at&per_page=5');
      const walk = await ask(token, 'GET', '/api/helpdesk/ticket?limit=2&q=the&count=estimated');
      expect(walk.body.page.limit).toBe(2);
      await ask(
        token,
        'GET',
        `/api/helpdesk/ticket/${String(walk.body.data[0]?.id ?? '0198c0de-3001-7000-8000-000000000001')}/_transitions`,
      );
      await ask(token, 'GET', '/api/helpdesk/ticket?fields=title,customer.name&count=none&filter[priority.in]=high,critical');
      await ask(token, 'POST', '/api/helpdesk/ticket/_query', {
        filter: { field: 'customer.name', op: 'contains', value: 'a' },
        include: ['customer'],
      });
      await ask(token, 'GET', '/api/helpdesk/ticket/_aggregate?group_by=status,created_at.month&count=*&count_distinct=agent_id');
      await ask(token, 'GET', '/api/helpdesk/ticket/_export.csv?limit=2');
      await ask(token, 'GET', '/api/helpdesk/ticket', undefined, { Accept: 'application/x-ndjson' });
      await ask(token, 'GET', '/api/helpdesk/_workflows');
      await ask(token, 'GET', '/api/helpdesk/auth/me');
      await ask(token, 'GET', '/api/helpdesk/_discovery');
      await ask(token, 'GET', '/api/helpdesk/_overview');
      if (token === agent) await ask(token, 'GET', '/api/helpdesk/auth/sessions');
    }
    await ask(admin, 'GET', '/api/helpdesk/ticket?with_deleted=true');
  });

  it('for writes, nested ones too', async () => {
    const made = await ask(agent, 'POST', '/api/helpdesk/customer', { name: 'Ada', email: 'ada@example.com' });
    const ticket = await ask(admin, 'POST', '/api/helpdesk/ticket', {
      title: 'It is broken',
      description: 'x',
      customer_id: made.body.data.id,
      responses: [{ author_type: 'agent', author_id: made.body.data.id, body: 'hello' }],
    });
    const path = `/api/helpdesk/ticket/${String(ticket.body.data.id)}`;
    const read = await ask(agent, 'GET', path);
    await ask(agent, 'GET', path, undefined, { 'If-None-Match': read.headers.get('etag') ?? '' });
    expect((await ask(agent, 'PATCH', path, { priority: 'low' }, { 'If-Match': '"99"' })).status).toBe(412);
    expect((await ask(agent, 'PATCH', path, { priority: 'low' }, { 'If-Match': read.headers.get('etag') ?? '' })).status).toBe(200);
    expect((await ask(admin, 'DELETE', path)).status).toBe(200);
    expect((await ask(admin, 'POST', `${path}/_restore`)).status).toBe(200);
    await ask(admin, 'POST', '/api/helpdesk/customer/_bulk?atomic=false', {
      create: [
        { name: 'Bob', email: 'bob@example.com' },
        { name: 'Nobody', email: 'no address' },
      ],
      upsert: { on: 'email', rows: [{ name: 'Bob B.', email: 'bob@example.com' }] },
      delete: [made.body.data.id],
    });
    await ask(admin, 'POST', '/api/helpdesk/_batch', {
      operations: [
        { op: 'create', entity: 'customer', ref: 'who', body: { name: 'Dora', email: 'dora@example.com' } },
        { op: 'create', entity: 'ticket', body: { title: 'It broke', description: 'x', customer_id: { $ref: 'who.id' } } },
      ],
    });
    const key = { 'Idempotency-Key': 'once' };
    for (const _ of [1, 2]) await ask(agent, 'POST', '/api/helpdesk/customer', { name: 'Eve', email: 'eve@example.com' }, key);
  });

  it('for comments', async () => {
    const record = `/api/helpdesk/ticket/${String((await ask(admin, 'GET', '/api/helpdesk/ticket?per_page=1')).body.data[0].id)}/_comments`;
    const made = await ask(admin, 'POST', record, { body: 'Hello @[agent@example.com]' });
    expect(made.status).toBe(201);
    const path = `${record}/${String(made.body.data.id)}`;
    await ask(admin, 'GET', record);
    await ask(admin, 'PATCH', path, { body: 'Hello' });
    await ask(admin, 'GET', record.replace('_comments', '_timeline?types=comment,change&limit=2'));
    await ask(admin, 'POST', record, { body: '' });
    await ask(admin, 'GET', path);
    await ask(agent, 'GET', '/api/helpdesk/_notifications');
    expect((await ask(admin, 'DELETE', path, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    await ask(admin, 'DELETE', path);
  });

  it('for saved lists', async () => {
    const list = {
      entity: 'ticket',
      name: 'Hot',
      filter: { priority: 'high' },
      sort: ['-created_at'],
      columns: ['title', 'customer.name'],
    };
    const made = await ask(agent, 'POST', '/api/helpdesk/_lists', list);
    expect(made.status).toBe(201);
    const path = `/api/helpdesk/_lists/${String(made.body.data.id)}`;
    await ask(agent, 'PATCH', path, { is_default: true, per_page: 10 });
    await ask(agent, 'POST', '/api/helpdesk/_lists', { ...list, columns: ['nothing'] });
    await ask(agent, 'GET', path);
    await ask(agent, 'GET', '/api/helpdesk/_lists?entity=ticket');
    expect((await ask(agent, 'DELETE', path, undefined, { 'If-Match': '"1"' })).status).toBe(412);
    await ask(agent, 'DELETE', path);
  });

  it('for refusals', async () => {
    await ask(agent, 'GET', '/api/helpdesk/ticket?nothing=1');
    await ask(agent, 'GET', '/api/helpdesk/ticket/nothing');
    await ask(agent, 'POST', '/api/helpdesk/ticket', { title: 'x', wrong: true });
    await ask(agent, 'POST', '/api/helpdesk/ticket', '{', { 'Content-Type': 'application/json' });
    await ask(agent, 'POST', '/api/helpdesk/ticket', 'a=b', { 'Content-Type': 'application/x-www-form-urlencoded' });
    await ask(agent, 'POST', '/api/helpdesk/auth/login', { email: 'agent@example.com', password: 'no' });
  });

  it('for the accounts, keys and invites an admin keeps', async () => {
    const at = (path: string): string => `/api/helpdesk/_admin/${path}`;
    const user = { email: 'dora@example.com', password: 'a long enough password', roles: ['agent'] };
    const made = await ask(admin, 'POST', at('users'), user, { 'Idempotency-Key': 'dora' });
    const again = await ask(admin, 'POST', at('users'), user, { 'Idempotency-Key': 'dora' });
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([201, 'true']);
    const userPath = at(`users/${String(made.body.data.id)}`);
    await ask(admin, 'GET', at('users?q=example&filter[active]=true&filter[role]=agent&sort=-email&per_page=2'));
    expect((await ask(admin, 'GET', at('users?filter[active]=perhaps'))).status).toBe(400);
    await ask(admin, 'PATCH', userPath, { roles: ['agent', 'customer'] });
    await ask(admin, 'PUT', userPath, { wrong: 1 });
    for (const part of ['', '/totp', '/sessions']) await ask(admin, 'GET', `${userPath}${part}`);
    await ask(admin, 'DELETE', `${userPath}/totp`);
    await ask(admin, 'DELETE', `${userPath}/sessions`);
    await ask(admin, 'DELETE', userPath);
    expect((await ask(admin, 'GET', userPath)).status).toBe(404);
    const key = await ask(admin, 'POST', at('api-keys'), { name: 'export', scopes: ['*:read'], roles: ['agent'] });
    const keyPath = at(`api-keys/${String(key.body.data.id)}`);
    await ask(admin, 'GET', at('api-keys?page=1'));
    await ask(admin, 'PATCH', keyPath, { name: 'nightly', expires_at: '2040-01-01T00:00:00Z' });
    await ask(admin, 'POST', `${keyPath}/rotate`);
    await ask(admin, 'DELETE', keyPath);
    await ask(admin, 'POST', `${keyPath}/rotate`);
    await ask(admin, 'POST', at('api-keys'), { name: '', scopes: ['nonsense'] });
    const invite = await ask(admin, 'POST', at('invites'), { email: 'eva@example.com', roles: ['agent'] });
    await ask(admin, 'POST', at('invites'), { email: 'eva@example.com' });
    await ask(admin, 'POST', at('invites/bulk'), { emails: ['eva@example.com', 'otto@example.com', 'no address'], roles: ['agent'] });
    await ask(admin, 'GET', at('invites'));
    await ask(admin, 'POST', at(`invites/${String(invite.body.data.id)}/resend`));
    await ask(admin, 'DELETE', at(`invites/${String(invite.body.data.id)}`));
    await ask(admin, 'POST', at('auth-providers'), { name: 'company', issuer: 'https://id.example.com', client_id: 'desk' });
    await ask(admin, 'POST', at('auth-providers/check'), { issuer: 'https://id.example.com' });
    await ask(admin, 'PATCH', at('auth-providers/company'), { active: false });
    for (const path of ['auth-providers', 'auth-providers/company', 'signing-keys']) await ask(admin, 'GET', at(path));
    await ask(admin, 'DELETE', at('auth-providers/company'));
    await ask(admin, 'POST', at('signing-keys/rotate'), { revoke: false });
  });

  it('for definitions, section by section', async () => {
    const sections = ['entities', 'relations', 'rules', 'state-machines', 'workflows', 'permissions', 'webhooks', 'roles'];
    for (const section of sections) {
      const path = `/api/helpdesk/_admin/${section}`;
      const { body } = await ask(admin, 'GET', path);
      const [one] = body.data as { id: string }[];
      if (one !== undefined) await ask(admin, 'GET', `${path}/${one.id}`);
      await ask(admin, 'GET', `${path}/nothing`);
      await ask(admin, 'POST', path, { wrong: true });
    }
    const role = await ask(admin, 'POST', '/api/helpdesk/_admin/roles', { name: 'auditor' });
    expect(role.status).toBe(201);
    await ask(admin, 'PATCH', '/api/helpdesk/_admin/roles/auditor', { description: 'looks on' }, { 'If-Match': '"1"' });
    await ask(admin, 'PATCH', '/api/helpdesk/_admin/roles/auditor', { description: 'looks on' });
    await ask(admin, 'DELETE', '/api/helpdesk/_admin/roles/auditor');
    const rule = { entity: 'note', type: 'field', definition: { field: 'text', operator: 'min_length', value: 2 } };
    const made = await ask(admin, 'POST', '/api/helpdesk/_admin/rules', rule);
    await ask(admin, 'PUT', `/api/helpdesk/_admin/rules/${String(made.body.data.id)}`, { active: false });
    await ask(admin, 'PATCH', '/api/helpdesk/_admin/entities/note', {
      fields: [
        { name: 'text', type: 'text', required: true },
        { name: 'more', type: 'int' },
      ],
    });
    await ask(admin, 'PATCH', '/api/helpdesk/_admin/entities/note', { fields: [{ name: 'text', type: 'int', required: true }] });
  });

  it('for the schema as a whole', async () => {
    const at = (path: string): string => `/api/helpdesk/_admin/${path}`;
    const exported = await ask(admin, 'GET', at('export'));
    await ask(admin, 'GET', at('export?format=yaml'));
    await ask(admin, 'GET', at('export?format=xml'));
    await ask(admin, 'POST', at('import?mode=merge'), exported.body.data);
    await ask(admin, 'POST', at('import?mode=none'), exported.body.data);
    await ask(admin, 'POST', at('import'), { version: 2 });
    await ask(admin, 'POST', at('versions?dry_run=true'), exported.body.data);
    expect((await ask(admin, 'POST', at('versions'), exported.body.data)).status).toBe(200);
    const next = { ...exported.body.data, roles: [...exported.body.data.roles, { name: 'watcher' }] };
    expect((await ask(admin, 'POST', at('versions'), next)).status).toBe(201);
    const { body } = await ask(admin, 'GET', at('versions'));
    const newest = Number(body.data[0].version);
    await ask(admin, 'GET', at(`versions/${String(newest)}`));
    await ask(admin, 'GET', at(`versions/0...${String(newest)}`));
    await ask(admin, 'GET', at('versions/99999'));
    await ask(admin, 'POST', at(`versions/${String(newest - 1)}/rollback`));
    const migrations = await ask(admin, 'GET', at('migrations'));
    await ask(admin, 'GET', at(`migrations/${String(migrations.body.data[0].id)}`));
    await ask(admin, 'GET', at(`migrations/${String(migrations.body.data[0].id)}/plan`));
    await ask(admin, 'POST', at('migrations'), { to_version: 99_999 });
    await ask(admin, 'GET', at('findings'));
  });

  it('for trials, webhooks and secrets', async () => {
    const at = (path: string): string => `/api/helpdesk/_admin/${path}`;
    await ask(admin, 'POST', at('rules/try'), { entity: 'ticket', record: { title: 'x' }, as: { roles: ['agent'] } });
    await ask(admin, 'POST', at('rules/try'), { entity: 'ticket' });
    for (const action of ['read', 'create'])
      await ask(admin, 'POST', at('permissions/simulate'), { as: { roles: ['agent'] }, entity: 'ticket', action, draft: [] });
    await ask(admin, 'POST', at('permissions/matrix'), {});
    const draft = [{ entity: 'ticket', action: 'delete', roles: ['agent'] }];
    await ask(admin, 'POST', at('permissions/impact'), { draft });
    const hook = await ask(admin, 'POST', at('webhooks'), { entity: 'note', url: 'https://example.invalid/hook' });
    const path = at(`webhooks/${String(hook.body.data.id)}`);
    const sent = await ask(admin, 'POST', `${path}/test`);
    await ask(admin, 'POST', `${path}/secret`);
    await ask(admin, 'GET', `${path}/health`);
    await ask(admin, 'POST', `${path}/enable`);
    await ask(admin, 'POST', at('deliveries/replay'), { webhook: String(hook.body.data.id), from: '2020-01-01T00:00:00Z' });
    await ask(admin, 'POST', at('deliveries/replay'), { status: 'pending' });
    await ask(admin, 'GET', at('deliveries/replays'));
    await ask(admin, 'GET', at('deliveries?cursor=&limit=2&event_id=1&from=2020-01-01T00:00:00Z'));
    await ask(admin, 'GET', at('deliveries?status=dead&page=x'));
    await ask(admin, 'GET', at('deliveries'));
    await ask(admin, 'GET', at(`deliveries/${String(sent.body.data.id)}`));
    await ask(admin, 'POST', at(`deliveries/${String(sent.body.data.id)}/replay`));
    await ask(admin, 'PUT', at('secrets/TOKEN'), { value: 'hush' });
    await ask(admin, 'GET', at('secrets'));
    await ask(admin, 'DELETE', at('secrets/TOKEN'));
    await ask(admin, 'DELETE', path);
  });

  it('for the own account', async () => {
    const at = (path: string): string => `/api/helpdesk/auth/${path}`;
    const key = await ask(agent, 'POST', at('api-keys'), { name: 'mine', scopes: ['ticket:read'] });
    const keyPath = at(`api-keys/${String(key.body.data.id)}`);
    await ask(agent, 'POST', at('api-keys'), { name: 'mine', scopes: ['ticket:read'], roles: ['agent'] });
    await ask(agent, 'GET', at('api-keys'));
    for (const [method, body] of [['GET'], ['PUT', { name: 'still mine' }], ['DELETE']] as const) await ask(agent, method, keyPath, body);
    for (const path of ['providers', 'oidc/links', 'totp', 'jwks.json', 'oidc/nobody/start', 'oidc/nobody/callback?state=x'])
      await ask(agent, 'GET', at(path));
    await ask(agent, 'DELETE', at('oidc/links/nobody'));
    await ask(agent, 'POST', at('oidc/token'), { code: 'x' });
    await ask(agent, 'POST', at('forgot'), { email: 'agent@example.com' });
    await ask(agent, 'POST', at('verify/send'), { email: 'nobody' });
    for (const path of ['reset', 'verify', 'accept-invite'])
      await ask(agent, 'POST', at(path), { token: 'x', password: 'a long enough password' });
  });

  it('for options of includes, in the query and in a body', async () => {
    const options =
      'include[responses][filter]={"field":"body","op":"contains","value":"a"}&include[responses][sort]=-created_at&include[responses][limit]=2';
    const listed = await ask(agent, 'GET', `/api/helpdesk/ticket?${options}&include[customer][fields]=name`);
    expect(listed.status).toBe(200);
    const include = ['agent', { relation: 'responses', sort: ['-created_at'], limit: 2, fields: ['body'], include: ['ticket'] }];
    expect((await ask(agent, 'POST', '/api/helpdesk/ticket/_query', { include })).status).toBe(200);
    expect((await ask(agent, 'GET', '/api/helpdesk/ticket?include[responses][limit]=0')).status).toBe(400);
  });

  it('for whom an invite makes an account', async () => {
    const invite = await ask(admin, 'POST', '/api/helpdesk/_admin/invites', { email: 'late@example.com', roles: ['agent'] });
    const body = { token: invite.body.data.token, password: 'a long enough password' };
    expect((await ask(agent, 'POST', '/api/helpdesk/auth/accept-invite', body)).status).toBe(201);
  });

  it('405 for a name that stands where ids do, when only ids take the method', async () => {
    const reply = await world.send('DELETE', '/api/helpdesk/_workflows/pending', { token: admin });
    expect([reply.status, reply.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
  });

  it('405 with the methods a path takes', async () => {
    const paths = descriptions.get(admin)?.['paths'] as Record<string, Record<string, unknown>>;
    for (const [template, item] of Object.entries(paths)) {
      const path = template.replaceAll(/\{\w+\}/g, '0198c0de-1001-7000-8000-000000000001');
      const reply = await world.send('PURGE', path, { token: admin });
      expect([template, reply.status]).toEqual([template, 405]);
      const allowed = (reply.headers.get('allow') ?? '').split(', ');
      for (const method of Object.keys(item).filter((key) => key !== 'parameters')) expect(allowed).toContain(method.toUpperCase());
    }
  });
});
