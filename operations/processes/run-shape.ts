/**
 * The app as a run knows it. A run keeps the definition of its start, and that the names of its version: records are read under
 * them and written under those of today, entities and fields found by their stable ids. What is gone is refused by its name.
 */
import { olderShape } from '../../core/change/older-shape.ts';
import type { OlderNames } from '../../core/change/older-shape/names.ts';
import { AppError } from '../../core/errors.ts';
import type { EntityDefinition, SchemaDocument } from '../../core/model/document.ts';
import { fieldName, keyFieldAt } from '../../core/model/model.ts';
import type { Db } from '../../adapters/postgres/run.ts';
import type { AppRuntime } from '../context.ts';
import { createAppRuntime } from '../registry-runtimes.ts';
import { idNow } from '../records/former-keys.ts';
import { versionNames } from '../version-names.ts';
import { type JsonRow, readRecord, type RecordPaths } from './read-record.ts';

export interface RunShape {
  /** Reads records under the run's names. For reading only: it has no rules, permissions or workflows. */
  readonly reader: AppRuntime;
  /** An entity's name of today. */
  entityNow(name: string): string;
  /** What the run's version calls an entity of today. */
  entityThen(name: string): string;
  /** A body with the names of today. */
  bodyNow(entity: string, body: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** INVALID_STATE where a path names a field or relation that the run's version had and today's has no more. */
  check(entity: string | null, paths: RecordPaths): void;
}

const SHAPES = {};

/** Of the version that a run's definition is from; undefined stands for a run of before there was such a note: it has today's names. */
export async function runShape(db: Db, app: AppRuntime, version: number | undefined): Promise<RunShape> {
  const shapes = app.memo(SHAPES, () => new Map<number, RunShape>());
  const wanted = version ?? app.version;
  const known = shapes.get(wanted);
  if (known !== undefined) return known;
  const names = await versionNames(db, app, wanted, app.version);
  const shape = names === undefined ? sameShape(app) : otherShape(app, names, wanted);
  shapes.set(wanted, shape);
  return shape;
}

/** A record of today's entity, called as in a run's version, under the names of that. */
export async function readInShape(
  db: Db,
  app: AppRuntime,
  version: number,
  { entity, recordId }: { readonly entity: string; readonly recordId: string },
  paths: RecordPaths,
): Promise<JsonRow | null> {
  const { reader, entityThen } = await runShape(db, app, version);
  const model = app.model.entities.get(entity);
  const isKeyGone = model !== undefined && keyFieldAt(model, version) === undefined;
  const readId = isKeyGone ? await idNow(db, app, model, recordId, version) : recordId;
  return readId === undefined ? null : readRecord(db, reader, entityThen(entity), readId, paths);
}

const sameShape = (app: AppRuntime): RunShape => ({
  reader: app,
  entityNow: (name) => name,
  entityThen: (name) => name,
  bodyNow: (_entity, body) => ({ ...body }),
  check: () => undefined,
});

function otherShape(app: AppRuntime, names: OlderNames, version: number): RunShape {
  const gone = (what: string): AppError =>
    new AppError(
      'INVALID_STATE',
      `${what} is not there any more as version ${String(version)} had it, which this run's definition is from.`,
      {
        hint: 'Move the run to the newest definition, or skip the step.',
      },
    );
  const then = names.served.entities;
  return {
    reader: createAppRuntime({
      ...app,
      document: carried(app.model.document, names),
      beside: { version, kind: 'older', served: app },
    }),
    entityNow(name) {
      const now = names.entity(name)?.name;
      if (now === undefined && then.has(name)) throw gone(`The entity "${name}"`);
      return now ?? name;
    },
    entityThen: (name) => [...then.keys()].find((one) => names.entity(one)?.name === name) ?? name,
    bodyNow(entity, body) {
      const entries = Object.entries(body).map(([field, member]) => {
        const now = names.field(entity, field)?.name;
        if (now === undefined && then.get(entity)?.fields.has(field) === true) throw gone(`The field "${field}" of "${entity}"`);
        return [now ?? field, member] as const;
      });
      return Object.fromEntries(entries);
    },
    check(entity, paths) {
      for (const path of entity === null ? [] : paths) {
        const missing = firstGone(names, entity ?? '', path);
        if (missing !== undefined) throw gone(missing);
      }
    },
  };
}

/** Only what the run's version knew can be gone; other names are nothing in it, as ever. */
function firstGone(names: OlderNames, entity: string, path: readonly string[]): string | undefined {
  let at = entity;
  for (const word of path) {
    const model = names.served.entities.get(at);
    if (model?.fields.has(word) === true) return names.field(at, word) === undefined ? `The field "${word}" of "${at}"` : undefined;
    const end = model?.ends.get(word);
    if (end === undefined) return undefined;
    if (names.end(at, word) === undefined) return `The relation "${word}" of "${at}"`;
    at = end.target;
  }
  return undefined;
}

/** Where the field that was the key is gone, records are told apart by the key of today. */
function withKeyOfToday(entity: EntityDefinition, names: OlderNames): EntityDefinition {
  const [key] = names.served.entities.get(entity.name)?.key ?? [];
  const now = names.entity(entity.name);
  if (key === undefined || now === undefined || names.field(entity.name, key.name) !== undefined) return entity;
  const then = entity.fields.find((field) => names.field(entity.name, fieldName(field)) === now.key[0]);
  return then === undefined ? entity : { ...entity, primary_key: { field: then.name, type: now.keyType, generated: now.isKeyGenerated } };
}

/** The run's version as far as it is still stored. */
function carried(today: SchemaDocument, names: OlderNames): SchemaDocument {
  const shape = olderShape(today, names.served.document);
  const isThere = (entity: string): boolean => names.entity(entity) !== undefined;
  return {
    ...shape,
    entities: shape.entities
      .filter(({ name }) => isThere(name))
      .map((entity) => ({
        ...withKeyOfToday(entity, names),
        fields: entity.fields.flatMap((field) => {
          const now = names.field(entity.name, fieldName(field));
          if (now === undefined) return [];
          // Converted: its values of today, where they are.
          const isSame = names.comparable(entity.name, fieldName(field)) !== undefined;
          return [isSame ? field : { ...now.definition, name: field.name, column: now.column }];
        }),
      })),
    relations: shape.relations.filter(({ name, source, target }) => {
      const end = names.served.entities.get(source)?.relations.find(({ relation }) => relation.name === name);
      return isThere(source) && isThere(target) && end !== undefined && names.end(source, end.name) !== undefined;
    }),
    permissions: [],
    rules: [],
    state_machines: [],
    webhooks: [],
    functions: [],
    slas: [],
  };
}
