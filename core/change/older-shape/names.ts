/** What the names of the served version are called in an older one: found by stable ids, and by columns where nothing was declared. */
import type { SchemaDocument } from '../../model/document.ts';
import { buildModel, type AppModel, type EntityModel, type FieldModel, type RelationEnd } from '../../model/model.ts';
import { pair } from '../pair.ts';

export class OlderNames {
  readonly served: AppModel;
  readonly older: AppModel;
  /** By name in the served version. */
  readonly #entities: ReadonlyMap<string, EntityModel>;
  readonly #relations: ReadonlyMap<string, string>;

  constructor(served: SchemaDocument, older: SchemaDocument) {
    this.served = buildModel(served);
    this.older = buildModel(older);
    const entities = pair(older.entities, served.entities, (entity) => entity.name).kept;
    this.#entities = new Map(
      entities.flatMap(([old, now]) => {
        const model = this.older.entities.get(old.name);
        return model === undefined ? [] : [[now.name, model] as const];
      }),
    );
    const relations = pair(older.relations, served.relations, (relation) => relation.name).kept;
    this.#relations = new Map(relations.map(([old, now]) => [now.name, old.name]));
  }

  entity(name: string): EntityModel | undefined {
    return this.#entities.get(name);
  }

  /** Entities of the older version that the served one has no more. */
  dropped(): EntityModel[] {
    const kept = new Set(this.#entities.values());
    return [...this.older.entities.values()].filter((entity) => !kept.has(entity));
  }

  /** The same field, whatever its values became. */
  field(entity: string, name: string): FieldModel | undefined {
    const now = this.served.entities.get(entity)?.fields.get(name);
    const before = this.entity(entity);
    if (now === undefined || before === undefined) return undefined;
    const { id } = now.definition;
    return [...before.fields.values()].find((field) =>
      id === undefined || field.definition.id === undefined ? field.column === now.column : field.definition.id === id,
    );
  }

  /** The same field with the same values: what was said of them still means the same. */
  comparable(entity: string, name: string): FieldModel | undefined {
    const field = this.field(entity, name);
    return field?.column === this.served.entities.get(entity)?.fields.get(name)?.column ? field : undefined;
  }

  /** Fields of the older entity that the served version has no more. */
  droppedFields(entity: string): FieldModel[] {
    const kept = new Set([...(this.served.entities.get(entity)?.fields.keys() ?? [])].map((name) => this.field(entity, name)));
    return [...(this.entity(entity)?.fields.values() ?? [])].filter((field) => !kept.has(field));
  }

  /** The same side of the same relation. */
  end(entity: string, name: string): RelationEnd | undefined {
    const now = this.served.entities.get(entity)?.ends.get(name);
    if (now === undefined) return undefined;
    return this.entity(entity)?.relations.find((end) => end.direction === now.direction && this.#isSame(end, now));
  }

  #isSame(old: RelationEnd, now: RelationEnd): boolean {
    if (old.relation.id !== undefined && now.relation.id !== undefined) return old.relation.id === now.relation.id;
    return old.relation.name === (this.#relations.get(now.relation.name) ?? now.relation.name);
  }

  /** A way from a record through relations to a field, as conditions say it: `customer.region`. */
  path(entity: string, path: string): string | undefined {
    const words = path.split('.');
    const told: string[] = [];
    let at = entity;
    for (const [index, word] of words.entries()) {
      const field = this.served.entities.get(at)?.fields.get(word);
      if (field !== undefined) {
        const older = this.comparable(at, word);
        // What follows a field is inside of its json.
        return older === undefined ? undefined : [...told, older.name, ...words.slice(index + 1)].join('.');
      }
      const end = this.end(at, word);
      if (end === undefined) return undefined;
      told.push(end.name);
      at = this.served.entities.get(at)?.ends.get(word)?.target ?? '';
    }
    return told.join('.');
  }
}
