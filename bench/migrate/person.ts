/** Records of one entity whose fields are added, renamed, split, converted and filled. */
import { textOf, type Body, type ChangeName, type Columns, type Inventor, type Shape, type State, type Subject } from './subject.ts';

/** What a record means in any shape. */
export type Person = Readonly<{ first: string; last: string; size: number | null; city: string; note: string | null }>;

const ENTITY = 'person';
/** What a note is where nobody gave one, once the field is required. */
const FILLED = 'none';

/** What the row `ref` was loaded with; `SEED_SQL` says the same to Postgres. */
const seededPerson = (ref: number): Person => ({
  first: `F${ref % 997}`,
  last: `L${ref % 4999}`,
  size: ref % 20 === 0 ? null : ref % 1000,
  city: `C${ref % 50}`,
  note: ref % 3 === 0 ? null : `N${ref % 100}`,
});

export const seededId = (ref: number): string => `00000000-0000-7000-8000-${ref.toString(16).padStart(12, '0')}`;

const SEED_SQL: Readonly<Record<keyof Person, string>> = {
  first: `'F' || ref % 997`,
  last: `'L' || ref % 4999`,
  size: `case when ref % 20 = 0 then null else ref % 1000 end`,
  city: `'C' || ref % 50`,
  note: `case when ref % 3 = 0 then null else 'N' || ref % 100 end`,
};

/** The document of a shape, without what the engine adds. */
function documentOf(shape: Shape): Body {
  const fields: Body[] = [
    { name: 'ref', type: 'bigint', required: true },
    ...(shape.has('split')
      ? ['first', 'last'].map((name) => ({ name, type: 'string', required: true }))
      : [{ name: 'name', type: 'string', required: true }]),
    { name: 'size', type: shape.has('convert') ? 'int' : 'string' },
    { name: cityOf(shape), type: 'string', required: true },
    { name: 'note', type: 'string', required: shape.has('fill') },
    { name: 'hits', type: 'int', required: true, default: 0 },
    ...(shape.has('add') ? [{ name: 'extra', type: 'int', required: true, default: 7 }] : []),
  ];
  const indexes = shape.has('add') ? [{ fields: [cityOf(shape), 'extra'] }] : [];
  return { version: 1, entities: [{ name: ENTITY, fields, indexes }] };
}

const INSTRUCTIONS: Readonly<Partial<Record<ChangeName, readonly object[]>>> = {
  rename: [{ rename: { entity: ENTITY, field: 'city', to: 'town' } }],
  split: [
    {
      transform: {
        entity: ENTITY,
        from: ['name'],
        to: ['first', 'last'],
        up: { first: "$substringBefore(record.name, ' ')", last: "$substringAfter(record.name, ' ')" },
        down: { name: "record.first & ' ' & record.last" },
      },
    },
  ],
  convert: [{ convert: { entity: ENTITY, field: 'size', up: '$number(record.size)', down: '$string(record.size)' } }],
  fill: [{ fill: { entity: ENTITY, field: 'note', expression: `'${FILLED}'` } }],
};

const cityOf = (shape: Shape): string => (shape.has('rename') ? 'town' : 'city');

/** The members of a request. A name that is one field is given whole: both of its parts must be there. */
function toBody(shape: Shape, patch: Partial<Person>): Body {
  const body: Record<string, unknown> = {};
  if (shape.has('split')) {
    if (patch.first !== undefined) body['first'] = patch.first;
    if (patch.last !== undefined) body['last'] = patch.last;
  } else if (patch.first !== undefined && patch.last !== undefined) body['name'] = `${patch.first} ${patch.last}`;
  if (patch.size !== undefined) body['size'] = patch.size === null || shape.has('convert') ? patch.size : String(patch.size);
  if (patch.city !== undefined) body[cityOf(shape)] = patch.city;
  if (patch.note !== undefined) body['note'] = patch.note;
  return body;
}

/** What an answer says. A value of a kind the shape does not have comes back as text that no person has. */
function fromBody(shape: Shape, body: Body): Person {
  const name = typeof body['name'] === 'string' ? body['name'] : undefined;
  const space = name?.indexOf(' ') ?? -1;
  const size = body['size'];
  const isRightSize = size === null || typeof size === (shape.has('convert') ? 'number' : 'string');
  return {
    first: textOf(shape.has('split') ? body['first'] : name?.slice(0, space)),
    last: textOf(shape.has('split') ? body['last'] : name?.slice(space + 1)),
    size: !isRightSize ? NaN : size === null ? null : Number(size),
    city: textOf(body[cityOf(shape)]),
    note: body['note'] === null ? null : textOf(body['note']),
  };
}

/** A person by the columns of a shape; `t` is the table. */
function personSql(shape: Shape, columns: Columns): Readonly<Record<keyof Person, string>> {
  const column = (field: string): string => `t."${columns.get(field) ?? field}"`;
  const name = column('name');
  return {
    first: shape.has('split') ? column('first') : `split_part(${name}, ' ', 1)`,
    last: shape.has('split') ? column('last') : `substr(${name}, strpos(${name}, ' ') + 1)`,
    size: `(${column('size')})::integer`,
    city: column(cityOf(shape)),
    note: column('note'),
  };
}

const FIELDS: readonly (keyof Person)[] = ['first', 'last', 'size', 'city', 'note'];

/** The fields in which a found person is not the expected one. A note that was never given may have been filled. */
function differences(expected: Person, found: Person, shape: Shape, next: Shape): (keyof Person)[] {
  return FIELDS.filter((field) => {
    if (field !== 'note' || !next.has('fill')) return !Object.is(expected[field], found[field]);
    if (found.note === null && shape.has('fill')) return true;
    return (expected.note ?? FILLED) !== (found.note ?? FILLED);
  });
}

/** A row that nobody wrote to has been filled all the same. */
function untouched(ref: number, shape: Shape): Person {
  const person = seededPerson(ref);
  return shape.has('fill') ? { ...person, note: person.note ?? FILLED } : person;
}

/** Older versions than the fill's take an empty note. */
const noteOf = (shape: Shape, share: number, { chance, text }: Inventor): string | null =>
  chance() < share && !shape.has('fill') ? null : text('N');

const valuesOf = ({ chance, text, number }: Inventor): Omit<Person, 'note'> => ({
  first: text('F'),
  last: text('L'),
  size: chance() < 0.1 ? null : number(),
  city: text('C'),
});

/** Some of the fields. A shape in which the name is one field writes it whole. */
function patchOf(shape: Shape, invent: Inventor): Partial<Person> {
  const all = valuesOf(invent);
  const picks: Partial<Person>[] = [
    { first: all.first, last: all.last },
    shape.has('split') ? { last: all.last } : { city: all.city },
    { size: all.size },
    { note: noteOf(shape, 0.2, invent) },
    { size: all.size, city: all.city },
  ];
  return picks[Math.floor(invent.chance() * picks.length)]!;
}

function insertSql(storage: string, rows: number): string {
  return `insert into "${storage}"."${ENTITY}" (id, ref, name, size, city, note)
     select ('00000000-0000-7000-8000-' || lpad(to_hex(ref), 12, '0'))::uuid, ref,
            ${SEED_SQL.first} || ' ' || ${SEED_SQL.last}, (${SEED_SQL.size})::text, ${SEED_SQL.city}, ${SEED_SQL.note}
     from generate_series(1, ${rows}) as ref on conflict (id) do nothing`;
}

function disagreementSql(left: readonly [Shape, Columns], right: readonly [Shape, Columns]): string {
  const [a, b] = [personSql(...left), personSql(...right)];
  const differs = FIELDS.map((field) => `${a[field]} is distinct from ${b[field]}`);
  return [...differs, ...(right[0].has('fill') ? [`${b.note} is null`] : [])].join(' or ');
}

export const PERSONS: Subject = {
  entity: ENTITY,
  documentOf,
  instructions: (change) => INSTRUCTIONS[change] ?? [],
  seedSql: (storage, rows) => [insertSql(storage, rows)],
  seeded: seededPerson,
  seededId,
  insert(shape, ref, invent) {
    const after = { ...valuesOf(invent), note: noteOf(shape, 0.3, invent) };
    const body = { ref, ...toBody(shape, after) };
    return { write: { method: 'POST', path: ENTITY, body, status: 201, tells: true }, after };
  },
  born: (data) => String((data as Body | undefined)?.['id']),
  update({ shape, id, invent }) {
    const patch = patchOf(shape, invent);
    const apply = (state: State): State => ({ ...state, ...patch });
    return { method: 'PATCH', path: `${ENTITY}/${id}`, body: toBody(shape, patch), apply, tells: true };
  },
  path: (_, id) => `${ENTITY}/${id}`,
  readPath: (_, id) => `${ENTITY}/${id}`,
  listPath: (_, ids) => `${ENTITY}?per_page=${ids.length}&filter[id.in]=${ids.join(',')}`,
  idOf: (_, body) => String(body['id']),
  said: fromBody,
  differences: (expected, found, shape, tried) => differences(expected as Person, found as Person, shape, tried),
  storedSql: personSql,
  untouchedSql: (shape) => ({ ...SEED_SQL, ...(shape.has('fill') ? { note: `coalesce(${SEED_SQL.note}, '${FILLED}')` } : {}) }),
  untouched,
  disagreementSql,
  isBehindAtTimes: false,
};
