/** The kinds of change: two versions of a document, how one leads to the other, and what clients of either may and may not do. */
type Body = Readonly<Record<string, unknown>>;

/** What clients of one version do. */
export interface Side {
  /** `item` unless it says so. */
  readonly entity?: string;
  /** The field that names its records; `id` unless it says so. */
  readonly key?: string;
  readonly make: Body;
  /** What is patched into the record that was made. */
  readonly change: Body;
  /** A relation that is read along. */
  readonly include?: string;
  /** Finds it then. */
  readonly find: string;
  /** What clients of the other version see of it: made, and changed. Null: it is not there for them. */
  readonly seen: readonly [Body, Body] | null;
  /** Creations that are refused; an entity before the code when it is not this side's. */
  readonly refused?: readonly (readonly [body: Body, code: string, entity?: string])[];
}

export interface Kind {
  readonly name: string;
  readonly class: 'compatible' | 'breaking';
  /** Old clients notice it, although nobody keeps the older shape for them: they do as before only until the switch. */
  readonly isNoticed?: true;
  /** All records are read before the switch, and meanwhile it is served, without any instruction. */
  readonly isVerified?: true;
  readonly before: object;
  readonly after: object;
  readonly migrate?: readonly object[];
  /** A record from before, as each version sees it after the switch. Null: it is not there. */
  readonly stored: {
    readonly old: Body;
    readonly new: Body | null;
    /** What it is made of; `old` unless it says so. */
    readonly made?: Body;
    /** What its entity is called after the switch. */
    readonly in?: string;
    /** What is read along after the switch. */
    readonly include?: string;
  };
  readonly old: Side;
  readonly new: Side;
}

const NAME = { name: 'name', type: 'string' };
const item = (...fields: object[]) => ({ name: 'item', fields: [NAME, ...fields] });
const one = (...fields: object[]) => ({ entities: [item(...fields)] });
const shop = { name: 'shop', fields: [{ name: 'city', type: 'string' }] };
const SHOP_ITEMS = { name: 'items', type: 'one_to_many', source: 'shop', target: 'item', on_delete: 'cascade' };
/** Stands for the key of a shop that is there before. */
export const SHOP = 'SHOP';
const INVALID = 'VALIDATION_FAILED';
const PLACE = ['street', 'city'].map((name) => ({ name, type: 'string' }));
const address = (...fields: object[]) => ({ name: 'address', fields });
const ITEM_ADDRESS = {
  name: 'item_address',
  type: 'one_to_one',
  source: 'item',
  target: 'address',
  source_name: 'address',
  target_name: 'item',
  on_delete: 'cascade',
};

const plain = (name: string): Pick<Side, 'make' | 'change' | 'find'> => ({
  make: { name },
  change: { name: `${name}2` },
  find: `filter[name.eq]=${name}2`,
});
/** Both shapes see the same of a record that has a name only. */
const named = (name: string, more: Body = {}): Side => ({
  ...plain(name),
  seen: [
    { name, ...more },
    { name: `${name}2`, ...more },
  ],
});

/** A field that has this value when it is made and that one when it is changed. */
const valued = (field: string, made: unknown, changed: unknown, more: Partial<Side> = {}): Side => ({
  make: { [field]: made },
  change: { [field]: changed },
  find: `filter[${field}.eq]=${String(changed)}`,
  seen: [{ [field]: made }, { [field]: changed }],
  ...more,
});

/** An address in the fields of its item, or as a record of its own. */
const inOne = (letter: string): Side => ({
  make: { name: letter, street: `${letter}1`, city: 'here' },
  change: { street: `${letter}2` },
  find: `filter[street.eq]=${letter}2`,
  seen: [
    { name: letter, address: { street: `${letter}1`, city: 'here' } },
    { name: letter, address: { street: `${letter}2`, city: 'here' } },
  ],
  refused: [[{ name: letter, street: 1 }, INVALID]],
});
const inTwo = (letter: string): Side => ({
  include: 'address',
  make: { name: letter, address: { street: `${letter}1`, city: 'here' } },
  change: { address: { street: `${letter}2` } },
  find: `filter[address.street.eq]=${letter}2`,
  seen: [
    { name: letter, street: `${letter}1`, city: 'here' },
    { name: letter, street: `${letter}2`, city: 'here' },
  ],
  refused: [[{ name: letter, address: { street: 1 } }, 'NESTED_WRITE_FAILED']],
});

const SIZE = { name: 'size', type: 'int' };
const CODE = { name: 'code', type: 'string' };
const STATE = { name: 'state', type: 'enum', enum: ['new', 'done'], default: 'new' };

const KEY = { ...CODE, required: true, unique: true };
const keyedByCode = {
  ...item({ name: 'id', type: 'uuid', unique: true }, KEY),
  primary_key: { field: 'code', type: 'string', generated: false },
};
const ITEM_PARTS = { name: 'parts', type: 'one_to_many', source: 'item', target: 'part', on_delete: 'cascade' };
const part = { name: 'part', fields: [NAME] };

export const KINDS: readonly Kind[] = [
  {
    name: 'add an optional field',
    class: 'compatible',
    before: one(),
    after: one(SIZE),
    stored: { old: { name: 'x' }, new: { name: 'x', size: null } },
    old: { ...named('a'), refused: [[{ name: 'a', size: 1 }, INVALID]] },
    new: valued('size', 1, 2, { seen: [{}, {}] }),
  },
  {
    name: 'add a field with a default',
    class: 'compatible',
    before: one(),
    after: one({ ...SIZE, default: 5 }),
    stored: { old: { name: 'x' }, new: { name: 'x', size: 5 } },
    old: { ...named('a', { size: 5 }), refused: [[{ name: 'a', size: 1 }, INVALID]] },
    new: valued('size', 1, 2, { seen: [{}, {}] }),
  },
  {
    name: 'add a required field with a default',
    class: 'compatible',
    before: one(),
    after: one({ ...SIZE, required: true, default: 5 }),
    stored: { old: { name: 'x' }, new: { name: 'x', size: 5 } },
    old: named('a', { size: 5 }),
    new: valued('size', 1, 2, { seen: [{}, {}], refused: [[{ name: 'b', size: null }, INVALID]] }),
  },
  {
    name: 'drop a required field',
    class: 'breaking',
    before: one({ ...SIZE, required: true }),
    after: one(),
    migrate: [{ drop: { entity: 'item', field: 'size' } }],
    stored: { old: { name: 'x', size: 1 }, new: { name: 'x' } },
    old: valued('size', 1, 2, { seen: [{}, {}], refused: [[{ name: 'a' }, INVALID]] }),
    new: { ...named('b', { size: null }), refused: [[{ name: 'a', size: 'many' }, INVALID]] },
  },
  {
    name: 'rename a field',
    class: 'breaking',
    before: one(CODE),
    after: one({ ...CODE, name: 'sign' }),
    migrate: [{ rename: { entity: 'item', field: 'code', to: 'sign' } }],
    stored: { old: { code: 'x' }, new: { sign: 'x' } },
    old: valued('code', 'a', 'b', { seen: [{ sign: 'a' }, { sign: 'b' }], refused: [[{ sign: 'a' }, INVALID]] }),
    new: valued('sign', 'c', 'd', { seen: [{ code: 'c' }, { code: 'd' }], refused: [[{ sign: 1 }, INVALID]] }),
  },
  {
    name: 'rename an entity',
    class: 'breaking',
    before: one(),
    after: { entities: [{ ...item(), name: 'thing' }] },
    migrate: [{ rename: { entity: 'item', to: 'thing' } }],
    stored: { old: { name: 'x' }, new: { name: 'x' }, in: 'thing' },
    old: { ...named('a'), refused: [[{ name: 'a' }, 'UNKNOWN_ENTITY', 'thing']] },
    new: { ...named('b'), entity: 'thing', refused: [[{ name: 1 }, INVALID]] },
  },
  {
    name: 'drop an entity',
    class: 'breaking',
    before: { entities: [item(), { name: 'kept', fields: [NAME] }] },
    after: { entities: [{ name: 'kept', fields: [NAME] }] },
    migrate: [{ drop: { entity: 'item' } }],
    stored: { old: { name: 'x' }, new: null },
    old: { ...named('a'), seen: null },
    new: { ...named('b'), entity: 'kept', seen: null },
  },
  {
    name: 'rename a relation',
    class: 'breaking',
    before: { entities: [item(), shop], relations: [SHOP_ITEMS] },
    after: { entities: [item(), shop], relations: [{ ...SHOP_ITEMS, name: 'goods' }] },
    migrate: [{ rename: { relation: 'items', to: 'goods' } }],
    stored: { old: { name: 'x' }, new: { name: 'x' } },
    old: {
      entity: 'shop',
      include: 'items',
      make: { city: 'a', items: [{ name: 'a' }] },
      change: { city: 'b' },
      find: 'filter[city.eq]=b',
      seen: [{ goods: [{ name: 'a' }] }, { city: 'b', goods: [{ name: 'a' }] }],
      refused: [[{ city: 'a', goods: [] }, INVALID, 'shop']],
    },
    new: {
      entity: 'shop',
      include: 'goods',
      make: { city: 'a', goods: [{ name: 'c' }] },
      change: { city: 'd' },
      find: 'filter[city.eq]=d',
      seen: [{ items: [{ name: 'c' }] }, { city: 'd', items: [{ name: 'c' }] }],
    },
  },
  {
    name: 'drop a relation',
    class: 'breaking',
    before: { entities: [item(), shop], relations: [SHOP_ITEMS] },
    after: { entities: [item(), shop] },
    migrate: [{ drop: { relation: 'items' } }],
    stored: { old: { name: 'x', shop_id: null }, new: { name: 'x' } },
    old: {
      make: { shop_id: SHOP },
      change: { name: 'a' },
      find: `filter[shop_id.eq]=${SHOP}`,
      seen: [{}, { name: 'a' }],
      refused: [[{ shop_id: 'nowhere' }, INVALID]],
    },
    new: named('b', { shop_id: null }),
  },
  {
    name: 'add a relation',
    class: 'compatible',
    before: { entities: [item(), shop] },
    after: { entities: [item(), shop], relations: [SHOP_ITEMS] },
    stored: { old: { name: 'x' }, new: { name: 'x', shop_id: null } },
    old: { ...named('a', { shop_id: null }), refused: [[{ shop_id: SHOP }, INVALID]] },
    new: {
      make: { shop_id: SHOP },
      change: { name: 'b' },
      find: `filter[shop_id.eq]=${SHOP}`,
      seen: [{}, { name: 'b' }],
      refused: [[{ shop_id: '01920000-0000-7000-8000-00000000000b' }, INVALID]],
    },
  },
  {
    name: 'set required by a fill',
    class: 'breaking',
    before: one(CODE),
    after: one({ ...CODE, required: true }),
    migrate: [{ fill: { entity: 'item', field: 'code', expression: '"none"' } }],
    stored: { old: { name: 'x' }, new: { name: 'x', code: 'none' } },
    old: named('a', { code: 'none' }),
    new: valued('code', 'c', 'd', { refused: [[{ name: 'b' }, INVALID]] }),
  },
  {
    name: 'required off',
    class: 'compatible',
    before: one({ ...CODE, required: true }),
    after: one(CODE),
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b', { refused: [[{ name: 'a' }, INVALID]] }),
    new: { ...named('b', { code: null }) },
  },
  {
    name: 'another default',
    class: 'compatible',
    before: one({ ...SIZE, default: 1 }),
    after: one({ ...SIZE, default: 2 }),
    stored: { old: { size: 1 }, new: { size: 1 } },
    old: valued('size', 7, 8),
    new: named('b', { size: 2 }),
  },
  {
    name: 'unique on',
    class: 'compatible',
    before: one(CODE),
    after: one({ ...CODE, unique: true }),
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b'),
    new: valued('code', 'c', 'd', { refused: [[{ code: 'x' }, 'CONFLICT']] }),
  },
  {
    name: 'unique off',
    class: 'compatible',
    before: one({ ...CODE, unique: true }),
    after: one(CODE),
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b', { refused: [[{ code: 'x' }, 'CONFLICT']] }),
    new: { ...valued('code', 'x', 'd') },
  },
  {
    name: 'compound unique on',
    class: 'compatible',
    before: one(CODE),
    after: { entities: [{ ...item(CODE), unique: [['name', 'code']] }] },
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b'),
    new: valued('code', 'c', 'd', { refused: [[{ name: 'x', code: 'x' }, 'CONFLICT']] }),
  },
  {
    name: 'compound unique off',
    class: 'compatible',
    before: { entities: [{ ...item(CODE), unique: [['name', 'code']] }] },
    after: one(CODE),
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b', { refused: [[{ name: 'x', code: 'x' }, 'CONFLICT']] }),
    new: { make: { name: 'x', code: 'x' }, change: { code: 'd' }, find: 'filter[code.eq]=d', seen: [{ code: 'x' }, { code: 'd' }] },
  },
  {
    name: 'index on',
    class: 'compatible',
    before: one(CODE),
    after: { entities: [{ ...item(CODE), indexes: [{ fields: ['code', 'name'] }] }] },
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b'),
    new: valued('code', 'c', 'd'),
  },
  {
    name: 'index off',
    class: 'compatible',
    before: { entities: [{ ...item(CODE), indexes: [{ fields: ['code', 'name'] }] }] },
    after: one(CODE),
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b'),
    new: valued('code', 'c', 'd'),
  },
  {
    name: 'enum values added',
    class: 'compatible',
    before: one(STATE),
    after: one({ ...STATE, enum: ['new', 'open', 'done'] }),
    stored: { old: { state: 'new' }, new: { state: 'new' } },
    old: valued('state', 'new', 'done', { refused: [[{ state: 'open' }, INVALID]] }),
    new: valued('state', 'open', 'done', { refused: [[{ state: 'shut' }, INVALID]] }),
  },
  {
    name: 'an enum value removed',
    class: 'breaking',
    before: one({ ...STATE, enum: ['new', 'open', 'done'] }),
    after: one(STATE),
    migrate: [
      {
        convert: {
          entity: 'item',
          field: 'state',
          up: 'record.state = "open" ? "new" : record.state',
          down: 'record.state',
        },
      },
    ],
    stored: { old: { state: 'open' }, new: { state: 'new' } },
    old: valued('state', 'open', 'done', { seen: [{ state: 'new' }, { state: 'done' }], refused: [[{ state: 'shut' }, INVALID]] }),
    new: valued('state', 'new', 'done', { refused: [[{ state: 'open' }, INVALID]] }),
  },
  {
    name: 'a stricter pattern',
    class: 'compatible',
    isNoticed: true,
    isVerified: true,
    before: one(CODE),
    after: one({ ...CODE, pattern: '^[A-Z]\\d+$' }),
    stored: { old: { code: 'A7' }, new: { code: 'A7' } },
    old: valued('code', 'A8', 'A9'),
    new: valued('code', 'B1', 'B2', { refused: [[{ code: 'b1' }, INVALID]] }),
  },
  {
    name: 'another type',
    class: 'breaking',
    before: one(CODE),
    after: one({ ...CODE, type: 'int' }),
    migrate: [{ convert: { entity: 'item', field: 'code' } }],
    stored: { old: { code: '7' }, new: { code: 7 } },
    old: valued('code', '8', '9', { seen: [{ code: 8 }, { code: 9 }], refused: [[{ code: 8 }, INVALID]] }),
    new: valued('code', 10, 11, { seen: [{ code: '10' }, { code: '11' }], refused: [[{ code: 'ten' }, INVALID]] }),
  },
  {
    name: 'split',
    class: 'breaking',
    before: one({ name: 'who', type: 'string', required: true }),
    after: one({ name: 'first', type: 'string', required: true }, { name: 'last', type: 'string' }),
    migrate: [
      {
        transform: {
          entity: 'item',
          from: ['who'],
          to: ['first', 'last'],
          up: { first: '$substringBefore(record.who, " ")', last: '$substringAfter(record.who, " ")' },
          down: { who: 'record.first & " " & record.last' },
        },
      },
    ],
    stored: { old: { who: 'Ada Lovelace' }, new: { first: 'Ada', last: 'Lovelace' } },
    old: {
      make: { who: 'Alan Turing' },
      change: { who: 'Grace Hopper' },
      find: 'filter[who.eq]=Grace%20Hopper',
      seen: [
        { first: 'Alan', last: 'Turing' },
        { first: 'Grace', last: 'Hopper' },
      ],
      refused: [
        [{ name: 'a' }, INVALID],
        [{ first: 'a', last: 'b' }, INVALID],
      ],
    },
    new: {
      make: { first: 'Kurt', last: 'Gödel' },
      change: { last: 'Weill' },
      find: 'filter[last.eq]=Weill',
      seen: [{ who: 'Kurt Gödel' }, { who: 'Kurt Weill' }],
      refused: [[{ last: 'a' }, INVALID]],
    },
  },
  {
    name: 'merge',
    class: 'breaking',
    before: one({ name: 'first', type: 'string' }, { name: 'last', type: 'string' }),
    after: one({ name: 'who', type: 'string' }),
    migrate: [
      {
        transform: {
          entity: 'item',
          from: ['first', 'last'],
          to: ['who'],
          up: { who: 'record.first & " " & record.last' },
          down: { first: '$substringBefore(record.who, " ")', last: '$substringAfter(record.who, " ")' },
        },
      },
    ],
    stored: { old: { first: 'Ada', last: 'Lovelace' }, new: { who: 'Ada Lovelace' } },
    old: {
      make: { first: 'Kurt', last: 'Gödel' },
      change: { last: 'Weill' },
      find: 'filter[last.eq]=Weill',
      seen: [{ who: 'Kurt Gödel' }, { who: 'Kurt Weill' }],
      refused: [[{ who: 'a b' }, INVALID]],
    },
    new: {
      make: { who: 'Alan Turing' },
      change: { who: 'Grace Hopper' },
      find: 'filter[who.eq]=Grace%20Hopper',
      seen: [
        { first: 'Alan', last: 'Turing' },
        { first: 'Grace', last: 'Hopper' },
      ],
      refused: [[{ who: 1 }, INVALID]],
    },
  },
  ...[false, true].map((isSoft): Kind => {
    const soft = { soft_delete: isSoft };
    return {
      name: `an entity split into two${isSoft ? ' softly' : ''}`,
      class: 'breaking',
      before: { entities: [{ ...item(...PLACE), ...soft }] },
      after: {
        entities: [
          { ...item(), ...soft },
          { ...address(...PLACE), ...soft },
        ],
        relations: [ITEM_ADDRESS],
      },
      migrate: [{ split: { entity: 'item', fields: ['street', 'city'], into: 'address', via: 'item' } }],
      stored: {
        old: { name: 'x', street: 'S', city: 'T' },
        new: { name: 'x', address: { street: 'S', city: 'T' } },
        include: 'address',
      },
      old: inOne('A'),
      new: inTwo('B'),
    };
  }),
  ...[false, true].map((isSoft): Kind => {
    const soft = { soft_delete: isSoft };
    return {
      name: `two entities merged into one${isSoft ? ' softly' : ''}`,
      class: 'breaking',
      before: {
        entities: [
          { ...item(), ...soft },
          { ...address(...PLACE), ...soft },
        ],
        relations: [ITEM_ADDRESS],
      },
      after: { entities: [{ ...item(...PLACE), ...soft }] },
      migrate: [{ merge: { entity: 'address', into: 'item', fields: ['street', 'city'], via: 'item' } }],
      stored: {
        made: { name: 'x', address: { street: 'S', city: 'T' } },
        old: { name: 'x' },
        new: { name: 'x', street: 'S', city: 'T' },
      },
      old: inTwo('A'),
      new: inOne('B'),
    };
  }),
  {
    name: 'soft delete on',
    class: 'compatible',
    before: one({ ...CODE, unique: true }),
    after: { entities: [{ ...item({ ...CODE, unique: true }), soft_delete: true }] },
    stored: { old: { code: 'x' }, new: { code: 'x' } },
    old: valued('code', 'a', 'b', { refused: [[{ code: 'x' }, 'CONFLICT']] }),
    new: valued('code', 'c', 'd', { refused: [[{ code: 'x' }, 'CONFLICT']] }),
  },
  {
    name: 'change the key',
    class: 'breaking',
    before: one(KEY),
    after: { entities: [keyedByCode] },
    stored: { made: { code: 'x' }, old: { name: 'x', code: 'x' }, new: { name: 'x', code: 'x' } },
    old: {
      make: { name: 'a', code: 'a' },
      change: { name: 'b' },
      find: 'filter[name.eq]=b',
      seen: [{ code: 'a' }, { name: 'b' }],
      refused: [
        [{ name: 'a', code: 'x' }, 'CONFLICT'],
        [{ name: 'a' }, INVALID],
      ],
    },
    new: {
      key: 'code',
      make: { name: 'c', code: 'c' },
      change: { name: 'd' },
      find: 'filter[code.eq]=c',
      seen: [{ code: 'c' }, { name: 'd' }],
      refused: [
        [{ name: 'a', code: 'x' }, 'CONFLICT'],
        [{ name: 'a' }, INVALID],
      ],
    },
  },
  {
    name: 'change a key that is referred to',
    class: 'breaking',
    before: { entities: [item(KEY), part], relations: [ITEM_PARTS] },
    after: { entities: [keyedByCode, part], relations: [ITEM_PARTS] },
    stored: { made: { code: 'x' }, old: { name: 'x', code: 'x' }, new: { name: 'x', code: 'x' } },
    old: {
      make: { code: 'a', parts: [{ name: 'p' }] },
      change: { name: 'b' },
      include: 'parts',
      find: 'filter[code.eq]=a',
      seen: [{ parts: [{ name: 'p' }] }, { name: 'b', parts: [{ name: 'p' }] }],
      refused: [[{ item_id: '00000000-0000-4000-8000-000000000000' }, INVALID, 'part']],
    },
    new: {
      key: 'code',
      make: { code: 'c', parts: [{ name: 'q' }] },
      change: { name: 'd' },
      include: 'parts',
      find: 'filter[code.eq]=c',
      seen: [{ parts: [{ name: 'q' }] }, { name: 'd', parts: [{ name: 'q' }] }],
      refused: [[{ item_id: '00000000-0000-4000-8000-000000000000' }, INVALID, 'part']],
    },
  },
  {
    name: 'computed on',
    class: 'compatible',
    isNoticed: true,
    before: one(CODE),
    after: one({ ...CODE, computed: 'record.name & "!"' }),
    stored: { old: { name: 'x', code: 'x' }, new: { name: 'x', code: 'x' } },
    old: valued('code', 'a', 'b'),
    new: { ...plain('b'), seen: [{ code: 'b!' }, { code: 'b2!' }] },
  },
  {
    name: 'computed off',
    class: 'compatible',
    isNoticed: true,
    before: one({ ...CODE, computed: 'record.name & "!"' }),
    after: one(CODE),
    stored: { made: {}, old: { code: 'x!' }, new: { code: 'x!' } },
    old: { ...plain('a'), seen: [{ code: 'a!' }, { code: 'a2!' }] },
    new: valued('code', 'c', 'd'),
  },
];
