/** What the checks of the sections share: where mistakes and findings go, and the names a document has. */
import { nearestNames, type ErrorDetail } from '../../errors.ts';
import { AppError } from '../../errors.ts';
import { compileExpression, type CompiledExpression } from '../../expression/expression.ts';
import type { EntityDefinition, SchemaDocument } from '../document.ts';
import { compilePattern } from '../fields/pattern.ts';
import { fieldName, foreignKeyOf } from '../model.ts';

/** Something accepted that cannot work yet, or not as it reads. */
export interface Finding {
  readonly id: string;
  readonly level: 'error' | 'warning' | 'info';
  readonly path: string;
  readonly message: string;
  readonly consequence: string;
  readonly fix: string;
}

export class Review {
  readonly errors: ErrorDetail[] = [];
  readonly findings: Finding[] = [];
  readonly document: SchemaDocument;
  readonly entities: ReadonlyMap<string, EntityDefinition>;
  /** Role names in lower case; empty when the document lists none, which means any may be used. */
  readonly roles: ReadonlySet<string>;
  private readonly fields = new Map<string, ReadonlySet<string>>();

  constructor(document: SchemaDocument) {
    this.document = document;
    this.entities = new Map(document.entities.map((entity) => [entity.name, entity]));
    this.roles = new Set(document.roles.map((role) => role.name.toLowerCase()));
  }

  error(path: string, rule: string, message: string, near?: readonly string[]): void {
    this.errors.push({ path, rule, message, ...(near === undefined ? {} : { near }) });
  }

  find(finding: Finding): void {
    if (!this.findings.some((known) => known.id === finding.id)) this.findings.push(finding);
  }

  /** The names of an entity's columns as rules, filters and payloads say them; undefined when there is no such entity. */
  fieldsOf(entity: string): ReadonlySet<string> | undefined {
    const known = this.fields.get(entity);
    const definition = this.entities.get(entity);
    if (known !== undefined || definition === undefined) return known;
    const names = new Set(definition.fields.map(fieldName));
    for (const key of definition.primary_key?.fields ?? [definition.primary_key?.field ?? 'id']) names.add(key);
    for (const relation of this.document.relations) {
      if (relation.type !== 'many_to_many' && relation.target === entity) names.add(foreignKeyOf(relation));
    }
    this.fields.set(entity, names);
    return names;
  }

  /** Reports a field its entity does not have; an unknown entity is somebody else's report. */
  requireField(path: string, entity: string, field: string): boolean {
    const fields = this.fieldsOf(entity);
    if (fields === undefined || fields.has(field)) return fields !== undefined;
    const near = nearestNames(field, fields);
    this.error(path, 'unknown_field', `${path} names "${field}", which ${entity} does not have. Near: ${near.join(', ')}.`, near);
    return false;
  }

  requireEntity(path: string, entity: string): boolean {
    if (this.entities.has(entity)) return true;
    const near = nearestNames(entity, this.entities.keys());
    this.error(
      path,
      'unknown_entity',
      `${path} names the entity "${entity}", which the document does not have.${near.length === 0 ? '' : ` Near: ${near.join(', ')}.`}`,
      near,
    );
    return false;
  }

  /** Permissions, workflows and webhooks may name an entity that comes later. */
  expectEntity(path: string, entity: string, what: string): boolean {
    if (entity === '*' || this.entities.has(entity)) return true;
    this.find({
      id: `unknown-entity:${what}:${entity}`,
      level: 'warning',
      path,
      message: `${what} names the entity "${entity}", which does not exist.`,
      consequence: 'It does nothing until an entity of that name is created.',
      fix: `Create the entity "${entity}", or name one of ${nearestNames(entity, this.entities.keys()).join(', ') || 'those that exist'}.`,
    });
    return false;
  }

  expectRole(path: string, role: string, what: string): void {
    const name = role.toLowerCase();
    if (this.roles.size === 0 || name === 'admin' || this.roles.has(name)) return;
    this.find({
      id: `unknown-role:${name}:${what}`,
      level: 'warning',
      path,
      message: `${what} names the role "${role}", which is not in the list of roles.`,
      consequence: 'Nobody has this role unless a user is given a role of that very name.',
      fix: `Add {"name": "${role}"} to roles, or name one of ${nearestNames(
        role,
        this.document.roles.map((each) => each.name),
      ).join(', ')}.`,
    });
  }

  expression(path: string, text: string | null | undefined): CompiledExpression | undefined {
    if (text === undefined || text === null) return undefined;
    try {
      return compileExpression(text);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.error(path, 'expression', `${path}: ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`);
      return undefined;
    }
  }

  pattern(path: string, pattern: unknown): void {
    if (typeof pattern !== 'string') {
      this.error(path, 'pattern', `${path} must be a regular expression as text.`);
      return;
    }
    try {
      compilePattern(pattern);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      this.error(path, 'pattern', `${path}: ${error.message} ${error.hint ?? ''}`.trim());
    }
  }

  /** Reports names used twice; `what` says of what. */
  unique(names: readonly { readonly name: string; readonly path: string }[], what: string): void {
    const seen = new Map<string, string>();
    for (const { name, path } of names) {
      const first = seen.get(name);
      if (first === undefined) seen.set(name, path);
      else this.error(path, 'duplicate', `${path}: ${what} "${name}" is used twice, first at ${first}.`);
    }
  }
}
