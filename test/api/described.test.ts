/** Which routes the served description holds, and for whom: `METHODS` is the list the server itself refuses by. */
import { describe, expect, it } from 'vitest';
import { METHODS } from '../../api/routes/not-found.ts';
import { documentSchema, SECTIONS, segmentOf, type SchemaDocument } from '../../core/model/document.ts';
import { yamlOf } from '../../core/openapi/yaml.ts';
import type { JsonObject } from '../../core/openapi/json.ts';
import { compileScopes } from '../../core/policy/scopes.ts';
import { parse } from 'yaml';
import { describeFor, knownDocuments } from '../support/openapi.ts';

/** Routes that are left out on purpose. */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'GET _docs': 'a page for people, which shows this very description',
  'GET auth/accept-invite': 'a page for people, which a mail leads to',
  'GET auth/reset': 'a page for people, which a mail leads to',
  'GET auth/verify': 'a page for people, which a mail leads to',
  'POST _admin/rules/test': 'another spelling of _admin/rules/try',
  'DELETE _workflows/{}': 'another spelling of _workflows/{}/cancel',
};

/** An app that has something behind every route. */
const FULL: SchemaDocument = documentSchema.parse({
  version: 1,
  entities: [
    {
      name: 'note',
      soft_delete: true,
      fields: [
        { name: 'text', type: 'text' },
        { name: 'status', type: 'enum', enum: ['draft', 'done'] },
      ],
    },
  ],
  state_machines: [{ entity: 'note', field: 'status', definition: { initial: 'draft', transitions: [{ from: 'draft', to: 'done' }] } }],
  workflows: [{ name: 'look', trigger: { type: 'manual' }, steps: [{ id: 'look', type: 'approval' }] }],
  slas: [{ name: 'finish', entity: 'note', start: "record.status = 'draft'", stop: "record.status = 'done'", target: '8h' }],
  permissions: [{ entity: 'note', action: 'read', roles: ['reader'] }],
  settings: { auth: { public_signup: true } },
});

const METHOD_NAMES = ['get', 'post', 'put', 'patch', 'delete'];
const operationsOf = (description: JsonObject): string[] =>
  Object.entries(description['paths'] as Record<string, JsonObject>).flatMap(([path, item]) =>
    Object.keys(item).flatMap((name) =>
      METHOD_NAMES.includes(name) ? [`${name.toUpperCase()} ${path.replace('/api/sample/', '').replaceAll(/\{\w+\}/g, '{}')}`] : [],
    ),
  );

const admin = operationsOf(describeFor(FULL, 'admin'));
const templates = (pattern: string): string[] => {
  const plain = pattern.replaceAll(/:(?!entity|verb)\w+/g, '{}').replace(':entity', 'note');
  return plain.includes(':verb')
    ? ['approve', 'reject', 'send-back', 'resubmit', 'delegate', 'reassign', 'comment', 'cancel', 'retry', 'rewind', 'skip'].map((verb) =>
        plain.replace(':verb', verb),
      )
    : [plain];
};
const routes = [
  ...METHODS.flatMap(([pattern, methods]) => templates(pattern).flatMap((path) => methods.map((method) => `${method} ${path}`))),
  ...SECTIONS.flatMap((section) => {
    const path = `_admin/${segmentOf(section)}`;
    return [`GET ${path}`, `POST ${path}`, ...['GET', 'PUT', 'PATCH', 'DELETE'].map((method) => `${method} ${path}/{}`)];
  }),
];

describe('the description holds every route', () => {
  it.each(routes.filter((route) => !(route in EXCEPTIONS)))('%s', (route) => {
    expect(admin).toContain(route);
  });

  it('but those that are left out on purpose', () => {
    expect(Object.keys(EXCEPTIONS).filter((route) => admin.includes(route) || !routes.includes(route))).toEqual([]);
  });

  it('and no other', () => {
    expect(admin.filter((operation) => !routes.includes(operation))).toEqual([]);
  });
});

describe('a description tells only what its caller may ask', () => {
  it.each(['reader', 'nobody'])('%s sees nothing of _admin, in no path, tag or schema', (role) => {
    const text = JSON.stringify(describeFor(FULL, role));
    const hidden = ['/_admin', '"_admin', 'SchemaDocument', 'PermissionDefinition', 'Migration', 'NewInvite', 'SigningKey'];
    expect(hidden.filter((word) => text.includes(word))).toEqual([]);
  });

  it('nobody is told to sign up where nobody can', () => {
    const { auth: _, ...settings } = FULL.settings;
    const closed = operationsOf(describeFor({ ...FULL, settings }, 'reader'));
    expect(closed).not.toContain('POST auth/register');
    expect(operationsOf(describeFor(FULL, 'reader'))).toContain('POST auth/register');
  });

  it('signing up answers 202 where a mail has to be answered first', () => {
    const auth = { ...FULL.settings.auth, verify_email: true } as NonNullable<SchemaDocument['settings']['auth']>;
    const mailed = at(
      describeFor({ ...FULL, settings: { ...FULL.settings, auth } }, 'reader'),
      'paths',
      '/api/sample/auth/register',
      'post',
      'responses',
    );
    const direct = at(describeFor(FULL, 'reader'), 'paths', '/api/sample/auth/register', 'post', 'responses');
    expect([Object.keys(mailed).includes('202'), Object.keys(mailed).includes('201')]).toEqual([true, false]);
    expect([Object.keys(direct).includes('202'), Object.keys(direct).includes('201')]).toEqual([false, true]);
  });

  it('an API key sees the parts it has scopes for, and nothing that is for sessions only', () => {
    const without = operationsOf(describeFor(FULL, 'admin', 'sample', compileScopes(['*:read'])));
    expect(without.filter((operation) => /_admin|_workflows|sessions|auth\/password|auth\/api-keys/.test(operation))).toEqual([]);
    expect(without).toContain('GET auth/me');
    expect(without).toContain('POST auth/login');
    const reading = operationsOf(describeFor(FULL, 'admin', 'sample', compileScopes(['_admin:read', '_workflows:*'])));
    expect(reading.filter((operation) => operation.includes('_admin') && !operation.startsWith('GET '))).toEqual([]);
    expect(reading).toContain('GET _admin/users');
    expect(reading).toContain('POST _workflows/start/{}');
    const writing = operationsOf(describeFor(FULL, 'admin', 'sample', compileScopes(['_admin:*'])));
    expect(writing).toContain('POST _admin/users');
    for (const kept of [
      'POST _admin/api-keys',
      'POST _admin/signing-keys/rotate',
      'DELETE _admin/users/{}/totp',
      'PUT _admin/auth-providers/{}',
    ])
      expect(writing).not.toContain(kept);
  });
});

describe('limits of an app', () => {
  const limited = { ...FULL, settings: { ...FULL.settings, limits: { requests_per_minute: { user: 60 } } } };
  const headersOf = (document: SchemaDocument, path: string): string[] =>
    Object.keys(at(describeFor(document, 'admin'), 'paths', `/api/sample/${path}`, 'get', 'responses', '200', 'headers'));

  it('stand in the headers of answers behind a sign-in', () => {
    for (const path of ['note', '_admin/users', '_workflows']) {
      expect(headersOf(limited, path)).toEqual(
        expect.arrayContaining(['RateLimit-Limit', 'RateLimit-Remaining', 'RateLimit-Reset', 'RateLimit-Policy']),
      );
    }
    const refused = Object.keys(at(describeFor(limited, 'admin'), 'components', 'responses', 'Error429', 'headers'));
    expect(refused).toEqual(expect.arrayContaining(['Retry-After', 'RateLimit-Limit']));
  });

  it('and nowhere else', () => {
    expect(headersOf(limited, 'auth/me')).not.toContain('RateLimit-Limit');
    expect(JSON.stringify(describeFor(FULL, 'admin'))).not.toContain('RateLimit');
  });
});

describe('the version a client speaks', () => {
  const paths = describeFor(FULL, 'admin')['paths'] as Record<string, Record<string, JsonObject>>;
  const operations = Object.entries(paths).flatMap(([path, item]) =>
    METHOD_NAMES.flatMap((method) =>
      item[method] === undefined ? [] : [{ path: path.replace('/api/sample/', ''), operation: item[method] }],
    ),
  );
  const takes = ({ operation }: { operation: JsonObject }): boolean =>
    JSON.stringify(operation['parameters'] ?? []).includes('"#/components/parameters/SchemaVersion"');
  const hasOneShape = ({ path }: { path: string }): boolean => /^(auth|_admin|_imports|_lists|_overview|_workflows)(\/|$)/.test(path);

  it('is a header of every operation on data and of its answers, and of no other', () => {
    expect(operations.filter((one) => takes(one) === hasOneShape(one)).map(({ path }) => path)).toEqual([]);
    expect(operations.filter(takes).length).toBeGreaterThan(10);
    for (const { operation } of operations.filter(takes)) {
      const answers = Object.entries(operation['responses'] as Record<string, JsonObject>).filter(([status]) => status < '400');
      expect(answers.every(([, answer]) => Object.hasOwn(at(answer, 'headers'), 'Schema-Version'))).toBe(true);
    }
    const [header] = Object.values(at(describeFor(FULL, 'admin'), 'components', 'parameters')).filter(
      (one) => (one as JsonObject)['name'] === 'Schema-Version',
    );
    expect(header).toMatchObject({ in: 'header', schema: { type: 'integer' } });
  });
});

describe('options of includes', () => {
  const helpdesk = knownDocuments.get('helpdesk-ticketing');
  const parameters = at(describeFor(helpdesk ?? FULL, 'agent'), 'components', 'parameters') as Record<string, JsonObject>;
  const names = Object.values(parameters).map((parameter) => String(parameter['name']));

  it('are parameters: all of them for many records, a filter and fields for one', () => {
    const of = (relation: string): string[] => names.filter((name) => name.startsWith(`include[${relation}]`)).sort();
    expect(new Set(of('responses'))).toEqual(
      new Set(['filter', 'sort', 'limit', 'fields'].map((option) => `include[responses][${option}]`)),
    );
    expect(new Set(of('customer'))).toEqual(new Set(['filter', 'fields'].map((option) => `include[customer][${option}]`)));
  });

  it('name no relation the caller cannot follow', () => {
    const customer = JSON.stringify(describeFor(helpdesk ?? FULL, 'customer'));
    expect(customer).not.toContain('include[agent]');
  });
});

describe('as YAML', () => {
  it.each([...knownDocuments])('%s reads as it does in JSON', (_, document) => {
    const description = describeFor(document, 'admin');
    expect(parse(yamlOf(description))).toEqual(JSON.parse(JSON.stringify(description)));
  });

  it('keeps texts that look like something else', () => {
    const odd = {
      no: 'yes',
      '1': ['1.0', '', ' a', '- b', 'c: d', '#', '\n\t"', '\u009d', '~', 'null', '0x1f', '2026-01-01'],
      empty: { a: {}, b: [] },
      deep: [[1], [{}]],
    };
    expect(parse(yamlOf(odd))).toEqual(odd);
    expect(yamlOf(odd)).not.toContain('\u009d');
    expect(parse(yamlOf(odd), { version: '1.1' })).toEqual(odd);
  });
});

const at = (value: unknown, ...path: string[]): Record<string, unknown> =>
  path.reduce((part, key) => (part as Record<string, unknown>)[key], value) as Record<string, unknown>;
