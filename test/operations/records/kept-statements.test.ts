/** Statements are kept from request to request: a kept one must never carry what belongs to another request. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Actor, AppContext, AppRuntime } from '../../../operations/context.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { getRecord } from '../../../operations/records/get.ts';
import { updateRecord } from '../../../operations/records/update.ts';
import { refusal, writingWorld, type WritingWorld } from '../../support/writing.ts';

const document = {
  version: 1,
  entities: [
    {
      name: 'note',
      fields: [
        { name: 'title', type: 'string' },
        { name: 'owner', type: 'string' },
        { name: 'secret', type: 'string' },
        { name: 'until', type: 'timestamp' },
        { name: 'amount', type: 'decimal' },
        { name: 'tags', type: 'json' },
        { name: 'note', type: 'relation', target: 'note' },
      ],
      soft_delete: true,
    },
  ],
  permissions: [
    { entity: 'note', action: '*', roles: ['member'], conditions: [{ field: 'owner', operator: 'eq', value: '$user.email' }] },
    { entity: 'note', action: '*', roles: ['timed'], conditions: [{ field: 'until', operator: 'gt', value: '$now' }] },
    { entity: 'note', action: '*', roles: ['open'] },
    { entity: 'note', action: '*', roles: ['open'], deny: true, conditions: [{ field: 'title', operator: 'eq', value: 'sealed' }] },
    {
      entity: 'note',
      action: 'read',
      roles: ['partial'],
      fields: { read: ['title', 'owner'] },
    },
    {
      entity: 'note',
      action: 'read',
      roles: ['partial'],
      fields: { read: ['secret'] },
      conditions: [{ field: 'owner', operator: 'eq', value: '$user.email' }],
    },
    { entity: 'note', action: 'create', roles: ['partial'] },
    { entity: 'note', action: 'update', roles: ['partial'] },
  ],
};

let world: WritingWorld;
let app: AppRuntime;

const userOf = (email: string, role: string): Actor => ({
  kind: 'user',
  id: '00000000-0000-7000-8000-000000000001',
  email,
  roles: [role],
  isAdmin: false,
  sessionId: null,
});
/** One actor object for every request of a caller, as a remembered token has it. */
const as = (actor: Actor, extra: Partial<AppContext> = {}): AppContext => ({ ...world.context(app), actor, ...extra });
const json = (written: { text: string }): Record<string, unknown> => JSON.parse(written.text) as Record<string, unknown>;

beforeAll(async () => {
  world = await writingWorld();
  app = await world.app('kept', document);
});

/** The texts of what was sent since the test began. */
let from = 0;
beforeEach(() => (from = world.statements.length));
const sent = (): string[] => world.statements.slice(from);

describe('kept statements', () => {
  it('bind each caller’s own values, in whatever turn they come', async () => {
    const [anna, ben] = [userOf('anna', 'member'), userOf('ben', 'member')];
    for (const one of [anna, ben, anna, ben]) {
      const other = one === anna ? ben : anna;
      const own = json(await createRecord(as(one), 'note', { title: `of ${String(one.email)}`, owner: one.email }));
      expect(own).toMatchObject({ title: `of ${String(one.email)}`, owner: one.email });
      expect((await refusal(createRecord(as(one), 'note', { title: 'stolen', owner: other.email }))).code).toBe('FORBIDDEN');
      const id = String(own['id']);
      expect(json(await updateRecord(as(one), 'note', id, { title: 'new' }))).toMatchObject({ title: 'new', owner: one.email });
      expect((await refusal(updateRecord(as(other), 'note', id, { title: 'stolen' }))).code).toBe('NOT_FOUND');
      expect((await refusal(updateRecord(as(one), 'note', id, { owner: other.email }))).code).toBe('FORBIDDEN');
      expect((await refusal(deleteRecord(as(other), 'note', id))).code).toBe('NOT_FOUND');
      await deleteRecord(as(one), 'note', id);
      expect((await refusal(getRecord(as(one), 'note', id, new URLSearchParams()))).code).toBe('NOT_FOUND');
    }
  });

  it('have one text for all callers whose policies have one form, and write each caller into the event', async () => {
    const write = async (email: string) => {
      from = world.statements.length;
      const made = await createRecord(as(userOf(email, 'member')), 'note', { title: email, owner: email });
      await updateRecord(as(userOf(email, 'member')), 'note', made.id, { title: `${email}!` });
      return sent().join('\n');
    };
    const [first, second] = [await write('carl'), await write('dora')];
    expect(second).toBe(first);
    expect(first).not.toContain('carl');
  });

  it('do not remember the time', async () => {
    const timed = userOf('tim', 'timed');
    const at = (now: string) => as(timed, { now: new Date(now) });
    const until = '2026-06-15T12:00:00Z';
    const made = await createRecord(at('2026-06-15T11:00:00Z'), 'note', { title: 'soon over', until });
    expect(json(await updateRecord(at('2026-06-15T11:30:00Z'), 'note', made.id, { title: 'still open' }))['title']).toBe('still open');
    expect((await refusal(updateRecord(at('2026-06-15T12:30:00Z'), 'note', made.id, { title: 'too late' }))).code).toBe('NOT_FOUND');
    expect((await refusal(createRecord(at('2026-06-15T12:30:00Z'), 'note', { title: 'late', until }))).code).toBe('FORBIDDEN');
  });

  it('hide conditional fields by the row each caller looks at', async () => {
    const made = await createRecord(as(userOf('eve', 'partial')), 'note', { title: 'a', owner: 'eve', secret: 's' });
    expect(json(made)).toHaveProperty('secret', 's');
    const changed = async (email: string, title: string) =>
      json(await updateRecord(as(userOf(email, 'partial')), 'note', made.id, { title }));
    expect(await changed('eve', 'b')).toHaveProperty('secret', 's');
    expect(await changed('fay', 'c')).not.toHaveProperty('secret');
    expect(await changed('eve', 'd')).toHaveProperty('secret', 's');
  });

  it('tell a deny from a grant, values from null, and one set of fields from another', async () => {
    const open = as(userOf('olga', 'open'));
    expect((await refusal(createRecord(open, 'note', { title: 'sealed' }))).code).toBe('FORBIDDEN');
    const parent = await createRecord(open, 'note', { title: 'parent', amount: '12.50', tags: ['a', { b: null }] });
    expect(json(parent)).toMatchObject({ title: 'parent', amount: '12.50', tags: ['a', { b: null }], owner: null });
    const child = await createRecord(open, 'note', { title: null, tags: null, note_id: parent.id });
    expect(json(child)).toMatchObject({ title: null, tags: null, note_id: parent.id });
    expect(json(await updateRecord(open, 'note', child.id, { note_id: null, title: 'x' }))).toMatchObject({ note_id: null, title: 'x' });
    expect((await refusal(createRecord(open, 'note', { note_id: '00000000-0000-7000-8000-000000000009' }))).code).toBe('VALIDATION_FAILED');
    expect(json(await updateRecord(open, 'note', child.id, { note_id: parent.id }))).toMatchObject({ note_id: parent.id });
    expect((await refusal(updateRecord(open, 'note', child.id, { title: 'sealed' }))).code).toBe('FORBIDDEN');
  });

  it('look the same however a body orders its keys', async () => {
    const open = as(userOf('olga', 'open'));
    await createRecord(open, 'note', { title: 'a', owner: 'b', secret: 'c' });
    await createRecord(open, 'note', { secret: 'c', owner: 'b', title: 'a' });
    const [first, second] = sent();
    expect(second).toBe(first);
  });

  it('keep preconditions: a version is a value of its request', async () => {
    const open = as(userOf('olga', 'open'));
    const made = await createRecord(open, 'note', { title: 'v' });
    expect((await updateRecord(open, 'note', made.id, { title: 'v2' }, { ifMatch: '1' })).version).toBe('2');
    expect((await refusal(updateRecord(open, 'note', made.id, { title: 'v3' }, { ifMatch: '1' }))).code).toBe('PRECONDITION_FAILED');
    expect((await updateRecord(open, 'note', made.id, { title: 'v3' }, { ifMatch: '2' })).version).toBe('3');
    // Nothing changes, so nothing is written.
    expect((await updateRecord(open, 'note', made.id, { title: 'v3' })).version).toBe('3');
  });
});
