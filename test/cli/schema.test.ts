/** plan, apply, diff and rollback as somebody at a console uses them: the built command line against a real api and worker. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { repositoryRoot } from '../../infra/local/repository.ts';
import type { PlanView } from '../../operations/schemas/plan-view.ts';
import { startWorld, type World } from '../api/world.ts';
import { buildAll, launch } from '../support/process.ts';

const main = path.join(repositoryRoot(), 'dist', 'cli', 'main.js');
const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'durabase-cli-'));
let world: World;
let token: string;

beforeAll(async () => {
  await buildAll();
  world = await startWorld();
  token = await world.platformToken();
  expect((await world.send('POST', '/api/_platform/apps', { token, body: { name: 'main' } })).status).toBe(201);
}, 120_000);
afterAll(() => fs.rmSync(dir, { recursive: true, force: true }));

const durabase = (...args: string[]) => launch([main, ...args, '--url', world.url, '--app', 'main'], {}).ended;
const offline = (...args: string[]) => launch([main, ...args], {}).ended;
const versions = async (): Promise<number[]> =>
  ((await world.send('GET', '/api/main/_admin/versions', { token })).body as { data: { version: number }[] }).data.map(
    ({ version }) => version,
  );

function file(name: string, document: unknown): string {
  const full = path.join(dir, name);
  fs.writeFileSync(full, typeof document === 'string' ? document : JSON.stringify(document));
  return full;
}

const customers = (fields: readonly unknown[], more: object = {}) => ({ version: 1, entities: [{ name: 'customers', fields, ...more }] });
const NAME = { name: 'name', type: 'string', required: true, max_length: 100 };
const EMAIL = { name: 'email', type: 'email' };
const first = file('first.json', customers([NAME]));
const second = file('second.json', customers([NAME, EMAIL], { indexes: [{ fields: ['email'], type: 'btree' }] }));
const labelled = file('labelled.json', customers([NAME, EMAIL], { label: 'Clients', indexes: [{ fields: ['email'], type: 'btree' }] }));
const narrower = file('narrower.json', customers([{ ...NAME, max_length: 10 }]));

describe('a schema on the command line', () => {
  it('plan shows changes, steps and SQL in 80 plain columns, and changes nothing', async () => {
    const { code, output } = await durabase('plan', 'examples/helpdesk-ticketing.json');
    expect(code, output).toBe(0);
    expect(output).toMatch(/^main, version 0: \d+ changes, compatible$/m);
    expect(output).toMatch(/^ {4}\+ add entity +ticket$/m);
    expect(output).toMatch(/^ {4}\+ add permission +ticket read for /m);
    expect(output).toMatch(/^ {4}1\. ACCESS EXCLUSIVE on the new table only$/m);
    expect(output).toMatch(/^ {9}"title" text not null,$/m);
    expect(output.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(output).not.toContain('\u001b');
    expect(await versions()).toEqual([]);
  }, 30_000);

  it('plan --json is what the api answers', async () => {
    const { code, output } = await durabase('plan', second, '--json');
    expect(code).toBe(0);
    const plan = JSON.parse(output) as PlanView;
    const asked = await world.send('POST', '/api/main/_admin/versions?dry_run=true', {
      token,
      body: JSON.parse(fs.readFileSync(second, 'utf8')) as unknown,
    });
    expect(plan).toEqual((asked.body as { data: PlanView }).data);
    expect(plan.steps[0]?.sql).toContain('create table');
  }, 30_000);

  it('apply publishes without asking where there is no terminal, shows the steps as they finish, and repeats harmlessly', async () => {
    expect(await durabase('apply', first, '--json').then(({ output }) => JSON.parse(output) as object)).toMatchObject({
      schema_version: 1,
      changes: [{ kind: 'add_entity', entity: 'customers' }],
      migration: { status: 'completed', to_version: 1 },
    });
    const { code, output } = await durabase('apply', second);
    expect(code, output).toBe(0);
    expect(output).toMatch(/^ {4}\+ add field {2}customers\.email {2}email$/m);
    expect(output).toMatch(/^ {2}1\/2 {2}expand +alter table/m);
    expect(output).toMatch(/^ {2}2\/2 {2}expand +drop index concurrently/m);
    expect(output.endsWith('\nVersion 2 is served.\n')).toBe(true);
    const again = await durabase('apply', second);
    expect(again).toEqual({ code: 0, output: 'main, version 2: no changes\n\nVersion 2 is served already.\n' });
    expect(await versions()).toEqual([2, 1]);
  }, 60_000);

  it('rollback publishes a version equal to an older one', async () => {
    expect((await durabase('apply', labelled)).code).toBe(0);
    const { code, output } = await durabase('rollback', '2');
    expect(code, output).toBe(0);
    expect(output).toContain('No table changes: all of it takes effect with the switch.');
    expect(output.endsWith('\nVersion 4 is served.\n')).toBe(true);
    expect((await durabase('diff', '2', '4')).output).toBe('version 2 to version 4: no changes\n');
    expect(await durabase('rollback', 'two')).toMatchObject({ code: 1, output: expect.stringContaining('Say the number of the version') });
  }, 60_000);

  it('a drop is meant only when it is said, and a word to its migration ends it', async () => {
    const dropped = file('dropped.json', customers([NAME]));
    const refused = await durabase('apply', dropped);
    expect(refused.code).toBe(1);
    expect(refused.output).toContain('?confirm=drop');
    const { code, output } = await durabase('apply', dropped, '--confirm-drop');
    expect(code, output).toBe(0);
    expect(output).toContain('Left in the tables until the retention ends\n  customers.email');
    const [version = 0] = await versions();
    const ended = await durabase('migration', 'contract', String(version), '--drop');
    expect(ended.output).toMatch(new RegExp(`^Migration .* to version ${String(version)} is `));
    expect(await durabase('migration', 'shorten', '1')).toMatchObject({ code: 1, output: expect.stringContaining('Say what to do') });
  }, 60_000);

  it('a refusal is told once, with the place of each mistake, and ends with 1', async () => {
    const wrong = file('wrong.json', { version: 1, entities: [{ name: 'customers', fields: [{ name: 'x', type: 'strng' }, {}] }] });
    const { code, output } = await durabase('apply', wrong);
    expect(code).toBe(1);
    expect(output).toMatch(/^durabase apply: POST \/api\/main\/_admin\/versions answered 422: The schema document has \d+ mistakes/);
    expect(output).toMatch(/^ {2}entities\.0\.fields\.1\.name is missing/m);
    expect(await durabase('plan', path.join(dir, 'none.json'))).toEqual({
      code: 1,
      output: `durabase plan: ${path.join(dir, 'none.json')} cannot be read (ENOENT).\n`,
    });
    expect(await durabase('diff', '1', '99')).toMatchObject({ code: 1, output: expect.stringContaining('has no version 99') });
  }, 60_000);

  it('diff compares versions and files in any pairing, two files without an api', async () => {
    expect((await durabase('diff', '1', '3')).output).toBe(
      [
        'version 1 to version 3: 3 changes, compatible',
        '    ~ set entity  customers label  none -> Clients',
        '    + add field   customers.email  email',
        '    + add index   customers (email)',
        '',
      ].join('\n'),
    );
    const mixed = await durabase('diff', '2', narrower);
    expect(mixed.output).toContain(`version 2 to ${narrower}: 3 changes, 1 of them breaking\n  ! - drop field  customers.email\n`);
    expect(mixed.output).toContain('\n    ~ set limit   customers.name max_length  100 -> 10\n');
    const json = JSON.parse((await offline('diff', first, second, '--json')).output) as object;
    expect(json).toMatchObject({ from: first, to: second, class: 'compatible', changes: [{ kind: 'add_field' }, { kind: 'add_index' }] });
    const renamed = file('renamed.yaml', 'version: 1\nentities: [{name: customers, fields: [{name: title, was: name, type: string}]}]');
    expect((await offline('diff', file('old.yaml', JSON.stringify(customers([{ ...NAME, id: 'f1' }]))), renamed)).output).toMatch(
      /! ~ rename field +customers\.name +-> title/,
    );
    const broken = await offline('diff', first, file('broken.yaml', 'version: 1\nentities: [{nme: x}]'));
    expect(broken.code).toBe(1);
    expect(broken.output).toMatch(/^durabase diff: .*broken\.yaml: The schema document has 3 mistakes/);
  }, 60_000);
});
