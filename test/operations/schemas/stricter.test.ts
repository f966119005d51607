/** What asks more of records than they may hold: counted first, refused by name, and done with clients writing. */
import { beforeAll, describe, expect, it } from 'vitest';
import { isAppError } from '../../../core/errors.ts';
import { readDocument } from '../../../core/model/read-document.ts';
import { createRecord } from '../../../operations/records/create.ts';
import { deleteRecord } from '../../../operations/records/delete.ts';
import { restoreRecord } from '../../../operations/records/restore.ts';
import { publishDocument } from '../../../operations/schemas/publish.ts';
import { schemaWorld, type SchemaWorld } from './schema-world.ts';

type Field = Record<string, unknown> & { readonly name: string };
const FIELDS: readonly Field[] = [
  { name: 'code', type: 'string', unique: true },
  { name: 'level', type: 'int' },
  { name: 'state', type: 'enum', enum: ['new', 'old'] },
];
const asked = (entity: object, ...fields: Field[]) =>
  readDocument({
    version: 1,
    entities: [
      {
        name: 'ticket',
        soft_delete: true,
        fields: FIELDS.map((field) => fields.find((one) => one.name === field.name) ?? field),
        ...entity,
      },
    ],
  });

describe('a definition that asks more of records', () => {
  let world: SchemaWorld;
  const publish = async (document: ReturnType<typeof asked>) => publishDocument(await world.context(), document);
  const refusal = async (document: ReturnType<typeof asked>) => {
    const error: unknown = await publish(document).catch((failure: unknown) => failure);
    if (!isAppError(error, 'UNSAFE_CHANGE')) throw error;
    return error.details[0];
  };
  const create = async (record: object) => createRecord(await world.context(), 'ticket', { ...record });
  beforeAll(async () => {
    world = await schemaWorld();
    await publish(asked({}));
    await create({ code: 'a', level: 3, state: 'new' });
    await create({ code: 'b', level: 30, state: 'old' });
    await create({ code: 'c', state: 'new' });
  });

  it.each([
    ['a limit', { name: 'level', type: 'int', max: 9 }, { level: 9 }, '1 record holds'],
    ['an enum', { name: 'state', type: 'enum', enum: ['new'] }, { state: 'new' }, '1 record holds'],
    ['a length', { name: 'code', type: 'string', unique: true, min_length: 2 }, { code: 'xx' }, '3 records hold'],
    ['a pattern', { name: 'code', type: 'string', unique: true, pattern: '^\\w{2,}' }, { code: 'xx' }, '3 records hold'],
    ['required', { name: 'level', type: 'int', required: true }, { level: 1 }, '1 record lacks'],
  ])('%s is refused while records are in the way, and served when none is', async (_title, field, fitting, message) => {
    const before = (await world.context()).app.version;
    expect(await refusal(asked({}, field))).toMatchObject({ field: field.name, message: expect.stringContaining(message) as string });
    expect((await world.context()).app.version).toBe(before);
    const held = await world.query<{ id: string; value: string }>(`select id, ${field.name}::text as value from ${world.storage}.ticket`);
    await world.query(
      `update ${world.storage}.ticket set ${field.name} = ${field.name === 'code' ? 'id::text' : `'${String(Object.values(fitting)[0])}'`}`,
    );
    const published = await publish(asked({}, field));
    expect(published.migration?.status).toBe('completed');
    expect(published.migration?.steps.map((step) => step.state)).not.toContain('planned');
    const misfit = { code: '', level: 30, state: 'old', ...('required' in field ? { level: null } : {}) };
    await expect(
      create({ code: 'd', level: 1, state: 'new', [field.name]: misfit[field.name as keyof typeof misfit] }),
    ).rejects.toMatchObject({
      code: 'VALIDATION_FAILED',
    });
    // Back, for the next one.
    await publish(asked({}));
    for (const { id, value } of held) await world.query(`update ${world.storage}.ticket set ${field.name} = $2 where id = $1`, [id, value]);
  });

  it('required is proven, not scanned for under a lock', async () => {
    await world.query(`update ${world.storage}.ticket set level = coalesce(level, 0)`);
    const published = await publish(asked({}, { name: 'level', type: 'int', required: true }));
    expect(published.migration?.steps.map((step) => step.sql.replaceAll(/^.*?"ticket"\s*|"/g, ''))).toEqual([
      expect.stringMatching(/^add constraint .* not valid$/),
      expect.stringMatching(/^validate constraint/),
      'alter column level set not null',
      expect.stringMatching(/^drop constraint/),
    ]);
    const [column] = await world.query<{ attnotnull: boolean }>(
      `select attnotnull from pg_attribute where attrelid = '${world.storage}.ticket'::regclass and attname = 'level'`,
    );
    expect(column?.attnotnull).toBe(true);
    await publish(asked({}));
  });

  it('soft delete goes off when no deleted record would come back, and comes on again', async () => {
    const [ticket] = await world.query<{ id: string }>(`select id from ${world.storage}.ticket where code = 'a'`);
    const id = ticket?.id ?? '';
    await deleteRecord(await world.context(), 'ticket', id);
    expect(await refusal(asked({ soft_delete: false }))).toMatchObject({
      kind: 'set_soft_delete',
      message: expect.stringContaining('a deleted record') as string,
    });
    await restoreRecord(await world.context(), 'ticket', id);
    expect((await publish(asked({ soft_delete: false }))).migration?.status).toBe('completed');
    await expect(create({ code: 'a' })).rejects.toMatchObject({ code: 'CONFLICT' });
    await deleteRecord(await world.context(), 'ticket', id);
    expect(await world.query(`select from ${world.storage}.ticket where id = $1`, [id])).toEqual([]);
    await publish(asked({}));
    await deleteRecord(await world.context(), 'ticket', (await create({ code: 'a' })).id ?? '');
    await create({ code: 'a' });
  });
});
