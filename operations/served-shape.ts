/** From the shape a client wrote in to the one that is served: tables and columns are the same, their names are not. */
import type { EntityModel, FieldModel } from '../core/model/model.ts';
import type { AppRuntime } from './context.ts';

/** Undefined where the served version has no such entity any more. */
export function servedEntity(app: AppRuntime, entity: EntityModel): EntityModel | undefined {
  if (app.beside === undefined) return entity;
  return [...app.beside.served.model.entities.values()].find((other) => other.table === entity.table);
}

/** The field of the entity by which the served shape names its records: its key, unless a migration changes that. */
export function toldKey(app: AppRuntime, entity: EntityModel): FieldModel | undefined {
  const served = servedEntity(app, entity)?.key[0];
  return [...entity.fields.values()].find((field) => field.column === served?.column);
}

/** A record's values under the names that are served; what the database converts by itself is not among them. */
export function servedRecord<T>(entity: EntityModel, served: EntityModel, record: Readonly<Record<string, T>>): Record<string, T> {
  const names = new Map([...served.fields.values()].map((field) => [field.column, field.name]));
  return Object.fromEntries(
    Object.entries(record).flatMap(([name, member]): [string, T][] => {
      const column = entity.fields.get(name)?.column;
      const told = column === undefined ? undefined : names.get(column);
      return told === undefined ? [] : [[told, member]];
    }),
  );
}
