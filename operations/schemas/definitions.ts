/** Definitions one by one, section by section. Every write is a publish: a new schema version, usable when the call returns. */
import type pg from 'pg';
import { run } from '../../adapters/postgres/run.ts';
import type { Change } from '../../core/change/change.ts';
import { AppError, nearestNames } from '../../core/errors.ts';
import { SECTIONS, segmentOf, type SchemaDocument, type Section } from '../../core/model/document.ts';
import { identitiesOf, labelOf } from '../../core/model/identity.ts';
import { readItem } from '../../core/model/read-document.ts';
import type { Finding } from '../../core/model/review.ts';
import { literal, sql, value } from '../../core/sql/sql.ts';
import type { AppContext } from '../context.ts';
import { issueSecret } from '../webhooks/secrets.ts';
import { publishChange, type PublishOptions } from './publish.ts';
import type { Published } from './run-migration.ts';
import type { MigrationView } from './migrations.ts';

export type Definition = SchemaDocument[Section][number];

/** The answer of a definition's write: the definition, and what its publish understood and found. */
export interface DefinitionAnswer {
  readonly data: unknown;
  readonly changes: readonly Change[];
  readonly findings: readonly Finding[];
  readonly schema_version: number;
  readonly migration: MigrationView | null;
  /** True: answer 202, the migration still runs. */
  readonly isPending: boolean;
}

const NOUNS: Readonly<Record<Section, string>> = {
  entities: 'entity',
  relations: 'relation',
  rules: 'rule',
  state_machines: 'state machine',
  workflows: 'workflow',
  calendars: 'calendar',
  slas: 'SLA',
  permissions: 'permission',
  webhooks: 'webhook',
  functions: 'function attachment',
  roles: 'role',
};

/** `state-machines` and `state_machines` are the same section; undefined for a word that is none. */
export function sectionOf(segment: string): Section | undefined {
  const name = segment.replaceAll('_', '-');
  return SECTIONS.find((section) => segmentOf(section) === name);
}

const nameOf = (item: Definition): string | undefined => ('name' in item ? item.name : undefined);

/** The served definitions with the times of their first and last change. */
export async function listDefinitions(ctx: AppContext, section: Section): Promise<Record<string, unknown>[]> {
  const times = await changeTimes(ctx, section);
  return ctx.app.model.document[section].map((item) => ({ ...shown(section, item), ...times.get(item.id ?? '') }));
}

export function getDefinition(ctx: AppContext, section: Section, key: string): Record<string, unknown> {
  return shown(section, find(ctx.app.model.document, section, key));
}

export async function createDefinition(
  ctx: AppContext,
  section: Section,
  body: unknown,
  options: PublishOptions = {},
): Promise<DefinitionAnswer> {
  const item = readItem(section, body);
  const published = await publishChange(
    ctx,
    (current) => {
      refuseDuplicate(current, section, item);
      return replaceSection(current, section, [...current[section], item]);
    },
    options,
  );
  const created = published.document[section].at(-1);
  if (created === undefined) return answer(published, {});
  // The only time that the secret is shown: afterwards it can be changed, not read.
  const secret = section === 'webhooks' && created.id !== undefined ? { secret: await issueSecret(ctx, created.id) } : {};
  return answer(published, { ...shown(section, created), ...secret });
}

/** Keys that the body does not name keep what they have; a list, when given, is the whole list. */
export async function updateDefinition(
  ctx: AppContext,
  section: Section,
  key: string,
  body: unknown,
  options: PublishOptions = {},
): Promise<DefinitionAnswer> {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new AppError('INVALID_PAYLOAD', 'The body must be a JSON object.');
  let id: string | undefined;
  const published = await publishChange(
    ctx,
    (current) => {
      const existing = find(current, section, key);
      id = existing.id;
      const item = { ...readItem(section, { ...existing, ...body }), ...(existing.id === undefined ? {} : { id: existing.id }) };
      refuseDuplicate(current, section, item, existing);
      return replaceSection(
        current,
        section,
        current[section].map((other) => (other === existing ? item : other)),
      );
    },
    options,
  );
  const updated = (published.document[section] as readonly Definition[]).find((item) => item.id === id);
  return answer(published, updated === undefined ? {} : shown(section, updated));
}

/** What has a table behind it is refused with UNSAFE_CHANGE by the plan. */
export async function deleteDefinition(
  ctx: AppContext,
  section: Section,
  key: string,
  options: PublishOptions = {},
): Promise<DefinitionAnswer> {
  const published = await publishChange(
    ctx,
    (current) => {
      const existing = find(current, section, key);
      return replaceSection(
        current,
        section,
        current[section].filter((other) => other !== existing),
      );
    },
    options,
  );
  return answer(published, { [isNamed(section) ? 'name' : 'id']: key, deleted: true });
}

const answer = (published: Published, data: unknown): DefinitionAnswer => ({
  data,
  changes: published.changes,
  findings: published.findings,
  schema_version: published.version,
  migration: published.isPending ? published.migration : null,
  isPending: published.isPending,
});

const isNamed = (section: Section): boolean => ['entities', 'relations', 'workflows', 'calendars', 'slas', 'roles'].includes(section);

/** An entity also says its table, and repeats itself under `definition` as clients of the founding documents expect. */
function shown(section: Section, item: Definition): Record<string, unknown> {
  if (section !== 'entities') return { ...item };
  const entity = item as SchemaDocument['entities'][number];
  return { ...entity, table_name: entity.table ?? entity.name, definition: entity };
}

function replaceSection(document: SchemaDocument, section: Section, items: readonly Definition[]): SchemaDocument {
  return { ...document, [section]: items };
}

function find(document: SchemaDocument, section: Section, key: string): Definition {
  const items: readonly Definition[] = document[section];
  const isSame = (name: string | undefined): boolean => (section === 'roles' ? name?.toLowerCase() === key.toLowerCase() : name === key);
  const found = items.find((item) => item.id === key) ?? items.find((item) => isSame(nameOf(item)));
  if (found !== undefined) return found;
  const near = nearestNames(
    key,
    items.flatMap((item) => nameOf(item) ?? []),
  );
  throw new AppError(
    'NOT_FOUND',
    `There is no ${NOUNS[section]} "${key.slice(0, 100)}".`,
    near.length === 0 ? {} : { hint: `Nearest: ${near.join(', ')}.` },
  );
}

function refuseDuplicate(document: SchemaDocument, section: Section, item: Definition, self?: Definition): void {
  const keys = new Set(identitiesOf(section, item));
  const others = (document[section] as readonly Definition[]).filter((other) => other !== self);
  const taken = others.find((other) => identitiesOf(section, other).some((key) => keys.has(key)));
  if (taken === undefined) return;
  throw new AppError('CONFLICT', `There is already a ${NOUNS[section]} "${labelOf(section, taken)}".`, {
    hint: 'Update that one, or choose another name.',
  });
}

interface TimesRow extends pg.QueryResultRow {
  readonly id: string;
  readonly created_at: string;
  readonly updated_at: string;
}

async function changeTimes(ctx: AppContext, section: Section): Promise<Map<string, Omit<TimesRow, 'id'>>> {
  const rows = await run<TimesRow>(
    ctx.services.pool,
    sql`
    select id, to_json(min(at))#>>'{}' as created_at, to_json(max(at))#>>'{}' as updated_at
    from (select item->>'id' as id, md5(item::text) as content, min(v.created_at) as at
          from durabase.schema_versions v, jsonb_array_elements(v.document->${literal(section)}) as item
          where v.schema_name = ${value(ctx.app.schemaName)} and v.version <= ${value(ctx.app.version, 'integer')}
          group by 1, 2) forms
    group by id`,
  );
  return new Map(rows.map(({ id, created_at, updated_at }) => [id, { created_at, updated_at }]));
}
