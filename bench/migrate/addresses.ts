/** Customers whose address is split off into a record of its own, or merged into them again: see ADR 31. */
import { seededId } from './person.ts';
import { textOf, type Body, type Columns, type Inventor, type Shape, type State, type Subject, type Write } from './subject.ts';

const [ENTITY, PART] = ['customer', 'address'] as const;
const FIELDS = ['street', 'city'] as const;
type Address = Readonly<{ street: string | null; city: string | null }>;
type Change = 'split-entity' | 'merge-entity';

/** Some have a half of an address, some none: those of a merge have no record of it. */
const seeded = (ref: number): Address => ({ street: ref % 4 === 0 ? null : `S${ref % 997}`, city: ref % 5 === 0 ? null : `C${ref % 50}` });
const hasNone = (ref: number): boolean => ref % 20 === 0;
const SEED_SQL: Readonly<Record<keyof Address, string>> = {
  street: `case when ref % 4 = 0 then null else 'S' || ref % 997 end`,
  city: `case when ref % 5 = 0 then null else 'C' || ref % 50 end`,
};

const partOf = (id: string): string => id.replace('-7000-8000-', '-7000-8001-');
const uuidSql = (group: string): string => `('00000000-0000-7000-${group}-' || lpad(to_hex(ref), 12, '0'))::uuid`;
const isSeeded = (id: string): boolean => id.includes('-7000-8000-0');
const refOf = (id: string): number => Number.parseInt(id.slice(-12), 16);

function documentOf(isTwo: boolean): Body {
  const fields = FIELDS.map((name) => ({ name, type: 'string' }));
  const own = [
    { name: 'ref', type: 'bigint', required: true },
    { name: 'hits', type: 'int', required: true, default: 0 },
  ];
  if (!isTwo) return { version: 1, entities: [{ name: ENTITY, fields: [...own, ...fields] }], relations: [] };
  return {
    version: 1,
    entities: [
      { name: ENTITY, fields: own },
      { name: PART, fields },
    ],
    relations: [
      {
        name: 'home',
        type: 'one_to_one',
        source: ENTITY,
        target: PART,
        source_name: 'address',
        target_name: 'customer',
        on_delete: 'cascade',
      },
    ],
  };
}

function seedSql(storage: string, rows: number, isTwo: boolean): string[] {
  const all = `from generate_series(1, ${rows}) as ref`;
  const { street, city } = SEED_SQL;
  const [whole, part] = [`"${storage}"."${ENTITY}"`, `"${storage}"."${PART}"`];
  if (!isTwo) {
    return [
      `insert into ${whole} (id, ref, street, city) select ${uuidSql('8000')}, ref, ${street}, ${city} ${all} on conflict (id) do nothing`,
    ];
  }
  return [
    `insert into ${whole} (id, ref) select ${uuidSql('8000')}, ref ${all} on conflict (id) do nothing`,
    `insert into ${part} (id, customer_id, street, city) select ${uuidSql('8001')}, ${uuidSql('8000')}, ${street}, ${city} ${all}
     where ref % 20 <> 0 on conflict (id) do nothing`,
  ];
}

function patchOf({ chance, text }: Inventor): Partial<Address> {
  const street = chance() < 0.2 ? null : text('S');
  const city = chance() < 0.2 ? null : text('C');
  const pick = chance();
  return pick < 0.4 ? { street } : pick < 0.8 ? { city } : { street, city };
}

/** By the record of the address where its key is known, else by the customer's. A part that is taken away is another one when it is back. */
function inTwo(change: Change, id: string, invent: Inventor): Write {
  const patch = patchOf(invent);
  const apply = (state: State): State => ({ ...state, ...patch });
  const isKnown = change === 'merge-entity' && isSeeded(id) && !hasNone(refOf(id));
  if (isKnown) return { method: 'PATCH', path: `${PART}/${partOf(id)}`, body: patch, apply, tells: true };
  const path = `${ENTITY}/${id}`;
  if (invent.chance() < 0.15) {
    return { method: 'PATCH', path, body: { address: null }, apply: () => ({ street: null, city: null }), tells: false };
  }
  return { method: 'PATCH', path, body: { address: patch }, apply, tells: false };
}

/** Of a customer with its address along, or of an address. */
function said(isTwo: boolean, body: Body): State {
  const holder = isTwo && !('customer_id' in body) ? body['address'] : body;
  if (holder === null) return { street: null, city: null };
  const found = (holder ?? {}) as Body;
  return Object.fromEntries(FIELDS.map((field) => [field, found[field] === null ? null : textOf(found[field])]));
}

const stored = (isTwo: boolean, columns: Columns, storage: string): Readonly<Record<keyof Address, string>> => {
  const place = (field: keyof Address): string =>
    isTwo ? `(select a.${field} from "${storage}"."${PART}" a where a.customer_id = t.id)` : `t."${columns.get(field) ?? field}"`;
  return { street: place('street'), city: place('city') };
};

export function addresses(change: Change): Subject {
  const isTwo = (shape: Shape): boolean => shape.has(change) === (change === 'split-entity');
  const along = (shape: Shape): string => (isTwo(shape) ? 'include=address' : '');
  const instruction =
    change === 'split-entity'
      ? { split: { entity: ENTITY, fields: FIELDS, into: PART, via: 'customer' } }
      : { merge: { entity: PART, fields: FIELDS, into: ENTITY, via: 'customer' } };
  return {
    entity: ENTITY,
    documentOf: (shape) => documentOf(isTwo(shape)),
    instructions: () => [instruction],
    seedSql: (storage, rows) => seedSql(storage, rows, isTwo(new Set())),
    seeded,
    seededId,
    insert(shape, ref, { chance, text }) {
      const after: Address = { street: chance() < 0.3 ? null : text('S'), city: chance() < 0.3 ? null : text('C') };
      const hasAddress = after.street !== null || after.city !== null;
      const body = isTwo(shape) ? { ref, ...(hasAddress ? { address: after } : {}) } : { ref, ...after };
      return { write: { method: 'POST', path: ENTITY, body, status: 201, tells: !isTwo(shape) }, after };
    },
    born: (data) => String((data as Body | undefined)?.['id']),
    update({ shape, id, invent }) {
      if (isTwo(shape)) return inTwo(change, id, invent);
      const patch = patchOf(invent);
      const apply = (state: State): State => ({ ...state, ...patch });
      return { method: 'PATCH', path: `${ENTITY}/${id}`, body: patch, apply, tells: true };
    },
    path: (_, id) => `${ENTITY}/${id}`,
    readPath: (shape, id) => `${ENTITY}/${id}?${along(shape)}`,
    listPath: (shape, ids) => `${ENTITY}?per_page=${ids.length}&filter[id.in]=${ids.join(',')}&${along(shape)}`,
    idOf: (_, body) => String(body['id']),
    said: (shape, body) => said(isTwo(shape), body),
    differences: (expected, found) => FIELDS.filter((field) => !Object.is(expected[field], found[field])),
    storedSql: (shape, columns, storage) => stored(isTwo(shape), columns, storage),
    untouchedSql: () => SEED_SQL,
    untouched: seeded,
    disagreementSql([left, ofLeft], [right, ofRight], storage) {
      const [one, other] = [stored(isTwo(left), ofLeft, storage), stored(isTwo(right), ofRight, storage)];
      return FIELDS.map((field) => `${one[field]} is distinct from ${other[field]}`).join(' or ');
    },
    isBehindAtTimes: true,
  };
}
