/** ALTER TABLE: one act for each of its actions. */
import type { Act } from './acts.ts';
import { isConstraint, readColumn, readConstraint, readType } from './read-column.ts';
import { Reader, type ObjectName } from './reader.ts';
import { splitAt, type Token } from './tokens.ts';

export function readAlterTable(reader: Reader): Act[] {
  reader.skip(['if', 'exists'], ['only']);
  const table = reader.objectName();
  reader.take('*');
  return splitAt(reader.rest(), ',').map((action) => readAction(table, action));
}

function readAction(table: ObjectName, tokens: readonly Token[]): Act {
  const reader = new Reader(tokens);
  if (reader.take('add')) return readAdd(table, reader);
  if (reader.take('drop')) return readDrop(table, reader);
  if (reader.take('alter')) return readAlterColumn(table, reader);
  if (reader.take('rename')) return readRename(table, reader);
  if (reader.take('validate', 'constraint')) return { kind: 'validate_constraint', table, name: reader.identifier() };
  if (reader.take('detach', 'partition')) {
    reader.objectName();
    return { kind: 'detach_partition', table, isConcurrent: reader.is('concurrently') || reader.is('finalize') };
  }
  return readTableSetting(table, tokens);
}

function readAdd(table: ObjectName, reader: Reader): Act {
  if (isConstraint(reader)) return { kind: 'add_constraint', table, constraint: readConstraint(reader) };
  reader.take('column');
  const isGuarded = reader.take('if', 'not', 'exists');
  return { kind: 'add_column', table, isGuarded, ...readColumn(reader) };
}

function readDrop(table: ObjectName, reader: Reader): Act {
  const isConstraintDropped = reader.take('constraint');
  if (!isConstraintDropped) reader.take('column');
  const isGuarded = reader.take('if', 'exists');
  const name = reader.identifier();
  return isConstraintDropped
    ? { kind: 'drop_constraint', table, name, isGuarded }
    : { kind: 'drop_column', table, column: name, isGuarded };
}

const COLUMN_ACTIONS = [
  ['set_not_null', 'set', 'not', 'null'],
  ['drop_not_null', 'drop', 'not', 'null'],
  ['set_default', 'set', 'default'],
  ['drop_default', 'drop', 'default'],
  ['drop_expression', 'drop', 'expression'],
] as const;

function readAlterColumn(table: ObjectName, reader: Reader): Act {
  if (reader.take('constraint')) return { kind: 'set_table', table, words: 'alter constraint', isRepeatable: true };
  reader.take('column');
  const column = reader.identifier();
  if (reader.take('type') || reader.take('set', 'data', 'type')) {
    const type = readType(reader);
    return { kind: 'alter_type', table, column, ...type, hasUsing: reader.seek('using') };
  }
  const action = COLUMN_ACTIONS.find(([, ...words]) => reader.take(...words));
  return { kind: action?.[0] ?? 'set_column', table, column };
}

function readRename(table: ObjectName, reader: Reader): Act {
  if (reader.take('to')) return { kind: 'rename', object: 'table', table, from: table.name, to: reader.identifier() };
  const object = reader.take('constraint') ? 'other' : 'column';
  reader.take('column');
  const from = reader.identifier();
  reader.take('to');
  return { kind: 'rename', object, table, from, to: reader.identifier() };
}

/** Settings of a whole table that write all of it again. */
const REWRITES = [
  ['set', 'tablespace'],
  ['set', 'logged'],
  ['set', 'unlogged'],
  ['set', 'access', 'method'],
] as const;

/** Said twice, these change nothing. */
const REPEATABLE = [
  ['enable'],
  ['disable'],
  ['force'],
  ['no', 'force'],
  ['set'],
  ['reset'],
  ['replica', 'identity'],
  ['owner', 'to'],
] as const;

function readTableSetting(table: ObjectName, tokens: readonly Token[]): Act {
  const reader = new Reader(tokens);
  const words = tokens
    .slice(0, 3)
    .map((token) => token.text)
    .join(' ');
  // To another schema is another name: who asks for the old one finds nothing.
  if (reader.take('set', 'schema'))
    return { kind: 'rename', object: 'table', table, from: table.name, to: `${reader.identifier()}.${table.name}` };
  const isRewritten = REWRITES.some((phrase) => reader.is(...phrase));
  return {
    kind: isRewritten ? 'rewrite_table' : 'set_table',
    table,
    words,
    isRepeatable: REPEATABLE.some((phrase) => reader.is(...phrase)),
  };
}
