/** Residents whose city moves to their house, which has one or two of them: see ADR 22. A record is known by its id and its house's. */
import { textOf, type Body, type Columns, type Request, type Shape, type State, type Subject, type Write } from './subject.ts';

const [ENTITY, HOUSE] = ['resident', 'house'] as const;

const documentOf = (shape: Shape): Body => {
  const city = { name: 'city', type: 'string' };
  const ref = { name: 'ref', type: 'bigint', required: true };
  const hits = { name: 'hits', type: 'int', required: true, default: 0 };
  return {
    version: 1,
    entities: [
      { name: HOUSE, fields: [{ ...ref }, ...(shape.has('move') ? [city] : [])] },
      { name: ENTITY, fields: [{ ...ref }, hits, ...(shape.has('move') ? [] : [city])] },
    ],
    relations: [
      {
        name: 'house_residents',
        type: 'one_to_many',
        source: HOUSE,
        target: ENTITY,
        source_name: 'residents',
        target_name: 'house',
        on_delete: 'set_null',
      },
    ],
  };
};

const seeded = (ref: number): State => ({ city: ref % 5 === 0 ? null : `C${ref % 50}` });
const CITY_SQL = `case when ref % 5 = 0 then null else 'C' || ref % 50 end`;

/** Of the second resident of a house, whose number is negative and whose city nobody has said. */
const digits = (ref: number): string => ref.toString(16).padStart(12, '0');
const firstOf = (ref: number): string => `00000000-0000-7000-8000-${digits(ref)}`;
const secondOf = (first: string): string => first.replace('-7000-8000-', '-7000-8001-');
const uuidSql = (group: string): string => `('00000000-0000-7000-${group}-' || lpad(to_hex(ref), 12, '0'))::uuid`;

interface Ids {
  readonly resident: string;
  readonly house: string;
}
const idsOf = (id: string): Ids => {
  const [resident = '', house = ''] = id.split('/');
  return { resident, house };
};
const isSeeded = ({ resident }: Ids): boolean => resident.includes('-7000-8000-0');

function insert(shape: Shape, ref: number, city: string | null): Request & Pick<Write, 'tells'> {
  const value = city === null ? {} : { city };
  const operations = [
    { op: 'create', entity: HOUSE, ref: 'home', body: { ref, ...(shape.has('move') ? value : {}) } },
    { op: 'create', entity: ENTITY, body: { ref, house_id: { $ref: 'home.id' }, ...(shape.has('move') ? {} : value) } },
  ];
  return { method: 'POST', path: '_batch', body: { operations }, tells: false };
}

/** Where the row `t` stores the city of a shape. In the older one the second resident has none before its backfill. */
const citySql = (shape: Shape, columns: Columns, storage: string): string =>
  shape.has('move') ? `(select h.city from "${storage}"."${HOUSE}" h where h.id = t.house_id)` : `t."${columns.get('city') ?? 'city'}"`;

export const HOUSES: Subject = {
  entity: ENTITY,
  documentOf,
  instructions: () => [{ move: { from: `${ENTITY}.city`, to: `${HOUSE}.city`, via: 'house' } }],
  seedSql: (storage, rows) => [
    `insert into "${storage}"."${HOUSE}" (id, ref) select ${uuidSql('8000')}, ref from generate_series(1, ${rows}) as ref on conflict (id) do nothing`,
    `insert into "${storage}"."${ENTITY}" (id, ref, house_id, city) select ${uuidSql('8000')}, ref, ${uuidSql('8000')}, ${CITY_SQL}
     from generate_series(1, ${rows}) as ref on conflict (id) do nothing`,
    `insert into "${storage}"."${ENTITY}" (id, ref, house_id) select ${uuidSql('8001')}, -ref, ${uuidSql('8000')}
     from generate_series(1, ${rows}, 2) as ref on conflict (id) do nothing`,
  ],
  seeded,
  seededId: (ref) => `${firstOf(ref)}/${firstOf(ref)}`,
  insert(shape, ref, { chance, text }) {
    const city = chance() < 0.2 ? null : text('C');
    return { write: insert(shape, ref, city), after: { city } };
  },
  born(data) {
    const resident = (data as { data?: Body }[] | undefined)?.[1]?.data;
    return `${String(resident?.['id'])}/${String(resident?.['house_id'])}`;
  },
  update({ shape, tried, id, invent: { chance, text } }) {
    const ids = idsOf(id);
    const city = chance() < 0.2 ? null : text('C');
    const apply = (): State => ({ city });
    if (shape.has('move')) return { method: 'PATCH', path: `${HOUSE}/${ids.house}`, body: { city }, apply, tells: true };
    // Before the move the two have a city each, and must not differ.
    const hasSecond = tried.has('move') && isSeeded(ids) && Number.parseInt(ids.resident.slice(-12), 16) % 2 === 1;
    const resident = hasSecond && chance() < 0.5 ? secondOf(ids.resident) : ids.resident;
    return { method: 'PATCH', path: `${ENTITY}/${resident}`, body: { city }, apply, tells: true };
  },
  path: (_, id) => `${ENTITY}/${idsOf(id).resident}`,
  readPath: (shape, id) => `${ENTITY}/${idsOf(id).resident}?${shape.has('move') ? 'include=house' : ''}`,
  listPath: (shape, ids) =>
    `${ENTITY}?per_page=${ids.length}&filter[id.in]=${ids.map((id) => idsOf(id).resident).join(',')}&${shape.has('move') ? 'include=house' : ''}`,
  idOf: (_, body) => `${String(body['id'])}/${String(body['house_id'])}`,
  said(shape, body) {
    const holder = shape.has('move') && 'house_id' in body ? ((body['house'] ?? {}) as Body) : body;
    return { city: holder['city'] === null ? null : textOf(holder['city']) };
  },
  differences: (expected, found) => (Object.is(expected['city'], found['city']) ? [] : ['city']),
  storedSql: (shape, columns, storage) => ({ city: citySql(shape, columns, storage) }),
  untouchedSql: () => ({ city: CITY_SQL }),
  untouched: seeded,
  disagreementSql: ([left, ofLeft], [right, ofRight], storage) =>
    `${citySql(left, ofLeft, storage)} is distinct from ${citySql(right, ofRight, storage)}`,
  isBehindAtTimes: true,
};
