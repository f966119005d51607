/** Accounts with entries that refer to them, which are named by a uuid and then by their code: see ADR 32. */
import { seededId as uuidOf } from './person.ts';
import { textOf, type Body, type Shape, type State, type Subject } from './subject.ts';

const [ENTITY, ENTRY] = ['account', 'entry'] as const;

/** The code is given once; entries are counted by the key that they hold, which stays the uuid. */
type Account = Readonly<{ code: string; name: string; entries: number }>;

const seeded = (ref: number): Account => ({ code: `A-${ref}`, name: `N${ref % 97}`, entries: ref % 3 });

const documentOf = (shape: Shape): Body => {
  const fields = [
    { name: 'ref', type: 'bigint', required: true },
    { name: 'code', type: 'string', required: true, unique: true },
    { name: 'name', type: 'string', required: true },
    { name: 'hits', type: 'int', required: true, default: 0 },
  ];
  const account = shape.has('key')
    ? { primary_key: { field: 'code', type: 'string', generated: false }, fields: [{ name: 'id', type: 'uuid', unique: true }, ...fields] }
    : { fields };
  return {
    version: 1,
    entities: [
      { name: ENTITY, ...account },
      { name: ENTRY, fields: [{ name: 'text', type: 'string' }] },
    ],
    relations: [{ name: 'entries', type: 'one_to_many', source: ENTITY, target: ENTRY, on_delete: 'cascade', source_name: 'entries' }],
  };
};

const uuidSql = (ref: string): string => `('00000000-0000-7000-8000-' || lpad(to_hex(${ref}), 12, '0'))::uuid`;

/** Both names of an account, as an answer of either shape tells them. */
const named = (uuid: unknown, code: unknown): string => `${String(uuid)}~${String(code)}`;
const nameIn = (shape: Shape, id: string): string => id.split('~')[shape.has('key') ? 1 : 0] ?? '';

const isFound = (body: Body): boolean => Array.isArray(body['entries']);

const said = (_: Shape, body: Body): State => ({
  code: textOf(body['code']),
  name: textOf(body['name']),
  // Who writes is not told of entries.
  entries: isFound(body) ? (body['entries'] as unknown[]).length : null,
});

export const KEYS: Subject = {
  entity: ENTITY,
  documentOf,
  instructions: () => [],
  seedSql: (storage, rows) => [
    `insert into "${storage}"."${ENTITY}" (id, ref, code, name) select ${uuidSql('ref')}, ref, 'A-' || ref, 'N' || ref % 97
     from generate_series(1, ${rows}) as ref on conflict (id) do nothing`,
    `insert into "${storage}"."${ENTRY}" (id, account_id, text) select ${uuidSql('ref * 4 + n')}, ${uuidSql('ref')}, 'seeded'
     from generate_series(1, ${rows}) as ref, generate_series(1, 2) as n where n <= ref % 3 on conflict (id) do nothing`,
  ],
  seeded,
  seededId: (ref) => named(uuidOf(ref), `A-${ref}`),
  insert(_shape, ref, { chance, text }) {
    const after: Account = { code: `A-${ref}`, name: text('N'), entries: chance() < 0.5 ? 1 : 0 };
    const entries = after.entries === 0 ? {} : { entries: [{ text: 'first' }] };
    const { code, name } = after;
    return { write: { method: 'POST', path: ENTITY, body: { ref, code, name, ...entries }, status: 201, tells: true }, after };
  },
  born: (data) => named((data as Body | undefined)?.['id'], (data as Body | undefined)?.['code']),
  update({ shape, id, state, invent }) {
    const name = invent.text('N');
    const path = `${ENTITY}/${nameIn(shape, id)}`;
    // Whoever adds an entry names the account by the key of their shape.
    if (invent.chance() < 0.7 || Number(state['entries']) >= MOST_ENTRIES)
      return { method: 'PATCH', path, body: { name }, apply: (now) => ({ ...now, name }), tells: true };
    const apply = (now: State): State => ({ ...now, name, entries: Number(now['entries']) + 1 });
    return { method: 'PATCH', path, body: { name, entries: [{ text: name }] }, apply, tells: true };
  },
  path: (shape, id) => `${ENTITY}/${nameIn(shape, id)}`,
  readPath: (shape, id) => `${ENTITY}/${nameIn(shape, id)}?include=entries`,
  listPath(shape, ids) {
    const names = ids.map((id) => nameIn(shape, id));
    return `${ENTITY}?per_page=${ids.length}&filter[${shape.has('key') ? 'code' : 'id'}.in]=${names.join(',')}&include=entries`;
  },
  idOf: (_, body) => named(body['id'], body['code']),
  said,
  differences: (expected, found) =>
    ['code', 'name', 'entries'].filter(
      (member) => !(member === 'entries' && found[member] === null) && !Object.is(expected[member], found[member]),
    ),
  storedSql: (_shape, columns, storage) => ({
    code: `t."${columns.get('code') ?? 'code'}"`,
    name: `t."${columns.get('name') ?? 'name'}"`,
    entries: `(select count(*)::integer from "${storage}"."${ENTRY}" e where e.account_id = t.id)`,
  }),
  untouchedSql: () => ({ code: `'A-' || ref`, name: `'N' || ref % 97`, entries: '(ref % 3)::integer' }),
  untouched: seeded,
  disagreementSql: () => 't.id is null or t.code is null',
  isBehindAtTimes: false,
};

/** Beyond so many nobody adds one. */
const MOST_ENTRIES = 6;
