/** From the tokens of one statement to what it does. What is not known is said to be unknown, never guessed. */
import type { Act, ColumnText, ConstraintText } from './acts.ts';
import { readAlterTable } from './read-alter-table.ts';
import { isConstraint, readColumn, readConstraint } from './read-column.ts';
import { Reader, type ObjectName } from './reader.ts';
import { splitAt, type Token } from './tokens.ts';

export function readStatement(tokens: readonly Token[]): Act[] {
  const reader = new Reader(tokens);
  const verb = reader.next()?.text ?? '';
  const read = VERBS[verb];
  return read?.(reader, tokens) ?? [unknown(tokens)];
}

const unknown = (tokens: readonly Token[]): Act => ({
  kind: 'unknown',
  words: tokens
    .slice(0, 3)
    .map((token) => token.text)
    .join(' '),
});

type Read = (reader: Reader, tokens: readonly Token[]) => Act[] | undefined;

const always =
  (kind: 'transaction' | 'query' | 'permission'): Read =>
  () => [{ kind }];

const VERBS: Readonly<Record<string, Read>> = {
  create: readCreate,
  alter: readAlter,
  drop: readDrop,
  truncate: readTruncate,
  reindex: readReindex,
  refresh: (reader) => {
    reader.take('materialized', 'view');
    const isConcurrent = reader.take('concurrently');
    return [{ kind: 'refresh_view', table: reader.objectName(), isConcurrent }];
  },
  cluster: (reader) => [{ kind: 'rewrite_table', table: reader.objectName(), words: 'cluster', isRepeatable: true }],
  vacuum: readVacuum,
  analyze: always('permission'),
  comment: always('permission'),
  grant: always('permission'),
  revoke: always('permission'),
  security: always('permission'),
  set: readSet,
  reset: (reader) => [{ kind: 'set', name: reader.identifier(), value: '' }],
  begin: always('transaction'),
  start: always('transaction'),
  commit: always('transaction'),
  end: always('transaction'),
  rollback: always('transaction'),
  savepoint: always('transaction'),
  release: always('transaction'),
  select: always('query'),
  values: always('query'),
  show: always('query'),
  with: (_reader, tokens) => readWith(tokens),
  insert: (reader, tokens) => {
    reader.take('into');
    return [dataAct('insert', reader.objectName(), tokens)];
  },
  update: (reader, tokens) => {
    reader.take('only');
    return [dataAct('update', reader.objectName(), tokens)];
  },
  delete: (reader, tokens) => {
    reader.skip(['from'], ['only']);
    return [dataAct('delete', reader.objectName(), tokens)];
  },
  merge: (reader, tokens) => {
    reader.skip(['into'], ['only']);
    return [dataAct('merge', reader.objectName(), tokens)];
  },
  copy: (reader, tokens) => (reader.is('(') ? [{ kind: 'query' }] : [dataAct('copy', reader.objectName(), tokens)]),
};

type Verb = Extract<Act, { kind: 'change_data' }>['verb'];

function dataAct(verb: Verb, table: ObjectName, tokens: readonly Token[]): Act {
  const reader = new Reader(tokens);
  const hasWhere = reader.seek('where') && reader.take('where') && !isAlwaysTrue(reader.rest());
  return { kind: 'change_data', verb, table, hasWhere };
}

/** `where true` and `where 1 = 1` choose nothing. */
function isAlwaysTrue(condition: readonly Token[]): boolean {
  const [left, equals, right, ...more] = condition;
  if (left?.kind === 'word' && left.text === 'true') return equals === undefined;
  return more.length === 0 && equals?.text === '=' && left !== undefined && left.kind === right?.kind && left.text === right.text;
}

/** The statement after the common table expressions, and those of them that write. */
function readWith(tokens: readonly Token[]): Act[] {
  const acts: Act[] = [];
  const reader = new Reader(tokens.slice(1));
  while (!reader.isAtEnd) {
    if (reader.is('(')) {
      const inside = reader.group();
      if (['insert', 'update', 'delete', 'merge', 'with'].includes(inside[0]?.text ?? '')) acts.push(...readStatement(inside));
    } else if (['select', 'insert', 'update', 'delete', 'merge', 'values'].some((verb) => reader.is(verb))) {
      return [...acts, ...readStatement(reader.rest())];
    } else reader.next();
  }
  return acts.length > 0 ? acts : [unknown(tokens)];
}

function readCreate(reader: Reader): Act[] | undefined {
  // What a session keeps to itself is gone when a worker repeats the step, so it is not told apart: unknown.
  const isReplaced = reader.take('or', 'replace');
  const isTemporary = reader.take('temporary') || reader.take('temp');
  reader.skip(['unlogged'], ['global'], ['local'], ['constraint'], ['recursive'], ['trusted'], ['default']);
  const isUnique = reader.take('unique');
  if (reader.take('table')) return isTemporary ? undefined : [readCreateTable(reader)];
  if (reader.take('index')) return [readCreateIndex(reader, isUnique)];
  if (reader.take('trigger')) return [readCreateTrigger(reader, isReplaced)];
  reader.take('materialized');
  const object = reader.next()?.text;
  if (object === undefined || !OTHER_OBJECTS.has(object)) return undefined;
  const isGuarded = reader.take('if', 'not', 'exists');
  return [{ kind: 'create_other', object, name: reader.objectName(), isRepeatable: isReplaced || isGuarded }];
}

const OTHER_OBJECTS = new Set([
  'schema',
  'function',
  'procedure',
  'view',
  'sequence',
  'type',
  'domain',
  'extension',
  'policy',
  'statistics',
  'role',
  'publication',
  'aggregate',
  'collation',
]);

function readCreateTable(reader: Reader): Act {
  const isGuarded = reader.take('if', 'not', 'exists');
  const table = reader.objectName();
  const isDerived = !reader.is('(') || reader.is('(', 'like');
  const columns: ColumnText[] = [];
  const constraints: ConstraintText[] = [];
  const references: ObjectName[] = [];
  for (const piece of splitAt(reader.group(), ',')) {
    const inner = new Reader(piece);
    if (inner.is('like')) continue;
    if (isConstraint(inner)) {
      constraints.push(readConstraint(inner));
      continue;
    }
    const read = readColumn(inner);
    columns.push(read.column);
    references.push(...read.references);
  }
  return { kind: 'create_table', table, columns, constraints, references, isDerived: isDerived || reader.is('inherits'), isGuarded };
}

function readCreateIndex(reader: Reader, isUnique: boolean): Act {
  const isConcurrent = reader.take('concurrently');
  const isGuarded = reader.take('if', 'not', 'exists');
  const index = reader.is('on') ? { schema: undefined, name: '' } : reader.objectName();
  reader.seek('on');
  reader.skip(['on'], ['only']);
  const table = reader.objectName();
  const method = reader.take('using') ? reader.identifier() : 'btree';
  // An index lives in the schema of its table.
  return { kind: 'create_index', index: { schema: table.schema, name: index.name }, method, table, isConcurrent, isUnique, isGuarded };
}

function readCreateTrigger(reader: Reader, isReplaced: boolean): Act {
  reader.identifier();
  // `update of a on t`: the words before the table never include a bare `on`.
  reader.seek('on');
  reader.take('on');
  const table = reader.objectName();
  reader.seek('execute');
  reader.skip(['execute'], ['function'], ['procedure']);
  return { kind: 'create_trigger', table, runs: reader.objectName(), isGuarded: isReplaced };
}

function readAlter(reader: Reader): Act[] | undefined {
  if (reader.take('table')) return readAlterTable(reader);
  if (reader.take('type')) return [readAlterType(reader)];
  reader.take('materialized');
  const object = reader.next()?.text ?? '';
  if (object !== 'index' && !OTHER_OBJECTS.has(object)) return undefined;
  reader.take('if', 'exists');
  const name = reader.objectName();
  return [{ kind: 'alter_other', object, name, isRepeatable: !reader.seek('rename', 'add') }];
}

function readAlterType(reader: Reader): Act {
  const type = reader.objectName();
  if (!reader.take('add', 'value')) return { kind: 'alter_other', object: 'type', name: type, isRepeatable: false };
  const isGuarded = reader.take('if', 'not', 'exists');
  return { kind: 'add_enum_value', type, isGuarded, isPlaced: reader.seek('before', 'after') };
}

function readDrop(reader: Reader): Act[] {
  reader.take('materialized');
  const object = reader.next()?.text ?? '';
  const isConcurrent = reader.take('concurrently');
  const isGuarded = reader.take('if', 'exists');
  if (object === 'trigger' || object === 'policy' || object === 'rule') {
    reader.identifier();
    reader.take('on');
    return [{ kind: 'drop_trigger', table: reader.objectName(), isGuarded }];
  }
  const names = splitAt(reader.rest(), ',').map((piece) => new Reader(piece).objectName());
  return [{ kind: 'drop', object, names, isConcurrent, isGuarded }];
}

function readTruncate(reader: Reader): Act[] {
  reader.skip(['table'], ['only']);
  return [{ kind: 'truncate', tables: splitAt(reader.rest(), ',').map((piece) => new Reader(piece).objectName()) }];
}

function readReindex(reader: Reader): Act[] {
  reader.group();
  reader.next();
  const isConcurrent = reader.take('concurrently');
  return [{ kind: 'reindex', table: reader.objectName(), isConcurrent }];
}

function readVacuum(reader: Reader): Act[] {
  const options = reader.group().map((token) => token.text);
  const isFull = options.includes('full') || reader.is('full');
  reader.skip(['full'], ['freeze'], ['verbose'], ['analyze']);
  return isFull
    ? [{ kind: 'rewrite_table', table: reader.objectName(), words: 'vacuum full', isRepeatable: true }]
    : [{ kind: 'permission' }];
}

function readSet(reader: Reader): Act[] {
  reader.skip(['local'], ['session']);
  const name = reader.identifier();
  reader.skip(['='], ['to']);
  const value = reader
    .rest()
    .map((token) => token.text)
    .join('');
  return [{ kind: 'set', name, value }];
}
