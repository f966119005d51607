/**
 * What one delete will take away in the end. Asked only when something seems to restrict it: that may be a row which another branch
 * of the same cascade comes to later.
 */
import { run } from '../../adapters/postgres/run.ts';
import type { EntityModel } from '../../core/model/model.ts';
import { recordIdText } from '../../core/sql/columns.ts';
import { id, join, sql } from '../../core/sql/sql.ts';
import { andLive, dependentsOf, refersTo, rowsOf, type Dependent } from './dependents.ts';
import { prepared, type PlainRecord, type Write } from './write-state.ts';

/** More than a delete of this size takes minutes; it is judged by what it has reached. */
const MAX_DOOMED = 100_000;

/** `entity id` of every record the delete under way reaches by its cascades. */
export async function doomedRecords(write: Write): Promise<ReadonlySet<string>> {
  const { root } = write.deletes;
  if (root === undefined) return write.deleting;
  if (root.doomed !== undefined) return root.doomed;
  const doomed = new Set([`${root.entity.name} ${root.id}`]);
  const open: { readonly entity: EntityModel; readonly record: PlainRecord }[] = [root];
  for (let next = open.pop(); next !== undefined && doomed.size < MAX_DOOMED; next = open.pop()) {
    for (const dependent of dependentsOf(write, next.entity, next.record)) {
      if (dependent.end.onDelete !== 'cascade') continue;
      for (const { _id: recordId, ...record } of await childrenOf(write, dependent)) {
        const name = `${dependent.child.name} ${recordId}`;
        if (doomed.has(name)) continue;
        doomed.add(name);
        open.push({ entity: dependent.child, record });
      }
    }
  }
  root.doomed = doomed;
  return doomed;
}

/** The children with what their own children refer to them by. */
function childrenOf(write: Write, dependent: Dependent): Promise<({ _id: string } & Record<string, unknown>)[]> {
  const { child } = dependent;
  const wanted = new Set(child.relations.filter((end) => end.direction === 'reverse').map((end) => end.localColumn));
  const fields = [...child.fields.values()].filter((field) => wanted.has(field.column));
  const columns = [
    sql`${recordIdText(child, 't')} as "_id"`,
    ...fields.map((field) => sql`${id('t', field.column)}::text as ${id(field.name)}`),
  ];
  return run(
    write.db,
    sql`select ${join(columns)} from ${rowsOf(write, child)} "t" where ${refersTo(dependent, 't')}${andLive(child, 't')}`,
    prepared(write),
  );
}

/** The rows go in the order of the cascade, not of their references; the transaction ends with none that leads nowhere. */
export async function deferReferences({ db }: Write): Promise<void> {
  await run(db, sql`set constraints all deferred`);
}
