/**
 * What older events call things. An event keeps names and the version they were written under (docs/adr/0001); a version never
 * changes, and says by stable ids which of today's entities and fields those were.
 */
import type pg from 'pg';
import { type Db, run } from '../../adapters/postgres/run.ts';
import type { SchemaDocument } from '../../core/model/document.ts';
import { buildModel, type AppModel, type EntityModel, type FieldModel } from '../../core/model/model.ts';
import { sql, value, type Sql } from '../../core/sql/sql.ts';
import type { AppRuntime } from '../context.ts';

export interface PastNames {
  /** Today's entity behind the name an event of that version has; undefined when it is gone. */
  entityOf(version: number, name: string): EntityModel | undefined;
  /** Today's field likewise. */
  fieldOf(version: number, entity: string, name: string): FieldModel | undefined;
}

const MODELS = {};

/** Reads the versions that are not the app's own, each once per runtime. */
export async function pastNames(db: Db, app: AppRuntime, versions: Iterable<number>): Promise<PastNames> {
  const models = app.memo(MODELS, () => new Map<number, AppModel>([[app.version, app.model]]));
  const unread = [...new Set(versions)].filter((version) => !models.has(version));
  if (unread.length > 0) {
    const rows = await run<{ version: number; document: SchemaDocument } & pg.QueryResultRow>(
      db,
      sql`
      select version, document from durabase.schema_versions
      where schema_name = ${value(app.schemaName)} and version = any(${value(unread, 'integer[]')})`,
    );
    for (const { version, document } of rows) models.set(version, buildModel(document));
  }
  return namesIn(app.model, models);
}

function namesIn(today: AppModel, models: ReadonlyMap<number, AppModel>): PastNames {
  const entityOf = (version: number, name: string): EntityModel | undefined => {
    const past = models.get(version);
    if (past === today) return today.entities.get(name);
    const entity = past?.entities.get(name);
    return entity === undefined ? undefined : [...today.entities.values()].find((other) => isSameEntity(entity, other));
  };
  return {
    entityOf,
    fieldOf(version, entityName, name) {
      const past = models.get(version);
      if (past === today) return today.entities.get(entityName)?.fields.get(name);
      const field = past?.entities.get(entityName)?.fields.get(name);
      const entity = entityOf(version, entityName);
      if (field === undefined || entity === undefined) return undefined;
      return [...entity.fields.values()].find((other) => isSameField(field, other));
    },
  };
}

/** By stable id; what has none (a document from before ids) is known by where it is stored. */
const isSameEntity = (a: EntityModel, b: EntityModel): boolean =>
  a.definition.id !== undefined && b.definition.id !== undefined ? a.definition.id === b.definition.id : a.table === b.table;

const isSameField = (a: FieldModel, b: FieldModel): boolean =>
  a.definition.id !== undefined && b.definition.id !== undefined ? a.definition.id === b.definition.id : a.column === b.column;

/** The names an entity has had, version by version. */
export interface NamesOverTime {
  readonly versions: readonly number[];
  readonly names: readonly string[];
}

export async function namesOverTime(db: Db, app: AppRuntime, entity: EntityModel): Promise<NamesOverTime> {
  const rows = await run<{ version: number; name: string } & pg.QueryResultRow>(
    db,
    sql`
    select v.version, e->>'name' as name
    from durabase.schema_versions v cross join lateral jsonb_array_elements(v.document->'entities') e
    where v.schema_name = ${value(app.schemaName)} and (e->>'id' = ${value(entity.definition.id ?? null, 'text')}
      or (${value(entity.definition.id ?? null, 'text')} is null or e->>'id' is null) and e->>'name' = ${value(entity.name)})`,
  );
  return { versions: rows.map((row) => row.version), names: rows.map((row) => row.name) };
}

/** Rows `e` that have one of the names. Of a single one, as nearly all entities have had, an index gives the rows in their order. */
export function isNamedAs({ names }: NamesOverTime): Sql {
  const [name, ...more] = new Set(names);
  return name !== undefined && more.length === 0
    ? sql`e.entity = ${value(name)}`
    : sql`e.entity = any(${value([...new Set(names)], 'text[]')})`;
}
