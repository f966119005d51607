/** Who refers to a record by a foreign key. */
import type { EntityModel, FieldModel, RelationEnd } from '../../core/model/model.ts';
import type { Access } from '../../core/policy/access.ts';
import { COLUMN_TYPES } from '../../core/sql/columns.ts';
import { and, empty, id, raw, sql, value, type Sql } from '../../core/sql/sql.ts';
import { isLive } from './record-key.ts';
import type { PlainRecord, Write } from './write-state.ts';

export interface Dependent {
  readonly end: RelationEnd;
  readonly child: EntityModel;
  /** The child's foreign key. */
  readonly field: FieldModel;
  /** The value it has in the rows that refer to the record. */
  readonly key: unknown;
}

/** The records' kinds that hold a foreign key to this record, and the value by which they do. */
export function dependentsOf(write: Write, entity: EntityModel, record: PlainRecord): Dependent[] {
  return entity.relations.flatMap((end) => {
    const child = end.direction === 'reverse' ? write.ctx.app.model.entities.get(end.target) : undefined;
    const field = child === undefined ? undefined : child.fields.get(end.targetField);
    const key = record[end.localField];
    return child === undefined || field === undefined || key === null || key === undefined ? [] : [{ end, child, field, key }];
  });
}

export const tableOf = (write: Write, entity: EntityModel): Sql => id(write.ctx.app.storage, entity.table);
export const rowsOf = (write: Write, entity: EntityModel): Sql => id(write.ctx.app.storage, entity.rows);

export const refersTo = ({ field, key }: Dependent, alias: string): Sql =>
  sql`${id(alias, field.column)} = ${value(key, COLUMN_TYPES[field.type])}`;

/** Whether `read` shows the row `t`, and in it the field that ties it to another record. Undefined: always. */
export function visibility(read: Access, field: string): Sql | undefined {
  const { mode, when } = read.field(field);
  if (!read.isGranted || mode === 'never') return raw('false');
  const conditions = [read.where('t'), mode === 'conditional' ? when?.('t') : undefined].filter((part) => part !== undefined);
  return conditions.length === 0 ? undefined : and(conditions);
}

export const andLive = (entity: EntityModel, alias: string): Sql => {
  const live = isLive(entity, alias);
  return live === undefined ? empty : sql` and ${live}`;
};
