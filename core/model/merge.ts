/**
 * Putting documents together: an import into an app that has a document already, and the stable ids that carry an item
 * through renames. Sample data is no part of a schema: the importer writes it once from the incoming document, so a merged
 * document does not hold it, and a row deleted since does not come back with the next version.
 */
import { documentSchema, SECTIONS, settingsSchema, type EntityDefinition, type SchemaDocument, type Section } from './document.ts';
import { canonicalJson, identitiesOf, isOtherByName, labelOf } from './identity.ts';

export type MergeMode = 'skip' | 'merge' | 'replace';

export interface MergeReportItem {
  readonly section: string;
  readonly name: string;
  readonly outcome: 'created' | 'skipped' | 'updated' | 'removed';
}

type Item = SchemaDocument[Section][number];

/** The document of an app before its first import. */
export const EMPTY_DOCUMENT: SchemaDocument = documentSchema.parse({ version: 1 });

/**
 * `skip` keeps what exists and adds what is new; `merge` also brings existing items to the incoming form, keeping fields it
 * does not mention; `replace` makes the document the incoming one.
 */
export function mergeDocument(
  current: SchemaDocument,
  incoming: SchemaDocument,
  mode: MergeMode,
): { readonly document: SchemaDocument; readonly report: readonly MergeReportItem[] } {
  const report: MergeReportItem[] = [];
  const merged = Object.fromEntries(SECTIONS.map((section) => [section, mergeSection(section, current, incoming, mode, report)]));
  const name = mode === 'skip' ? (current.name ?? incoming.name) : (incoming.name ?? current.name);
  const document = {
    version: 1,
    ...(name === undefined ? {} : { name }),
    ...merged,
    ...(incoming.migrate === undefined ? {} : { migrate: incoming.migrate }),
    settings: mergeSettings(current.settings, incoming.settings, mode),
    ui_configs: mergeUiConfigs(current.ui_configs, incoming.ui_configs, mode),
  };
  // Every item passed the document's types already; only their grouping is new.
  return { document: document as unknown as SchemaDocument, report };
}

function mergeSection(
  section: Section,
  current: SchemaDocument,
  incoming: SchemaDocument,
  mode: MergeMode,
  report: MergeReportItem[],
): Item[] {
  const existing: readonly Item[] = current[section];
  const find = finderOf(section, existing);
  const taken = new Set<Item>();
  const added: Item[] = [];
  const updated = new Map<Item, Item>();
  for (const item of incoming[section] as readonly Item[]) {
    const match = find(item, taken);
    const isFree = match !== undefined && !taken.has(match);
    if (match !== undefined) taken.add(match);
    if (match === undefined) {
      if (added.some((other) => isSameTwice(section, other, item))) continue;
      added.push(item);
      report.push({ section, name: labelOf(section, item), outcome: 'created' });
      continue;
    }
    if (!isFree) continue;
    const next = mode === 'skip' ? match : mergeItem(section, match, item, mode);
    const isSame = canonicalJson(next) === canonicalJson(match);
    updated.set(match, next);
    report.push({ section, name: labelOf(section, item), outcome: isSame ? 'skipped' : 'updated' });
  }
  const kept = existing.filter((item) => mode !== 'replace' || taken.has(item));
  for (const item of existing) if (!kept.includes(item)) report.push({ section, name: labelOf(section, item), outcome: 'removed' });
  return [...kept.map((item) => updated.get(item) ?? item), ...added];
}

/** One document says the same twice; webhooks without a name may be alike in what tells them apart and still be two. */
const isSameTwice = (section: Section, one: Item, other: Item): boolean =>
  section === 'webhooks' ? canonicalJson(one) === canonicalJson(other) : finderOf(section, [one])(other) !== undefined;

function mergeItem(section: Section, existing: Item, incoming: Item, mode: MergeMode): Item {
  const id = existing.id === undefined ? {} : { id: existing.id };
  if (section !== 'entities') return { ...incoming, ...id };
  return { ...mergeEntity(existing as EntityDefinition, incoming as EntityDefinition, mode), ...id };
}

function mergeEntity(existing: EntityDefinition, incoming: EntityDefinition, mode: MergeMode): EntityDefinition {
  const known = new Map(existing.fields.map((field) => [field.name, field]));
  const matchOf = (field: EntityDefinition['fields'][number]): EntityDefinition['fields'][number] | undefined =>
    existing.fields.find((other) => field.id !== undefined && other.id === field.id) ?? known.get(field.was ?? '') ?? known.get(field.name);
  const used = new Set<string>();
  const fields = incoming.fields.map((field) => {
    const match = matchOf(field);
    if (match !== undefined) used.add(match.name);
    return match?.id === undefined ? field : { ...field, id: match.id };
  });
  const names = new Set(fields.map((field) => field.name));
  const rest = mode === 'merge' ? existing.fields.filter((field) => !used.has(field.name) && !names.has(field.name)) : [];
  return { ...incoming, fields: [...fields, ...rest] };
}

/** Settings that only repeat a default say nothing. */
function mergeSettings(
  current: SchemaDocument['settings'],
  incoming: SchemaDocument['settings'],
  mode: MergeMode,
): SchemaDocument['settings'] {
  if (mode === 'replace') return incoming;
  const defaults: Record<string, unknown> = settingsSchema.parse({});
  const said = (settings: object): Record<string, unknown> =>
    Object.fromEntries(Object.entries(settings).filter(([key, value]) => canonicalJson(value) !== canonicalJson(defaults[key])));
  const [under, over] = mode === 'skip' ? [incoming, current] : [current, incoming];
  return { ...defaults, ...said(under), ...said(over) } as SchemaDocument['settings'];
}

function mergeUiConfigs(
  current: SchemaDocument['ui_configs'],
  incoming: SchemaDocument['ui_configs'],
  mode: MergeMode,
): SchemaDocument['ui_configs'] {
  if (mode === 'replace') return incoming;
  const keyOf = (config: unknown): string => {
    if (typeof config !== 'object' || config === null || Array.isArray(config)) return canonicalJson(config);
    const { entity, scope, name } = config as Record<string, unknown>;
    return canonicalJson([entity, scope, name]);
  };
  const [first, second] = mode === 'skip' ? [incoming, current] : [current, incoming];
  return [...new Map([...first, ...second].map((config) => [keyOf(config), config])).values()];
}

const NONE: ReadonlySet<Item> = new Set();

/**
 * Finds the item of a list an item stands for: by id, by its own `was`, else by the first identity in common. Of several alike it is the
 * first that is not `taken`.
 */
function finderOf(section: Section, items: readonly Item[]): (item: Item, taken?: ReadonlySet<Item>) => Item | undefined {
  const byId = new Map(items.flatMap((item) => (item.id === undefined ? [] : [[item.id, item] as const])));
  const byIdentity = new Map<string, Item[]>();
  for (const item of items) for (const key of identitiesOf(section, item)) byIdentity.set(key, [...(byIdentity.get(key) ?? []), item]);
  return (item, taken = NONE) => {
    const same = item.id === undefined ? undefined : byId.get(item.id);
    const renamed = 'was' in item && item.was !== undefined ? byIdentity.get(item.was)?.[0] : undefined;
    if (same !== undefined || renamed !== undefined) return same ?? renamed;
    const alike = identitiesOf(section, item)
      .flatMap((key) => byIdentity.get(key) ?? [])
      .filter((found) => !isOtherByName(section, found, item));
    return alike.find((found) => !taken.has(found)) ?? (section === 'webhooks' ? undefined : alike[0]);
  };
}

/**
 * Gives every item and field its stable id: its own, that of the item it was in the previous document, or a new one. `was`
 * is used up here: left in place it would catch the wrong field when the old name is given to another one later. `dropped` are
 * ids of earlier versions: what says one is that item come back, and not its namesake of today.
 */
export function assignIds(
  document: SchemaDocument,
  previous: SchemaDocument | undefined,
  newId: () => string,
  dropped: ReadonlySet<string> = new Set(),
): SchemaDocument {
  const used = new Set<string>();
  const take = (...candidates: (string | undefined)[]): string => {
    const id = candidates.find((candidate) => candidate !== undefined && !used.has(candidate)) ?? newId();
    used.add(id);
    return id;
  };
  const entityBefore = finderOf('entities', previous?.entities ?? []);
  const formerly = new Map(document.entities.map((entity) => [entity.name, [entity, entityBefore(entity)] as const]));
  const sections = Object.fromEntries(
    SECTIONS.map((section) => {
      const find = finderOf(section, previous?.[section] ?? []);
      const taken = new Set<Item>();
      const items = (document[section] as readonly Item[]).map((item) => {
        const before =
          item.id !== undefined && dropped.has(item.id) ? undefined : (find(item, taken) ?? find(calledBefore(item, formerly), taken));
        if (before !== undefined) taken.add(before);
        const { was: _was, ...rest } = item as Item & { was?: string };
        const identified = { id: take(before?.id, item.id), ...without(rest, 'id') };
        return section === 'entities'
          ? withFieldIds(identified as EntityDefinition, before as EntityDefinition | undefined, take, dropped)
          : identified;
      });
      return [section, items];
    }),
  );
  return { ...document, ...sections };
}

type Formerly = ReadonlyMap<string, readonly [now: EntityDefinition, before: Item | undefined]>;

/** A definition of a renamed entity, or the machine of a renamed field, is still the same: webhooks keep their secrets by it. */
function calledBefore(item: Item, formerly: Formerly): Item {
  const [now, before] = 'entity' in item ? (formerly.get(item.entity) ?? []) : [];
  if (now === undefined || before === undefined) return item;
  const entity = before as EntityDefinition;
  const field = 'field' in item ? now.fields.find((one) => one.name === item.field) : undefined;
  const was = entity.fields.find((one) => (field?.id !== undefined && one.id === field.id) || one.name === field?.was);
  return { ...item, entity: entity.name, ...(was === undefined ? {} : { field: was.name }) } as Item;
}

function withFieldIds(
  entity: EntityDefinition,
  before: EntityDefinition | undefined,
  take: (...ids: (string | undefined)[]) => string,
  dropped: ReadonlySet<string>,
): EntityDefinition {
  const byName = new Map((before?.fields ?? []).map((field) => [field.name, field]));
  const known = new Set((before?.fields ?? []).map((field) => field.id));
  const renamed = new Set(entity.fields.flatMap((field) => (field.was !== undefined && byName.has(field.was) ? [field.was] : [])));
  const fields = entity.fields.map((field) => {
    const { was, id: own, ...rest } = field;
    const match = (was === undefined ? undefined : byName.get(was)) ?? (renamed.has(field.name) ? undefined : byName.get(field.name));
    if (own !== undefined && dropped.has(own)) return { id: take(own), ...rest };
    const isOwnKnown = own !== undefined && known.has(own);
    return { id: isOwnKnown ? take(own, match?.id) : take(match?.id, own), ...rest };
  });
  return { ...entity, fields };
}

const without = <T extends object, K extends keyof T>(object: T, key: K): Omit<T, K> => {
  const { [key]: _dropped, ...rest } = object;
  return rest;
};
