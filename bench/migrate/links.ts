/** Residents of houses whose one house, a key, becomes any number of them, links: see ADR 21. */
import { seededId } from './person.ts';
import type { Body, Shape, State, Subject, Write } from './subject.ts';

const [ENTITY, HOUSE] = ['resident', 'house'] as const;
const RELATION = 'house_residents';
/** Few, so that many residents share one. */
const HOUSES = 40;
/** Beyond so many links a client takes one away. */
const MOST_LINKS = 3;

/** The house that is the key, and all that are linked: their numbers in order, joined by commas. Of each shape one of the two is known. */
type Home = Readonly<{ key: number | null; links: string }>;

const seeded = (ref: number): Home => {
  const key = ref % 7 === 0 ? null : (ref % HOUSES) + 1;
  return { key, links: key === null ? '' : String(key) };
};

const documentOf = (shape: Shape): Body => {
  const ends = { name: RELATION, source: HOUSE, target: ENTITY, source_name: 'residents' };
  return {
    version: 1,
    entities: [
      { name: HOUSE, fields: [{ name: 'ref', type: 'bigint', required: true }] },
      {
        name: ENTITY,
        fields: [
          { name: 'ref', type: 'bigint', required: true },
          { name: 'hits', type: 'int', required: true, default: 0 },
        ],
      },
    ],
    relations: [
      shape.has('link')
        ? { ...ends, type: 'many_to_many', target_name: 'houses' }
        : { ...ends, type: 'one_to_many', on_delete: 'set_null', target_name: 'house' },
    ],
  };
};

const uuidSql = (ref: string): string => `('00000000-0000-7000-8000-' || lpad(to_hex(${ref}), 12, '0'))::uuid`;
const refSql = (uuid: string): string => `('x' || right((${uuid})::text, 12))::bit(48)::bigint`;
const KEY_SQL = `case when ref % 7 = 0 then null else ref % ${HOUSES} + 1 end`;
const refOf = (uuid: unknown): number | null => (typeof uuid === 'string' ? Number.parseInt(uuid.slice(-12), 16) : null);

// --- what writes make of a home --------------------------------------------------------------------------------------

const numbersOf = ({ links }: Home): number[] => (links === '' ? [] : links.split(',').map(Number));
const homeOf = (key: number | null, links: ReadonlySet<number>): Home => {
  const all = [...links].sort((a, b) => a - b);
  return { key: key !== null && links.has(key) ? key : (all[0] ?? null), links: all.join(',') };
};

/** An older client sets the key: that link comes, the one the key was goes. */
const keyed = (home: Home, key: number | null): Home => {
  const links = new Set(numbersOf(home));
  if (key === home.key) return home;
  if (home.key !== null) links.delete(home.key);
  return homeOf(key, key === null ? links : links.add(key));
};
const linked = (home: Home, house: number): Home => homeOf(home.key, new Set(numbersOf(home)).add(house));
const unlinked = (home: Home, house: number): Home => homeOf(home.key, new Set(numbersOf(home).filter((one) => one !== house)));

function newer(id: string, home: Home, house: number, isFromHouse: boolean): Write {
  const links = numbersOf(home);
  const [first] = links;
  const gone = links.includes(house) ? house : links.length >= MOST_LINKS ? first : undefined;
  const other = gone ?? house;
  const entry = { ...(gone === undefined ? {} : { _delete: true }) };
  const apply = (state: State): State => (gone === undefined ? linked(state as Home, other) : unlinked(state as Home, other));
  return isFromHouse
    ? { method: 'PATCH', path: `${HOUSE}/${seededId(other)}`, body: { residents: [{ id, ...entry }] }, apply, tells: false }
    : { method: 'PATCH', path: `${ENTITY}/${id}`, body: { houses: [{ id: seededId(other), ...entry }] }, apply, tells: false };
}

const said = (shape: Shape, body: Body): State => {
  if (!shape.has('link')) return { key: refOf(body['house_id']), links: '' };
  const houses = Array.isArray(body['houses']) ? (body['houses'] as Body[]) : [{ id: 'none was answered' }];
  return {
    key: null,
    links: houses
      .map(({ id }) => refOf(id) ?? 0)
      .sort((a, b) => a - b)
      .join(','),
  };
};

const includes = (shape: Shape): string => (shape.has('link') ? 'include=houses' : '');

export const LINKS: Subject = {
  entity: ENTITY,
  documentOf,
  instructions: () => [],
  seedSql: (storage, rows) => [
    `insert into "${storage}"."${HOUSE}" (id, ref) select ${uuidSql('ref')}, ref from generate_series(1, ${HOUSES}) as ref on conflict (id) do nothing`,
    `insert into "${storage}"."${ENTITY}" (id, ref, house_id) select ${uuidSql('ref')}, ref, ${uuidSql(KEY_SQL)}
     from generate_series(1, ${rows}) as ref on conflict (id) do nothing`,
  ],
  seeded,
  seededId,
  insert(shape, ref, { chance }) {
    const key = chance() < 0.2 ? null : 1 + Math.floor(chance() * HOUSES);
    const house = key === null ? {} : shape.has('link') ? { houses: [{ id: seededId(key) }] } : { house_id: seededId(key) };
    const after: Home = { key, links: key === null ? '' : String(key) };
    return { write: { method: 'POST', path: ENTITY, body: { ref, ...house }, status: 201, tells: !shape.has('link') }, after };
  },
  born: (data) => String((data as Body | undefined)?.['id']),
  update({ shape, id, state, invent: { chance } }) {
    const house = 1 + Math.floor(chance() * HOUSES);
    if (shape.has('link')) return newer(id, state as Home, house, chance() < 0.5);
    const key = chance() < 0.2 ? null : house;
    const body = { house_id: key === null ? null : seededId(key) };
    return { method: 'PATCH', path: `${ENTITY}/${id}`, body, apply: (home) => keyed(home as Home, key), tells: true };
  },
  path: (_, id) => `${ENTITY}/${id}`,
  readPath: (shape, id) => `${ENTITY}/${id}?${includes(shape)}`,
  listPath: (shape, ids) => `${ENTITY}?per_page=${ids.length}&filter[id.in]=${ids.join(',')}&${includes(shape)}`,
  idOf: (_, body) => String(body['id']),
  said,
  differences: (expected, found, shape) =>
    [shape.has('link') ? 'links' : 'key'].filter((member) => !Object.is(expected[member], found[member])),
  storedSql: (shape, columns, storage) =>
    shape.has('link')
      ? {
          links: `coalesce((select string_agg((${refSql('l.house_id')})::text, ',' order by l.house_id)
            from "${storage}"."${RELATION}" l where l.resident_id = t.id), '')`,
        }
      : { key: refSql(`t."${columns.get('house_id') ?? 'house_id'}"`) },
  untouchedSql: (shape) => (shape.has('link') ? { links: `coalesce((${KEY_SQL})::text, '')` } : { key: `(${KEY_SQL})` }),
  untouched: seeded,
  /** The invariant, of which neither shape alone tells. */
  disagreementSql(_left, _right, storage) {
    const links = `select from "${storage}"."${RELATION}" l where l.resident_id = t.id`;
    return `not (case when t.house_id is null then not exists (${links}) else exists (${links} and l.house_id = t.house_id) end)`;
  },
  isBehindAtTimes: false,
};
