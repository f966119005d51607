/**
 * The records of the load. A *person* is what a record means in any shape; a *shape* is the set of changes that have been made to the
 * entity, and knows how to say a person in a request, how to read one in an answer, and how to read one from the columns.
 */

export interface Person {
  readonly first: string;
  readonly last: string;
  readonly size: number | null;
  readonly city: string;
  readonly note: string | null;
}

export const CHANGES = ['add', 'rename', 'split', 'convert', 'fill'] as const;
export type ChangeName = (typeof CHANGES)[number];
export type Shape = ReadonlySet<ChangeName>;
export type Body = Readonly<Record<string, unknown>>;

export const ENTITY = 'person';
/** What a note is where nobody gave one, once the field is required. */
export const FILLED = 'none';

/** What the row `ref` was loaded with; `seedSql` says the same to Postgres. */
export const seededPerson = (ref: number): Person => ({
  first: `F${ref % 997}`,
  last: `L${ref % 4999}`,
  size: ref % 20 === 0 ? null : ref % 1000,
  city: `C${ref % 50}`,
  note: ref % 3 === 0 ? null : `N${ref % 100}`,
});

export const seededId = (ref: number): string => `00000000-0000-7000-8000-${ref.toString(16).padStart(12, '0')}`;

export const SEED_SQL: Readonly<Record<keyof Person, string>> = {
  first: `'F' || ref % 997`,
  last: `'L' || ref % 4999`,
  size: `case when ref % 20 = 0 then null else ref % 1000 end`,
  city: `'C' || ref % 50`,
  note: `case when ref % 3 = 0 then null else 'N' || ref % 100 end`,
};

/** The document of a shape, without what the engine adds. */
export function documentOf(shape: Shape): Body {
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

/** Instructions that lead from any shape without the change to the one with it. */
export const INSTRUCTIONS: Readonly<Record<ChangeName, readonly object[]>> = {
  add: [],
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
export function toBody(shape: Shape, patch: Partial<Person>): Body {
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
export function fromBody(shape: Shape, body: Body): Person {
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

const textOf = (value: unknown): string => (typeof value === 'string' ? value : `no text: ${JSON.stringify(value)}`);

/** Where a version of the document stores each field. */
export type Columns = ReadonlyMap<string, string>;

/** A person by the columns of a shape; `t` is the table. */
export function personSql(shape: Shape, columns: Columns): Readonly<Record<keyof Person, string>> {
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

export const FIELDS: readonly (keyof Person)[] = ['first', 'last', 'size', 'city', 'note'];

/** The fields in which a found person is not the expected one. A note that was never given may have been filled. */
export function differences(expected: Person, found: Person, shape: Shape, next: Shape): (keyof Person)[] {
  return FIELDS.filter((field) => {
    if (field !== 'note' || !next.has('fill')) return !Object.is(expected[field], found[field]);
    if (found.note === null && shape.has('fill')) return true;
    return (expected.note ?? FILLED) !== (found.note ?? FILLED);
  });
}
